"""Cards: posts that tell how messages stand; touched beside each move, edited by a desk.

A card knows how often it was to be told (`wanted`) and what it shows (`shown`), so any number of
moves is one edit, and the last of them is never lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    Boolean,
    ClauseElement,
    Double,
    and_,
    bindparam,
    case,
    or_,
    select,
    text,
    update,
)

from bridge.store.chat_tables import card, card_message, thread
from bridge.store.journal import give_back_own, lease_due
from bridge.store.sql import (
    Do,
    Many,
    Script,
    Statement,
    Values,
    among,
    insert,
    unique,
)
from bridge.store.tables import body, message, subject

#: Seconds for which further moves may join an edit: chats take about one a second.
GATHER = 0.3
UNSEEN = "wanted > shown"


@dataclass(frozen=True, slots=True)
class Card:
    """Where a card stands, or is to stand."""

    id: int
    tenant_id: int
    staff_id: int
    edge: str
    place: str
    thread: str
    answers: str
    post: str
    wanted: int
    doubtful: bool  # it may stand there already, and we do not know where
    tries: int
    created_at: float


@dataclass(frozen=True, slots=True)
class CardIn:
    """A card that is to be posted."""

    id: int
    tenant_id: int
    staff_id: int
    edge: str
    place: str
    thread: str
    answers: str
    now: float


@dataclass(frozen=True, slots=True)
class ClaimCards:
    """A desk asks for work."""

    edge: str
    lease: int
    now: float
    most: int = 20


@dataclass(frozen=True, slots=True)
class CardDone:
    """A card shows what was wanted, or is tried again at `due_at`."""

    id: int
    now: float
    post: str = ""
    shown: int = 0
    due_at: float = 0.0
    doubtful: bool = False  # it may stand there, and we were not told
    rooted: bool = False  # what its people answer goes below it from now on


@dataclass(frozen=True, slots=True)
class GiveBackCards:
    """A claim of cards whose commit was in doubt: those not being shown are due again."""

    edge: str
    incarnation: int
    keep: frozenset[int]


@dataclass(frozen=True, slots=True)
class Fate:
    """One message of a card."""

    id: int
    state: str
    reason: str
    phone: str
    parts: int
    encoding: str
    text: str | None
    created_at: float
    sent_at: float | None
    final_at: float | None
    due_at: float


_COLUMNS = (
    card.c.id,
    card.c.tenant_id,
    card.c.staff_id,
    card.c.edge,
    card.c.place,
    card.c.thread,
    card.c.answers,
    card.c.post,
    card.c.wanted,
    card.c.doubtful,
    card.c.tries,
    card.c.created_at,
)
_ADD = insert(card)
_MESSAGE_ADD = insert(card_message)
# Moves join the edit that is owed already; they neither put it off nor cut a pause short.
_TOUCHED_DUE = case(
    (card.c.lease.is_(None) & text(UNSEEN), card.c.due_at),
    else_=bindparam("c_due_at", type_=Double()),
)


def _touch(database: str) -> ClauseElement:
    found = select(card_message.c.card_id).where(among(card_message.c.message_id, "ids"))
    if database == "postgresql":  # several processes touch: each takes its locks in one order
        found = select(card.c.id).where(card.c.id.in_(found)).order_by(card.c.id).with_for_update()
    touched = update(card).where(card.c.id.in_(found))
    return touched.values(wanted=card.c.wanted + 1, due_at=_TOUCHED_DUE)


_TOUCH = Statement(_touch)
_DUE = Statement(
    select(*_COLUMNS)
    .where(
        card.c.edge == bindparam("edge"),
        text(UNSEEN),
        card.c.due_at <= bindparam("now"),
        card.c.lease.is_(None),
    )
    .order_by(card.c.due_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
NEXT_CARD = Statement(
    select(card.c.due_at)
    .where(card.c.edge == bindparam("edge"), text(UNSEEN), card.c.lease.is_(None))
    .order_by(card.c.due_at)
    .limit(1)
)
_LEASE = Statement(
    update(card)
    .where(among(card.c.id, "ids"))
    .values(lease=bindparam("c_lease"), tries=card.c.tries + 1)
)
_SHOWN = Statement(
    update(card)
    .where(card.c.id == bindparam("c_id"))
    .values(
        post=bindparam("c_post"),
        shown=bindparam("c_shown"),
        tries=0,
        lease=None,
    )
)
_LATER = Statement(
    update(card)
    .where(card.c.id == bindparam("c_id"))
    .values(
        due_at=bindparam("c_due_at"),
        doubtful=or_(card.c.doubtful, and_(bindparam("c_doubt", type_=Boolean), card.c.post == "")),
        lease=None,
    )
)
# A process that ended while it posted may have posted: what stands nowhere is in doubt.
_RELEASE = Statement(
    update(card)
    .where(card.c.lease.is_not(None), among(card.c.lease, "dead"))
    .values(doubtful=or_(card.c.doubtful, card.c.post == ""), lease=None)
)
_OWN = Statement(
    select(card.c.id).where(
        card.c.lease.is_not(None), card.c.lease == bindparam("me"), card.c.edge == bindparam("edge")
    )
)
_GIVE_BACK = Statement(update(card).where(among(card.c.id, "ids")).values(lease=None))
#: The fields of `Fate`, in order.
FATE_COLUMNS = (
    message.c.id,
    message.c.state,
    message.c.reason,
    subject.c.phone,
    message.c.parts,
    message.c.encoding,
    body.c.text,
    message.c.created_at,
    message.c.sent_at,
    message.c.final_at,
    message.c.due_at,
)
FATES = Statement(
    select(*FATE_COLUMNS)
    .select_from(card_message)
    .join(message, message.c.id == card_message.c.message_id)
    .join(subject, subject.c.id == message.c.subject_id)
    .outerjoin(body, body.c.message_id == message.c.id)
    .where(card_message.c.card_id == bindparam("card"))
    .order_by(message.c.id)
)
_THIS = card.c.id == bindparam("card")
# Whoever answers a card's people finds them in its thread from now on.
_ROOTS = Statement(
    update(thread)
    .where(
        thread.c.edge == select(card.c.edge).where(_THIS).scalar_subquery(),
        thread.c.place == select(card.c.place).where(_THIS).scalar_subquery(),
        thread.c.subject_id.in_(
            select(message.c.subject_id)
            .join(card_message, card_message.c.message_id == message.c.id)
            .where(card_message.c.card_id == bindparam("card"))
        ),
    )
    .values(root=bindparam("t_root"))
)


def add_card(item: CardIn, messages: Sequence[int]) -> Script:
    """A card over these messages, due at once."""
    row = {
        "id": item.id,
        "tenant_id": item.tenant_id,
        "staff_id": item.staff_id,
        "edge": item.edge,
        "place": item.place,
        "thread": item.thread,
        "answers": item.answers,
        "post": "",
        "wanted": 1,
        "shown": 0,
        "doubtful": False,
        "tries": 0,
        "lease": None,
        "due_at": item.now,
        "created_at": item.now,
    }
    yield Many(_ADD, [row])
    yield Many(_MESSAGE_ADD, [{"message_id": n, "card_id": item.id} for n in messages])


def touch_cards(messages: Sequence[int], now: float) -> Script:
    """These messages have moved."""
    yield Do(_TOUCH, {"ids": unique(messages), "c_due_at": now + GATHER})


def claim_cards(items: Sequence[ClaimCards]) -> Script:
    """A list of `Card` an item, leased to its process."""
    results: list[list[Card]] = []
    for item in items:
        values = {"edge": item.edge, "now": item.now, "most": item.most}
        found = yield from lease_due(_DUE, _LEASE, values, item.lease)
        results.append([card_of(row) for row in found])
    return results


def card_of(row: Sequence[object]) -> Card:
    """A card as the statements here select it."""
    return Card(*row)  # type: ignore[arg-type]


def finish_cards(items: Sequence[CardDone]) -> Script:
    """Record what became of cards."""
    for item in sorted(items, key=lambda item: item.id):  # locks in one order, as touches take them
        if item.due_at:
            yield Do(
                _LATER,
                {"c_id": item.id, "c_due_at": item.due_at, "c_doubt": item.doubtful},
            )
            continue
        yield Do(_SHOWN, {"c_id": item.id, "c_post": item.post, "c_shown": item.shown})
        if item.rooted:
            yield Do(_ROOTS, {"card": item.id, "t_root": item.post})
    return [None] * len(items)


def release_cards(dead: Sequence[int]) -> Script:
    """Cards that a dead process was posting or editing are due again."""
    return (yield Do(_RELEASE, {"dead": Values(dead)}))


def give_back_cards(items: Sequence[GiveBackCards]) -> Script:
    """How many cards are due again; nothing of them was shown."""
    results = []
    for item in items:
        mine = {"me": item.incarnation, "edge": item.edge}
        results.append((yield from give_back_own(_OWN, _GIVE_BACK, mine, item.keep)))
    return results
