"""How long data is kept: a run, a period or a hold comes in; what went and what holds goes out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date

from bridge.dispatch import holding
from bridge.dispatch.keeping import Class, Keeper, classes, lapse
from bridge.errors import Refused
from bridge.operations.office import Item, Office, entry, iso, read_id, tenant_named
from bridge.privacy.retention import Period
from bridge.store import ids
from bridge.store.audit import audited
from bridge.store.departures import ClaimDeletion, claim_deletions
from bridge.store.holds import Hold
from bridge.store.periods import Proposal


async def retention_run(office: Office, *, dry_run: bool = False) -> AsyncIterator[Item]:
    """Delete what is past its period, or count it; an object a class that has some."""
    bridge = office.bridge
    periods = {each.rule.name: each for each in await classes(bridge)}
    async for outcome in Keeper(bridge).run(dry=dry_run):
        if outcome.counts:
            yield {
                "class": outcome.klass,
                "period": periods[outcome.klass].period.written,
                "due" if dry_run else "deleted": dict(outcome.counts),
                **({"more": outcome.more} if dry_run else {}),
            }


async def retention_show(office: Office, *, tenant: str = "") -> AsyncIterator[Item]:
    """The period of each class: of all, or as a tenant's."""
    owner = (await tenant_named(office, tenant)).id if tenant else 0
    for each in await classes(office.bridge, owner):
        yield _shown(each)


def _shown(each: Class) -> Item:
    rule = each.rule
    return {
        "class": rule.name,
        "holds": rule.holds,
        "period": each.period.written,
        "trigger": rule.trigger,
        "minimum": rule.minimum.written,
        "maximum": rule.maximum.written,
        "set_by": rule.set_by,
        "basis": rule.basis,
        "clause": rule.clause,
        "source_url": rule.source_url,
        "verified_on": rule.verified_on.isoformat(),
        "last_run": iso(each.last_run),
        "deleted": dict(each.deleted or {}),
    }


async def retention_set(
    office: Office, *, klass: str, period: str, reason: str, tenant: str = ""
) -> AsyncIterator[Item]:
    """Propose another period; it holds once a second person agrees. Raises Refused."""
    owner = (await tenant_named(office, tenant)).id if tenant else 0
    made = await holding.propose(office.bridge, klass, period, reason, office.actor, owner)
    yield _proposed(made, "waiting")


async def retention_agree(office: Office, *, id: str) -> AsyncIterator[Item]:  # noqa: A002
    """A second person agrees to a period, or to a hold. Raises Refused."""
    bridge = office.bridge
    number = read_id(id, "bridge privacy retention set")
    proposed = await holding.proposal(bridge, number)
    if proposed is not None:
        await holding.agree_to_period(bridge, proposed, office.actor)
        yield _proposed(proposed, "agreed")
        return
    found = await holding.hold(bridge, number)
    if found is None:
        raise Refused("nothing waits under this id", "copy it from where it was shown")
    await holding.agree_to_hold(bridge, found, office.actor)
    yield {"id": ids.show(number), "state": "agreed"}


def _proposed(item: Proposal, state: str) -> Item:
    return {
        "id": ids.show(item.id),
        "class": item.klass,
        "period": Period(item.days, item.months).written,
        "state": state,
        "lapses_at": iso(item.set_at + lapse()) if state == "waiting" else None,
    }


async def retention_claim(office: Office, *, tenant: str, instruction: str) -> AsyncIterator[Item]:
    """A tenant claims the deletion of its contacts and messages (PRIVACY P1). Raises Refused."""
    bridge = office.bridge
    owner = await tenant_named(office, tenant)
    if not instruction.strip():
        raise Refused("a claim needs the tenant's instruction", "--instruction says what it wrote")
    now = bridge.clock()
    item = ClaimDeletion(owner.id, "claim", office.actor, instruction.strip(), now)
    told = entry(office, "privacy claim", owner.id, instruction.strip())
    await bridge.store.write(audited(claim_deletions), (item, lambda _: told))
    periods = {each.rule.name: each.period for each in await classes(bridge, owner.id)}
    contacts, messages = periods["contact"], periods["claimed-message"]
    yield {
        "tenant": owner.name,
        "claimed_at": iso(now),
        "contacts_gone_after": contacts.written,
        "messages_gone_after": messages.written,
        "backups_gone_after": periods["backup"].written,
    }


async def hold_add(
    office: Office, *, ref: str, basis: str, until: str, tenant: str = "", claim: bool = False
) -> AsyncIterator[Item]:
    """Keep what is kept of a person, or with `claim` a message's traffic record. Raises Refused."""
    owner = await tenant_named(office, tenant)
    about = await holding.whom(office.bridge, owner.id, ref, owner.region)
    if not claim:
        about = replace(about, message_id=0)
    elif not about.message_id:
        raise Refused("a dispute is about a message", "give the message's id from `bridge log`")
    made = await holding.add(
        office.bridge, about, basis, read_day(until), office.actor, agreed=True
    )
    yield _held(made)


def read_day(written: str) -> date:
    """A day as ISO 8601 writes it. Raises Refused."""
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise Refused(f"{written!r} is no day", "write it as 2027-06-30") from None


async def hold_release(office: Office, *, id: str) -> AsyncIterator[Item]:  # noqa: A002
    """End a hold. Raises Refused."""
    found = await holding.hold(office.bridge, read_id(id, "bridge hold list"))
    if found is None:
        raise Refused("there is no hold with this id", "`bridge hold list` shows them")
    await holding.release(office.bridge, found, office.actor)
    yield {"id": ids.show(found.id), "state": "released"}


async def hold_list(office: Office, *, tenant: str = "") -> AsyncIterator[Item]:
    """The holds that bind, oldest first."""
    owner = (await tenant_named(office, tenant)).id if tenant else 0
    for item in await holding.standing(office.bridge, owner):
        yield _held(item)


def _held(item: Hold) -> Item:
    return {
        "id": ids.show(item.id),
        "person": ids.show(item.subject_id),
        "message": ids.show(item.message_id) if item.message_id else None,
        "basis": item.basis,
        "since": iso(item.created_at),
        "until": iso(item.until),
        "set_by": item.set_by,
        "approved_by": item.approved_by or None,
    }
