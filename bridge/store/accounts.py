"""Credit: charges and payments come in; transfers whose entries sum to nothing go out.

What a message may cost is reserved in the transaction that takes it, so that no kill can part the
two. How it ended is read from the message itself (`close_charges`): nothing that ends a message
has to think of money, and a charge is closed once, by whoever closes it first.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import (
    BigInteger,
    ClauseElement,
    Double,
    SmallInteger,
    Subquery,
    Text,
    bindparam,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from bridge.model import State
from bridge.store.account_tables import account, charge, entry, transfer
from bridge.store.sql import (
    Do,
    Many,
    Row,
    Rows,
    Script,
    Statement,
    Values,
    alone,
    among,
    batched,
    constant,
    insert,
    insert_new,
)
from bridge.store.tables import message

CREDIT: Final = "credit"
RESERVED: Final = "reserved"
REVENUE: Final = "revenue"
#: Where money comes from, by the kind of its transfer.
SOURCES: Final = {
    "payment": "paid",
    "gift": "given",
    "correction": "corrected",
    "vat": "vat",
}
ACCEPTED: Final = "accepted"
DELIVERED: Final = "delivered"
#: A receipt may come so much later than a message's validity ends (seconds).
GRACE: Final = 3 * 86400.0
#: Open charges looked at in one turn.
BATCH: Final = 1000

#: The reason of a message that could not be paid for.
NO_CREDIT: Final = "no-credit"
BALANCE_HINT: Final = "top it up, then send again; `bridge accounts list` shows what is left"
#: (tenant, kind, currency).
Account = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class Charge:
    """What a message is charged: `price` a part; `limit` is how far below zero credit may go."""

    price: int
    currency: str
    limit: int
    charge_on: str = ACCEPTED


@dataclass(frozen=True, slots=True)
class Posting:
    """Money comes to a tenant (or goes, below zero); `key` names what must not come twice."""

    id: int
    tenant_id: int
    kind: str  # of SOURCES
    currency: str
    amount: int
    actor: str
    now: float
    key: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Close:
    """A turn through the open charges after `after`; `new_id` names transfers."""

    after: int
    now: float
    new_id: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Closed:
    """How many charges were closed, and where to go on: None at the end."""

    count: int
    after: int | None


class Billed(Protocol):
    """What `reserve` has to know of a message on its way into the outbox."""

    id: int
    tenant_id: int
    country: str
    parts: int
    expires_at: float
    now: float


_CREDITS = Statement(
    select(account.c.tenant_id, account.c.currency, account.c.balance)
    .where(account.c.kind == constant(CREDIT), among(account.c.tenant_id, "tenants"))
    .order_by(account.c.tenant_id, account.c.currency)
    .with_for_update()
)
_OPEN_ACCOUNT = insert_new(account, ("tenant_id", "kind", "currency"))


def _add_up(given: Subquery, database: str) -> ClauseElement:
    clause = {"sqlite": sqlite, "postgresql": postgresql}[database].insert(account)
    clause = clause.from_select([*given.c.keys()], select(*given.c).where(true()))
    moved: ClauseElement = clause.on_conflict_do_update(
        index_elements=["tenant_id", "kind", "currency"],
        set_={"balance": account.c.balance + clause.excluded.balance},
    )
    return moved


_MOVE = batched(_add_up, tenant_id=BigInteger, kind=Text, currency=Text, balance=BigInteger)
_TRANSFER_ADD = insert_new(transfer)
_ENTRY_ADD = insert(entry)
_CHARGE_ADD = insert(
    charge,
    (
        *("message_id", "tenant_id", "country", "currency", "price", "parts", "reserved"),
        *("charge_on", "state", "until"),
    ),
)
_OPEN = Statement(
    select(
        charge.c.message_id,
        charge.c.tenant_id,
        charge.c.currency,
        charge.c.price,
        charge.c.parts,
        charge.c.reserved,
        charge.c.charge_on,
        charge.c.until,
    )
    .where(charge.c.state == constant("open"), charge.c.message_id > bindparam("after"))
    .order_by(charge.c.message_id)
    .limit(BATCH)
    .with_for_update(skip_locked=True)
)
_FATES = Statement(
    select(message.c.id, message.c.state, message.c.parts, message.c.sent_at).where(
        among(message.c.id, "ids")
    )
)
_CLOSE = batched(
    lambda given, _: (
        update(charge)
        .where(charge.c.message_id == given.c.id)
        .values(
            state=given.c.state,
            parts=given.c.parts,
            amount=given.c.amount,
            transfer_id=given.c.transfer_id,
            closed_at=given.c.at,
        )
    ),
    id=BigInteger,
    state=Text,
    parts=SmallInteger,
    amount=BigInteger,
    transfer_id=BigInteger,
    at=Double,
)


# Reserving


def reserve(items: Sequence[tuple[Billed, Charge]]) -> Script:
    """The ids of those whose tenant cannot pay for them; nothing is reserved for these.

    Whoever asks first gets what is left.
    """
    left = yield from _credits({(i.tenant_id, due.currency) for i, due in items})
    unpaid: set[int] = set()
    rows: list[dict[str, Any]] = []
    sums: defaultdict[tuple[int, str], int] = defaultdict(int)
    first: dict[tuple[int, str], Billed] = {}
    for item, due in items:
        key, amount = (item.tenant_id, due.currency), due.price * item.parts
        if left[key] - sums[key] - amount < -due.limit:
            unpaid.add(item.id)
            continue
        sums[key] += amount
        first.setdefault(key, item)
        rows.append(_charge(item, due, amount))
    if rows:
        yield Many(_CHARGE_ADD, rows)
        # The first message's id names the transfer: each is reserved for once.
        yield from _post(
            [_transfer(i.id, i.tenant_id, "reserve", i.now) for i in first.values()],
            [
                line
                for key, amount in sums.items()
                if amount
                for line in _pair(first[key].id, key, CREDIT, RESERVED, amount)
            ],
        )
    return unpaid


def _charge(item: Billed, due: Charge, amount: int) -> dict[str, Any]:
    return {
        "message_id": item.id,
        "tenant_id": item.tenant_id,
        "country": item.country,
        "currency": due.currency,
        "price": due.price,
        "parts": item.parts,
        "reserved": amount,
        "charge_on": due.charge_on,
        "state": "open",
        "until": item.expires_at + GRACE,
    }


def _credits(wanted: Iterable[tuple[int, str]]) -> Script:
    """(tenant, currency) → credit, locked until this transaction ends; what misses is opened.

    Whoever moves a tenant's money holds this lock, so all of its accounts move together.
    """
    wanted = set(wanted)
    tenants = Values(sorted({tenant for tenant, _ in wanted}))
    found = yield Rows(_CREDITS, {"tenants": tenants})
    known = {(row[0], row[1]): row[2] for row in found}
    if missing := sorted(wanted - known.keys()):
        kinds = (CREDIT, RESERVED)
        rows = [{"tenant_id": t, "kind": k, "currency": c} for t, c in missing for k in kinds]
        yield Many(_OPEN_ACCOUNT, rows)
        found = yield Rows(_CREDITS, {"tenants": tenants})
        known = {(row[0], row[1]): row[2] for row in found}
    return known


# Booking


def _transfer(
    number: int,
    tenant: int,
    kind: str,
    now: float,
    *,
    key: str = "",
    note: str = "",
    actor: str = "bridge",
) -> dict[str, Any]:
    return {
        "id": number,
        "tenant_id": tenant,
        "kind": kind,
        "key": key,
        "note": note,
        "actor": actor,
        "at": now,
    }


def _line(transfer_id: int, whose: Account, amount: int) -> dict[str, Any]:
    tenant, kind, currency = whose
    return {
        "transfer_id": transfer_id,
        "tenant_id": tenant,
        "kind": kind,
        "currency": currency,
        "amount": amount,
    }


def _pair(
    transfer_id: int, whose: tuple[int, str], giver: str, taker: str, amount: int
) -> list[dict[str, Any]]:
    tenant, currency = whose
    return [
        _line(transfer_id, (tenant, giver, currency), -amount),
        _line(transfer_id, (tenant, taker, currency), amount),
    ]


def _post(transfers: Sequence[Mapping[str, Any]], lines: Sequence[Mapping[str, Any]]) -> Script:
    """Add transfers with their entries, and move the balances by them. The credits are locked.

    Raises ValueError for entries that do not sum to nothing: then nothing is stored.
    """
    balance: defaultdict[tuple[int, str], int] = defaultdict(int)
    moves: defaultdict[Account, int] = defaultdict(int)
    for line in lines:
        balance[line["transfer_id"], line["currency"]] += line["amount"]
        moves[line["tenant_id"], line["kind"], line["currency"]] += line["amount"]
    if any(balance.values()):
        raise ValueError("the entries of a transfer do not sum to nothing")
    yield Many(_TRANSFER_ADD, transfers)
    if lines:
        yield Many(_ENTRY_ADD, lines)
        yield Many(
            _MOVE,
            [
                {"tenant_id": tenant, "kind": kind, "currency": currency, "balance": amount}
                for (tenant, kind, currency), amount in sorted(moves.items())
            ],
        )


_KEYS = Statement(select(transfer.c.key).where(among(transfer.c.key, "keys")))


@alone
def post(items: Sequence[Posting]) -> Script:
    """True an item that was booked now; False where its key was booked before."""
    yield from _credits({(item.tenant_id, item.currency) for item in items})
    found = yield Rows(_KEYS, {"keys": Values(sorted({i.key for i in items} - {""}))})
    known = {row[0] for row in found}
    results = []
    for item in items:
        is_new = item.key not in known or not item.key
        results.append(is_new)
        if is_new:
            known.add(item.key)
            whose = (item.tenant_id, item.currency)
            source = SOURCES[item.kind]
            yield from _post(
                [
                    _transfer(
                        item.id,
                        item.tenant_id,
                        item.kind,
                        item.now,
                        key=item.key,
                        note=item.note,
                        actor=item.actor,
                    )
                ],
                _pair(item.id, whose, source, CREDIT, item.amount),
            )
    return results


# Closing


@alone
def close_charges(items: Sequence[Close]) -> Script:
    """A `Closed` an item (all the same): what has ended is booked, or released."""
    item = items[0]
    found = yield Rows(_OPEN, {"after": item.after})
    ends: list[_End] = []
    if found:
        fates = yield Rows(_FATES, {"ids": Values([row[0] for row in found])})
        known = {row[0]: row for row in fates}
        ends = [e for row in found if (e := _end(row, known.get(row[0]), item.now)) is not None]
        if ends:
            yield from _close(ends, item)
    result = Closed(len(ends), found[-1][0] if len(found) == BATCH else None)
    return [result] * len(items)


@dataclass(frozen=True, slots=True)
class _End:
    """How a charge ends."""

    id: int
    tenant: int
    currency: str
    reserved: int
    parts: int
    amount: int  # 0: released
    state: str


def _end(row: Row, fate: Row | None, now: float) -> _End | None:
    """None while nobody knows; without a message there is nothing to charge."""
    number, tenant, currency, price, parts, reserved, charge_on, until = row
    charged: bool | None = False
    if fate is not None:
        _, state, parts, sent_at = fate
        charged = _is_charged(State(state), charge_on, taken=sent_at is not None, late=until < now)
    if charged is None:
        return None
    amount = price * parts if charged else 0
    state = "booked" if charged else "released"
    return _End(number, tenant, currency, reserved, parts, amount, state)


def _is_charged(state: State, charge_on: str, *, taken: bool, late: bool) -> bool | None:
    """Whether a message in this state is charged; None while that is open.

    Carriers bill what they have taken, whether or not it arrives.
    """
    if state is State.DELIVERED:
        return True
    if state is State.SENT:
        return True if charge_on == ACCEPTED else False if late else None
    if state in (State.FAILED, State.EXPIRED):
        return taken and charge_on == ACCEPTED
    if state in (State.CANCELLED, State.SUPPRESSED):
        return False
    return None


def _close(ends: Sequence[_End], item: Close) -> Script:
    """One transfer a tenant and currency: what was reserved is earned, and given back."""
    by: defaultdict[tuple[int, str], list[_End]] = defaultdict(list)
    for end in ends:
        by[end.tenant, end.currency].append(end)
    yield from _credits(by.keys())
    transfers, lines, rows = [], [], []
    for key, group in sorted(by.items()):
        number = item.new_id()
        transfers.append(_transfer(number, key[0], "settle", item.now))
        reserved, earned = sum(e.reserved for e in group), sum(e.amount for e in group)
        amounts = ((RESERVED, -reserved), (REVENUE, earned), (CREDIT, reserved - earned))
        lines += [_line(number, (key[0], kind, key[1]), n) for kind, n in amounts if n]
        rows += [
            {
                "id": end.id,
                "state": end.state,
                "parts": end.parts,
                "amount": end.amount,
                "transfer_id": number,
                "at": item.now,
            }
            for end in group
        ]
    yield Many(_CLOSE, rows)
    yield from _post(transfers, lines)


# Forgetting

_FORGET = Statement(update(transfer).where(among(transfer.c.id, "ids")).values(note="", actor=""))


def forget_movers(ids: Sequence[int]) -> Script:
    """Who moved money, and why, is forgotten; that it moved is not. Table → rows."""
    if not ids:
        return Counter[str]()
    count = yield Do(_FORGET, {"ids": Values(ids)})
    return Counter({transfer.name: count})
