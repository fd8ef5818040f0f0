"""Prepared submissions in; subjects, conversations, messages and bodies out, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    ClauseElement,
    Double,
    Subquery,
    Text,
    delete,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite

from bridge.model import State
from bridge.store.accounts import NO_CREDIT, Charge, reserve
from bridge.store.attachments import Attached, attach, attachment_rows
from bridge.store.brakes import Meter, Refusal, braked
from bridge.store.folding import FOLDED, fold_in, unfold
from bridge.store.halts import ALIVE, EVERYBODY, HALTS
from bridge.store.journal import ATTEMPT_ADD, EVENT_ADD, attempt_row
from bridge.store.list_tables import optout_link
from bridge.store.listed import Listed, move_tokens, stops, suppressed
from bridge.store.notices import held_notices, notices_for
from bridge.store.permits import Permit, barred, keep_permits
from bridge.store.sql import (
    Do,
    Lock,
    Many,
    Rows,
    Script,
    Statement,
    Values,
    among,
    batched,
    insert,
    insert_new,
    last,
    quick,
    unique,
)
from bridge.store.tables import body, conversation, message, seen, subject

REPEAT_SECONDS = 3600.0
_NOT_SENT = (State.SUPPRESSED, State.CANCELLED)


@dataclass(slots=True)
class Prepared:
    """A submission that passed every rule; rows come from it without further thought.

    `id` also names the rows that this message may be the first to need (subject, conversation).
    """

    id: int
    tenant_id: int
    phone: str
    phone_index: str
    all_index: str
    country: str
    originator: str
    origin_kind: str
    origin_address: str
    origin: str  # JSON
    klass: str
    urgent: bool
    text: str
    encoding: str
    lang: str
    parts: int
    rules: str
    state: str
    reason: str
    lane: str
    due_at: float
    expires_at: float
    now: float
    dedupe: str | None
    exempt: bool = False
    #: The person's token in the programme that it belongs to, "" in none.
    programme_index: str = ""
    #: The person's tokens under older peppers, each with the newest (old → new).
    older: Mapping[str, str] | None = None
    pepper_version: int = 1
    #: The keyed hash of the opt-out link in the text, "" without one.
    optout_link: str = ""
    #: What an advertisement needs to be sent; None for all other messages.
    permit: Permit | None = None
    #: What its tenant pays for it; None where nobody keeps an account.
    charge: Charge | None = None
    #: Of several that share an answer, what cannot be paid for is stored as cancelled, and told.
    shares_answer: bool = False
    #: The files that go with it by a link in its text, and those that were refused.
    files: tuple[Attached, ...] = ()
    hop: int = 0  # the place of its carrier in its route
    #: Numbers of ours, of which the person keeps the one that they know.
    pool: tuple[str, ...] = ()
    #: What the brakes count it by; None where nothing does.
    meter: Meter | None = None
    #: What makes it the same alert as another, and for how many seconds.
    fold: tuple[str, float] | None = None
    #: Claimed at birth: the process that sends it at once, and part number → attempt id.
    lease: int | None = None
    carrier: str = ""
    attempts: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Stored:
    """What became of a prepared submission."""

    id: int
    state: State
    repeat: bool  # it was here already: `id` is the first one's
    subject_id: int = 0
    unpaid: bool = False  # the tenant's credit does not suffice: nothing was stored
    refusal: Refusal | None = None  # a brake said no
    folded: bool = False  # the same alert has just been sent: it is counted


_SEEN = Statement(select(seen.c.key, seen.c.message_id).where(among(seen.c.key, "keys")))
_SEEN_GONE = Statement(delete(seen).where(among(seen.c.key, "keys")))
# Whoever is found here is not purged or erased before this transaction has ended.
_SUBJECTS = Statement(
    select(subject.c.phone_index, subject.c.id)
    .where(among(subject.c.phone_index, "keys"))
    .order_by(subject.c.id)
    .with_for_update(read=True, key_share=True)
)
_SUBJECT_ADD = insert_new(subject)
# Not waited for: this transaction may hold people and messages that another one waits for.
_LOCK = Statement(
    select(subject.c.id)
    .where(among(subject.c.id, "ids"))
    .order_by(subject.c.id)
    .with_for_update(read=True, skip_locked=True)
)
_CONVERSATIONS = Statement(
    select(
        conversation.c.subject_id,
        conversation.c.originator,
        conversation.c.origin_kind,
        conversation.c.origin_address,
        conversation.c.id,
    )
    .where(among(conversation.c.subject_id, "keys"))
    .order_by(conversation.c.id)
    .with_for_update(read=True, key_share=True)
)
_CONVERSATION_ADD = insert_new(conversation)
_MESSAGE_ADD = insert(message)
_BODY_ADD = insert(body)
_LINK_ADD = insert_new(optout_link)


@quick
@last
def store_submissions(items: Sequence[Prepared]) -> Script:
    """One `Stored` an item."""
    fresh, repeats = yield from _without_repeats(items)
    folded = (yield from fold_in(fresh)) if any(i.fold for i in fresh) else {}
    fresh, refused = yield from _without_braked(fresh, folded)
    subjects = yield from _subjects(fresh)
    yield from _settle_births(fresh, subjects)
    conversations = yield from _conversations(fresh, subjects)
    listed = yield from _listed(fresh)
    adverts = [i for i in fresh if i.permit is not None]
    not_permitted = (yield from barred(adverts, subjects)) if adverts else {}
    unpaid = yield from _unpaid(fresh, listed, {*not_permitted, *refused, *folded})
    if unpaid and folded:
        unpaid |= yield from _unfolded(fresh, unpaid, folded)
    owed = {i.id for i in fresh if i.id in unpaid and i.shares_answer}
    if unpaid := unpaid - owed:
        fresh = [i for i in fresh if i.id not in unpaid]
        adverts = [i for i in adverts if i.id not in unpaid]
    states: dict[int, State] = {}
    rows, bodies, events, attempts = [], [], [], []
    for item in fresh:
        is_stopped = _is_stopped(item, listed)
        state = State.SUPPRESSED if is_stopped else State(item.state)
        if item.id in not_permitted and not is_stopped:
            state, item.reason = State.CANCELLED, not_permitted[item.id]
        if (item.id in refused or item.id in folded) and not is_stopped:
            state = State.CANCELLED
            item.reason = FOLDED if item.id in folded else refused[item.id].rule
        if item.id in owed:
            state, item.reason = State.CANCELLED, NO_CREDIT
        if item.lease is not None and state is State.QUEUED:
            state = State.SENDING
            attempts += _attempts(item)
        states[item.id] = state
        subject_id = subjects[item.phone_index]
        rows.append(_message(item, subject_id, conversations[_key(item, subject_id)], state))
        bodies.append(
            {
                "message_id": item.id,
                "subject_id": subject_id,
                "text": item.text,
                "origin": item.origin,
            }
        )
        if state not in (State.QUEUED, State.SENDING):  # those are told by `created_at`
            events.append(
                {
                    "message_id": item.id,
                    "kind": str(state),
                    "detail": item.reason,
                    "at": item.now,
                }
            )
    if rows:
        yield Many(_MESSAGE_ADD, rows)
        yield Many(_BODY_ADD, bodies)
        if adverts:
            yield from keep_permits(adverts, subjects)
        if links := [_link(item) for item in fresh if item.optout_link]:
            yield Many(_LINK_ADD, links)
        if files := _files(fresh, subjects, states):
            yield from attach(files)
        if events:
            yield Many(EVENT_ADD, events)
        if attempts:
            yield Many(ATTEMPT_ADD, attempts)
        yield from notices_for(
            [i.id for i in fresh if states[i.id] in _NOT_SENT and i.id not in folded],
            "failed",
            items[0].now,
        )
        held = [i.id for i in fresh if states[i.id] is State.HELD]
        if held:
            yield from held_notices(held, items[0].now)
    return [
        Stored(i.id, State.CANCELLED, False, unpaid=True)
        if repeats.get(i.id, i.id) in unpaid
        else Stored(repeats[i.id], State.QUEUED, True)
        if i.id in repeats and repeats[i.id] not in refused
        else Stored(
            i.id,
            states.get(i.id, State.CANCELLED),
            False,
            subjects.get(i.phone_index, 0),
            refusal=refused.get(repeats.get(i.id, i.id)),
            folded=i.id in folded,
        )
        for i in items
    ]


def _unfolded(items: Sequence[Prepared], unpaid: set[int], folded: Mapping[int, int]) -> Script:
    """What was counted under a message that cannot be paid for: it is refused as well."""
    yield from unfold(sorted(unpaid))
    under = {number for number, first in folded.items() if first in unpaid}
    if keys := unique(i.dedupe for i in items if i.id in under and i.dedupe):
        yield Do(_SEEN_GONE, {"keys": keys})
    return under


def _unpaid(items: Sequence[Prepared], listed: Listed, not_going: Collection[int]) -> Script:
    """Reserve what these messages cost; the ids of those that cannot be paid for.

    Whoever gets nothing is not paid for. What is refused may come again at once.
    """
    billed = [(i, i.charge) for i in items if i.charge is not None]
    if not billed:
        return set()
    due = [
        (i, charge) for i, charge in billed if i.id not in not_going and not _is_stopped(i, listed)
    ]
    unpaid: set[int] = (yield from reserve(due)) if due else set()
    if unpaid:
        keys = Values(sorted(i.dedupe for i in items if i.id in unpaid and i.dedupe))
        if keys:
            yield Do(_SEEN_GONE, {"keys": keys})
    return unpaid


def _is_stopped(item: Prepared, listed: Listed) -> bool:
    return not item.exempt and stops(listed, _tokens(item), item.klass)


def _without_braked(items: Sequence[Prepared], folded: dict[int, int]) -> Script:
    """The items that are stored, and why a brake refused others; a chat's are stored as cancelled.

    What is only counted is no part that leaves; but where the first of a fold is refused, so are
    those under it. What is refused is no repeat when it comes again.
    """
    refused: dict[int, Refusal] = yield from braked([i for i in items if i.id not in folded])
    if not refused:
        return items, refused
    if folded:
        refused |= {i: refused[first] for i, first in folded.items() if first in refused}
        yield from unfold([number for number in refused if number not in folded])
        for number in refused.keys() & folded.keys():
            del folded[number]
    gone = [i for i in items if i.id in refused and not (i.meter and i.meter.keeps)]
    if keys := unique(i.dedupe for i in gone if i.dedupe):
        yield Do(_SEEN_GONE, {"keys": keys})
    out = {i.id for i in gone}
    return [i for i in items if i.id not in out], refused


def _claim_key(given: Subquery, database: str) -> ClauseElement:
    clause = {"sqlite": sqlite, "postgresql": postgresql}[database].insert(seen)
    clause = clause.from_select([c.name for c in seen.columns], select(*given.c).where(true()))
    # A key older than the hour may still wait for the sweep: it makes room for its successor.
    claimed: ClauseElement = clause.on_conflict_do_update(
        index_elements=[seen.c.key],
        set_={"message_id": clause.excluded.message_id, "at": clause.excluded.at},
        where=seen.c.at <= clause.excluded.at - literal_column(str(REPEAT_SECONDS)),
    )
    return claimed


_SEEN_CLAIM = batched(_claim_key, key=Text, message_id=BigInteger, at=Double)


def _settle_births(items: Sequence[Prepared], subjects: dict[str, int]) -> Script:
    """Births lock their people against a STOP, and need a process that is not taken for dead.

    Whose person another process has locked just now is claimed later, as any other.
    """
    born = [i for i in items if i.lease is not None]
    if not born:
        return
    alive = yield Rows(ALIVE, {"me": born[0].lease})
    halted = {row[0] for row in (yield Rows(HALTS, {}))} if alive and alive[0][1] else ()
    for item in born:
        if not alive or item.tenant_id in halted or EVERYBODY in halted:
            item.lease = None
    born = [i for i in born if i.lease is not None]
    if not born:
        return
    rows = yield Lock(_LOCK, {"ids": unique(subjects[i.phone_index] for i in born)})
    if rows is not None:
        locked = {row[0] for row in rows}
        for item in born:
            if subjects[item.phone_index] not in locked:
                item.lease = None


def _attempts(item: Prepared) -> list[dict[str, Any]]:
    assert item.lease is not None  # noqa: S101 - the caller's condition
    total = len(item.attempts)
    return [
        attempt_row(number, item.id, part, total, item.carrier, item.lease, item.now)
        for part, number in item.attempts.items()
    ]


def _without_repeats(items: Sequence[Prepared]) -> Script:
    """The items that are new, and for each repeat the id of the first.

    The key is claimed first and read afterwards: of two processes with the same mail, the second
    waits for the first and then finds the first's id.
    """
    first: dict[str, Prepared] = {}
    for item in items:
        if item.dedupe:
            first.setdefault(item.dedupe, item)
    if not first:
        return list(items), {}
    claims = [{"key": k, "message_id": first[k].id, "at": first[k].now} for k in sorted(first)]
    claimed = yield Many(_SEEN_CLAIM, claims)
    holder = {key: item.id for key, item in first.items()}
    if claimed < len(claims):
        found = yield Rows(_SEEN, {"keys": unique(first)})
        holder = {row[0]: row[1] for row in found}
    repeats = {i.id: holder[i.dedupe] for i in items if i.dedupe and holder[i.dedupe] != i.id}
    return [i for i in items if i.id not in repeats], repeats


def _subjects(items: Sequence[Prepared]) -> Script:
    """phone_index → subject id; the missing ones are made."""
    keys = unique(i.phone_index for i in items)
    found = yield Rows(_SUBJECTS, {"keys": keys})
    known: dict[str, int] = {row[0]: row[1] for row in found}
    missing = {i.phone_index: i for i in items if i.phone_index not in known}
    if missing:
        rows = [_subject(missing[key]) for key in sorted(missing)]
        added = yield Many(_SUBJECT_ADD, rows)
        known.update({key: item.id for key, item in missing.items()})
        if added < len(rows):  # another process has made one of them meanwhile
            found = yield Rows(_SUBJECTS, {"keys": unique(missing)})
            known.update({row[0]: row[1] for row in found})
    return known


def _subject(item: Prepared) -> dict[str, Any]:
    return {
        "id": item.id,
        "tenant_id": item.tenant_id,
        "phone": item.phone,
        "phone_index": item.phone_index,
        "all_index": item.all_index,
        "country": item.country,
        "created_at": item.now,
    }


Key = tuple[int, str, str, str]


def _key(item: Prepared, subject_id: int) -> Key:
    return (subject_id, item.originator, item.origin_kind, item.origin_address)


def _conversations(items: Sequence[Prepared], subjects: dict[str, int]) -> Script:
    """(subject, originator, origin) → conversation id; the missing ones are made."""
    strangers = {i.id for i in items}  # people made just now are named by their first message
    ids = unique({subjects[i.phone_index] for i in items} - strangers)
    found = (yield Rows(_CONVERSATIONS, {"keys": ids})) if ids else ()
    known: dict[Key, int] = {(r[0], r[1], r[2], r[3]): r[4] for r in found}
    if any(i.pool for i in items):
        _keep_senders(items, subjects, known)
    missing: dict[Key, Prepared] = {}
    for item in items:
        key = _key(item, subjects[item.phone_index])
        if key not in known:
            missing.setdefault(key, item)
    if missing:
        rows = [_conversation(key, missing[key]) for key in sorted(missing)]
        added = yield Many(_CONVERSATION_ADD, rows)
        known.update({key: item.id for key, item in missing.items()})
        if added < len(rows):
            found = yield Rows(_CONVERSATIONS, {"keys": unique(key[0] for key in missing)})
            known.update({(r[0], r[1], r[2], r[3]): r[4] for r in found})
    return known


def _keep_senders(
    items: Sequence[Prepared], subjects: dict[str, int], known: Mapping[Key, int]
) -> None:
    """Who knows a number of the pool keeps it; of several, the one that came last."""
    used: dict[int, dict[str, int]] = {}
    for (subject_id, originator, _, _), number in known.items():
        of_person = used.setdefault(subject_id, {})
        of_person[originator] = max(number, of_person.get(originator, 0))
    for item in items:
        of_person = used.get(subjects[item.phone_index], {})
        if mine := [each for each in item.pool if each in of_person]:
            item.originator = max(mine, key=of_person.__getitem__)


def _conversation(key: Key, item: Prepared) -> dict[str, Any]:
    return {
        "id": item.id,
        "tenant_id": item.tenant_id,
        "subject_id": key[0],
        "originator": key[1],
        "origin_kind": key[2],
        "origin_address": key[3],
        "created_at": item.now,
    }


def _tokens(item: Prepared) -> tuple[str, str, str]:
    """By which the list knows this message's person; "" stands nowhere."""
    return (item.phone_index, item.all_index, item.programme_index)


def _listed(items: Sequence[Prepared]) -> Script:
    """What of these people stands on the list; found under an older pepper, it moves (P64)."""
    tokens = {i.phone_index for i in items} | {i.all_index for i in items}
    older: dict[str, str] = {}
    for item in items:
        if item.programme_index:
            tokens.add(item.programme_index)
        if item.older:
            older.update(item.older)
    listed = yield from suppressed(tokens | older.keys())
    if moves := {old: older[old] for old in older.keys() & listed.keys()}:
        yield from move_tokens(moves, items[0].pepper_version, items[0].now)
        listed = yield from suppressed(tokens)
    return listed


def _link(item: Prepared) -> dict[str, Any]:
    return {
        "hash": item.optout_link,
        "tenant_id": item.tenant_id,
        "token": item.phone_index,
        "pepper_version": item.pepper_version,
        "created_at": item.now,
        "used_at": None,
    }


def _files(
    items: Sequence[Prepared], subjects: dict[str, int], states: dict[int, State]
) -> list[dict[str, Any]]:
    """The rows of what goes with these messages; nothing goes with one that is not sent."""
    return [
        row
        for item in items
        if item.files and states[item.id] not in _NOT_SENT
        for row in attachment_rows(item.files, item.tenant_id, subjects[item.phone_index], item.id)
    ]


def _message(item: Prepared, subject_id: int, conversation_id: int, state: State) -> dict[str, Any]:
    return {
        "id": item.id,
        "tenant_id": item.tenant_id,
        "subject_id": subject_id,
        "conversation_id": conversation_id,
        "class": item.klass,
        "urgent": item.urgent,
        "exempt": item.exempt,
        "programme_index": item.programme_index,
        "originator": item.originator,
        "encoding": item.encoding,
        "lang": item.lang,
        "parts": item.parts,
        "rules": item.rules,
        "state": str(state),
        "reason": "opted-out" if state is State.SUPPRESSED else item.reason,
        "lane": item.lane,
        "hop": item.hop,
        "tries": 1 if state is State.SENDING else 0,
        "resent": 0,
        "due_at": item.due_at,
        "expires_at": item.expires_at,
        "created_at": item.now,
        "sent_at": None,
        "final_at": item.now if state in _NOT_SENT else None,
        "lease": item.lease if state is State.SENDING else None,
    }
