"""A data subject's request comes in, or somebody decides on one; the register and its news go out.

The one door for all edges: mail, SMS, portal, chats, command line. What stops is stopped in the
transaction that registers it; who decides is told in the same one (PRIVACY P15 to P18, P22, P28).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from bridge import phone
from bridge.dates import day
from bridge.dispatch.brakes import check_number
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.decision_links import told_deciders
from bridge.dispatch.own import Addressee, own_message
from bridge.dispatch.receipt_links import portal, receipt_link
from bridge.dispatch.request_stops import NUMBER, stops
from bridge.dispatch.stopping import settle
from bridge.dispatch.tenants import Tenant, tenant_of
from bridge.errors import Refused
from bridge.privacy import letters
from bridge.privacy import requests as law
from bridge.privacy.requests import RELEASING, Kind, Role, State
from bridge.store import ids
from bridge.store.announcements import Words
from bridge.store.notices import inbox_places
from bridge.store.request_rows import (
    CONCERNS,
    KNOWN_TO,
    REQUEST,
    SUBJECT,
    WRITERS,
    Request,
    request_of,
)
from bridge.store.requests import (
    Check,
    Move,
    Moved,
    Open,
    Opened,
    Told,
    move_requests,
    open_requests,
)
from bridge.store.sql import Statement
from bridge.store.submissions import Prepared

UNPROVED: Final = (str(State.RECEIVED), str(State.IDENTITY_PENDING))


@dataclass(frozen=True, slots=True)
class Someone:
    """Who a request is about: E.164, a mail address, or `team/person` of a chat."""

    kind: str  # number | mail | slack | telegram
    value: str


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody asks for.

    `tenant` None: of the operator's own data. `own`: about an account with us, on which we decide
    (P18). `proof` came with it; `answer_to` is a mail: `to`, `message_id`, `references`, `subject`.
    """

    kind: Kind
    who: Someone
    tenant: Tenant | None
    channel: str
    actor: str
    lang: str = ""
    answer_to: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    proof: Check | None = None
    own: bool = False
    undetermined: bool = False
    quiet: bool = False  # whoever asked hears of it by another request


@dataclass(frozen=True, slots=True)
class By:
    """Who decides, by which way; `tenant` 0: whoever runs the bridge."""

    actor: str
    channel: str
    tenant: int = 0


# Opening


async def open_request(bridge: Bridge, ask: Ask) -> Opened:
    """Register a request; what it stops is stopped when this returns.

    Raises StoreUnavailable; TryLater where parts under way do not settle.
    """
    opened: Opened = await bridge.store.write(open_requests, await prepared(bridge, ask))
    await settle(bridge, opened.bound)
    return opened


async def prepared(bridge: Bridge, ask: Ask) -> Open:
    """The request with its stops and news, ready to be stored."""
    subject = 0
    if ask.tenant is not None and ask.who.kind == NUMBER:
        token = bridge.keys.person(ask.tenant.id, ask.who.value)
        rows = await bridge.store.read(SUBJECT, phone_index=token)
        subject = rows[0][0] if rows else 0
    return made(bridge, ask, subject)


def made(bridge: Bridge, ask: Ask, subject: int) -> Open:
    """The same, for a person of whom is known whether a tenant has texted them."""
    now = bridge.clock()
    by_tenant = ask.tenant is not None and ask.tenant.profile == "processor" and not ask.own
    request = Request(
        id=bridge.ids.next(),
        tenant_id=ask.tenant.id if ask.tenant else 0,
        subject_id=subject,
        role=str(Role.PROCESSOR if by_tenant else Role.CONTROLLER),
        type=str(ask.kind),
        channel=ask.channel,
        lang=letters.language(ask.lang),
        identity_kind=ask.who.kind,
        identity=ask.who.value,
        token=token_of(bridge, ask.who),
        answer_to=json.dumps(dict(ask.answer_to)) if ask.answer_to else "",
        details=json.dumps(dict(ask.details)) if ask.details else "",
        opened_by=ask.actor,
        received_at=now,
        due_at=law.due(now),
        state=str(State.RECEIVED),
        undetermined=ask.undetermined,
    )
    places = inboxes_of(bridge, request)
    if places:
        request = replace(request, told_at=now)
    level = _LEVELS[ask.proof.method] if ask.proof else ""
    if level:
        # Only for `_same`: a proved request is no duplicate of an unproved one.
        request = replace(request, identity_level=level)
    return Open(
        request,
        stops=() if ask.undetermined else stops(bridge, request, proved=False),
        letters=() if ask.quiet else ("undetermined" if ask.undetermined else "acknowledged",),
        told=(Told(places, _asked(bridge, request)),) if places else (),
        then=(verified(bridge, request, ask.proof, ask.actor),) if ask.proof else (),
        actor=ask.actor,
    )


#: What a proof proves.
_LEVELS: Final = {
    "sms-code": "number",
    "handset": "number",
    "portal": "number",
    "mail-code": "address",
    "dmarc": "address",
    "vouched": "vouched",
}


def token_of(bridge: Bridge, who: Someone) -> str:
    """The keyed hash by which all requests of one person are found."""
    if who.kind == NUMBER:
        return bridge.keys.everyone(who.value)
    return bridge.keys.repeat(b"identity", who.kind.encode(), who.value.casefold().encode())


async def tenants_of(bridge: Bridge, e164: str, statement: Statement = KNOWN_TO) -> list[Tenant]:
    """The open tenants that know a number; or, by `DEALS_WITH`, have something of it."""
    rows = await bridge.store.read(statement, all_index=bridge.keys.everyone(e164))
    return [bridge.register.tenants.get(row[0]) or tenant_of(row[0], "", row[1]) for row in rows]


async def writes_for(bridge: Bridge, address: str) -> list[Tenant]:
    """The open tenants in whose name a mail address has written."""
    rows = await bridge.store.read(WRITERS, address=address)
    return [found for row in rows if (found := bridge.register.tenants.get(row[0])) is not None]


# Who hears of it


def inboxes_of(bridge: Bridge, request: Request) -> tuple[tuple[str, str], ...]:
    """Where whoever decides hears of it: the tenant's inboxes, or the operator's own."""
    own = inbox_places(bridge.settings.privacy.inbox)
    tenant = bridge.register.tenants.get(request.tenant_id)
    theirs = inbox_places(tenant.inbox or tenant.deciders) if tenant is not None else []
    return tuple(theirs if request.role == Role.PROCESSOR else own or theirs)


def named(request: Request) -> str:
    """Who it is about, as far as chats and inboxes may know: a masked number."""
    if not request.identity:
        return "a person whose data is gone"
    if request.identity_kind == NUMBER:
        return phone.mask(request.identity)
    kind, shown = request.identity_kind, request.identity
    local, at, domain = shown.rpartition("@")
    return f"{local[:1]}…@{domain}" if at else f"{kind} …{shown[-3:]}"


def _asked(bridge: Bridge, request: Request) -> Words:
    shown = ids.show(request.id)
    kind = "an answer (somebody must class it)" if request.undetermined else request.type
    lines = [f"A person asks for: {kind}. It is about {named(request)}, by {request.channel}."]
    if request.role == Role.PROCESSOR:
        lines.append("You decide; nothing is shown or erased without your recorded instruction.")
    lines.append(f"The answer is due by {day(request.due)}; waiting does not stop the clock.")
    lines += how(bridge, request, shown)
    return Words(f"Request {shown}: {kind}", tuple(lines))


def how(bridge: Bridge, request: Request, shown: str) -> list[str]:
    """What whoever decides types."""
    if request.role == Role.PROCESSOR:
        act = f'/sms dsar instruct {shown} fulfil|refuse reason="…"'
        tenant = bridge.register.tenants.get(request.tenant_id)
        by_mail = tenant is not None and tenant.deciders
        return [
            f"Decide, once the person has proved who they are: {act}",
            "Then whoever decides for you by mail gets an address to do so."
            if by_mail
            else "Without a chat, write your decision to whoever runs the bridge, who records it.",
        ]
    return [f"Decide: bridge dsar show {shown}, then approve or refuse"]


def told(
    bridge: Bridge, request: Request, title: str, *lines: str, wide: bool = False
) -> tuple[Told, ...]:
    """News to whoever decides, with `wide` also to the operator; none where nobody has an inbox."""
    shown = ids.show(request.id)
    places = inboxes_of(bridge, request)
    if wide:
        own = inbox_places(bridge.settings.privacy.inbox)
        places = tuple(dict.fromkeys((*places, *own)))
    return (Told(places, Words(f"Request {shown}: {title}", lines)),) if places else ()


async def concerns(bridge: Bridge, request: Request) -> dict[str, int]:
    """How much of a person a request is about, as a preview tells it."""
    rows = await bridge.store.read(CONCERNS, subject_id=request.subject_id or -1)
    return dict(zip(("messages", "replies", "contacts", "conversations"), rows[0], strict=True))


def moment(written: str) -> float:
    """A day or a time in ISO 8601, UTC where it names no zone. Raises Refused."""
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        raise Refused("this is no time", "write 2026-11-23 or 2026-11-23T20:00+01:00") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def facts(bridge: Bridge, request: Request, *, reason: str = "", code: str = "") -> letters.Facts:
    """What a letter about a request may name."""
    tenant = bridge.register.tenants.get(request.tenant_id)
    privacy = bridge.settings.privacy
    # Whose messages somebody gets is told to nobody who has not proved the number.
    hidden = (
        request.identity_kind == NUMBER
        and request.channel == "mail"
        and request.identity_level == ""
    )
    theirs = tenant.authority if tenant is not None and not hidden else ""
    found = law.authority(theirs, privacy.authority)
    by_tenant = request.role == Role.PROCESSOR and tenant is not None
    return letters.Facts(
        reference=ids.show(request.id),
        kind=request.type,
        decides=tenant.name if by_tenant and tenant else "",
        operator=privacy.operator or bridge.settings.mail.from_name,
        due=request.due,
        authority=" ".join(filter(None, (found.name, found.address))),
        portal=portal(bridge),
        reason=reason or request.reason,
        code=code,
        receipt=receipt_link(bridge, request.id),
        mode=str(request.known_details.get("mode", "")),
        number=request.identity_kind == NUMBER,
        hidden=hidden,
        nothing=bool(request.result.get("nothing")),
        by_hand=bool(request.result.get("by_hand")),
    )


# Moving


async def read(bridge: Bridge, number: int, tenant: int = 0) -> Request:
    """A request, of that tenant (0: of any). Raises Refused."""
    rows = await bridge.store.read(REQUEST, id=number) if 0 < number <= ids.LARGEST else []
    if not rows or tenant not in (0, rows[0][1]):
        raise _unknown()
    return request_of(rows[0])


def _unknown() -> Refused:
    return Refused("no request has this id", "`dsar list` shows those that are open")


async def moved(bridge: Bridge, item: Move, asked: str) -> Request:
    """Move a request, and see to what follows. Raises Refused; `asked` names the act."""
    return await following(bridge, await bridge.store.write(move_requests, item), asked)


async def following(bridge: Bridge, done: Moved, asked: str) -> Request:
    """What a move asks for after its commit. Raises Refused where it was not done."""
    if done.request is None:
        raise _unknown()
    if not done.done:
        state = done.request.state.replace("_", " ")
        raise Refused(f"this request is {state}: it cannot be {asked}", "`dsar show` tells more")
    await settle(bridge, done.bound)
    return done.request


def verified(bridge: Bridge, request: Request, check: Check, actor: str) -> Move:
    """The move by which a proof counts: what it stops, whom it tells, what it starts."""
    now = bridge.clock()
    proved = _LEVELS[check.method]
    changes: dict[str, Any] = {"identity_level": proved}
    sends: tuple[Prepared, ...] = ()
    if Kind(request.type) in RELEASING:
        changes["release_at"] = now + law.rules().notice_seconds
        notice = release_notice(bridge, replace(request, **changes))
        sends = (notice,) if notice is not None else ()
    following_it: tuple[Move, ...] = ()
    if request.role == Role.PROCESSOR:
        following_it = (forwarding(bridge, request, actor),)
    return Move(
        request.id,
        UNPROVED,
        str(State.VERIFIED),
        "verified",
        actor,
        now,
        detail=check.method,
        changes=changes,
        stops=stops(bridge, request, proved=True),
        told=() if following_it else told(bridge, request, "proved", *_proved(request)),
        check=check if check.passed else None,
        sends=sends,
        then=following_it,
    )


def _proved(request: Request) -> tuple[str, ...]:
    return (
        f"{named(request)} has proved who they are.",
        f"It waits for your decision, due by {day(request.due)}.",
    )


def forwarding(bridge: Bridge, request: Request, actor: str) -> Move:
    """The move to the tenant, who decides."""
    return Move(
        request.id,
        (str(State.VERIFIED),),
        str(State.FORWARDED),
        "forwarded",
        actor,
        bridge.clock(),
        changes={"told_at": bridge.clock()} if inboxes_of(bridge, request) else {},
        told=decide(bridge, request, *_proved(request)),
    )


def decide(bridge: Bridge, request: Request, *lines: str, proved: bool = True) -> tuple[Told, ...]:
    """News to the tenant that it is to decide: its inboxes learn how, its deciders can at once."""
    title = f"decide on {request.type}"
    ways = how(bridge, request, ids.show(request.id))
    deciders = told_deciders(bridge, request, title, *lines) if proved else ()
    return (*told(bridge, request, title, *lines, *ways), *deciders)


def release_notice(bridge: Bridge, request: Request) -> Prepared | None:
    """The SMS that warns the number before an export is handed out (P73)."""
    if request.identity_kind != NUMBER or request.release_at is None or not request.tenant_id:
        return None
    said = replace(facts(bridge, request), due=request.release_at)
    words = letters.sms("release", request.lang, said)
    return to_number(bridge, request, words, "request-notice", law.rules().notice_seconds)


def to_number(
    bridge: Bridge, request: Request, words: str, rule: str, valid: float
) -> Prepared | None:
    """An SMS of our own to whom a request is about; None where the words do not fit or go."""
    tenant = bridge.register.tenants.get(request.tenant_id)
    sender = tenant or next(iter(bridge.register.tenants.values()), None)
    if sender is None:
        return None
    number = request.identity
    to = Addressee(
        number,
        bridge.keys.person(sender.id, number),
        bridge.keys.everyone(number),
        phone.country(number),
    )
    try:
        check_number(sender, to.phone, to.country)
        return own_message(bridge, sender, to, words, rule=rule, valid=valid)
    except Refused:
        return None


#: An SMS about a request says something while it can be read soon.
_NEWS_SECONDS: Final = 3 * 86400.0


def by_sms(bridge: Bridge, request: Request, news: str) -> tuple[Prepared, ...]:
    """The SMS that leads a proved number to the portal, where no mail can tell its owner (P33).

    Whoever runs the bridge and acts on an instruction answers in their own way.
    """
    unproved = not request.identity_level or not request.identity
    if request.answer_to or request.channel == "cli" or unproved or request.identity_kind != NUMBER:
        return ()
    words = letters.sms(news, request.lang, facts(bridge, request))
    found = to_number(bridge, request, words, "request-news", _NEWS_SECONDS)
    return (found,) if found is not None else ()
