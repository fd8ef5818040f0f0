"""MO parts in; replies, suppressions and notices out, before the carrier hears its answer.

A STOP suppresses, cancels what is queued and owes its one confirmation in the same transaction as
the reply itself. What the words mean is judged by the functions given in: the store only keeps.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, func, select

from bridge.model import Inbound
from bridge.store.notices import CHATS, EDGES, NOTICE_ADD, inboxes, notice_row
from bridge.store.receipts import CALLBACK_ADD
from bridge.store.sql import (
    Many,
    Rows,
    Script,
    Statement,
    Values,
    among,
    constant,
    insert,
    insert_new,
)
from bridge.store.submissions import Prepared, store_submissions
from bridge.store.suppressions import Suppress, lift, suppress
from bridge.store.tables import (
    callback,
    conversation,
    heard,
    message,
    reply,
    reply_body,
    subject,
    tenant,
)

# An SMSC that missed our acknowledgement comes again within seconds. A person may well write the
# same word twice, so the time is short.
REPEAT_SECONDS = 120.0
ANSWERS_AN_HOUR = 3


@dataclass(frozen=True, slots=True)
class PartIn:
    """An MO part, with its numbers understood and its keyed hashes made."""

    carrier: str
    part: Inbound
    source: str  # E.164
    ours: str  # our number, E.164 or as written
    all_index: str
    country: str
    heard_key: str  # the same part again
    group_key: str  # parts of one long MO
    now: float


@dataclass(frozen=True, slots=True)
class Judged:
    """What a joined MO says."""

    text: str
    verdict: str  # stop start help intent none
    keyword: str


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of the person who answers, for the automatic answer."""

    tenant_id: int
    settings: str
    phone_index: str
    origin_kind: str
    origin_address: str
    originator: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of an MO part."""

    reply_id: int | None = None  # None: a repeat, or parts are still missing
    verdict: str = "none"
    subjects: tuple[int, ...] = ()  # the person, where a STOP was stored
    edges: tuple[str, ...] = ()  # edges that are owed a notice
    lane: str = ""  # where an automatic answer was queued


_HEARD = Statement(select(heard.c.key, heard.c.at).where(among(heard.c.key, "keys")))
_HEARD_ADD = insert_new(heard)
_HEARD_GONE = Statement(delete(heard).where(heard.c.key == bindparam("h_key")))
_PARTS = Statement(
    select(callback.c.number, callback.c.payload)
    .where(callback.c.kind == constant("part"), callback.c.key == bindparam("key"))
    .order_by(callback.c.id)
    .with_for_update()
)
_PARTS_GONE = Statement(
    delete(callback).where(callback.c.kind == constant("part"), callback.c.key == bindparam("key"))
)
_PERSON = Statement(
    select(
        message.c.id,
        message.c.tenant_id,
        message.c.subject_id,
        message.c.conversation_id,
        message.c.originator,
        message.c.created_at,
        subject.c.phone_index,
        conversation.c.origin_kind,
        conversation.c.origin_address,
        tenant.c.settings,
    )
    .select_from(subject)
    .join(message, message.c.subject_id == subject.c.id)
    .join(conversation, conversation.c.id == message.c.conversation_id)
    .join(tenant, tenant.c.id == message.c.tenant_id)
    .where(subject.c.all_index == bindparam("all_index"), message.c.tries > 0)
    .order_by(message.c.id.desc())
    .limit(50)
)
_ANSWERS = Statement(
    select(func.count())
    .select_from(message)
    .join(subject, subject.c.id == message.c.subject_id)
    .where(
        subject.c.all_index == bindparam("all_index"),
        message.c.exempt,
        message.c.created_at > bindparam("since"),
    )
)
_OWNER = Statement(
    select(tenant.c.id, tenant.c.settings).where(tenant.c.closed_at.is_(None)).order_by(tenant.c.id)
)
_SUBJECT_ADD = insert_new(subject)
_SUBJECT = Statement(
    select(subject.c.id, subject.c.phone_index).where(
        subject.c.phone_index == bindparam("phone_index")
    )
)
_REPLY_ADD = insert(reply)
_REPLY_BODY_ADD = insert(reply_body)

Read = Callable[[Sequence[Inbound], str], Judged]
Compose = Callable[[PartIn, Judged, Context], Prepared | None]
Index = Callable[[int, str], str]
Owner = Callable[[Sequence[Sequence[Any]], PartIn], tuple[int, str] | None]


class ReplyScript:
    """The batch script of MO parts.

    `read` joins, decodes and judges; `compose` makes the automatic answer (or None); `index` is a
    tenant's keyed hash of a number; `owner` finds whose our number is when nothing was sent.
    """

    def __init__(
        self, next_id: Callable[[], int], read: Read, compose: Compose, index: Index, owner: Owner
    ) -> None:
        self._next_id = next_id
        self._read = read
        self._compose = compose
        self._index = index
        self._owner = owner

    def __call__(self, items: Sequence[PartIn]) -> Script:
        """A `Heard` an item, in order."""
        results = []
        for item in items:
            results.append((yield from self._one(item)))
        return results

    def _one(self, item: PartIn) -> Script:
        if (yield from _is_repeat(item)):
            return (yield from self._again(item))
        parts = yield from _joined(item)
        if parts is None:
            return Heard()
        return (yield from self.reply(item, parts, partial=False))

    def _again(self, item: PartIn) -> Script:
        """A repeat is dropped, but a STOP binds: it may have been lifted since it came first."""
        judged = self._read([item.part], item.country)
        if item.part.total > 1 or judged.verdict != "stop":
            return Heard()
        match = yield from self._conversation(item)
        subjects, changed = yield from suppress(_wish(item, match))
        if changed:
            return (yield from self.reply(item, [item.part], partial=False, stopped=subjects))
        return Heard(subjects=subjects)

    def reply(
        self,
        item: PartIn,
        parts: Sequence[Inbound],
        *,
        partial: bool,
        stopped: tuple[int, ...] | None = None,
    ) -> Script:
        """Store a whole MO (or what came of it) and what follows from it."""
        judged = self._read(parts, item.country)
        match = yield from self._conversation(item)
        reply_id = self._next_id()
        yield from self._keep(item, judged, match, reply_id, partial=partial)
        edges = yield from _owe(match, reply_id, item.now)
        subjects, answered = yield from self._obey(item, judged, match, stopped)
        return Heard(reply_id, judged.verdict, subjects, edges, answered or "")

    def partial(self, item: PartIn) -> Script:
        """Pass on the parts that came of an MO whose others did not."""
        found = yield Rows(_PARTS, {"key": item.group_key})
        parts = {row[0]: row[1] for row in found}
        if not parts:
            return Heard()
        yield Many(_PARTS_GONE, [{"key": item.group_key}])
        joined = [read_part(parts[n]) for n in sorted(parts)]
        return (yield from self.reply(item, joined, partial=True))

    def _conversation(self, item: PartIn) -> Script:
        """The newest message to this person from the number that they wrote to, else a tenant."""
        found = yield Rows(_PERSON, {"all_index": item.all_index})
        same = [row for row in found if row[4] == item.ours]
        row = (same or ([] if _is_number(item.ours) and _numbers(found) else found) or [None])[0]
        if row is not None:
            settings = json.loads(row[9])
            fresh = item.now - row[5] <= settings.get("reply_window", 30 * 86400)
            return _Match(*(*row[:5], *row[6:10], fresh))
        owners = yield Rows(_OWNER, {})
        owner = self._owner(owners, item)
        if owner is None:
            return None
        return (yield from self._stranger(item, *owner))

    def _stranger(self, item: PartIn, tenant_id: int, settings: str) -> Script:
        phone_index = self._index(tenant_id, item.source)
        yield Many(
            _SUBJECT_ADD,
            [
                {
                    "id": self._next_id(),
                    "tenant_id": tenant_id,
                    "phone": item.source,
                    "phone_index": phone_index,
                    "all_index": item.all_index,
                    "country": item.country,
                    "created_at": item.now,
                }
            ],
        )
        found = yield Rows(_SUBJECT, {"phone_index": phone_index})
        person = found[0][0]
        return _Match(
            None, tenant_id, person, None, item.ours, phone_index, "", "", settings, fresh=False
        )

    def _keep(
        self, item: PartIn, judged: Judged, match: _Match | None, reply_id: int, *, partial: bool
    ) -> Script:
        row = {
            "id": reply_id,
            "tenant_id": match.tenant_id if match else 0,
            "subject_id": match.subject_id if match else 0,
            "conversation_id": match.conversation_id if match and match.fresh else None,
            "message_id": match.message_id if match else None,
            "carrier": item.carrier,
            "originator": item.ours,
            "verdict": judged.verdict,
            "partial": partial,
            "at": item.now,
        }
        yield Many(_REPLY_ADD, [row])
        yield Many(_REPLY_BODY_ADD, [{"reply_id": reply_id, "text": judged.text}])

    def _obey(
        self,
        item: PartIn,
        judged: Judged,
        match: _Match | None,
        stopped: tuple[int, ...] | None,
    ) -> Script:
        """Suppress or lift, and queue the one automatic answer; its lane, or None."""
        subjects: tuple[int, ...] = ()
        changed = True
        if stopped is not None:
            subjects = stopped
        elif judged.verdict == "stop":
            subjects, changed = yield from suppress(_wish(item, match))
        elif judged.verdict == "start" and match is not None:
            yield from lift([match.phone_index, item.all_index], "handset", item.now)
        if judged.verdict in ("none", "intent") or match is None or not changed:
            return subjects, None
        return subjects, (yield from self._answer(item, judged, match))

    def _answer(self, item: PartIn, judged: Judged, match: _Match) -> Script:
        # An auto-responder on the other side must not make a loop of our answers.
        since = item.now - 3600
        found = yield Rows(_ANSWERS, {"all_index": item.all_index, "since": since})
        if found[0][0] >= ANSWERS_AN_HOUR:
            return None
        context = Context(
            match.tenant_id,
            match.settings,
            match.phone_index,
            match.origin_kind,
            match.origin_address,
            match.originator,
        )
        prepared = self._compose(item, judged, context)
        if prepared is None:
            return None
        yield from store_submissions([prepared])
        return prepared.lane


@dataclass(frozen=True, slots=True)
class _Match:
    message_id: int | None
    tenant_id: int
    subject_id: int
    conversation_id: int | None
    originator: str
    phone_index: str
    origin_kind: str
    origin_address: str
    settings: str
    fresh: bool


def _wish(item: PartIn, match: _Match | None) -> Suppress:
    """A STOP binds the tenant that wrote; where nobody did, everybody."""
    return Suppress(
        tenant_id=match.tenant_id if match else 0,
        token=match.phone_index if match else item.all_index,
        scope="tenant" if match else "all",
        source="handset",
        now=item.now,
    )


def _is_number(word: str) -> bool:
    return word.lstrip("+").isdigit()


def _numbers(found: Sequence[Sequence[Any]]) -> bool:
    """Whether every message found went out from a number: then another number is another matter."""
    return all(_is_number(row[4]) for row in found)


def _is_repeat(item: PartIn) -> Script:
    """An MO whose acknowledgement was lost comes again, bit for bit, within minutes."""
    found = yield Rows(_HEARD, {"keys": Values([item.heard_key])})
    if found and found[0][1] > item.now - REPEAT_SECONDS:
        return True
    if found:
        yield Many(_HEARD_GONE, [{"h_key": item.heard_key}])
    yield Many(_HEARD_ADD, [{"key": item.heard_key, "at": item.now}])
    return False


def _joined(item: PartIn) -> Script:
    """All parts of the MO once the last has come; None before."""
    if item.part.total <= 1:
        return [item.part]
    yield Many(CALLBACK_ADD, [_part_row(item)])
    found = yield Rows(_PARTS, {"key": item.group_key})
    parts = {row[0]: row[1] for row in found}
    if len(parts) < item.part.total:
        return None
    yield Many(_PARTS_GONE, [{"key": item.group_key}])
    return [read_part(parts[n]) for n in sorted(parts)]


def _part_row(item: PartIn) -> dict[str, Any]:
    part = item.part
    payload = {
        "source": part.source,
        "destination": part.destination,
        "data": part.data.hex(),
        "coding": part.coding,
        "lang": part.lang,
        "ref": part.ref,
        "total": part.total,
        "number": part.number,
    }
    return {
        "carrier": item.carrier,
        "kind": "part",
        "key": item.group_key,
        "number": part.number,
        "total": part.total,
        "payload": json.dumps(payload),
        "at": item.now,
    }


def read_part(payload: str) -> Inbound:
    """A stored part as it came."""
    kept = json.loads(payload)
    kept["data"] = bytes.fromhex(kept["data"])
    return Inbound(**kept)


def _owe(match: _Match | None, reply_id: int, now: float) -> Script:
    """Owe the reply to its conversation's origin, else to the tenant's inbox."""
    if match is None:
        return ()
    if match.fresh and match.origin_kind in EDGES:
        place = match.origin_address if match.origin_kind in CHATS else ""
        kind, places = "answer", [(match.origin_kind, place)]
    else:
        kind, places = "inbox", inboxes(json.loads(match.settings))
    rows = [
        notice_row(
            match.tenant_id,
            edge,
            kind,
            now,
            conversation_id=match.conversation_id,
            reply_id=reply_id,
            place=place,
            subject_id=match.subject_id if edge in CHATS else None,
        )
        for edge, place in places
    ]
    if rows:
        yield Many(NOTICE_ADD, rows)
    return tuple({edge for edge, _ in places})
