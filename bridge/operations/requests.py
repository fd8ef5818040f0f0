"""Data subjects' requests: what an operator asks or decides comes in, how they stand goes out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from bridge import phone
from bridge.dispatch import deciding, identity
from bridge.dispatch import requests as register
from bridge.dispatch.request_stops import NUMBER
from bridge.dispatch.requests import Ask, By, Someone, named
from bridge.errors import Refused
from bridge.operations.office import (
    Item,
    Office,
    iso,
    read_id,
    record,
    refuse_unknown,
    tenant_named,
)
from bridge.privacy.requests import GROUNDS, MODES, Kind
from bridge.store import ids
from bridge.store.identity import CHECKS
from bridge.store.request_rows import DUE, EVENTS, INSTRUCTIONS, NEWEST, Request, request_of

CHANNEL: Final = "cli"
#: How people may have asked, beside what the bridge hears itself.
CHANNELS: Final = ("cli", "mail", "phone", "letter", "person", "sms", "portal", "slack", "telegram")
_KINDS: Final = tuple(str(kind) for kind in Kind)


def _by(office: Office) -> By:
    return By(office.actor, CHANNEL)


def _number(written: str) -> int:
    return read_id(written, "bridge dsar list")


def kind_of(written: str) -> Kind:
    """A kind of request by its name. Raises Refused."""
    if written not in _KINDS:
        raise Refused(f"there is no such request: {written!r}", f"one of {', '.join(_KINDS)}")
    return Kind(written)


def someone(written: str, region: str) -> Someone:
    """Who a request is about: a number, a mail address, `slack:TEAM/PERSON` or `telegram:ID`.

    Raises BadNumber.
    """
    edge, colon, person = written.partition(":")
    if colon and edge in ("slack", "telegram"):
        return Someone(edge, person)
    if "@" in written:
        return Someone("mail", written.strip())
    return Someone(NUMBER, phone.parse(written, region).e164)


async def dsar_open(
    office: Office,
    *,
    kind: str,
    who: str,
    tenant: str = "",
    via: str = CHANNEL,
    lang: str = "en",
    answer_to: str = "",
    own: bool = False,
    details: Mapping[str, str] | None = None,
) -> AsyncIterator[Item]:
    """Register a request. Raises Refused."""
    owner = await tenant_named(office, tenant)
    if via not in CHANNELS:
        raise Refused(f"there is no such way: {via!r}", f"one of {', '.join(CHANNELS)}")
    asked = kind_of(kind)
    ask = Ask(
        asked,
        someone(who, owner.region),
        owner,
        via,
        office.actor,
        lang,
        {"to": answer_to} if answer_to else {},
        _details(asked, details or {}, owner.region),
        own=own,
    )
    opened = await register.open_request(office.bridge, ask)
    shown = _shown(await register.read(office.bridge, opened.id), reveal=False)
    if opened.duplicate_of is not None:
        shown["duplicate_of"] = ids.show(opened.duplicate_of)
    if ask.details.get("mode") == "only":
        shown["warning"] = WARNING
    yield shown


#: P29: what whoever erases without a suppression must know.
WARNING: Final = (
    "nothing of this person will be kept, so messages may be sent to them again if somebody enters"
    " their number anew"
)


#: What whoever carries out a rectification of anything but the number must know.
BY_HAND: Final = (
    "the bridge corrects numbers only: correct the rest by hand before you run this; the right"
    " number is said with `bridge dsar correct ID NUMBER`"
)


def _details(kind: Kind, given: Mapping[str, str], region: str) -> dict[str, Any]:
    """What a kind of request needs beside itself. Raises Refused."""
    found: dict[str, Any] = {name: value for name, value in given.items() if value}
    modes = MODES.get(kind, ())
    if "mode" in found and found["mode"] not in modes:
        raise Refused(
            f"there is no such way: {kind} {found['mode']}",
            f"one of {', '.join(modes)}" if modes else f"`{kind}` takes no --mode",
        )
    if found.get("ground", GROUNDS[0]) not in GROUNDS:
        raise Refused("there is no such ground (GDPR Art. 18(1))", f"one of {', '.join(GROUNDS)}")
    if "number" in found:
        found["number"] = phone.parse(str(found["number"]), region).e164
    return {name: value for name, value in found.items() if _BELONGS.get(name, kind) == kind}


_BELONGS: Final = {"ground": Kind.RESTRICT, "number": Kind.RECTIFY}


async def dsar_list(
    office: Office, *, tenant: str = "", due: int | None = None, closed: bool = False
) -> AsyncIterator[Item]:
    """The open requests, the most urgent first; with `due` those due within so many days."""
    number = 0
    if tenant:
        await refuse_unknown(office, tenant)
        number = (await tenant_named(office, tenant)).id
    bridge = office.bridge
    if closed:
        rows = await bridge.store.read(NEWEST, tenant_id=number, most=500)
    else:
        before = bridge.clock() + (365 if due is None else due) * 86400.0
        rows = await bridge.store.read(DUE, tenant_id=number, before=before)
    for row in rows:
        yield _shown(request_of(row), reveal=False)


async def dsar_show(
    office: Office,
    *,
    id: str,  # noqa: A002
    reveal: bool = False,
    why: str = "",
) -> AsyncIterator[Item]:
    """One request with all that happened to it. Raises Refused."""
    bridge = office.bridge
    request = await register.read(bridge, _number(id))
    if reveal:
        await record(
            office,
            "dsar show --reveal",
            tenant=request.tenant_id,
            subject=request.subject_id or None,
            why=why,
            request=ids.show(request.id),
        )
    values = {"id": request.id}
    events = await bridge.store.read(EVENTS, **values)
    checks = await bridge.store.read(CHECKS, **values)
    orders = await bridge.store.read(INSTRUCTIONS, **values)
    yield {
        **_shown(request, reveal=reveal),
        "details": dict(request.known_details) if reveal else sorted(request.known_details),
        "outcome": _outcome(request, reveal=reveal),
        "instructions": [
            {
                "id": ids.show(row[0]),
                "actor": row[1],
                "channel": row[2],
                "decision": row[3],
                "text_hash": row[4],
                "at": iso(row[5]),
                "declined_at": iso(row[6]),
            }
            for row in orders
        ],
        "checks": [
            {"method": row[0], "at": iso(row[1]), "passed_at": iso(row[3]), "tries": row[4]}
            for row in checks
        ],
        "events": [
            {
                "what": row[0],
                "before": row[1],
                "after": row[2],
                "actor": row[3],
                "detail": row[4],
                "at": iso(row[5]),
            }
            for row in events
        ],
    }


def _outcome(request: Request, *, reveal: bool) -> Item:
    """What came of it; what opens an export is the person's, not ours to read."""
    found = dict(request.result)
    if not reveal:
        found.pop("password", None)
    return found


async def dsar_verify(
    office: Office,
    *,
    id: str,  # noqa: A002
    code: str = "",
    fact: str = "",
    vouch: str = "",
) -> AsyncIterator[Item]:
    """Send a code; or take one, a second fact, or somebody's word for who it is. Raises Refused."""
    number, by = _number(id), _by(office)
    if code:
        request = await identity.enter_code(office.bridge, number, code, by)
    elif fact:
        request = await identity.second_fact(office.bridge, number, fact, by)
    elif vouch:
        request = await identity.vouch(office.bridge, number, vouch, by)
    else:
        request = await identity.send_code(office.bridge, number, by)
    yield _shown(request, reveal=False)


async def dsar_forward(office: Office, *, id: str) -> AsyncIterator[Item]:  # noqa: A002
    """Tell the tenant (again) that it must decide. Raises Refused."""
    yield _shown(await deciding.forward(office.bridge, _number(id), _by(office)), reveal=False)


async def dsar_instruct(
    office: Office,
    *,
    id: str,  # noqa: A002
    decision: str,
    reason: str,
    via: str = CHANNEL,
) -> AsyncIterator[Item]:
    """Record what the tenant decided, by which way it said so. Raises Refused."""
    by = By(office.actor, via)
    request = await deciding.instruct(office.bridge, _number(id), decision, reason, by)
    yield _shown(request, reveal=False)


async def dsar_approve(office: Office, *, id: str) -> AsyncIterator[Item]:  # noqa: A002
    """Agree that it is carried out. Raises Refused."""
    yield _shown(await deciding.approve(office.bridge, _number(id), _by(office)), reveal=False)


async def dsar_refuse(office: Office, *, id: str, reason: str) -> AsyncIterator[Item]:  # noqa: A002
    """Refuse a request, or a tenant's unlawful instruction. Raises Refused."""
    request = await deciding.refuse(office.bridge, _number(id), reason, _by(office))
    yield _shown(request, reveal=False)


async def dsar_reject(office: Office, *, id: str) -> AsyncIterator[Item]:  # noqa: A002
    """Nobody has proved to be the person. Raises Refused."""
    yield _shown(await deciding.reject(office.bridge, _number(id), _by(office)), reveal=False)


async def dsar_class(office: Office, *, id: str, kind: str) -> AsyncIterator[Item]:  # noqa: A002
    """Say which right a letter uses that no words settled. Raises Refused."""
    request = await deciding.classed(office.bridge, _number(id), kind_of(kind), _by(office))
    yield _shown(request, reveal=False)


async def dsar_correct(office: Office, *, id: str, number: str) -> AsyncIterator[Item]:  # noqa: A002
    """Say what the right number is, where the person wrote it in words. Raises Refused."""
    found = phone.parse(number, office.bridge.settings.region)
    request = await deciding.corrected(office.bridge, _number(id), found.e164, _by(office))
    yield _shown(request, reveal=False)


async def dsar_extend(
    office: Office,
    *,
    id: str,  # noqa: A002
    months: int,
    reason: str,
) -> AsyncIterator[Item]:
    """Take one or two months more. Raises Refused."""
    request = await deciding.extend(office.bridge, _number(id), months, reason, _by(office))
    yield _shown(request, reveal=False)


async def dsar_withdraw(office: Office, *, id: str) -> AsyncIterator[Item]:  # noqa: A002
    """The person takes it back. Raises Refused."""
    yield _shown(await deciding.withdraw(office.bridge, _number(id), _by(office)), reveal=False)


async def dsar_preview(office: Office, *, id: str) -> AsyncIterator[Item]:  # noqa: A002
    """What would be done, and the code that `run` needs. Raises Refused."""
    request, code = await deciding.previewed(office.bridge, _number(id), _by(office))
    shown = _shown(request, reveal=False)
    if request.type == Kind.RECTIFY and "number" not in request.known_details:
        shown["warning"] = BY_HAND
    yield {**shown, "concerns": await register.concerns(office.bridge, request), "confirm": code}


async def dsar_run(office: Office, *, id: str, confirm: str = "") -> AsyncIterator[Item]:  # noqa: A002
    """Carry it out, and how it stands then. Raises Refused."""
    number = _number(id)
    await deciding.run(office.bridge, number, confirm, _by(office))
    if office.bridge.clerk is not None:
        await office.bridge.clerk.carry_out(number)
    yield _shown(await register.read(office.bridge, number), reveal=False)


async def dsar_restrict(
    office: Office,
    *,
    id: str,  # noqa: A002
    on: bool,
) -> AsyncIterator[Item]:
    """Restrict the person of a request from now on, or end that. Raises Refused."""
    request = await register.read(office.bridge, _number(id))
    action = "restrict on" if on else "restrict off"
    await record(office, action, tenant=request.tenant_id, case=ids.show(request.id))
    changed = await identity.restrict(office.bridge, request, _by(office), on=on)
    yield {"id": ids.show(request.id), "restricted": on, "changed": changed}


async def reassigned(
    office: Office, *, number: str, evidence: str, since: str = "", tenant: str = ""
) -> AsyncIterator[Item]:
    """A number has another owner: consents are void, suppressions stay (P51). Raises Refused."""
    owner = await tenant_named(office, tenant)
    found = phone.parse(number, owner.region)
    at = register.moment(since) if since else office.bridge.clock()
    await record(office, "reassigned", why=evidence)
    void, ended = await identity.reassigned(office.bridge, found, evidence, at, _by(office))
    yield {
        "state": "reassigned",
        "since": iso(at),
        "consents_void": void,
        "requests_ended": ended,
    }


def _shown(request: Request, *, reveal: bool) -> Item:
    return {
        "id": ids.show(request.id),
        "tenant_id": request.tenant_id,
        "type": request.type,
        "state": request.state,
        "role": request.role,
        "who": request.identity if reveal else named(request),
        "channel": request.channel,
        "lang": request.lang,
        "identity": request.identity_level or None,
        "undetermined": request.undetermined,
        "received_at": iso(request.received_at),
        "due_at": iso(request.due),
        "extended": request.extended_to is not None,
        "release_at": iso(request.release_at),
        "closed_at": iso(request.closed_at),
        "reason": request.reason or None,
    }
