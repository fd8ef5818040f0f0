"""The list of people not to be texted: numbers come in, how they stand there goes out.

A file of numbers is read and not kept (P3); what leaves of the list are tokens, never numbers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from typing import Final

from bridge import phone
from bridge.dispatch import carrier_lists
from bridge.dispatch.number_file import Line, read_numbers
from bridge.dispatch.stopping import stop, wish
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused, TryLater
from bridge.operations.contacts import unpacked
from bridge.operations.office import (
    Item,
    Office,
    act,
    entry,
    iso,
    reason_of,
    record,
    tenant_named,
)
from bridge.store import ids
from bridge.store.listed import ANY
from bridge.store.sql import Values
from bridge.store.suppressions import (
    ACTIVE,
    ENTERED,
    LIST,
    Lift,
    lift_all,
    suppress_all,
)
from bridge.store.wishes import OPEN_WISHES

SOURCE: Final = "operator"
IMPORTED: Final = "import"
_PAGE: Final = 500


async def suppress_add(
    office: Office,
    *,
    number: str,
    tenant: str,
    scope: str = "tenant",
    purpose: str = ANY,
    programme: str = "",
) -> AsyncIterator[Item]:
    """Nothing more leaves for this person; what waits is cancelled. Raises Refused."""
    bridge = office.bridge
    owner, e164 = await _person(office, tenant, number)
    item = wish(
        bridge.keys,
        owner.id,
        e164,
        scope="programme" if programme else scope,
        source=SOURCE,
        now=bridge.clock(),
        programme=bridge.register.programme(owner.id, programme).id if programme else 0,
        purpose=purpose,
    )
    reason = reason_of("", scope=item.scope, purpose=purpose)
    said = entry(office, "suppress add", owner.id, reason)
    bound = await stop(bridge, item, office.silence, act=said)
    standing = await _standing(office, owner, e164)
    yield {**standing, "cancelled": bound.cancelled}


async def suppress_remove(
    office: Office, *, number: str, tenant: str, scope: str = "tenant", programme: str = ""
) -> AsyncIterator[Item]:
    """Lift a suppression that the operator made; one in the other scope stays.

    Raises Refused for what the person did: START from their phone lifts that, nothing else (P40).
    """
    bridge = office.bridge
    owner, e164 = await _person(office, tenant, number)
    item = wish(
        bridge.keys,
        owner.id,
        e164,
        scope="programme" if programme else scope,
        source=SOURCE,
        now=bridge.clock(),
        programme=bridge.register.programme(owner.id, programme).id if programme else 0,
    )
    older = (old for old, new in item.moves.items() if new == item.token)
    tokens = (item.token, *older)
    for row in await bridge.store.read(ACTIVE, keys=Values(tokens)):
        refuse_own_wish(row[1])
    said = entry(office, "suppress remove", owner.id, reason_of("", scope=item.scope))
    lifting = Lift(tokens, SOURCE, bridge.clock())
    await act(office, lift_all, lifting, lambda count: said if count else None)
    await bridge.refresh()
    yield await _standing(office, owner, e164)


def refuse_own_wish(source: str) -> None:
    """Raises Refused where the person, not the operator, put themselves on the list."""
    if source == "restriction":
        raise Refused(
            "this person's data may not be used at present",
            "`bridge dsar restrict ID --off` ends that, for its case",
        )
    if source not in ENTERED:
        raise Refused(
            f"this person opted out themselves (source {source})",
            "only START from their phone lifts it",
        )


async def suppress_check(
    office: Office, *, number: str, tenant: str, scope: str = ""
) -> AsyncIterator[Item]:
    """Whether this person is suppressed: for the tenant, or for all."""
    owner, e164 = await _person(office, tenant, number)
    yield await _standing(office, owner, e164, scope)


async def _person(office: Office, tenant: str, number: str) -> tuple[Tenant, str]:
    owner = await tenant_named(office, tenant)
    return owner, phone.parse(number, owner.region).e164


async def _standing(office: Office, owner: Tenant, e164: str, scope: str = "") -> Item:
    """The widest suppression where several stand."""
    keys, register = office.bridge.keys, office.bridge.register
    programmes = (p.id for p in register.programmes_of(owner.id))
    tokens = [*keys.tokens(owner.id, e164)]
    tokens += [
        ring.programme(owner.id, p, e164) for p in programmes for ring in (keys, *keys.older)
    ]
    rows = await office.bridge.store.read(ACTIVE, keys=Values(tokens))
    found = sorted((row for row in rows if scope in ("", row[0])), key=_width)
    if not found:
        return {"suppressed": False, "scope": None, "source": None, "since": None, "purpose": None}
    kind, source, since, _, purpose = found[0]
    return {
        "suppressed": True,
        "scope": kind,
        "source": source,
        "since": iso(since),
        "purpose": purpose,
    }


def _width(row: Sequence[object]) -> tuple[bool, int]:
    return row[4] != ANY, ("all", "tenant", "programme").index(str(row[0]))


# Files


async def suppress_import(
    office: Office, *, data: str, tenant: str = "", purpose: str = ANY
) -> AsyncIterator[Item]:
    """Put every number of a file on the tenant's list: each line without one, then the counts.

    A wish is kept whatever the lines beside it are. Nothing is kept of the file (P3).
    """
    bridge = office.bridge
    owner = await tenant_named(office, tenant)
    lines, problems = await asyncio.to_thread(read_numbers, unpacked(data), owner.region)
    for problem in problems:
        yield {"line": problem.line, "problem": problem.reason}
    added = cancelled = 0
    for at in range(0, len(lines), _PAGE):
        writing = []
        for line in lines[at : at + _PAGE]:
            item = wish(
                bridge.keys,
                owner.id,
                line.phone.e164,
                scope="tenant",
                source=IMPORTED,
                now=bridge.clock(),
                purpose=purpose,
            )
            writing.append(bridge.store.put(suppress_all, item))
        for bound, is_new in await asyncio.gather(*writing):
            added += is_new
            cancelled += bound.cancelled
            if bound:
                await office.silence(bound)
    await bridge.refresh()
    bridge.ring_edges()
    await record(office, "suppress import", tenant=owner.id, added=added)
    yield {
        "added": added,
        "there": len(lines) - added,
        "wrong": len(problems),
        "cancelled": cancelled,
    }


async def suppress_export(office: Office, *, tenant: str = "") -> AsyncIterator[Item]:
    """One object an entry of the tenant's list: tokens, never numbers."""
    owner = await tenant_named(office, tenant)
    await record(office, "suppress export", tenant=owner.id)
    after = 0
    while rows := await office.bridge.store.read(LIST, tenant=owner.id, after=after, most=_PAGE):
        for token, purpose, scope, source, since, after in rows:  # noqa: B007
            yield {
                "token": token,
                "purpose": purpose,
                "scope": scope,
                "source": source,
                "since": iso(since),
            }


async def suppress_check_file(
    office: Office, *, data: str, tenant: str = ""
) -> AsyncIterator[Item]:
    """Which lines of a file have numbers that are on the list: for a tenant to clean its own."""
    owner = await tenant_named(office, tenant)
    lines, problems = await asyncio.to_thread(read_numbers, unpacked(data), owner.region)
    for problem in problems:
        yield {"line": problem.line, "problem": problem.reason}
    count = 0
    for at in range(0, len(lines), _PAGE):
        for item in await _listed(office, owner, lines[at : at + _PAGE]):
            count += 1
            yield item
    yield {"lines": len(lines), "suppressed": count, "wrong": len(problems)}


async def _listed(office: Office, owner: Tenant, lines: Sequence[Line]) -> list[Item]:
    keys = office.bridge.keys
    known = {line.line: keys.tokens(owner.id, line.phone.e164) for line in lines}
    wanted = Values({token for tokens in known.values() for token in tokens})
    rows = await office.bridge.store.read(ACTIVE, keys=wanted)
    found = {row[3]: row for row in sorted(rows, key=_width, reverse=True)}
    items = []
    for number, tokens in known.items():
        rows_here = sorted((found[t] for t in tokens if t in found), key=_width)
        if rows_here:
            scope, _, _, _, purpose = rows_here[0]
            items.append({"line": number, "scope": scope, "purpose": purpose})
    return items


async def suppress_sync(office: Office, *, carrier: str = "") -> AsyncIterator[Item]:
    """Read now who has opted out with a carrier, or with each that shows its list: counts.

    Raises Refused where none does; TryLater, once all were tried, where one was not read.
    """
    bridge = office.bridge
    lists = dict(carrier_lists.readable(bridge))
    known = f"carriers that show one: {', '.join(lists) or 'none'}"
    if carrier and carrier not in bridge.carriers:
        raise Refused(f"there is no carrier {carrier!r}", known)
    if not lists or carrier not in ("", *lists):
        shows = "shows" if carrier else "show"
        raise Refused(f"{carrier or 'the carriers here'} {shows} no list of opt-outs", known)
    unread: list[str] = []
    for name in [carrier] if carrier else lists:
        reader = carrier_lists.Reader(bridge, name, lists[name], office.silence)
        reading = await reader.read(actor=office.actor)
        if reading is None:
            raise TryLater(f"{name}'s list is being read already", "wait a few minutes")
        item = asdict(reading)
        del item["for_good"]
        yield item
        if reading.problem:
            unread.append(name)
    if unread:
        raise TryLater(f"not read to its end: the list of {', '.join(unread)}", "see above")


async def suppress_wishes(office: Office, *, tenant: str = "") -> AsyncIterator[Item]:
    """The wishes in free words that nobody has looked at yet, the oldest first (P36)."""
    owner = await tenant_named(office, tenant)
    now = office.bridge.clock()
    for reply, at, due in await office.bridge.store.read(OPEN_WISHES, tenant=owner.id):
        yield {"id": ids.show(reply), "at": iso(at), "due_at": iso(due), "overdue": due < now}
