"""Consents: a person and what they agreed to come in, or that they do not any more; it goes out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from bridge import phone
from bridge.dispatch import consents
from bridge.dispatch.consent_file import read_consents
from bridge.dispatch.consents import Shown
from bridge.dispatch.contact_file import Problem
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.operations.contacts import unpacked
from bridge.operations.office import Item, Office, act, entry, iso, record, tenant_named
from bridge.phone import Phone
from bridge.privacy.consents import terms, version_of
from bridge.store.consents import (
    Ended,
    Terms,
    end_consents,
    give_consents,
    give_together,
    put_texts,
)

CHANNEL = "command"


async def consent_add(
    office: Office, *, number: str, tenant: str = "", given: Mapping[str, str]
) -> AsyncIterator[Item]:
    """Record what a person agreed to. Raises Refused."""
    owner, person = await _person(office, tenant, number)
    await _give(office, owner, person, terms(given, office.bridge.clock(), CHANNEL))
    for item in await _shown(office, owner, person):
        yield item


async def _give(office: Office, owner: Tenant, number: Phone, agreed: Terms) -> None:
    bridge = office.bridge
    known = await consents.texts(bridge, owner)
    someone = consents.someone(bridge, owner, number)
    item = consents.giving(bridge, owner, someone, agreed, known)
    what = f"{item.terms.programme or 'all'} {agreed.purpose} {agreed.basis}"
    await act(
        office,
        give_consents,
        item,
        lambda subject: entry(office, "consent add", owner.id, what, subject),
    )


async def consent_withdraw(
    office: Office,
    *,
    number: str,
    tenant: str = "",
    programme: str = "",
    via: str = CHANNEL,
    void: bool = False,
) -> AsyncIterator[Item]:
    """End what a person agreed to, and what waits for them because of it (P31).

    With `void` the number has become somebody else's: their consents are void (P51). Raises
    Refused.
    """
    owner, person = await _person(office, tenant, number)
    item = consents.ending(office.bridge, owner, person, programme, via=via, void=void)
    action = "consent void" if void else "consent withdraw"

    def tell(done: Ended) -> Any:
        subject = done.people[0] if done.people else None
        return entry(office, action, owner.id, f"{programme or 'all'} via {via}", subject)

    done = await act(office, end_consents, item, tell)
    await consents.ended(office.bridge, item, done, office.silence)
    yield {"ended": done.ended, "cancelled": done.cancelled}


async def consent_show(
    office: Office, *, number: str, tenant: str = "", reveal: bool = False, why: str = ""
) -> AsyncIterator[Item]:
    """One object a consent, oldest first; evidence only where it is to be revealed."""
    owner, person = await _person(office, tenant, number)
    if reveal:
        await record(office, "consent show --reveal", tenant=owner.id, why=why)
    for item in await _shown(office, owner, person, reveal=reveal):
        yield item


async def consent_import(office: Office, *, data: str, tenant: str = "") -> AsyncIterator[Item]:
    """Record the consents of a CSV file, all or none; `data` as in `contacts import`."""
    owner = await tenant_named(office, tenant)
    now = office.bridge.clock()
    read = read_consents(unpacked(data), owner.region, now)
    known = await consents.texts(office.bridge, owner)
    items = []
    problems = list(read.problems)
    for row in read.rows:
        someone = consents.someone(office.bridge, owner, row.phone)
        try:
            items.append(consents.giving(office.bridge, owner, someone, row.terms, known))
        except Refused as no:
            problems.append(Problem(row.line, f"{no.sentence}; {no.hint}"))
    for problem in sorted(problems, key=lambda each: each.line):
        yield {"line": problem.line, "problem": problem.reason}
    if problems:
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        raise Refused(f"nothing was imported: {count}", "correct the file, and import it again")
    what = f"{len(items)} consents"
    await act(
        office,
        give_together,
        items,
        lambda _: entry(office, "consent import", owner.id, what),
    )
    yield {"recorded": len(items)}


async def consent_text(
    office: Office, *, tenant: str = "", version: str = "", text: str = ""
) -> AsyncIterator[Item]:
    """Keep the words that people agree to under a version; without words, show all versions."""
    owner = await tenant_named(office, tenant)
    if text:
        name = version or version_of(text)
        item = (owner.id, name, text, office.bridge.clock())
        if not await office.bridge.store.write(put_texts, item):
            known = await consents.texts(office.bridge, owner)
            if known.get(name) != text:
                raise Refused(f"the version {name!r} has other words", "take a new version")
    for name, words in (await consents.texts(office.bridge, owner)).items():
        if version in ("", name):
            yield {"version": name, "text": words}


async def _person(office: Office, tenant: str, number: str) -> tuple[Tenant, Phone]:
    owner = await tenant_named(office, tenant)
    return owner, phone.parse(number, owner.region)


async def _shown(
    office: Office, owner: Tenant, person: Phone, *, reveal: bool = False
) -> list[Item]:
    found = await consents.consents_of(office.bridge, owner, person.e164)
    return [_item(each, reveal=reveal) for each in found]


def _item(each: Shown, *, reveal: bool) -> Item:
    item = {
        "state": each.state,
        "programme": each.programme,
        "purpose": each.purpose,
        "basis": each.basis,
        "channel": each.channel,
        "version": each.version,
        "text": each.text,
        "given_at": iso(each.given_at),
        "expires_at": iso(each.expires_at),
        "withdrawn_at": iso(each.withdrawn_at),
        "withdrawn_via": each.withdrawn_via,
    }
    return {**item, "evidence": each.evidence} if reveal else item
