"""Messages: a text to send comes in, or a question or decision about those sent; answers go out."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from bridge import phone
from bridge.dispatch.held import decided
from bridge.dispatch.restricted import restricted
from bridge.dispatch.submit import keep, made_ready
from bridge.errors import Refused
from bridge.model import Class, Origin, State, Submission
from bridge.operations.office import (
    Item,
    Office,
    iso,
    read_id,
    record_look,
    refuse_unknown,
    tenant_named,
)
from bridge.settings.values import Originator
from bridge.store import ids
from bridge.store.halts import EVERYBODY
from bridge.store.held import WAITING
from bridge.store.logbook import TENANT_NAMES, Entry, File, Filter, entries
from bridge.store.probe import BINDS


async def status(office: Office) -> AsyncIterator[Item]:
    """Which process answers, and which binds stand."""
    bridge = office.bridge
    fresh = bridge.clock()
    rows = await bridge.store.read(BINDS)
    yield {
        "process": os.getpid(),
        "database": bridge.store.database,
        "binds": {carrier: bool(up) for carrier, up, until in rows if until > fresh},
    }


async def send(
    office: Office,
    *,
    tenant: str,
    to: str,
    text: str,
    urgent: bool = False,
    klass: str = "transactional",
    originator: str = "",
    at: str = "",
    programme: str = "",
) -> AsyncIterator[Item]:
    """Send a text. Raises Refused."""
    owner = await tenant_named(office, tenant)
    number = phone.parse(to, owner.region)
    submission = Submission(
        tenant=owner.id,
        origin=Origin("cli", office.actor),
        destination=number.e164,
        country=number.country,
        kind=number.type,
        text=text,
        klass=Class(klass),
        urgent=urgent,
        originator=_originator(originator),
        not_before=_moment(at, number.e164) if at else None,
        programme=programme,
    )
    ready = await made_ready(office.bridge, submission)
    kept = await keep(office.bridge, ready.prepared, submission.origin.kind)
    suppressed = kept.state is State.SUPPRESSED
    shown = {
        "id": ids.show(kept.id),
        "state": str(kept.state),
        "reason": "opted-out" if suppressed else "",
    }
    costs = None if suppressed else ready.cost(office.bridge)
    yield {**shown, "cost": str(costs)} if costs is not None else shown


def _originator(written: str) -> str:
    try:
        found: str = TypeAdapter(Originator).validate_python(written)
    except ValidationError as wrong:
        raise Refused("--from " + wrong.errors()[0]["msg"].removeprefix("Value error, ")) from None
    return found


def _moment(written: str, e164: str) -> float:
    """A time as in an address (YYYYMMDDHHMM) or in ISO 8601; without a zone: the recipient's."""
    try:
        if len(written) == 12 and written.isdigit():
            found = datetime.strptime(written, "%Y%m%d%H%M")  # noqa: DTZ007
        else:
            found = datetime.fromisoformat(written)
    except ValueError:
        raise Refused(
            "--at is no time", "write 202611232000, 2026-11-23T20:00 or 2026-11-23T20:00+01:00"
        ) from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=ZoneInfo(phone.zone(e164)))
    return found.timestamp()


# What became of messages


async def log(
    office: Office,
    *,
    since: float = 0.0,
    tenant: str = "",
    state: str = "",
    limit: int = 0,
    reveal: bool = False,
    why: str = "",
) -> AsyncIterator[Item]:
    """One object a message, oldest first; with `limit` the newest so many of them."""
    if tenant:
        await refuse_unknown(office, tenant)
    if reveal:
        begin = iso(since or None)
        action = "log --reveal"
        await record_look(
            office, action, tenant=tenant, why=why, since=begin, state=state, limit=limit
        )
    states = (State(state),) if state else ()
    hides = await _hides(office, reveal=reveal)
    halted = await _halted(office)
    async for entry in entries(office.bridge.store, Filter(since, tenant, states, limit)):
        item = _shown(entry, reveal=reveal and not hides(entry))
        if entry.state == State.QUEUED and halted(entry.tenant):
            item["reason"] = "halted"
        yield item


async def _halted(office: Office) -> Callable[[str], bool]:
    """Of which tenants, by name, nothing leaves at present."""
    bridge = office.bridge
    await bridge.brakes.refresh(bridge.store)
    numbers = {tenant.name: tenant.id for tenant in bridge.register.tenants.values()}
    return lambda name: bridge.brakes.halted(numbers.get(name, EVERYBODY))


async def _hides(office: Office, *, reveal: bool) -> Callable[[Entry], bool]:
    """Whom no list shows, whoever asks for it: people whose data may not be used (P27)."""
    hidden = await restricted(office.bridge) if reveal else None
    if hidden is None or not hidden.tokens:
        return lambda _: False
    rows = await office.bridge.store.read(TENANT_NAMES)
    numbers = {row[0]: row[1] for row in rows}
    return lambda entry: hidden.has(numbers.get(entry.tenant, 0), entry.phone)


def _shown(entry: Entry, *, reveal: bool) -> Item:
    item: Item = {
        "id": ids.show(entry.id),
        "tenant": entry.tenant,
        "origin": _origin(entry, reveal=reveal),
        "destination": entry.phone if reveal else phone.mask(entry.phone),
        "class": entry.klass,
        "state": entry.state,
        "parts": entry.parts,
        "encoding": entry.encoding,
        "carrier": entry.carrier,
        "attempts": entry.attempts,
        "resent": entry.resent,
        "reason": entry.reason,
        "created_at": iso(entry.created_at),
        "sent_at": iso(entry.sent_at),
        "final_at": iso(entry.final_at),
    }
    if entry.files:
        item["files"] = [_file(each, reveal=reveal) for each in entry.files]
    return {**item, "text": entry.text} if reveal else item


def _file(file: File, *, reveal: bool) -> Item:
    shown: Item = {
        "size": file.size,
        "refused": file.refused,
        "served": file.served,
        "expires_at": iso(file.expires_at),
    }
    return {"name": file.name, **shown} if reveal else shown


def _origin(entry: Entry, *, reveal: bool) -> str:
    """`mail:eva@firm.example`, or `mail:e…@firm.example`."""
    address = entry.origin_address
    if not address:
        return entry.origin_kind
    if not reveal:
        local, at, domain = address.rpartition("@")
        address = f"{(local if at else address)[:1]}…{at}{domain if at else ''}"
    return f"{entry.origin_kind}:{address}"


async def held_list(
    office: Office, *, tenant: str = "", reveal: bool = False, why: str = ""
) -> AsyncIterator[Item]:
    """What waits for a person: held, or in doubt (`unknown`) and not to be sent again unasked."""
    if tenant:
        await refuse_unknown(office, tenant)
    if reveal:
        await record_look(office, "held list --reveal", tenant=tenant, why=why)
    wanted = Filter(tenant=tenant, states=WAITING)
    hides = await _hides(office, reveal=reveal)
    async for entry in entries(office.bridge.store, wanted):
        yield _shown(entry, reveal=reveal and not hides(entry))


async def held_release(office: Office, *, id: str) -> AsyncIterator[Item]:  # noqa: A002
    """Queue a message that waits for a person; its validity is counted anew."""
    yield await _decide(office, id, release=True)


async def held_drop(office: Office, *, id: str) -> AsyncIterator[Item]:  # noqa: A002
    """End a message that waits for a person; its writer is told."""
    yield await _decide(office, id, release=False)


async def _decide(office: Office, shown: str, *, release: bool) -> Item:
    number = read_id(shown, "bridge held list")
    done = await decided(office.bridge, number, release=release, actor=office.actor)
    return {"id": ids.show(number), "state": str(done.after), "reason": f"was {done.before}"}
