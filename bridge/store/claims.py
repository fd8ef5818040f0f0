"""A lane asks for work; due messages come out, claimed, with an attempt written for each part.

A claim is a lease that names the process's incarnation. Suppression is checked here again, in the
same transaction, with the subject locked: what a STOP forbade before this commit never leaves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Double, Text, bindparam, literal_column, null, select, update

from bridge.model import Class, State
from bridge.store.halts import ALIVE, EVERYBODY, HALTED, HALTS
from bridge.store.journal import ATTEMPT_ADD, EVENT_ADD, attempt_row
from bridge.store.listed import stops, suppressed
from bridge.store.notices import notices_for
from bridge.store.permits import NO_CONSENT, lapsed
from bridge.store.sql import Many, Rows, Script, Statement, among, batched, constant, quick, unique
from bridge.store.tables import attempt, body, message, subject


@dataclass(slots=True)
class Claim:
    """A carrier's lanes ask for at most `room` parts, urgent ones first."""

    carrier: str
    incarnation: int
    now: float
    room: int
    bulk_room: int  # at most so many of them in the bulk lane
    begun: tuple[tuple[int, int, tuple[int, ...]], ...] = ()  # (message, total, parts to leave)
    whole: bool = False  # the carrier takes a long text whole: one part, one attempt


@dataclass(slots=True)
class Claimed:
    """A message that this process now owns, with the parts that may leave."""

    id: int
    subject_id: int
    phone: str
    text: str
    encoding: str
    lang: str
    originator: str
    parts: int
    due: tuple[int, ...]  # numbers of the parts that still have to leave, in order
    attempts: dict[int, int]  # part number → attempt id, for those that may leave now
    klass: str
    urgent: bool
    tries: int
    resent: int
    hop: int
    expires_at: float
    tenant_id: int
    exempt: bool
    due_at: float
    programme_index: str = ""
    #: Carriers that will never take it, and those that did not take it for now.
    refused: frozenset[str] = frozenset()
    throttled: frozenset[str] = frozenset()


@dataclass(slots=True)
class Claims:
    """The answer to a `Claim`."""

    messages: list[Claimed]
    attempts: dict[tuple[int, int], int]  # (message, part) → attempt id, of those begun before
    stopped: list[int]  # messages begun before whose person has opted out since
    refused: int  # messages found expired or suppressed: there may be more behind them
    halted: bool = False  # of some tenant, or of all, nothing may leave: what is due may stay


_COLUMNS = (
    message.c.id,
    message.c.subject_id,
    subject.c.phone,
    body.c.text,
    message.c.encoding,
    message.c.lang,
    message.c.originator,
    message.c.parts,
    message.c["class"],
    message.c.urgent,
    message.c.tries,
    message.c.resent,
    message.c.hop,
    message.c.expires_at,
    message.c.tenant_id,
    subject.c.phone_index,
    subject.c.all_index,
    message.c.exempt,
    message.c.due_at,
    message.c.programme_index,
)
_FOUND = (
    select(*_COLUMNS)
    .join(subject, subject.c.id == message.c.subject_id)
    .join(body, body.c.message_id == message.c.id)
    .where(
        message.c.lane == bindparam("lane"),
        message.c.state == constant("queued"),
        message.c.due_at <= bindparam("now"),
    )
    .order_by(message.c.due_at, message.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True, key_share=True, of=[message, subject])
)
_DUE = Statement(_FOUND)
#: The same, while something is halted.
_DUE_NOT_HALTED = Statement(_FOUND.where(message.c.tenant_id.not_in(HALTED)))
_BEGUN = Statement(
    select(
        message.c.id,
        subject.c.phone_index,
        subject.c.all_index,
        message.c.exempt,
        message.c["class"],
        message.c.programme_index,
    )
    .join(subject, subject.c.id == message.c.subject_id)
    .where(among(message.c.id, "ids"))
    .with_for_update(skip_locked=True, key_share=True, of=subject)
)
_TAKE = batched(
    lambda given, _: (
        update(message)
        .where(message.c.id == given.c.id)
        .values(
            state=constant("sending"),
            lease=given.c.lease,
            tries=message.c.tries + literal_column("1"),
        )
    ),
    id=BigInteger,
    lease=BigInteger,
)
_END = batched(
    lambda given, _: (
        update(message)
        .where(message.c.id == given.c.id)
        .values(state=given.c.state, reason=given.c.reason, final_at=given.c.at, lease=null())
    ),
    id=BigInteger,
    state=Text,
    reason=Text,
    at=Double,
)
_TRIED = Statement(
    select(
        attempt.c.message_id, attempt.c.part, attempt.c.total, attempt.c.carrier, attempt.c.state
    ).where(
        among(attempt.c.message_id, "ids"),
        attempt.c.state.in_(
            [
                constant("accepted"),
                constant("delivered"),
                constant("rejected"),
                constant("throttled"),
            ]
        ),
    )
)
#: Why a message is in doubt that a process, or its time, left so.
IN_DOUBT = "in-doubt"
_LATE = (State.EXPIRED, "validity-over")
URGENT, BULK = "urgent", "bulk"


def lane(carrier: str, urgent: bool) -> str:
    """The name of a carrier's lane, and of its queue behind `deliver.`."""
    return f"{carrier}.{URGENT if urgent else BULK}"


@quick
class ClaimScript:
    """The claim's batch script; it needs ids for the attempts it writes."""

    def __init__(self, next_id: Any) -> None:
        self._next_id = next_id

    def __call__(self, items: Sequence[Claim]) -> Script:
        """A `Claims` an item."""
        results = []
        for item in items:
            results.append((yield from self._claim(item)))
        return results

    def _claim(self, item: Claim) -> Script:
        attempts: list[dict[str, Any]] = []
        alive = yield Rows(ALIVE, {"me": item.incarnation})
        if not alive:
            return Claims([], {}, [], 0)
        due = _DUE
        if alive[0][1]:
            due = _DUE_NOT_HALTED
            if (EVERYBODY,) in [tuple(row) for row in (yield Rows(HALTS, {}))]:
                return Claims([], {}, [], 0, halted=True)
        stopped, begun = yield from self._go_on(item, attempts)
        claimed: list[Claimed] = []
        refused = 0
        for is_urgent in (True, False):
            room = (item.room if is_urgent else min(item.room, item.bulk_room)) - len(attempts)
            if room > 0:
                found, out = yield from self._due(item, is_urgent, room, attempts, due)
                claimed += found
                refused += out
        if claimed:
            yield Many(_TAKE, [{"id": c.id, "lease": item.incarnation} for c in claimed])
        if attempts:
            yield Many(ATTEMPT_ADD, attempts)
        return Claims(claimed, begun, stopped, refused, halted=bool(alive[0][1]))

    def _go_on(self, item: Claim, attempts: list[dict[str, Any]]) -> Script:
        """Write attempts for the further parts of messages that this lane has begun."""
        if not item.begun:
            return [], {}
        # Neither here is another process waited for: what it has locked comes with the next claim.
        found = yield Rows(_BEGUN, {"ids": unique(m for m, _, _ in item.begun)})
        stopped = yield from _stopped(found, _OF_BEGUN)
        free = {row[0] for row in found} - stopped
        begun = {}
        for number, total, parts in item.begun:
            if number in free:
                for part in parts[: max(0, item.room - len(attempts))]:
                    begun[number, part] = self._attempt(item, number, part, total, attempts)
        return sorted(stopped), begun

    def _due(
        self,
        item: Claim,
        is_urgent: bool,
        room: int,
        attempts: list[dict[str, Any]],
        due_here: Statement,
    ) -> Script:
        found = yield Rows(
            due_here,
            {"lane": lane(item.carrier, is_urgent), "now": item.now, "most": room},
        )
        if not found:
            return [], 0
        stopped = yield from _stopped(found, _OF_DUE)
        late = {row[0] for row in found if row[13] <= item.now} - stopped
        yield from _refuse(stopped, State.SUPPRESSED, "opted-out", item.now)
        yield from end_late({row[0]: row[11] for row in found if row[0] in late}, item.now)
        bare = yield from _without_permit(found, item.now)
        bare -= stopped | late
        yield from _refuse(bare, State.CANCELLED, NO_CONSENT, item.now)
        out = stopped | late | bare
        good = [row for row in found if row[0] not in out]
        there, said_no = yield from _tried([row[0] for row in good if row[10]])
        claimed = []
        for row in good:
            if room <= 0:
                break
            total = 1 if item.whole else row[7]
            due = tuple(n for n in range(1, total + 1) if (row[0], n, total) not in there)
            now = {n: self._attempt(item, row[0], n, total, attempts) for n in due[:room]}
            room -= len(now)
            claimed.append(_claimed(row, due, now, said_no.get(row[0], frozenset())))
        return claimed, len(out)

    def _attempt(
        self, item: Claim, number: int, part: int, total: int, attempts: list[dict[str, Any]]
    ) -> int:
        made: int = self._next_id()
        attempts.append(
            attempt_row(made, number, part, total, item.carrier, item.incarnation, item.now)
        )
        return made


def _claimed(
    row: Sequence[Any],
    due: tuple[int, ...],
    attempts: dict[int, int],
    said_no: frozenset[tuple[str, str]],
) -> Claimed:
    return Claimed(
        id=row[0],
        subject_id=row[1],
        phone=row[2],
        text=row[3],
        encoding=row[4],
        lang=row[5],
        originator=row[6],
        parts=row[7],
        due=due,
        attempts=attempts,
        klass=row[8],
        urgent=bool(row[9]),
        tries=row[10] + 1,
        resent=row[11],
        hop=row[12],
        expires_at=row[13],
        tenant_id=row[14],
        exempt=bool(row[17]),
        due_at=row[18],
        programme_index=row[19],
        refused=frozenset(name for name, state in said_no if state == "rejected"),
        throttled=frozenset(name for name, state in said_no if state == "throttled"),
    )


class _Columns(NamedTuple):
    """Where in a found row stands what the list is asked by."""

    exempt: int
    klass: int
    tokens: tuple[int, int, int]


_OF_BEGUN = _Columns(3, 4, (1, 2, 5))
_OF_DUE = _Columns(17, 8, (15, 16, 19))


def _stopped(found: Sequence[Sequence[Any]], at: _Columns) -> Script:
    """The messages that the suppression list stops."""
    bound = [row for row in found if not row[at.exempt]]
    tokens = {row[place] for row in bound for place in at.tokens} - {""}
    listed = yield from suppressed(tokens)
    if not listed:
        return set()
    return {row[0] for row in bound if stops(listed, (row[p] for p in at.tokens), row[at.klass])}


def _without_permit(found: Sequence[Sequence[Any]], now: float) -> Script:
    """The advertisements that nothing permits any more (P14, P31)."""
    adverts = [row[0] for row in found if row[_OF_DUE.klass] == Class.MARKETING]
    if not adverts:
        return set()
    return (yield from lapsed(adverts, now))


def _tried(ids: Sequence[int]) -> Script:
    """(message, part, total) of parts that a carrier has taken, cut in the same way; and the
    (carrier, attempt's state) of those that have said no to each message.
    """
    if not ids:
        return set(), {}
    there, said_no = set(), dict[int, frozenset[tuple[str, str]]]()
    for number, part, total, carrier, state in (yield Rows(_TRIED, {"ids": unique(ids)})):
        if state in ("accepted", "delivered"):
            there.add((number, part, total))
        else:
            said_no[number] = said_no.get(number, frozenset()) | {(carrier, state)}
    return there, said_no


def _refuse(ids: set[int], state: State, reason: str, now: float) -> Script:
    if ids:
        yield from end_messages(sorted(ids), state, reason, now)


def end_late(resent: Mapping[int, int], now: float) -> Script:
    """The validity of these is over: they have expired, but for what is in doubt (sent again so
    often): nobody knows whether that has arrived.
    """
    yield from _refuse({n for n, count in resent.items() if not count}, *_LATE, now)
    doubtful = sorted(n for n, count in resent.items() if count)
    if doubtful:
        state, at = str(State.UNKNOWN), None
        yield Many(
            _END, [{"id": n, "state": state, "reason": IN_DOUBT, "at": at} for n in doubtful]
        )
        yield Many(
            EVENT_ADD,
            [{"message_id": n, "kind": state, "detail": _LATE[1], "at": now} for n in doubtful],
        )
        yield from notices_for(doubtful, "unknown", now)


def end_messages(ids: Sequence[int], state: State, reason: str, now: float) -> Script:
    """Move messages to a final state, with its event and the notice that is owed."""
    yield Many(
        _END,
        [{"id": i, "state": str(state), "reason": reason, "at": now} for i in ids],
    )
    yield Many(
        EVENT_ADD,
        [{"message_id": i, "kind": str(state), "detail": reason, "at": now} for i in ids],
    )
    kind = "delivered" if state is State.DELIVERED else "failed"
    yield from notices_for(ids, kind, now)
