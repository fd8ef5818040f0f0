"""What an operator may ask of a bridge: an operation's arguments come in, plain objects go out.

One set for both ways: inside the running bridge, asked through its control socket, and in the
command's own process when none runs on this data directory.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from bridge import phone, settings
from bridge.dispatch import tenants
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.submit import submit
from bridge.dispatch.tenants import Tenant, tenant_of
from bridge.errors import Refused
from bridge.model import Class, Origin, State, Submission
from bridge.settings.problems import sentences
from bridge.settings.values import Originator
from bridge.smtp.proof import new_token
from bridge.store import ids, logbook
from bridge.store import tenants as stored
from bridge.store.held import TENANT_OF, WAITING, Decide, Decided, decide
from bridge.store.logbook import Entry, Filter, Look, entries, record_looks
from bridge.store.logins import SetLogin, set_logins
from bridge.store.probe import BINDS
from bridge.store.sql import Values
from bridge.store.suppressions import ACTIVE, Lift, Suppress, lift_all, suppress_all

Item = dict[str, Any]
SOURCE: Final = "operator"


@dataclass(frozen=True, slots=True)
class Office:
    """Where an operation is done: the bridge, and who asks.

    `silence` returns once no part that is claimed for these people can leave any more.
    """

    bridge: Bridge
    silence: Callable[[Sequence[int]], Awaitable[None]]
    actor: str


Operation = Callable[..., AsyncIterator[Item]]


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
) -> AsyncIterator[Item]:
    """Send a text. Raises Refused."""
    owner = await _tenant(office, tenant)
    number = phone.parse(to, owner.region)
    submission = Submission(
        tenant=owner.id,
        origin=Origin("cli", office.actor),
        destination=number.e164,
        country=number.country,
        text=text,
        klass=Class(klass),
        urgent=urgent,
        originator=_originator(originator),
        not_before=_moment(at, number.e164) if at else None,
    )
    kept = await submit(office.bridge, submission)
    reason = "opted-out" if kept.state is State.SUPPRESSED else ""
    yield {"id": ids.show(kept.id), "state": str(kept.state), "reason": reason}


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
        zones = phone.zones(e164)
        found = found.replace(tzinfo=ZoneInfo(zones[0]) if zones else UTC)
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
) -> AsyncIterator[Item]:
    """One object a message, oldest first; with `limit` the newest so many of them."""
    if tenant:
        await _known(office, tenant)
    if reveal:
        await _audit(office, "log", since=since, tenant=tenant, state=state, limit=limit)
    states = (State(state),) if state else ()
    async for entry in entries(office.bridge.store, Filter(since, tenant, states, limit)):
        yield _shown(entry, reveal=reveal)


async def _known(office: Office, name: str) -> None:
    """Raises Refused for a tenant that has never been here; a closed one has its log."""
    rows = await office.bridge.store.read(logbook.TENANT_NAMES)
    names = sorted(row[0] for row in rows)
    if name not in names:
        raise _no_tenant(name, names)


async def _audit(office: Office, action: str, **details: object) -> None:
    reason = " ".join(f"{key}={value}" for key, value in details.items() if value)
    look = Look(office.actor, f"{action} --reveal", reason, office.bridge.clock())
    await office.bridge.store.write(record_looks, look)


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
        "created_at": _iso(entry.created_at),
        "sent_at": _iso(entry.sent_at),
        "final_at": _iso(entry.final_at),
    }
    return {**item, "text": entry.text} if reveal else item


def _origin(entry: Entry, *, reveal: bool) -> str:
    """`mail:eva@firm.example`, or `mail:e…@firm.example`."""
    address = entry.origin_address
    if not address:
        return entry.origin_kind
    if not reveal:
        local, at, domain = address.rpartition("@")
        address = f"{(local if at else address)[:1]}…{at}{domain if at else ''}"
    return f"{entry.origin_kind}:{address}"


def _iso(moment: float | None) -> str | None:
    if moment is None:
        return None
    written = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return written.replace("+00:00", "Z")


async def held_list(
    office: Office, *, tenant: str = "", reveal: bool = False
) -> AsyncIterator[Item]:
    """What waits for a person: held, or in doubt (`unknown`) and not to be sent again unasked."""
    if tenant:
        await _known(office, tenant)
    if reveal:
        await _audit(office, "held list", tenant=tenant)
    wanted = Filter(tenant=tenant, states=WAITING)
    async for entry in entries(office.bridge.store, wanted):
        yield _shown(entry, reveal=reveal)


async def held_release(office: Office, *, id: str) -> AsyncIterator[Item]:  # noqa: A002
    """Queue a message that waits for a person; its validity is counted anew."""
    yield await _decide(office, id, release=True)


async def held_drop(office: Office, *, id: str) -> AsyncIterator[Item]:  # noqa: A002
    """End a message that waits for a person; its writer is told."""
    yield await _decide(office, id, release=False)


async def _decide(office: Office, shown: str, *, release: bool) -> Item:
    bridge = office.bridge
    try:
        number = ids.read(shown)
    except ValueError as wrong:
        raise Refused(f"this is no id: {wrong}", "copy it from `bridge held list`") from None
    # 13 characters can write more than the 63 bits of an id.
    rows = await bridge.store.read(TENANT_OF, id=number) if number < 1 << 63 else []
    if not rows:
        raise Refused("no message has this id", "`bridge held list` shows what waits")
    validity = tenant_of(rows[0][0], "", rows[0][1]).validity
    asked = Decide(number, release, validity, bridge.clock())
    done: Decided = await bridge.store.write(decide, asked)
    if done.before not in WAITING:
        raise Refused(
            f"this message does not wait for a person: it is {done.before}",
            "`bridge held list` shows what waits",
        )
    if release:
        bridge.ring_lane(done.lane, number)
    else:
        bridge.ring_edge("mail")
    return {"id": ids.show(number), "state": str(done.after), "reason": f"was {done.before}"}


# Tenants


async def _tenant(office: Office, name: str) -> Tenant:
    """An open tenant, also one that another process has just added; "" is the only one there is.

    Raises Refused.
    """
    found = office.bridge.register.named(name)
    if found is None:
        await office.bridge.refresh()
        known = list(office.bridge.register.tenants.values())
        found = known[0] if not name and len(known) == 1 else office.bridge.register.named(name)
    if found is None:
        raise _no_tenant(name, [t.name for t in office.bridge.register.tenants.values()])
    return found


def _no_tenant(name: str, known: Sequence[str]) -> Refused:
    listed = f"tenants: {', '.join(known) or 'none'}; `bridge tenant add` adds one"
    if not name:
        return Refused("which tenant?", f"name it with --tenant; {listed}")
    return Refused(f"there is no tenant {name!r}", listed)


async def _source(office: Office, name: str) -> str:
    """Where an open tenant was described: "file", "command"; "" where there is none."""
    rows = await office.bridge.store.read(stored.TENANTS)
    return next((row[3] for row in rows if row[1] == name), "")


async def _own(office: Office, name: str, what: str) -> Tenant:
    """A tenant that commands may change: what stands in the file is changed there."""
    tenant = await _tenant(office, name)
    if await _source(office, name) == "file":
        raise Refused(f"the tenant {name!r} stands in the configuration", what)
    return tenant


async def tenant_list(office: Office) -> AsyncIterator[Item]:
    """One object an open tenant."""
    await office.bridge.refresh()
    register = office.bridge.register
    sources = {row[0]: row[3] for row in await office.bridge.store.read(stored.TENANTS)}
    for tenant in register.tenants.values():
        yield {
            "name": tenant.name,
            "source": sources.get(tenant.id, ""),
            "region": tenant.region,
            "countries": sorted(tenant.countries),
            "max_parts": tenant.max_parts,
            "validity": tenant.validity,
            "originator": tenant.originator,
            "senders": [
                {"address": r.address, "proof": list(r.proofs), "class": r.klass}
                for r in register.rules
                if r.tenant == tenant.id
            ],
            "logins": sorted(u for u, (t, _) in register.logins.items() if t == tenant.id),
            "tokens": sum(t == tenant.id for t, _ in register.tokens),
        }


async def tenant_add(office: Office, *, tenant: Mapping[str, Any]) -> AsyncIterator[Item]:
    """Add a tenant, described as in [[tenants]]. Raises Refused."""
    described = _described(tenant, office.bridge.settings.region)
    if await _source(office, described.name):
        raise Refused(
            f"there is a tenant {described.name!r} already",
            "take another name, or close that one first: `bridge tenant close`",
        )
    row = replace(tenants.from_file(described, office.bridge.clock()), source="command")
    await office.bridge.store.write(stored.put_tenants, row)
    await office.bridge.refresh()
    yield {"name": described.name, "state": "open"}


def _described(given: Mapping[str, Any], region: str) -> settings.Tenant:
    data = {"region": region, **given}
    try:
        return settings.Tenant.model_validate(data)
    except ValidationError as wrong:
        said = "; ".join(sentences(wrong, settings.Tenant, data))
        raise Refused(said, "docs/configuration.md describes the keys of [[tenants]]") from None


async def tenant_close(office: Office, *, name: str) -> AsyncIterator[Item]:
    """Nobody sends in this tenant's name any more; its log stays."""
    await _own(office, name, "take it out there, and start the bridge again")
    await office.bridge.store.write(stored.close_tenants, (name, office.bridge.clock()))
    await office.bridge.refresh()
    yield {"name": name, "state": "closed"}


async def token_issue(office: Office, *, name: str) -> AsyncIterator[Item]:
    """A token that proves a sender, shown this once."""
    tenant = await _tenant(office, name)
    token, digest = new_token()
    item = (tenant.id, digest, office.bridge.clock())
    await office.bridge.store.write(stored.add_tokens, item)
    await office.bridge.refresh()
    yield {"name": name, "token": token}


async def token_revoke(office: Office, *, name: str) -> AsyncIterator[Item]:
    """End all tokens of a tenant."""
    tenant = await _tenant(office, name)
    ended = await office.bridge.store.write(stored.revoke_tokens, tenant.id)
    await office.bridge.refresh()
    yield {"name": name, "revoked": ended}


async def tenant_login(
    office: Office, *, name: str, user: str, password_hash: str
) -> AsyncIterator[Item]:
    """Set the password hash of a user of SMTP AUTH; an empty one removes the user."""
    tenant = await _own(
        office, name, "write the login there; `bridge hash-password` makes its password_hash"
    )
    item = SetLogin(tenant.id, user, password_hash)
    if not await office.bridge.store.write(set_logins, item):
        if password_hash:
            raise Refused(f"the user {user!r} belongs to another tenant", "take another name")
        raise Refused(f"{name} has no user {user!r}", "`bridge tenant list` shows the logins")
    await office.bridge.refresh()
    yield {"name": name, "user": user, "state": "set" if password_hash else "removed"}


# Suppression


async def suppress_add(
    office: Office, *, number: str, tenant: str, scope: str = "tenant"
) -> AsyncIterator[Item]:
    """Nothing more leaves for this person; what waits is cancelled."""
    bridge = office.bridge
    owner, e164 = await _person(office, tenant, number)
    owner_id = owner.id if scope == "tenant" else 0
    token = bridge.keys.person(owner.id, e164) if owner_id else bridge.keys.everyone(e164)
    item = Suppress(owner_id, token, scope, SOURCE, bridge.clock())
    people, _ = await bridge.store.write(suppress_all, item)
    if people:
        await office.silence(people)
    await bridge.refresh()
    bridge.ring_edge("mail")
    yield await _standing(office, owner, e164)


async def suppress_remove(
    office: Office, *, number: str, tenant: str, scope: str = "tenant"
) -> AsyncIterator[Item]:
    """Lift a suppression; one in the other scope stays."""
    bridge = office.bridge
    owner, e164 = await _person(office, tenant, number)
    keys = bridge.keys
    token = keys.person(owner.id, e164) if scope == "tenant" else keys.everyone(e164)
    await bridge.store.write(lift_all, Lift((token,), SOURCE, bridge.clock()))
    await bridge.refresh()
    yield await _standing(office, owner, e164)


async def suppress_check(
    office: Office, *, number: str, tenant: str, scope: str = ""
) -> AsyncIterator[Item]:
    """Whether this person is suppressed: for the tenant, or for all."""
    owner, e164 = await _person(office, tenant, number)
    yield await _standing(office, owner, e164, scope)


async def _person(office: Office, tenant: str, number: str) -> tuple[Tenant, str]:
    owner = await _tenant(office, tenant)
    return owner, phone.parse(number, owner.region).e164


async def _standing(office: Office, owner: Tenant, e164: str, scope: str = "") -> Item:
    """The wider suppression where both stand."""
    keys = office.bridge.keys
    tokens = Values((keys.person(owner.id, e164), keys.everyone(e164)))
    rows = await office.bridge.store.read(ACTIVE, keys=tokens)
    found = sorted((row for row in rows if scope in ("", row[0])), key=lambda row: row[0])
    if not found:
        return {"suppressed": False, "scope": None, "source": None, "since": None}
    kind, source, since, _ = found[0]
    return {"suppressed": True, "scope": kind, "source": source, "since": _iso(since)}


REGISTRY: Final[Mapping[str, Operation]] = {
    "status": status,
    "send": send,
    "log": log,
    "held list": held_list,
    "held release": held_release,
    "held drop": held_drop,
    "tenant list": tenant_list,
    "tenant add": tenant_add,
    "tenant close": tenant_close,
    "tenant login": tenant_login,
    "token issue": token_issue,
    "token revoke": token_revoke,
    "suppress add": suppress_add,
    "suppress remove": suppress_remove,
    "suppress check": suppress_check,
}
