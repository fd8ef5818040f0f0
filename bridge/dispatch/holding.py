"""Holds and other periods: somebody asks, a second person agrees, and each act is in the audit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from bridge import phone
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.keeping import lapse
from bridge.errors import BadNumber, Refused
from bridge.privacy.retention import Period, rule
from bridge.store import ids
from bridge.store.audit import Entry, audited
from bridge.store.holds import (
    HOLD,
    PERSON,
    PERSON_BY_INDEX,
    PERSON_OF_MESSAGE,
    STANDING,
    Agree,
    Hold,
    Release,
    add_holds,
    agree_to_holds,
    release_holds,
)
from bridge.store.periods import (
    WAITING,
    AgreeToPeriod,
    Proposal,
    agree_to_periods,
    propose_periods,
)


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom a hold is about; `message_id` is the message by which they were named, 0 for none."""

    tenant_id: int
    subject_id: int
    message_id: int = 0


async def whom(bridge: Bridge, tenant: int, ref: str, region: str) -> Whom:
    """A tenant's person by number, or by the id of a message or of the person. Raises Refused."""
    number = _id(ref)
    store = bridge.store
    found = (await store.read(PERSON_OF_MESSAGE, id=number)) if number else []
    message = number if found else 0
    if not found and number:
        found = await store.read(PERSON, id=number)
    if not number:
        index = bridge.keys.person(tenant, _number(ref, region))
        found = await store.read(PERSON_BY_INDEX, index=index)
    if not found or found[0][0] != tenant or not found[0][1]:
        raise Refused("nothing is kept of this person", "check the number or the id")
    return Whom(tenant, found[0][1], message)


def _id(ref: str) -> int:
    """The id that is written; 0 for none."""
    try:
        number = ids.read(ref)
    except ValueError:
        return 0
    return number if number <= ids.LARGEST else 0


def _number(ref: str, region: str) -> str:
    try:
        return phone.parse(ref, region).e164
    except BadNumber as wrong:
        raise Refused(
            "this is neither a number nor an id", "copy the id from `bridge log` or /sms log"
        ) from wrong


def end_of(day: date) -> float:
    """The end of a day in UTC, as a Unix time."""
    return datetime.combine(day + timedelta(days=1), time(), UTC).timestamp()


async def add(
    bridge: Bridge, about: Whom, basis: str, until: date, actor: str, *, agreed: bool
) -> Hold:
    """Hold what is kept of somebody; `agreed`: no second person is needed. Raises Refused.

    With a message it is that one's traffic record alone: its price or delivery is disputed.
    """
    now = bridge.clock()
    if not basis.strip():
        raise Refused("a hold needs its basis", 'name the case: basis="…"')
    if end_of(until) <= now:
        raise Refused("this day is over", "a hold ends on a day to come: until=YYYY-MM-DD")
    item = Hold(
        bridge.ids.next(),
        about.tenant_id,
        about.subject_id,
        about.message_id,
        basis.strip(),
        end_of(until),
        actor,
        actor if agreed else "",
        now,
    )
    held = _entry(bridge, actor, "hold add", item)
    if not await bridge.store.write(
        audited(add_holds), (item, lambda done: held if done else None)
    ):
        raise Refused("nothing is kept of this person any more")
    return item


async def hold(bridge: Bridge, number: int, tenant: int = 0) -> Hold | None:
    """A hold by its id, of this tenant; 0: of any."""
    rows = await bridge.store.read(HOLD, id=number)
    found = Hold(*rows[0]) if rows else None
    return found if found is None or tenant in (0, found.tenant_id) else None


async def standing(bridge: Bridge, tenant: int = 0) -> list[Hold]:
    """The holds that bind now, oldest first."""
    now = bridge.clock()
    values = {"now": now, "asked_since": now - lapse(), "tenant_id": tenant}
    return [Hold(*row) for row in await bridge.store.read(STANDING, **values)]


async def agree_to_hold(bridge: Bridge, item: Hold, actor: str) -> None:
    """A second person agrees. Raises Refused."""
    if actor == item.set_by:
        raise Refused("a second person must agree, not the one who set it")
    now = bridge.clock()
    entry = _entry(bridge, actor, "hold agree", item)
    asked = Agree(item.id, actor, now, lapse())
    if not await bridge.store.write(
        audited(agree_to_holds), (asked, lambda done: entry if done else None)
    ):
        raise Refused("this hold does not wait for anybody any more", "`bridge hold list`")


async def release(bridge: Bridge, item: Hold, actor: str) -> None:
    """A hold ends: what was held goes when its period is over. Raises Refused."""
    if item.approved_by and item.set_by == actor and item.approved_by != actor:
        raise Refused("whoever set a hold does not release it alone", "ask a colleague to do it")
    entry = _entry(bridge, actor, "hold release", item)
    asked = Release(item.id, actor, bridge.clock())
    if not await bridge.store.write(
        audited(release_holds), (asked, lambda done: entry if done else None)
    ):
        raise Refused("this hold has ended already")


def _entry(bridge: Bridge, actor: str, action: str, item: Hold) -> Entry:
    told = f"hold={ids.show(item.id)} basis={item.basis}"
    return Entry(actor, action, told, bridge.clock(), item.tenant_id, item.subject_id)


# -- periods -------------------------------------------------------------------------------------


async def propose(
    bridge: Bridge, klass: str, written: str, reason: str, actor: str, tenant: int
) -> Proposal:
    """Ask for another period of a class; tenant 0: for all. Raises Refused."""
    its = rule(klass)
    try:
        period = Period.of(written)
    except ValueError as wrong:
        raise Refused(str(wrong), "as in 30d, 6mo or 10y") from None
    its.check(period)
    if tenant and its.set_by != "tenant":
        raise Refused(
            f"the period of {klass} is the operator's to set", "ask whoever runs the bridge"
        )
    if not reason.strip():
        raise Refused("a period needs the reason for it", 'write reason="…"')
    item = Proposal(
        id=bridge.ids.next(),
        tenant_id=tenant,
        klass=klass,
        trigger=its.trigger,
        days=period.days,
        months=period.months,
        minimum=its.minimum.written,
        maximum=its.maximum.written,
        basis=its.basis,
        reason=reason.strip(),
        set_by=actor,
        set_at=bridge.clock(),
    )
    entry = _told(bridge, actor, "retention set", item)
    await bridge.store.write(audited(propose_periods), (item, lambda _: entry))
    return item


async def proposal(bridge: Bridge, number: int, tenant: int = 0) -> Proposal | None:
    """A proposal that waits for a second person, of this tenant; 0: of any."""
    since = bridge.clock() - lapse()
    rows = await bridge.store.read(WAITING, id=number, asked_since=since)
    found = Proposal(*rows[0]) if rows else None
    return found if found is None or tenant in (0, found.tenant_id) else None


async def agree_to_period(bridge: Bridge, item: Proposal, actor: str) -> None:
    """A second person agrees, and the period holds. Raises Refused."""
    if actor == item.set_by:
        raise Refused("a second person must agree, not the one who proposed it")
    rule(item.klass).check(Period(item.days, item.months))
    entry = _told(bridge, actor, "retention agree", item)
    asked = AgreeToPeriod(item.id, actor, bridge.clock(), lapse())
    if not await bridge.store.write(
        audited(agree_to_periods), (asked, lambda done: entry if done else None)
    ):
        raise Refused("this does not wait for anybody any more", "propose it anew")


def _told(bridge: Bridge, actor: str, action: str, item: Proposal) -> Entry:
    period = Period(item.days, item.months).written
    told = f"{item.klass}={period} id={ids.show(item.id)}; {item.reason}"
    return Entry(actor, action, told, bridge.clock(), item.tenant_id)
