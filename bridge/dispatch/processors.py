"""The register of processors as people ask for it: a name and details come in, rows and what the
tenants were told go out (PRIVACY P50, P55).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from phonenumbers import SUPPORTED_REGIONS

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.lawful import named_by
from bridge.errors import Refused
from bridge.privacy.duties import duties
from bridge.privacy.transfers import day, transfers
from bridge.store.announcements import Words
from bridge.store.processors import (
    REGISTER,
    Announce,
    Announced,
    Change,
    Details,
    End,
    Notify,
    Object,
    Processor,
    Seed,
    announce,
    change,
    end,
    notify,
    processor_of,
    record_objections,
    seed,
)

KINDS: Final = ("carrier", "smarthost", "slack", "telegram", "other")
_DAY: Final = 86400.0


async def learn(bridge: Bridge) -> None:
    """Put what the configuration names into the register, and tell the tenants of what is new."""
    now = bridge.clock()
    await bridge.store.write(seed, Seed(named_by(bridge.settings), duties().notice, now))
    for each in await register(bridge):
        late = each.effective_at > each.created_at and each.source == "file"
        if late and each.notified_at is None and each.ended_at is None:
            await bridge.store.write(notify, Notify(each.id, announcement(each), "bridge", now))


async def register(bridge: Bridge) -> list[Processor]:
    """All rows, oldest first."""
    return [processor_of(row) for row in await bridge.store.read(REGISTER)]


async def named(bridge: Bridge, name: str) -> Processor:
    """A row by its name, or as `kind/name` where two have it. Raises Refused."""
    rows = await register(bridge)
    found = [r for r in rows if name in (r.name, f"{r.kind}/{r.name}")]
    if len(found) == 1:
        return found[0]
    if found:
        either = " or ".join(f"{r.kind}/{r.name}" for r in found)
        raise Refused(f"two processors are named {name!r}", f"write {either}")
    known = ", ".join(r.name for r in rows) or "none"
    raise Refused(f"no processor is named {name!r}", f"in the register: {known}")


async def add(
    bridge: Bridge, actor: str, kind: str, name: str, details: Details, effective: str
) -> Announced:
    """Announce a processor to every tenant, its day at least the notice ahead. Raises Refused."""
    now = bridge.clock()
    if kind not in KINDS:
        raise Refused(f"there is no kind {kind!r}", f"kinds: {', '.join(KINDS)}")
    if not name.strip() or not details.purpose or not details.country:
        raise Refused(
            "a processor needs a name, a country and a purpose",
            "say --country CC and --purpose with what it does",
        )
    effective_at = moment_of(effective) if effective else _soonest(now)
    check_notice(now, effective_at)
    details = _checked(bridge, details, None)
    row = _row(kind, name, details, now, effective_at)
    item = Announce(kind, name, details, effective_at, announcement(row), actor, now)
    done: Announced = await bridge.store.write(announce, item)
    return await _followed(bridge, done)


async def record(bridge: Bridge, actor: str, name: str, details: Details) -> Processor:
    """Record what is known of a processor. Raises Refused."""
    row = await named(bridge, name)
    details = _checked(bridge, details, row)
    await bridge.store.write(change, Change(row.id, details, actor, bridge.clock()))
    await bridge.refresh()
    return await named(bridge, f"{row.kind}/{row.name}")


async def tell(bridge: Bridge, actor: str, name: str) -> Announced:
    """Tell every tenant of a processor once more. Raises Refused."""
    row = await named(bridge, name)
    item = Notify(row.id, announcement(row), actor, bridge.clock())
    return await _followed(bridge, await bridge.store.write(notify, item))


async def object_to(
    bridge: Bridge,
    actor: str,
    tenant: int,
    name: str,
    reason: str,
    *,
    leaves: bool,
    withdraw: bool = False,
) -> Processor:
    """A tenant objects, or no longer does: its data goes there no more, from now on.

    `leaves`: the tenant ends its contract over it. Raises Refused.
    """
    row = await named(bridge, name)
    outcome = "exit" if leaves else "excluded"
    item = Object(tenant, row.id, actor, reason, outcome, bridge.clock(), stands=not withdraw)
    if not await bridge.store.write(record_objections, item):
        word = "does not object" if withdraw else "objects already"
        raise Refused(f"the tenant {word} to {row.name}", "`bridge subproc list` shows objections")
    await bridge.refresh()
    return row


async def finish(bridge: Bridge, actor: str, name: str) -> Processor:
    """Nothing goes to this processor any more. Raises Refused."""
    row = await named(bridge, name)
    if not await bridge.store.write(end, End(row.id, actor, bridge.clock())):
        raise Refused(f"{row.name} has ended already", "`bridge subproc add` announces it anew")
    await bridge.refresh()
    return row


async def _followed(bridge: Bridge, done: Announced) -> Announced:
    await bridge.refresh()
    bridge.ring_edges()
    return done


def _soonest(now: float) -> float:
    """The first midnight (UTC) that leaves the whole notice."""
    at = datetime.fromtimestamp(now + duties().notice, UTC)
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight if midnight == at else midnight + timedelta(days=1)).timestamp()


def moment_of(written: str) -> float:
    """The beginning of a day (UTC), as in 2027-01-31. Raises Refused."""
    try:
        found = date.fromisoformat(written)
    except ValueError:
        raise Refused(f"{written!r} is no day", "write it as 2027-01-31") from None
    return datetime(found.year, found.month, found.day, tzinfo=UTC).timestamp()


def check_notice(now: float, effective_at: float) -> None:
    """Raises Refused for a change that takes effect too soon (P21, P55)."""
    if effective_at < now + duties().notice:
        days = round(duties().notice / _DAY)
        raise Refused(
            f"tenants are told at least {days} days before",
            f"say --effective {day(_soonest(now)).isoformat()} or later",
        )


def _checked(bridge: Bridge, details: Details, before: Processor | None) -> Details:
    """Details that may be recorded: the mechanism fits the country and holds. Raises Refused."""
    country = details.country
    if country:
        country = country.upper()
        if country not in SUPPORTED_REGIONS:
            raise Refused(f"{country!r} is no country", "use two letters of ISO 3166, as in CZ")
        details = replace(details, country=country)
    if details.mechanism:
        where = country or (before.country if before else "")
        until = day(details.valid_until) if details.valid_until is not None else None
        transfers().check(where, details.mechanism, until, day(bridge.clock()))
    return details


def _row(kind: str, name: str, details: Details, now: float, effective_at: float) -> Processor:
    """The row as it will be, for the words that announce it."""
    return Processor(
        id=0,
        kind=kind,
        name=name,
        source="command",
        company=details.company or "",
        address=details.address or "",
        contact=details.contact or "",
        purpose=details.purpose or "",
        country=details.country or "",
        mechanism=details.mechanism or "",
        valid_until=details.valid_until,
        created_at=now,
        notified_at=None,
        effective_at=effective_at,
        ended_at=None,
    )


def announcement(row: Processor) -> Words:
    """What tenants are told of a processor (GDPR Article 28(2))."""
    begins = day(row.effective_at).isoformat()
    facts = {
        "Name": row.company or row.name,
        "Address": row.address,
        "Contact": row.contact,
        "Purpose": row.purpose,
        "Country": row.country,
        "Transfer": transfers().ground(row.country, row.mechanism, day(row.created_at)),
    }
    return Words(
        f"A new processor from {begins}: {row.company or row.name}",
        (
            f"From {begins} this company will process data on your behalf.",
            *(f"{key}: {value}" for key, value in facts.items() if value),
            "You may object until then, and later: none of your data then goes there.",
        ),
    )


def untold(bridge: Bridge, told: Mapping[int, int]) -> Sequence[str]:
    """Names of open tenants that have no inbox to be told in."""
    tenants = bridge.register.tenants
    return sorted(tenants[number].name for number in tenants if not told.get(number))
