"""What has been typed or told and belongs to nobody yet: whatever mentions a person, goes.

It is sealed under the bridge's own key, so it is opened to be looked through. There is little of
it: drafts live a day, updates and parts of an MO for minutes.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from bridge import phone
from bridge.store.chat_tables import chat_update, draft
from bridge.store.sql import Do, Row, Rows, Script, Statement, Values, among, constant
from bridge.store.tables import callback, notice, notice_body

PAGE = 500
#: What people put between the digits of a number.
_GAP = r"[\s().\-/\\]*"

_DRAFTS = Statement(
    select(draft.c.id, draft.c.payload)
    .where(
        draft.c.tenant_id == bindparam("tenant"),
        draft.c.state == constant("open"),
        draft.c.id > bindparam("after"),
    )
    .order_by(draft.c.id)
    .limit(PAGE)
)
_DRAFTS_EMPTIED = Statement(
    update(draft).where(among(draft.c.id, "ids")).values(state="cancelled", payload="")
)
# One that is being worked is emptied by whoever works it.
_UPDATES = Statement(
    select(chat_update.c.id, chat_update.c.payload)
    .where(
        chat_update.c.done_at.is_(None),
        chat_update.c.lease.is_(None),
        chat_update.c.id > bindparam("after"),
    )
    .order_by(chat_update.c.id)
    .limit(PAGE)
)
_UPDATES_EMPTIED = Statement(
    update(chat_update)
    .where(among(chat_update.c.id, "ids"))
    .values(payload="", answer="", done_at=chat_update.c.at)
)
_PARTS = Statement(
    select(callback.c.id, callback.c.payload, callback.c.carrier)
    .where(callback.c.kind == constant("part"), callback.c.id > bindparam("after"))
    .order_by(callback.c.id)
    .limit(PAGE)
)
_PARTS_GONE = Statement(delete(callback).where(among(callback.c.id, "ids")))
_EXPLAINED = Statement(
    select(notice_body.c.notice_id, notice_body.c.payload)
    .join(notice, notice.c.id == notice_body.c.notice_id)
    .where(notice.c.tenant_id == bindparam("tenant"), notice_body.c.notice_id > bindparam("after"))
    .order_by(notice_body.c.notice_id)
    .limit(PAGE)
)
_EXPLAINED_GONE = Statement(delete(notice_body).where(among(notice_body.c.notice_id, "ids")))
_NOTICES_GONE = Statement(delete(notice).where(among(notice.c.id, "ids")))

Mentions = Callable[[str], bool]


def mentions(kind: str, value: str) -> Mentions:
    """A function that tells whether a text mentions somebody, in any common writing."""
    if kind == "number":
        digits = phone.national(value)
        return lambda text: bool(re.search(_GAP.join(digits), text))
    if kind == "mail":
        words = rf"(?<![\w.+-]){re.escape(value.casefold())}(?![\w.-]*\w)"
    else:  # as the chats' own JSON names who acted
        words = rf'"(?:id|user|user_id)": ?"?{re.escape(value.rpartition("/")[2].casefold())}\b'
    found = re.compile(words).search
    return lambda text: bool(found(text.casefold()))


def forget_mentions(tenant: int, kind: str, value: str, counts: Counter[str]) -> Script:
    """Empty or take away what mentions this person.

    Returns (carrier, its id) of the parts of an MO that went: those that the person wrote.
    """
    told = mentions(kind, value)
    here = {"tenant": tenant}
    drafts = yield from _telling(_DRAFTS, told, here)
    updates = yield from _telling(_UPDATES, told, {})
    parts = (yield from _telling(_PARTS, _written_by(value), {})) if kind == "number" else []
    explained = yield from _telling(_EXPLAINED, told, here)
    names = [(row[2], str(json.loads(row[1]).get("key", ""))) for row in parts]
    yield from _all(drafts, _DRAFTS_EMPTIED)
    yield from _all(updates, _UPDATES_EMPTIED)
    yield from _all(parts, _PARTS_GONE)
    yield from _all(explained, _EXPLAINED_GONE, _NOTICES_GONE)
    counts["drafts"] += len(drafts) + len(updates)
    counts["callbacks"] += len(parts)
    counts["notices"] += len(explained)
    return names


def _written_by(number: str) -> Mentions:
    """Whether a part of an MO is this number's. Other countries' may end in the same digits."""
    own = {_digits(number), _digits(phone.national(number))}
    return lambda payload: _digits(json.loads(payload)["source"]) in own


def _digits(number: str) -> str:
    """Of a number as carriers write it: with a plus, with zeros before it, or bare."""
    return re.sub(r"\D", "", number).lstrip("0")


def _telling(statement: Statement, told: Mentions, values: dict[str, Any]) -> Script:
    """The rows whose payload mentions somebody, a page in memory at a time."""
    found: list[Row] = []
    after = 0
    while True:
        rows = yield Rows(statement, {**values, "after": after})
        found += [row for row in rows if told(row[1])]
        if len(rows) < PAGE:
            return found
        after = rows[-1][0]


def _all(rows: Sequence[Row], *statements: Statement) -> Script:
    if rows:
        for statement in statements:
            yield Do(statement, {"ids": Values([row[0] for row in rows])})
