"""Where a person's SMS stand in a chat, who has taken them, and which posts belong there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

from sqlalchemy import and_, bindparam, or_, select, update

from bridge.store.chat_tables import card, card_message, chat_post, staff, thread
from bridge.store.sql import Do, Many, Rows, Script, Statement, constant, insert_new
from bridge.store.tables import message, reply, subject


@dataclass(frozen=True, slots=True)
class Thread:
    """A person's SMS at one place of a chat."""

    id: int
    tenant_id: int
    edge: str
    place: str
    subject_id: int
    originator: str
    root: str  # the chat's id of the thread or topic; "" until it is made there
    staff_id: int | None  # who has taken it
    phone: str
    taken_by: str  # their name, "" for nobody


@dataclass(frozen=True, slots=True)
class ThreadIn:
    """A thread that must be there."""

    id: int
    tenant_id: int
    edge: str
    place: str
    subject_id: int
    originator: str
    now: float


@dataclass(frozen=True, slots=True)
class Root:
    """A thread was made in its chat; with `before`, only if it still stands where it stood."""

    thread: int
    root: str
    before: str


@dataclass(frozen=True, slots=True)
class Take:
    """Somebody takes a conversation (or gives it back: staff_id None), by force if need be."""

    thread: int
    staff_id: int | None
    now: float
    force: bool = False


@dataclass(frozen=True, slots=True)
class Post:
    """A post that belongs to a thread."""

    edge: str
    place: str
    post: str
    thread: int
    now: float


_SELECT = (
    select(
        thread.c.id,
        thread.c.tenant_id,
        thread.c.edge,
        thread.c.place,
        thread.c.subject_id,
        thread.c.originator,
        thread.c.root,
        staff.c.id,
        subject.c.phone,
        staff.c.name,
    )
    .join(subject, subject.c.id == thread.c.subject_id)
    # Whoever is not enrolled any more holds nothing.
    .outerjoin(staff, and_(staff.c.id == thread.c.staff_id, staff.c.revoked_at.is_(None)))
)
THREAD = Statement(_SELECT.where(thread.c.id == bindparam("id")))
#: The newest SMS of a person: what proves that they have the number.
LATEST_REPLY = Statement(
    select(reply.c.id)
    .where(reply.c.subject_id == bindparam("subject_id"))
    .order_by(reply.c.id.desc())
    .limit(1)
)
_THREAD_OF = Statement(
    _SELECT.where(
        thread.c.edge == bindparam("edge"),
        thread.c.place == bindparam("place"),
        thread.c.subject_id == bindparam("subject_id"),
        thread.c.originator == bindparam("originator"),
    )
)
#: The threads that hang below one root: one in a topic, several where a group was written to.
THREADS_AT = Statement(
    _SELECT.where(
        thread.c.edge == bindparam("edge"),
        thread.c.place == bindparam("place"),
        thread.c.root == bindparam("root"),
    ).order_by(thread.c.id)
)
THREAD_OF_POST = Statement(
    _SELECT.join(chat_post, chat_post.c.thread_id == thread.c.id).where(
        chat_post.c.edge == bindparam("edge"),
        chat_post.c.place == bindparam("place"),
        chat_post.c.post == bindparam("post"),
    )
)
#: The threads of a card's people: whoever answers the card means them.
THREADS_OF_CARD = Statement(
    _SELECT.where(
        thread.c.edge == bindparam("edge"),
        thread.c.place == bindparam("place"),
        thread.c.subject_id.in_(
            select(message.c.subject_id)
            .join(card_message, card_message.c.message_id == message.c.id)
            .join(card, card.c.id == card_message.c.card_id)
            .where(
                card.c.edge == bindparam("edge"),
                card.c.place == bindparam("place"),
                card.c.post == bindparam("post"),
            )
        ),
    ).order_by(thread.c.id)
)
_ADD = insert_new(thread)
_KEY = itemgetter("edge", "place", "subject_id", "originator")
_ROOT = Statement(
    update(thread)
    .where(thread.c.id == bindparam("t_id"), thread.c.root == bindparam("before"))
    .values(root=bindparam("t_root"))
)
_TAKE = Statement(
    update(thread)
    .where(
        thread.c.id == bindparam("t_id"),
        or_(
            thread.c.staff_id.is_(None),
            thread.c.staff_id == bindparam("me"),
            bindparam("force") == constant("yes"),
            ~select(staff.c.id)
            .where(staff.c.id == thread.c.staff_id, staff.c.revoked_at.is_(None))
            .exists(),
        ),
    )
    .values(staff_id=bindparam("t_staff"), claimed_at=bindparam("t_at"))
)
_POST_ADD = insert_new(chat_post)


def thread_of(row: Sequence[object]) -> Thread:
    """A thread as the statements here select it."""
    values = list(row)
    values[-1] = values[-1] or ""
    return Thread(*values)  # type: ignore[arg-type]


def thread_row(item: ThreadIn) -> dict[str, object]:
    """A thread that nobody has taken."""
    return {
        "id": item.id,
        "tenant_id": item.tenant_id,
        "edge": item.edge,
        "place": item.place,
        "subject_id": item.subject_id,
        "originator": item.originator,
        "root": "",
        "staff_id": None,
        "claimed_at": None,
        "created_at": item.now,
    }


def add_threads(rows: Sequence[dict[str, object]]) -> Script:
    """Make the threads that are not there; in one order, for the sake of other processes."""
    yield Many(_ADD, sorted(rows, key=_KEY))


def ensure_threads(items: Sequence[ThreadIn]) -> Script:
    """A `Thread` an item, made where it was not."""
    yield from add_threads([thread_row(item) for item in items])
    results = []
    for item in items:
        key = {
            "edge": item.edge,
            "place": item.place,
            "subject_id": item.subject_id,
            "originator": item.originator,
        }
        found = yield Rows(_THREAD_OF, key)
        results.append(thread_of(found[0]))
    return results


def set_roots(items: Sequence[Root]) -> Script:
    """True an item whose thread stood where it was said to stand."""
    results = []
    for item in items:
        values = {"t_id": item.thread, "t_root": item.root, "before": item.before}
        results.append(bool((yield Do(_ROOT, values))))
    return results


def take_threads(items: Sequence[Take]) -> Script:
    """The `Thread` an item as it stands afterwards: whoever was first has it."""
    results = []
    for item in items:
        values = {
            "t_id": item.thread,
            "t_staff": item.staff_id,
            "me": item.staff_id or 0,
            "t_at": item.now if item.staff_id else None,
            "force": "yes" if item.force else "no",
        }
        yield Do(_TAKE, values)
        found = yield Rows(THREAD, {"id": item.thread})
        results.append(thread_of(found[0]) if found else None)
    return results


def add_posts(items: Sequence[Post]) -> Script:
    """Remember which thread posts belong to."""
    yield Many(
        _POST_ADD,
        [
            {
                "edge": item.edge,
                "place": item.place,
                "post": item.post,
                "thread_id": item.thread,
                "created_at": item.now,
            }
            for item in items
        ],
    )
    return [None] * len(items)
