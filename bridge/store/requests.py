"""The register of data subjects' requests: one comes in or moves on; what is owed for it goes out.

A request is stored, and what it stops is stopped, in one transaction. A move names the states that
it may come from, so that of two that come at once one is told no. What may follow what is decided
by `privacy.requests`; here it is only kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import Text, bindparam, select, text, update

from bridge.store.announcements import Words, owe_words
from bridge.store.audit import Entry, append
from bridge.store.ids import show
from bridge.store.listed import ANY
from bridge.store.notices import notice_row, owe_with_payload
from bridge.store.request_rows import REQUEST_KEYS, REQUEST_ROW, Request, request_of
from bridge.store.request_tables import OPEN, dsr, dsr_event, identity_check, instruction
from bridge.store.sql import Do, Many, Rows, Script, Statement, Values, among, constant, insert
from bridge.store.submissions import Prepared, store_submissions
from bridge.store.suppressions import Bound, Suppress, suppress
from bridge.store.tables import incarnation, suppression

#: Of so many open requests of one person for the same, the next one is a duplicate in any case.
MOST_OPEN: Final = 5
NOBODY: Final = Bound()


@dataclass(frozen=True, slots=True)
class Told:
    """Words about a request to inboxes: those of a tenant, or the operator's."""

    places: tuple[tuple[str, str], ...]
    words: Words


@dataclass(frozen=True, slots=True)
class Check:
    """A proof of who somebody is: passed already, or to be passed until `expires_at`."""

    method: str
    now: float
    expires_at: float
    otp_hmac: str = ""
    message_id: int | None = None
    evidence: str = ""
    passed: bool = False


@dataclass(frozen=True, slots=True)
class Instruct:
    """What a tenant decided, to be kept beside the move that it causes."""

    id: int
    actor: str
    channel: str
    decision: str
    text_hash: str
    reason: str


@dataclass(frozen=True, slots=True)
class Opened:
    """What became of a request."""

    id: int
    state: str
    duplicate_of: int | None = None
    bound: Bound = NOBODY  # the people of whom something was stopped
    request: Request | None = None  # as it stands now


@dataclass(frozen=True, slots=True)
class Open:
    """A request that has come in.

    `stops` is what it stops at once; `letters` are news to whoever asked, `told` to others; `then`
    are moves that follow in the same transaction. A duplicate of another one stops too, no more.
    """

    request: Request
    stops: tuple[Suppress, ...] = ()
    letters: tuple[str, ...] = ()
    told: tuple[Told, ...] = ()
    then: tuple[Move, ...] = ()
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Unstop:
    """What a request had stopped, of these kinds, is stopped no more."""

    tokens: tuple[str, ...]
    purposes: tuple[str, ...]
    since: float
    now: float
    why: str


@dataclass(frozen=True, slots=True)
class Move:
    """A request goes from one of `before` to `after` ("": it stays), if it stands there.

    `changes` are columns; `stops`, `unstops`, `letters`, `told` and `sends` happen with it.
    `tenant_id` 0: any tenant's. `then` are moves that follow in the same transaction, where this
    one was done.
    """

    id: int
    before: tuple[str, ...]
    after: str
    what: str
    actor: str
    now: float
    detail: str = ""
    tenant_id: int = 0
    changes: Mapping[str, Any] = field(default_factory=dict)
    stops: tuple[Suppress, ...] = ()
    letters: tuple[str, ...] = ()
    told: tuple[Told, ...] = ()
    check: Check | None = None
    instruct: Instruct | None = None
    declines: str = ""  # why an instruction is not followed
    forget: bool = False  # the identity goes
    sends: tuple[Prepared, ...] = ()
    unstops: tuple[Unstop, ...] = ()
    then: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class Moved:
    """Whether it moved, how it stands now (None: there is no such request), and who is stopped."""

    done: bool
    request: Request | None
    bound: Bound = NOBODY


#: What a move may change. The identity is sealed under another key and only ever forgotten.
_MUTABLE: Final = tuple(
    key
    for key in REQUEST_KEYS
    if key not in ("id", "tenant_id", "subject_id", "identity", "token", "received_at", "opened_by")
)

_LOCKED = Statement(REQUEST_ROW.where(dsr.c.id == bindparam("id")).with_for_update())
_SAME = Statement(
    select(dsr.c.id, dsr.c.identity_level, dsr.c.answer_to)
    .where(
        dsr.c.token == bindparam("token"),
        dsr.c.tenant_id == bindparam("tenant_id"),
        dsr.c.type == bindparam("type", type_=Text()),
        text(OPEN),
    )
    .order_by(dsr.c.id)
)
_ADD = insert(dsr)
_EVENT_ADD = insert(dsr_event, ("dsr_id", "what", "before", "after", "actor", "detail", "at"))
_CHECK_ADD = insert(
    identity_check,
    (
        "dsr_id",
        "method",
        "otp_hmac",
        "tries",
        "message_id",
        "evidence",
        "at",
        "expires_at",
        "passed_at",
    ),
)
_INSTRUCTION_ADD = insert(instruction)
_DECLINE = Statement(
    update(instruction)
    .where(instruction.c.id == bindparam("i_id"))
    .values(
        declined_at=bindparam("i_at"),
        declined_by=bindparam("i_by"),
        declined_reason=bindparam("i_reason"),
    )
)
_SAVE = Statement(
    update(dsr)
    .where(dsr.c.id == bindparam("r_id"))
    .values({key: bindparam(f"r_{key}") for key in _MUTABLE})
)
_FORGET = Statement(
    update(dsr).where(dsr.c.id == bindparam("r_id")).values(identity="", subject_id=0)
)


def open_requests(items: Sequence[Open]) -> Script:
    """An `Opened` an item; the audit has who registered it."""
    results = []
    for item in items:
        results.append((yield from open_one(item)))
    yield from append([_entry_of(i.request, "opened", i.actor, i.request.type) for i in items])
    return results


def open_one(item: Open) -> Script:
    """An `Opened`, as a part of another script."""
    request = item.request
    first = yield from _same(request)
    if first is not None:
        request = replace(request, state="duplicate", closed_at=request.received_at)
    row = {key: getattr(request, key) for key in REQUEST_KEYS}
    yield Many(_ADD, [row])
    yield from _happened(
        request.id, "opened", "", request.state, item.actor, request.channel, request.received_at
    )
    bound = yield from _stopped(item.stops)
    if first is not None:
        return Opened(request.id, request.state, first, bound, request)
    yield from _tell(request, item.letters, item.told, request.received_at)
    for following in item.then:
        done = yield from move(following)
        bound, request = _both(bound, done.bound), done.request or request
    return Opened(request.id, request.state, None, bound, request)


def _same(request: Request) -> Script:
    values = {"token": request.token, "tenant_id": request.tenant_id, "type": request.type}
    found = yield Rows(_SAME, values)
    for number, level, answer_to in found:
        # Nobody's open request takes over the proof that came with another one, or its answer.
        same_writer = _writer(answer_to) in ("", _writer(request.answer_to))
        is_same = bool(level) if request.identity_level else same_writer
        if is_same or len(found) >= MOST_OPEN:
            return number
    return None


def _writer(answer_to: str) -> str:
    """Who is written to about a request; "" for nobody."""
    kept: Mapping[str, str] = json.loads(answer_to or "{}")
    return kept.get("to", "")


def _stopped(stops: Sequence[Suppress]) -> Script:
    found = NOBODY
    for stop in stops:
        bound, _ = yield from suppress(stop)
        found = _both(found, bound)
    return found


def _both(one: Bound, other: Bound) -> Bound:
    """The people of both, in the wider purpose."""
    if not one or not other:
        return one or other
    purpose = one.purpose if one.purpose == other.purpose else ANY
    return Bound.of({*one, *other}, purpose)


def _happened(
    number: int, what: str, before: str, after: str, actor: str, detail: str, now: float
) -> Script:
    row = {
        "dsr_id": number,
        "what": what,
        "before": before,
        "after": after,
        "actor": actor,
        "detail": detail,
        "at": now,
    }
    yield Many(_EVENT_ADD, [row])


def add_check(number: int, check: Check) -> Script:
    """Keep a proof, or what will be one."""
    row = {
        "dsr_id": number,
        "method": check.method,
        "otp_hmac": check.otp_hmac,
        "tries": 0,
        "message_id": check.message_id,
        "evidence": check.evidence,
        "at": check.now,
        "expires_at": check.expires_at,
        "passed_at": check.now if check.passed else None,
    }
    yield Many(_CHECK_ADD, [row])


def _tell(request: Request, letters: Sequence[str], told: Sequence[Told], now: float) -> Script:
    """Owe news of a request: a letter holds its id and what is to be told, no more."""
    for news in letters if request.answer_to else ():
        row = notice_row(request.tenant_id, "mail", "request", now)
        payload = json.dumps({"request": request.id, "news": news})
        yield from owe_with_payload(row, payload)
    for each in told:
        yield from owe_words(request.tenant_id, each.places, each.words, now)


_UNSTOP = Statement(
    update(suppression)
    .where(
        among(suppression.c.token, "keys"),
        suppression.c.lifted_at.is_(None),
        suppression.c.source.in_([constant("request"), constant("portal")]),
        among(suppression.c.purpose, "purposes"),
        suppression.c.created_at >= bindparam("since"),
    )
    .values(lifted_at=bindparam("now"), lift_source=bindparam("why"))
)


def unstop(items: Sequence[Unstop]) -> Script:
    """How many suppressions ended, an item."""
    results = []
    for item in items:
        values = {
            "keys": Values(item.tokens),
            "purposes": Values(item.purposes),
            "since": item.since,
            "now": item.now,
            "why": item.why,
        }
        results.append((yield Do(_UNSTOP, values)))
    return results


@dataclass(frozen=True, slots=True)
class Take:
    """A process wants to carry a request out, or one that another left when it ended."""

    id: int
    incarnation: int
    alive_since: float  # a process that was not seen since then is gone
    now: float


_ALIVE = Statement(
    select(incarnation.c.id).where(
        incarnation.c.id == bindparam("lease"), incarnation.c.seen_at >= bindparam("alive_since")
    )
)


def take_requests(items: Sequence[Take]) -> Script:
    """The `Request` an item, leased to its process; None where another one has it."""
    results: list[Request | None] = []
    for item in items:
        results.append((yield from _take(item)))
    return results


def _take(item: Take) -> Script:
    found = yield Rows(_LOCKED, {"id": item.id})
    request = request_of(found[0]) if found else None
    if request is None or request.state != "executing":
        return None
    if request.lease not in (None, item.incarnation):
        values = {"lease": request.lease, "alive_since": item.alive_since}
        if (yield Rows(_ALIVE, values)):
            return None
    taken = replace(request, lease=item.incarnation, tries=request.tries + 1, retry_at=None)
    yield from _save(taken)
    return taken


def move_requests(items: Sequence[Move]) -> Script:
    """A `Moved` an item; the audit has who moved it."""
    results: list[Moved] = []
    for item in items:
        results.append((yield from move(item)))
    yield from append(
        [
            _entry_of(done.request, item.what, item.actor, item.detail, item.now)
            for item, done in zip(items, results, strict=True)
            if done.done and done.request is not None
        ]
    )
    return results


def _entry_of(request: Request, what: str, actor: str, detail: str, now: float = 0.0) -> Entry:
    """A line of the audit; it names nobody whose key an erasure destroys."""
    begun = request.type == "erase" and request.ran_by
    subject_id = None if begun or not request.subject_id else request.subject_id
    reason = " ".join(filter(None, (show(request.id), detail)))
    at = now or request.received_at
    return Entry(actor, f"dsar {what}", reason, at, request.tenant_id, subject_id)


def move(item: Move) -> Script:
    """A `Moved`: the one way in which a request changes."""
    found = yield Rows(_LOCKED, {"id": item.id})
    if not found or item.tenant_id not in (0, found[0][1]):
        return Moved(False, None)
    request = request_of(found[0])
    if request.state not in item.before:
        return Moved(False, request)
    changes = dict(item.changes)
    if item.after:
        changes["state"] = item.after
    changed = replace(request, **changes)
    yield from _instructed(item, changed)
    yield from _save(changed)
    if item.forget:
        yield Do(_FORGET, {"r_id": item.id})
        changed = replace(changed, identity="", subject_id=0)
    yield from _happened(
        item.id, item.what, request.state, changed.state, item.actor, item.detail, item.now
    )
    if item.check is not None:
        yield from add_check(item.id, item.check)
    bound = yield from _stopped(item.stops)
    if item.unstops:
        yield from unstop(item.unstops)
    yield from _tell(changed, item.letters, item.told, item.now)
    if item.sends:
        yield from store_submissions(item.sends)
    for following in item.then:
        done = yield from move(following)
        bound = _both(bound, done.bound)
        changed = done.request if done.done else changed
    return Moved(True, changed, bound)


def _save(request: Request) -> Script:
    values = {f"r_{key}": getattr(request, key) for key in _MUTABLE}
    yield Do(_SAVE, {**values, "r_id": request.id})


def _instructed(item: Move, request: Request) -> Script:
    if item.instruct is not None:
        given = item.instruct
        row = {
            "id": given.id,
            "dsr_id": item.id,
            "tenant_id": request.tenant_id,
            "actor": given.actor,
            "channel": given.channel,
            "decision": given.decision,
            "text_hash": given.text_hash,
            "reason": given.reason,
            "at": item.now,
            "declined_at": None,
            "declined_by": "",
            "declined_reason": "",
        }
        yield Many(_INSTRUCTION_ADD, [row])
    if item.declines and request.instruction_id is not None:
        values = {"i_id": request.instruction_id, "i_at": item.now, "i_by": item.actor}
        yield Do(_DECLINE, {**values, "i_reason": item.declines})
