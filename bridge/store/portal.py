"""The portal's sign-in: asks and guesses come in; whether to send, and who is in, goes out.

What is stored and looked up is the same for a number that nobody ever wrote to (PRIVACY P74).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, func, select, update

from bridge.store.portal_tables import portal_ask, portal_code, portal_session
from bridge.store.sql import Do, Lock, Many, Rows, Script, Statement, insert, insert_new
from bridge.store.tables import conversation, message, subject, tenant

#: Figures of P23 and P74: how long a code is good and how often it may be tried, how many may be
#: asked for from one address an hour and for one number a day.
CODE_SECONDS, TRIES = 600.0, 3
AN_HOUR, A_DAY = 5, 3
SESSION_SECONDS = 1800.0

_HOUR, _DAY = 3600.0, 86_400.0


@dataclass(frozen=True, slots=True)
class AskCode:
    """Somebody at an address wants a code for a number."""

    all_index: str
    number_key: str  # keyed hash of the number, for counting
    address_key: str  # of the address
    code_hash: str
    now: float


@dataclass(frozen=True, slots=True)
class TryCode:
    """Somebody types a code."""

    all_index: str
    code_hash: str
    session_hash: str  # of the cookie they get if it is right
    now: float


@dataclass(frozen=True, slots=True)
class Known:
    """How one tenant knows a person."""

    tenant_id: int
    tenant: str
    subject_id: int
    phone: str
    phone_index: str
    country: str
    since: float


#: How often something was asked for under a key since a moment: (count).
ASKED = Statement(
    select(func.count())
    .select_from(portal_ask)
    .where(portal_ask.c.key == bindparam("key"), portal_ask.c.at > bindparam("since"))
)
_ASK_ADD = insert(portal_ask, ("key", "at"))
_CODE_GONE = Statement(delete(portal_code).where(portal_code.c.all_index == bindparam("c_index")))
_CODE_ADD = insert_new(portal_code, ("all_index", "hash", "tries", "expires_at"))
_CODE = Statement(
    select(portal_code.c.hash, portal_code.c.tries, portal_code.c.expires_at)
    .where(portal_code.c.all_index == bindparam("all_index"))
    .with_for_update()
)
_TRIED = Statement(
    update(portal_code)
    .where(portal_code.c.all_index == bindparam("c_index"))
    .values(tries=portal_code.c.tries + 1)
)
_SESSION_ADD = insert_new(portal_session)
_SESSION_GONE = Statement(
    delete(portal_session).where(portal_session.c.hash == bindparam("s_hash"))
)
#: Who is signed in by a cookie: (the person).
SESSION = Statement(
    select(portal_session.c.all_index).where(
        portal_session.c.hash == bindparam("hash"), portal_session.c.expires_at > bindparam("now")
    )
)
_KNOWN = (
    select(
        subject.c.tenant_id,
        tenant.c.name,
        subject.c.id,
        subject.c.phone,
        subject.c.phone_index,
        subject.c.country,
        subject.c.created_at,
    )
    .join(tenant, tenant.c.id == subject.c.tenant_id)
    .where(subject.c.all_index == bindparam("all_index"))
)
#: The tenants that know a person; a row is a `Known`.
KNOWN = Statement(_KNOWN.order_by(tenant.c.name))
#: By whom and from what an SMS last went to a person: (tenant id, originator).
LAST_SENT = Statement(
    select(message.c.tenant_id, message.c.originator)
    .join(subject, subject.c.id == message.c.subject_id)
    .join(conversation, conversation.c.id == message.c.conversation_id)
    .where(subject.c.all_index == bindparam("all_index"), message.c.tries > 0)
    .order_by(message.c.id.desc())
    .limit(1)
)
_OLD_ASKS = Statement(delete(portal_ask).where(portal_ask.c.at < bindparam("before")))
_OLD_CODES = Statement(delete(portal_code).where(portal_code.c.expires_at < bindparam("now")))
_OLD_SESSIONS = Statement(
    delete(portal_session).where(portal_session.c.expires_at < bindparam("now"))
)


def ask_codes(items: Sequence[AskCode]) -> Script:
    """Whether each code may be sent; one that may not replaces none that is under way."""
    answers = []
    for item in items:
        answers.append((yield from _ask(item)))
    return answers


def _ask(item: AskCode) -> Script:
    yield Lock(_CODE, {"all_index": item.all_index})
    here = yield Rows(ASKED, {"key": item.address_key, "since": item.now - _HOUR})
    number = yield Rows(ASKED, {"key": item.number_key, "since": item.now - _DAY})
    allowed = here[0][0] < AN_HOUR and number[0][0] < A_DAY
    if not allowed:
        return False
    keys = (item.address_key, item.number_key)
    yield Many(_ASK_ADD, [{"key": key, "at": item.now} for key in keys])
    yield Many(_CODE_GONE, [{"c_index": item.all_index}])
    row = {
        "all_index": item.all_index,
        "hash": item.code_hash,
        "tries": 0,
        "expires_at": item.now + CODE_SECONDS,
    }
    yield Many(_CODE_ADD, [row])
    return True


def note_asks(items: Sequence[tuple[str, float]]) -> Script:
    """Remember that something was asked for: (key, when) each; nothing an item."""
    yield Many(_ASK_ADD, [{"key": key, "at": at} for key, at in items])
    return [None] * len(items)


def try_codes(items: Sequence[TryCode]) -> Script:
    """Whether each code was right; who typed it is signed in then, and the code is used up."""
    answers = []
    for item in items:
        answers.append((yield from _try(item)))
    return answers


def _try(item: TryCode) -> Script:
    found = yield Rows(_CODE, {"all_index": item.all_index})
    if not found:
        return False
    code, tries, expires_at = found[0]
    if tries >= TRIES or expires_at <= item.now:
        return False
    if code != item.code_hash:
        yield Many(_TRIED, [{"c_index": item.all_index}])
        return False
    yield Many(_CODE_GONE, [{"c_index": item.all_index}])
    row = {
        "hash": item.session_hash,
        "all_index": item.all_index,
        "expires_at": item.now + SESSION_SECONDS,
    }
    yield Many(_SESSION_ADD, [row])
    return True


def sign_out(items: Sequence[str]) -> Script:
    """End these sessions, by the hashes of their cookies."""
    yield Many(_SESSION_GONE, [{"s_hash": item} for item in items])
    return [None] * len(items)


def tidy_portal(items: Sequence[float]) -> Script:
    """Drop what is over, as of a Unix time."""
    for now in items:
        yield Do(_OLD_ASKS, {"before": now - _DAY})
        yield Do(_OLD_CODES, {"now": now})
        yield Do(_OLD_SESSIONS, {"now": now})
    return [None] * len(items)
