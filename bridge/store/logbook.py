"""What `bridge log` shows: messages come out in pages, oldest first, with people and words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, select

from bridge.store.attachments import OF_MESSAGES
from bridge.store.facts import READABLE
from bridge.store.sql import Row, Statement, Values, among
from bridge.store.store import Store
from bridge.store.tables import attempt, body, conversation, message, subject, tenant

PAGE = 500
#: Ids are ordered by the clock that made them; the slack is for a clock that was put right.
SLACK_SECONDS = 86400.0


@dataclass(frozen=True, slots=True)
class Filter:
    """Which messages: empty fields are no condition; `newest` is at most so many, 0 all."""

    since: float = 0.0  # Unix time
    tenant: str = ""
    states: tuple[str, ...] = ()
    newest: int = 0


@dataclass(frozen=True, slots=True)
class File:
    """A file of a message, as the log shows it."""

    name: str
    size: int
    refused: str
    served: int
    expires_at: float


@dataclass(frozen=True, slots=True)
class Entry:
    """A message as the log shows it."""

    id: int
    tenant: str
    origin_kind: str
    origin_address: str
    phone: str
    klass: str
    state: str
    parts: int
    encoding: str
    carrier: str  # the latest attempt's, else the lane's
    attempts: int
    resent: int
    reason: str
    created_at: float
    sent_at: float | None
    final_at: float | None
    text: str | None  # None where it was erased
    files: tuple[File, ...] = ()


#: (name, id), also of closed tenants.
TENANT_NAMES = Statement(select(tenant.c.name, tenant.c.id))
_CARRIERS = Statement(
    select(attempt.c.message_id, attempt.c.carrier)
    .where(among(attempt.c.message_id, "ids"))
    .order_by(attempt.c.id)
)


async def entries(store: Store, wanted: Filter) -> AsyncIterator[Entry]:
    """The messages that are wanted, oldest first, a page in memory at a time."""
    after = max(0, int((wanted.since - SLACK_SECONDS) * 1000) << 21)
    values: dict[str, Any] = {
        "since": wanted.since,
        "tenant": wanted.tenant,
        "states": Values(wanted.states),
    }
    shape = (bool(wanted.tenant), bool(wanted.states))
    if wanted.newest:
        first = await store.read(_nth_newest(*shape), **values, after=after, skip=wanted.newest - 1)
        after = first[0][0] - 1 if first else after
    while True:
        rows = await store.read(_page(*shape), **values, after=after, most=PAGE)
        carriers = await _carriers(store, rows)
        files = await _files(store, rows)
        for row in rows:
            yield _entry(row, carriers, files)
        if len(rows) < PAGE:
            return
        after = rows[-1][0]


async def _carriers(store: Store, rows: Sequence[Row]) -> dict[int, str]:
    tried = Values(row[0] for row in rows)
    found = await store.read(_CARRIERS, ids=tried) if tried else []
    return {row[0]: row[1] for row in found}  # the last one of each stays


async def _files(store: Store, rows: Sequence[Row]) -> dict[int, tuple[File, ...]]:
    wanted = Values(row[0] for row in rows)
    found: dict[int, tuple[File, ...]] = {}
    for number, *facts in await store.read(OF_MESSAGES, ids=wanted) if wanted else ():
        found[number] = (*found.get(number, ()), File(*facts))
    return found


def _entry(row: Row, carriers: dict[int, str], files: dict[int, tuple[File, ...]]) -> Entry:
    values = list(row)
    values[_ORIGIN] = [value or "" for value in row[_ORIGIN]]  # whoever wrote it was erased
    values[_LANE] = carriers.get(row[0]) or row[_LANE].rpartition(".")[0]
    return replace(Entry(*values), files=files.get(row[0], ()))


#: The fields of `Entry`, in order; the lane stands where its carrier will.
_COLUMNS = (
    message.c.id,
    tenant.c.name,
    conversation.c.origin_kind,
    conversation.c.origin_address,
    subject.c.phone,
    message.c["class"],
    message.c.state,
    message.c.parts,
    message.c.encoding,
    message.c.lane,
    message.c.tries,
    message.c.resent,
    message.c.reason,
    message.c.created_at,
    message.c.sent_at,
    message.c.final_at,
    body.c.text,
)
_ORIGIN = slice(2, 4)
_LANE = 9


def _wanted(statement: Select[Any], *, by_tenant: bool, by_state: bool) -> Select[Any]:
    conditions: list[ColumnElement[bool]] = [
        message.c.id > bindparam("after"),
        message.c.created_at >= bindparam("since"),
    ]
    if by_tenant:
        conditions.append(tenant.c.name == bindparam("tenant"))
    if by_state:
        conditions.append(among(message.c.state, "states"))
    return statement.where(*conditions)


@cache
def _page(by_tenant: bool, by_state: bool) -> Statement:
    joined = (
        select(*_COLUMNS)
        .join(tenant, tenant.c.id == message.c.tenant_id)
        .outerjoin(conversation, conversation.c.id == message.c.conversation_id)
        .join(subject, subject.c.id == message.c.subject_id)
        .outerjoin(body, READABLE)
    )
    wanted = _wanted(joined, by_tenant=by_tenant, by_state=by_state)
    return Statement(wanted.order_by(message.c.id).limit(bindparam("most")))


@cache
def _nth_newest(by_tenant: bool, by_state: bool) -> Statement:
    ids = select(message.c.id).join(tenant, tenant.c.id == message.c.tenant_id)
    wanted = _wanted(ids, by_tenant=by_tenant, by_state=by_state)
    return Statement(wanted.order_by(message.c.id.desc()).limit(1).offset(bindparam("skip")))
