"""What is owed to origins and inboxes: made beside the event that caused it, claimed by a notifier.

A notice holds references only. Whether a tenant wants to hear of a delivery or a failure is asked
here, in the transaction that learns of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, or_, select, text, update

from bridge.store.cards import touch_cards
from bridge.store.journal import ALIVE, give_back_own
from bridge.store.sql import Do, Many, Rows, Script, Statement, Values, among, constant, insert_new
from bridge.store.tables import OWED, conversation, message, notice, notice_body, reply, tenant

_KEYS = (
    "tenant_id",
    "edge",
    "kind",
    "place",
    "conversation_id",
    "message_id",
    "reply_id",
    "subject_id",
    "state",
    "reason",
    "tries",
    "due_at",
    "created_at",
    "mailbox",
)
NOTICE_ADD = insert_new(notice, _KEYS)

_WANTED = Statement(
    select(
        message.c.id,
        message.c.tenant_id,
        message.c.conversation_id,
        conversation.c.origin_kind,
        tenant.c.settings,
    )
    .join(conversation, conversation.c.id == message.c.conversation_id)
    .join(tenant, tenant.c.id == message.c.tenant_id)
    .where(among(message.c.id, "ids"))
)

#: Which report levels want to hear of which kind of news.
_LEVELS = {
    "failed": ("failures", "all"),
    "unknown": ("failures", "all"),
    "delivered": ("all",),
}
#: Origins whose writers hear answers. The command line is told by `bridge log`.
EDGES = frozenset({"mail", "slack", "telegram"})
#: The origin of what the bridge says by itself: answers to STOP and HELP, codes.
OWN = "bridge"
CHATS = frozenset({"slack", "telegram"})


def notices_for(message_ids: Sequence[int], kind: str, now: float) -> Script:
    """Owe the writers of these messages some news, where their tenant wants it.

    A chat's writers see it on the message's card; what is in doubt also comes to the chat inboxes.
    """
    if not message_ids:
        return
    found = yield Rows(_WANTED, {"ids": Values(message_ids)})
    if chats := [row[0] for row in found if row[3] in CHATS]:  # only these stand on cards
        yield from touch_cards(chats, now)
    rows = [
        notice_row(row[1], "mail", kind, now, conversation_id=row[2], message_id=row[0])
        for row in found
        if row[3] == "mail" and json.loads(row[4]).get("reports", "failures") in _LEVELS[kind]
    ]
    if kind == "unknown":
        rows += _to_chats(found, kind, now)
    if rows:
        yield Many(NOTICE_ADD, rows)


def held_notices(message_ids: Sequence[int], now: float) -> Script:
    """Messages that wait for a person come to their tenants' chat inboxes."""
    found = yield Rows(_WANTED, {"ids": Values(message_ids)})
    if rows := _to_chats(found, "held", now):
        yield Many(NOTICE_ADD, rows)


def _to_chats(found: Sequence[Sequence[Any]], kind: str, now: float) -> list[dict[str, Any]]:
    return [
        notice_row(row[1], edge, kind, now, place=place, message_id=row[0])
        for row in found
        for edge, place in inboxes(json.loads(row[4]))
        if edge in CHATS
    ]


def inboxes(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(edge, place) of each of a tenant's inboxes, from its stored settings."""
    written = settings.get("inbox") or ()
    return inbox_places([written] if isinstance(written, str) else written)


def inbox_places(written: Iterable[str]) -> list[tuple[str, str]]:
    """(edge, place) of each inbox: a mail address, `slack:…` or `telegram:…`."""
    found = []
    for each in written:
        edge, colon, place = each.partition(":")
        found.append((edge, place) if colon and edge in CHATS else ("mail", each))
    return found


def notice_row(
    tenant_id: int,
    edge: str,
    kind: str,
    now: float,
    *,
    conversation_id: int | None = None,
    message_id: int | None = None,
    reply_id: int | None = None,
    place: str = "",
    subject_id: int | None = None,
) -> dict[str, Any]:
    """A notice that is due now; those about one subject are told in their order."""
    return {
        "tenant_id": tenant_id,
        "edge": edge,
        "kind": kind,
        "place": place,
        "conversation_id": conversation_id,
        "message_id": message_id,
        "reply_id": reply_id,
        "subject_id": subject_id,
        "state": "due",
        "reason": "",
        "tries": 0,
        "due_at": now,
        "created_at": now,
        "mailbox": False,
    }


@dataclass(frozen=True, slots=True)
class ClaimNotices:
    """A notifier asks for work."""

    edge: str
    incarnation: int
    now: float
    most: int = 20


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as its notifier works on it."""

    id: int
    tenant_id: int
    kind: str
    conversation_id: int | None
    message_id: int | None
    reply_id: int | None
    tries: int
    created_at: float
    edge: str
    place: str
    reason: str  # "in-doubt": a process ended while it told this
    payload: str  # JSON of `explained` and `request`; "" else


@dataclass(frozen=True, slots=True)
class NoticeDone:
    """What became of a notice: told, to be tried again at `due_at`, or given up."""

    id: int
    state: str  # sent | due | failed
    now: float
    due_at: float = 0.0
    reason: str = ""
    mailbox: bool = False


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A notice that its place will never take, and the inboxes that get an answer instead."""

    notice: Notice
    now: float
    reason: str
    inboxes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Explained:
    """An `explain.` mail: what it is told, and to whom."""

    tenant_id: int
    payload: str  # JSON
    now: float


# In the order of `Notice`.
_NOTICES = select(
    notice.c.id,
    notice.c.tenant_id,
    notice.c.kind,
    notice.c.conversation_id,
    notice.c.message_id,
    notice.c.reply_id,
    notice.c.tries,
    notice.c.created_at,
    notice.c.edge,
    notice.c.place,
    notice.c.reason,
    notice_body.c.payload,
).outerjoin(notice_body, notice_body.c.notice_id == notice.c.id)
#: Notices that had no smarthost to leave by, oldest first; `notice_of` reads them.
MAILBOX = Statement(_NOTICES.where(notice.c.mailbox).order_by(notice.c.done_at, notice.c.id))
_earlier = notice.alias("earlier")
_BEFORE = select(_earlier.c.id).where(
    _earlier.c.subject_id == notice.c.subject_id,
    _earlier.c.edge == notice.c.edge,
    _earlier.c.place == notice.c.place,
    text(OWED.replace("subject_id", "earlier.subject_id").replace("state", "earlier.state")),
    _earlier.c.id < notice.c.id,
)
_NEXT_OF_SUBJECT = or_(notice.c.subject_id.is_(None), ~_BEFORE.exists())
_DUE = Statement(
    _NOTICES.where(
        notice.c.edge == bindparam("edge"),
        notice.c.state == constant("due"),
        notice.c.due_at <= bindparam("now"),
        _NEXT_OF_SUBJECT,
    )
    .order_by(notice.c.due_at, notice.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True, of=notice)
)
_LEASE = Statement(
    update(notice)
    .where(notice.c.id == bindparam("n_id"))
    .values(state="sending", lease=bindparam("n_lease"), tries=notice.c.tries + 1)
)
_DONE = Statement(
    update(notice)
    .where(notice.c.id == bindparam("n_id"), notice.c.state == constant("sending"))
    .values(
        state=bindparam("n_state"),
        due_at=bindparam("n_due_at"),
        done_at=bindparam("n_done_at"),
        reason=bindparam("n_reason"),
        mailbox=bindparam("n_mailbox"),
        lease=None,
    )
)
_WRITTEN = Statement(select(reply.c.subject_id).where(reply.c.id == bindparam("reply")))
_NOT_FAILED = Statement(
    select(func.count())
    .select_from(notice)
    .where(notice.c.reply_id == bindparam("reply"), notice.c.state != constant("failed"))
)
_RELEASE = Statement(
    update(notice)
    .where(notice.c.state == constant("sending"), among(notice.c.lease, "dead"))
    .values(state="due", lease=None, reason="in-doubt")
)
NEXT_NOTICE = Statement(
    select(notice.c.due_at)
    .where(notice.c.edge == bindparam("edge"), notice.c.state == constant("due"), _NEXT_OF_SUBJECT)
    .order_by(notice.c.due_at)
    .limit(1)
)
_WITH_PAYLOAD_ADD = Statement(
    notice.insert().values({k: bindparam(k) for k in _KEYS}).returning(notice.c.id)
)
_PAYLOAD_ADD = Statement(notice_body.insert(), ["notice_id", "payload"])


def notice_of(row: Sequence[Any]) -> Notice:
    """A notice as the statements here select it."""
    return Notice(*(*row[:11], row[11] or ""))


def claim_notices(items: Sequence[ClaimNotices]) -> Script:
    """A list of `Notice` an item, leased to its incarnation."""
    results: list[list[Notice]] = []
    for item in items:
        if not (yield Rows(ALIVE, {"me": item.incarnation})):
            results.append([])  # nobody would free what it claims
            continue
        found = yield Rows(_DUE, {"edge": item.edge, "now": item.now, "most": item.most})
        if found:
            yield Many(_LEASE, [{"n_id": r[0], "n_lease": item.incarnation} for r in found])
        results.append([notice_of(row) for row in found])
    return results


def finish_notices(items: Sequence[NoticeDone]) -> Script:
    """Record what became of notices."""
    yield Many(
        _DONE,
        [
            {
                "n_id": i.id,
                "n_state": i.state,
                "n_due_at": i.due_at or i.now,
                "n_done_at": None if i.state == "due" else i.now,
                "n_reason": i.reason,
                "n_mailbox": i.mailbox,
            }
            for i in items
        ],
    )
    return [None] * len(items)


def give_up_notices(items: Sequence[GivenUp]) -> Script:
    """An item: how many places are told, or are to be told, of its reply; None without a reply.

    What a person wrote must be seen by somebody: an answer goes to the inboxes instead.
    """
    results: list[int | None] = []
    for item in items:
        # One after the other: of two that share a transaction only the last leaves no place.
        yield from finish_notices(
            [NoticeDone(item.notice.id, "failed", item.now, reason=item.reason)]
        )
        results.append((yield from _elsewhere(item)) if item.notice.reply_id else None)
    return results


def _elsewhere(item: GivenUp) -> Script:
    told = item.notice
    written = yield Rows(_WRITTEN, {"reply": told.reply_id})
    if not written:
        return None  # it has been erased
    rows = [
        notice_row(
            told.tenant_id,
            edge,
            "inbox",
            item.now,
            conversation_id=told.conversation_id,
            reply_id=told.reply_id,
            place=place,
            subject_id=written[0][0] if edge in CHATS else None,
        )
        for edge, place in item.inboxes
        if (edge, place) != (told.edge, told.place)
    ]
    if rows:
        yield Many(NOTICE_ADD, rows)
    others = yield Rows(_NOT_FAILED, {"reply": told.reply_id})
    return others[0][0]


def release_notices(dead: Sequence[int]) -> Script:
    """Notices that a dead process was telling are due again; a mail may arrive twice."""
    return (yield Do(_RELEASE, {"dead": Values(dead)}))


@dataclass(frozen=True, slots=True)
class GiveBackNotices:
    """A claim of notices whose commit was in doubt: those not being told are due again."""

    edge: str
    incarnation: int
    keep: frozenset[int]


_OWN = Statement(
    select(notice.c.id).where(
        notice.c.edge == bindparam("edge"),
        notice.c.state == constant("sending"),
        notice.c.lease == bindparam("me"),
    )
)
_DUE_AGAIN = Statement(
    update(notice).where(among(notice.c.id, "ids")).values(state="due", lease=None)
)


def give_back_notices(items: Sequence[GiveBackNotices]) -> Script:
    """How many notices are due again."""
    results = []
    for item in items:
        mine = {"edge": item.edge, "me": item.incarnation}
        results.append((yield from give_back_own(_OWN, _DUE_AGAIN, mine, item.keep)))
    return results


def owe_with_payload(row: Mapping[str, Any], payload: str) -> Script:
    """Owe a notice (a `notice_row`) that tells of what stands in its payload; its id."""
    added = yield Rows(_WITH_PAYLOAD_ADD, row)
    yield Many(_PAYLOAD_ADD, [{"notice_id": added[0][0], "payload": payload}])
    return added[0][0]


def store_explained(items: Sequence[Explained]) -> Script:
    """Owe the answer to `explain.` mails; the id of each notice."""
    ids = []
    for item in items:
        row = notice_row(item.tenant_id, "mail", "explained", item.now)
        ids.append((yield from owe_with_payload(row, item.payload)))
    return ids
