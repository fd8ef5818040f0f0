"""MO parts in; replies, suppressions and notices out, before the carrier hears its answer.

A STOP suppresses, cancels what is queued and owes its one confirmation in the same transaction as
the reply itself; a wish in free words stops marketing and waits for somebody to look at it. What
the words mean is judged by the functions given in: the store only keeps.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import bindparam, func, select

from bridge.model import Inbound
from bridge.store.consents import Terms, confirm, give, stop_consents
from bridge.store.list_tables import wish
from bridge.store.listed import ANY, MARKETING, suppressed
from bridge.store.mo_parts import PartIn, drop_parts, is_repeat, joined, parts_of
from bridge.store.notices import CHATS, EDGES, NOTICE_ADD, OWN, inboxes, notice_row
from bridge.store.sql import (
    Many,
    Rows,
    Script,
    Statement,
    insert,
    insert_new,
)
from bridge.store.submissions import Prepared, store_submissions
from bridge.store.suppressions import NOBODY, Bound, Suppress, lift, suppress
from bridge.store.tables import (
    conversation,
    message,
    reply,
    reply_body,
    reply_part,
    subject,
    tenant,
)

ANSWERS_AN_HOUR = 3


@dataclass(frozen=True, slots=True)
class Judged:
    """What a joined MO says."""

    text: str
    verdict: str  # stop start help intent none
    keyword: str
    weak: bool = False  # an everyday word: somebody looks at it, nothing is stopped (P37)
    programme: int = 0  # of "STOP <keyword>"
    answer: str = ""  # words of a tenant's own that answer it


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a text does to its writer's consents; one of the three.

    `terms` are agreed to, and `answer` says so; `ends` takes a programme's back ("": all);
    `confirms` are the programmes whose opt-ins since then it confirms, each with its answer.
    """

    terms: Terms | None = None
    answer: str = ""
    ends: str | None = None
    confirms: Mapping[str, str] = field(default_factory=dict)
    since: float = 0.0


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
    bound: Bound = NOBODY  # the person, where something was stopped
    edges: tuple[str, ...] = ()  # edges that are owed a notice
    lane: str = ""  # where an automatic answer was queued


@dataclass(frozen=True, slots=True)
class Asked:
    """What an MO asked about its writer's own data: where the answer waits, and whom it stops."""

    lane: str = ""
    bound: Bound = NOBODY


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
    .with_for_update(read=True, key_share=True, of=[subject, conversation])
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
#: The tenants that know a person.
OWNERS = Statement(
    select(subject.c.tenant_id)
    .where(subject.c.all_index == bindparam("all_index"))
    .order_by(subject.c.tenant_id)
)
_SUBJECT_ADD = insert_new(subject)
_SUBJECT = Statement(
    select(subject.c.id, subject.c.phone_index)
    .where(subject.c.phone_index == bindparam("phone_index"))
    .with_for_update(read=True, key_share=True)
)
_REPLY_ADD = insert(reply)
_WISH_ADD = insert_new(wish)
_REPLY_BODY_ADD = insert(reply_body)
_REPLY_PART_ADD = insert_new(reply_part)


@dataclass(frozen=True, slots=True)
class Known:
    """By which a tenant's lists know a number.

    `moves` are its tokens under older peppers, each with the newest.
    """

    person: str
    programme: str  # "" without one
    programmes: tuple[str, ...]  # of all the tenant's programmes
    moves: Mapping[str, str]
    version: int


Read = Callable[[Sequence[Inbound], str], Judged]
Compose = Callable[[PartIn, Judged, Context], Prepared | None]
Tokens = Callable[[int, PartIn, int], Known]
Narrow = Callable[[int, Judged], Judged]
DueBy = Callable[[float], float]
#: (part, judged, tenant, subject, reply) → `Asked`.
Asks = Callable[["PartIn", "Judged", int, int, int], Script]
Owner = Callable[[Sequence[Sequence[Any]], PartIn], tuple[int, str] | None]
Agrees = Callable[[int, PartIn, Judged], Agreement | None]


@dataclass(frozen=True, slots=True)
class Means:
    """What the script needs to be told by others.

    `read` joins, decodes and judges; `narrow` sees whether a programme of the tenant is meant;
    `compose` makes the automatic answer (or None); `known` are a tenant's keyed hashes of a number;
    `owner` finds whose our number is when nothing was sent; `due_by` is until when somebody looks
    at a wish; `asks` sees what a person asks about their own data; `agrees` what a text does to its
    writer's consents. `erasing` names the carriers that can be asked to erase an MO: its parts' ids
    are kept for that.
    """

    read: Read
    narrow: Narrow
    compose: Compose
    known: Tokens
    owner: Owner
    due_by: DueBy
    asks: Asks | None = None
    agrees: Agrees | None = None
    erasing: Collection[str] = ()


class ReplyScript:
    """The batch script of MO parts."""

    def __init__(self, next_id: Callable[[], int], means: Means) -> None:
        self._next_id = next_id
        self._means = means

    def __call__(self, items: Sequence[PartIn]) -> Script:
        """A `Heard` an item, in order."""
        results = []
        for item in items:
            results.append((yield from self._one(item)))
        return results

    def _one(self, item: PartIn) -> Script:
        if (yield from is_repeat(item)):
            return (yield from self._again(item))
        parts = yield from joined(item)
        if parts is None:
            return Heard()
        return (yield from self.reply(item, parts, partial=False))

    def _again(self, item: PartIn) -> Script:
        """A repeat is dropped, but a STOP binds: it may have been lifted since it came first."""
        judged = self._means.read([item.part], item.country)
        if item.part.total > 1 or judged.verdict not in ("stop", "intent"):
            return Heard()
        match = yield from self._conversation(item)
        judged = self._narrowed(judged, match)
        if judged.verdict != "stop":
            return Heard()
        done = yield from self._stop(item, judged, match)
        if done.changed:
            return (yield from self.reply(item, [item.part], partial=False, stopped=done))
        return Heard(bound=done.bound)

    def _narrowed(self, judged: Judged, match: _Match | None) -> Judged:
        return judged if match is None else self._means.narrow(match.tenant_id, judged)

    def reply(
        self,
        item: PartIn,
        parts: Sequence[Inbound],
        *,
        partial: bool,
        stopped: _Done | None = None,
    ) -> Script:
        """Store a whole MO (or what came of it) and what follows from it."""
        match = yield from self._conversation(item)
        judged = self._narrowed(self._means.read(parts, item.country), match)
        reply_id = self._next_id()
        done = stopped or (yield from self._obey(item, judged, match))
        yield from self._keep(item, parts, judged, match, reply_id, done, partial=partial)
        edges = yield from _owe(match, judged, reply_id, item.now)
        if judged.verdict == "intent" and match is not None:
            yield Many(_WISH_ADD, [self._review(item, match, reply_id)])
        judged = yield from self._agreed(item, judged, match)
        answered = yield from self._answered(item, judged, match, done)
        asked = yield from self._asks(item, judged, match, reply_id)
        bound = done.bound or asked.bound
        return Heard(reply_id, judged.verdict, bound, edges, answered or asked.lane)

    def _asks(self, item: PartIn, judged: Judged, match: _Match | None, reply_id: int) -> Script:
        if self._means.asks is None:
            return Asked()
        tenant, subject = (match.tenant_id, match.subject_id) if match else (0, 0)
        return (yield from self._means.asks(item, judged, tenant, subject, reply_id))

    def partial(self, item: PartIn) -> Script:
        """Pass on the parts that came of an MO whose others did not."""
        parts = yield from parts_of(item.group_key)
        if not parts:
            return Heard()
        yield from drop_parts(item.group_key)
        return (yield from self.reply(item, parts, partial=True))

    def _conversation(self, item: PartIn) -> Script:
        """The newest message to this person from the number that they wrote to, else a tenant."""
        found = yield Rows(_PERSON, {"all_index": item.all_index})
        same = [row for row in found if row[4] == item.ours]
        answerable = same or ([] if _is_number(item.ours) and _numbers(found) else found)
        if answerable:
            row = _written(answerable)
            settings = json.loads(row[9])
            fresh = item.now - row[5] <= settings.get("reply_window", 30 * 86400)
            return _Match(*(*row[:5], *row[6:10], fresh))
        owners = yield Rows(_OWNER, {})
        owner = self._means.owner(owners, item)
        if owner is None:
            return None
        return (yield from self._stranger(item, *owner))

    def _stranger(self, item: PartIn, tenant_id: int, settings: str) -> Script:
        phone_index = self._means.known(tenant_id, item, 0).person
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
        self,
        item: PartIn,
        parts: Sequence[Inbound],
        judged: Judged,
        match: _Match | None,
        reply_id: int,
        done: _Done,
        *,
        partial: bool,
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
            "done": done.what,
            "done_scope": done.scope,
            "cancelled": done.bound.cancelled,
            "partial": partial,
            "at": item.now,
        }
        yield Many(_REPLY_ADD, [row])
        body_row = {"reply_id": reply_id, "subject_id": row["subject_id"], "text": judged.text}
        yield Many(_REPLY_BODY_ADD, [body_row])
        names = {part.key for part in parts} - {""} if item.carrier in self._means.erasing else ()
        if names:
            kept = [{"reply_id": reply_id, "carrier_id": each} for each in sorted(names)]
            yield Many(_REPLY_PART_ADD, kept)

    def _obey(self, item: PartIn, judged: Judged, match: _Match | None) -> Script:
        """Suppress or lift; what was done."""
        if judged.verdict == "stop" or (judged.verdict == "intent" and not judged.weak):
            return (yield from self._stop(item, judged, match))
        if judged.verdict == "start" and match is not None:
            known = self._means.known(match.tenant_id, item, judged.programme)
            tokens = [match.phone_index, item.all_index, *known.programmes, *known.moves]
            if judged.programme:
                tokens = [known.programme]
            yield from lift(tokens, "handset", item.now)
            return _Done("lifted")
        return _Done()

    def _stop(self, item: PartIn, judged: Judged, match: _Match | None) -> Script:
        """A STOP binds the tenant that wrote; where nobody did, everybody.

        A wish in free words stops marketing at once (P36); somebody looks at the rest.
        """
        purpose = ANY if judged.verdict == "stop" else MARKETING
        known = self._means.known(match.tenant_id if match else 0, item, judged.programme)
        if match is None:
            token, scope = item.all_index, "all"
        elif known.programme:
            token, scope = known.programme, "programme"
        else:
            token, scope = match.phone_index, "tenant"
        asked = Suppress(
            match.tenant_id if match else 0,
            token,
            scope,
            "handset",
            item.now,
            purpose,
            known.version,
            judged.programme,
            match.phone_index if match else "",
            known.moves,
        )
        bound, changed = yield from suppress(asked)
        return _Done(purpose, asked.scope, bound, changed)

    def _review(self, item: PartIn, match: _Match, reply_id: int) -> dict[str, Any]:
        return {
            "reply_id": reply_id,
            "tenant_id": match.tenant_id,
            "subject_id": match.subject_id,
            "at": item.now,
            "due_at": self._means.due_by(item.now),
            "decided_at": None,
            "decision": "",
            "actor": "",
            "reminded": False,
        }

    def _agreed(self, item: PartIn, judged: Judged, match: _Match | None) -> Script:
        """Record what the text agrees to, or takes back; it as it is to be answered."""
        if match is None or self._means.agrees is None:
            return judged
        found = self._means.agrees(match.tenant_id, item, judged)
        if found is None:
            return judged
        person = match.subject_id
        if found.ends is not None:
            yield from stop_consents(person, found.ends, "handset", item.now)
            return judged
        listed = yield from suppressed({match.phone_index, item.all_index})
        if listed:  # only START lifts it (P40)
            return judged
        if found.terms is not None:
            yield from give(self._next_id(), match.tenant_id, person, found.terms, item.now)
            return replace(judged, answer=found.answer)
        programme = yield from confirm(person, found.confirms, found.since, item.now)
        return replace(judged, answer=found.confirms.get(programme, ""))

    def _answered(self, item: PartIn, judged: Judged, match: _Match | None, done: _Done) -> Script:
        """Queue the one automatic answer; its lane, or None."""
        silent = judged.verdict in ("none", "intent") and not judged.answer
        if silent or match is None or not done.changed:
            return None
        return (yield from self._answer(item, judged, match))

    def _answer(self, item: PartIn, judged: Judged, match: _Match) -> Script:
        if not (yield from may_answer(item)):
            return None
        context = Context(
            match.tenant_id,
            match.settings,
            match.phone_index,
            match.origin_kind,
            match.origin_address,
            match.originator,
        )
        prepared = self._means.compose(item, judged, context)
        if prepared is None:
            return None
        yield from store_submissions([prepared])
        return prepared.lane


def may_answer(item: PartIn) -> Script:
    """Whether this person is answered: no auto-responder makes a loop of our answers."""
    since = item.now - 3600
    found = yield Rows(_ANSWERS, {"all_index": item.all_index, "since": since})
    return found[0][0] < ANSWERS_AN_HOUR


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


@dataclass(frozen=True, slots=True)
class _Done:
    """What was done about a wish: "any" or "marketing" stopped in a scope, "lifted", or nothing."""

    what: str = ""
    scope: str = ""
    bound: Bound = NOBODY
    changed: bool = True


def _is_number(word: str) -> bool:
    return word.lstrip("+").isdigit()


def _written(found: Sequence[Sequence[Any]]) -> Sequence[Any]:
    """The newest; of what the bridge said by itself (to HELP, say), the same tenant's before it."""
    newest = found[0]
    return next((row for row in found if row[1] == newest[1] and row[7] != OWN), newest)


def _numbers(found: Sequence[Sequence[Any]]) -> bool:
    """Whether every message found went out from a number: then another number is another matter."""
    return all(_is_number(row[4]) for row in found)


def _owe(match: _Match | None, judged: Judged, reply_id: int, now: float) -> Script:
    """Owe the reply to its conversation's origin, else to the tenant's inbox.

    An opt-out, and a wish, is told to the people in the tenant's chats in any case.
    """
    if match is None:
        return ()
    own = inboxes(json.loads(match.settings))
    if match.fresh and match.origin_kind in EDGES:
        place = match.origin_address if match.origin_kind in CHATS else ""
        places = [("answer", match.origin_kind, place)]
        if judged.verdict in ("stop", "intent"):
            here = (match.origin_kind, place)
            places += [("inbox", *each) for each in own if each[0] in CHATS and each != here]
    else:
        places = [("inbox", *each) for each in own]
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
        for kind, edge, place in places
    ]
    if rows:
        yield Many(NOTICE_ADD, rows)
    return tuple({edge for _, edge, _ in places})
