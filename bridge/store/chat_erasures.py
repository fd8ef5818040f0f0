"""Posts of ours about people who are erased: queued beside the erasure, taken down by a desk.

A post that stands for a whole card is named by the card's id: one that is just being posted has
none in the chat yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, select, text, update

from bridge.store.chat_tables import card
from bridge.store.erasure_tables import chat_erasure, erasure
from bridge.store.journal import give_back_own, lease_due
from bridge.store.proofs import reopen
from bridge.store.sql import Do, Many, Script, Statement, Values, among, insert

CARD, POST, THREAD = "card", "post", "thread"
_WAITING = "outcome = ''"


@dataclass(frozen=True, slots=True)
class Condemned:
    """A post that is to go."""

    id: int
    edge: str
    place: str
    post: str  # of a card: its id
    what: str  # card | post | thread
    tries: int
    begun_at: float


@dataclass(frozen=True, slots=True)
class ClaimCondemned:
    """Who speaks in a chat asks for work."""

    edge: str
    lease: int
    now: float
    most: int = 20


@dataclass(frozen=True, slots=True)
class CondemnedDone:
    """What became of a post: an outcome, or another try at `due_at`."""

    id: int
    now: float
    outcome: str = ""  # deleted blanked gone refused
    due_at: float = 0.0
    card: int = 0  # the card that it stood for


_ADD = insert(chat_erasure, ("erasure_id", "edge", "place", "post", "what", "due_at"))
_DUE = Statement(
    select(
        chat_erasure.c.id,
        chat_erasure.c.edge,
        chat_erasure.c.place,
        chat_erasure.c.post,
        chat_erasure.c.what,
        chat_erasure.c.tries,
        erasure.c.begun_at,
    )
    .join(erasure, erasure.c.id == chat_erasure.c.erasure_id)
    .where(
        chat_erasure.c.edge == bindparam("edge"),
        text(_WAITING),
        chat_erasure.c.due_at <= bindparam("now"),
        chat_erasure.c.lease.is_(None),
    )
    .order_by(chat_erasure.c.due_at, chat_erasure.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True, of=chat_erasure)
)
NEXT_CONDEMNED = Statement(
    select(chat_erasure.c.due_at)
    .where(
        chat_erasure.c.edge == bindparam("edge"),
        text(_WAITING),
        chat_erasure.c.lease.is_(None),
    )
    .order_by(chat_erasure.c.due_at)
    .limit(1)
)
_LEASE = Statement(
    update(chat_erasure)
    .where(among(chat_erasure.c.id, "ids"))
    .values(lease=bindparam("c_lease"), tries=chat_erasure.c.tries + 1)
)
_DONE = Statement(
    update(chat_erasure)
    .where(chat_erasure.c.id == bindparam("c_id"))
    .values(outcome=bindparam("c_outcome"), done_at=bindparam("c_now"), lease=None)
)
_LATER = Statement(
    update(chat_erasure)
    .where(chat_erasure.c.id == bindparam("c_id"))
    .values(due_at=bindparam("c_due_at"), lease=None)
)
_CARDS_GONE = Statement(delete(card).where(among(card.c.id, "ids")))
_CARDS_STILL = Statement(
    update(card).where(among(card.c.id, "ids")).values(staff_id=0, shown=card.c.wanted)
)
_CARD_GONE = Statement(delete(card).where(card.c.id == bindparam("card")))
_RELEASE = Statement(
    update(chat_erasure)
    .where(chat_erasure.c.lease.is_not(None), text(_WAITING), among(chat_erasure.c.lease, "dead"))
    .values(lease=None)
)
_OWN = Statement(
    select(chat_erasure.c.id).where(
        chat_erasure.c.edge == bindparam("edge"),
        text(_WAITING),
        chat_erasure.c.lease == bindparam("me"),
    )
)
_GIVE_BACK = Statement(
    update(chat_erasure).where(among(chat_erasure.c.id, "ids")).values(lease=None)
)
#: (post, lease) of a card.
CARD_POST = Statement(select(card.c.post, card.c.lease).where(card.c.id == bindparam("id")))


def queue_posts(number: int, posts: Sequence[tuple[str, str, str, str]], now: float) -> Script:
    """These posts (edge, place, post, what) are to go."""
    rows = [
        {
            "erasure_id": number,
            "edge": edge,
            "place": place,
            "post": post,
            "what": what,
            "due_at": now,
        }
        for edge, place, post, what in posts
    ]
    if rows:
        yield Many(_ADD, rows)
        yield from reopen(number)  # an erasure that is done may be gone through once more


def take_down(number: int, cards: Sequence[Sequence[Any]], now: float) -> Script:
    """These cards (id, edge, place, post, lease) are to go: they are told of no more.

    One that is just being posted has no place yet: who takes it down looks again.
    """
    never = [row[0] for row in cards if not row[3] and row[4] is None]
    if never:
        yield Do(_CARDS_GONE, {"ids": Values(never)})
    standing = [row for row in cards if row[0] not in never]
    if standing:
        yield Do(_CARDS_STILL, {"ids": Values([row[0] for row in standing])})
        posts = [(row[1], row[2], str(row[0]), CARD) for row in standing]
        yield from queue_posts(number, posts, now)


def claim_condemned(items: Sequence[ClaimCondemned]) -> Script:
    """A list of `Condemned` an item, leased to its process."""
    results: list[list[Condemned]] = []
    for item in items:
        values = {"edge": item.edge, "now": item.now, "most": item.most}
        found = yield from lease_due(_DUE, _LEASE, values, item.lease)
        results.append([Condemned(*row) for row in found])
    return results


def release_condemned(dead: Sequence[int]) -> Script:
    """What dead processes were taking down is anybody's again."""
    return (yield Do(_RELEASE, {"dead": Values(dead)}))


def finish_condemned(items: Sequence[CondemnedDone]) -> Script:
    """Record what became of posts."""
    for item in items:
        if not item.outcome:
            yield Do(_LATER, {"c_id": item.id, "c_due_at": item.due_at})
            continue
        yield Do(_DONE, {"c_id": item.id, "c_outcome": item.outcome, "c_now": item.now})
        if item.card:
            yield Do(_CARD_GONE, {"card": item.card})
    return [None] * len(items)


@dataclass(frozen=True, slots=True)
class GiveBackCondemned:
    """A claim whose commit was in doubt: those that nobody works on are due again."""

    edge: str
    incarnation: int
    keep: frozenset[int]


def give_back_condemned(items: Sequence[GiveBackCondemned]) -> Script:
    """How many are due again."""
    results = []
    for item in items:
        mine = {"me": item.incarnation, "edge": item.edge}
        results.append((yield from give_back_own(_OWN, _GIVE_BACK, mine, item.keep)))
    return results
