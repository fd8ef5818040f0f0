"""Tenants whose credit is low come in; what they are told, once for each threshold, goes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, update

from bridge.money import show
from bridge.store.account_tables import account
from bridge.store.accounts import CREDIT
from bridge.store.announcements import Words, tell_tenants
from bridge.store.sql import Many, Rows, Script, Statement, alone, constant


@dataclass(frozen=True, slots=True)
class Watch:
    """A tenant's thresholds; `limit` is what it may owe. Micro-units."""

    tenant: int
    currency: str
    limit: int
    thresholds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """The tenants to look at."""

    tenants: tuple[Watch, ...]
    now: float


_CREDIT = Statement(
    select(account.c.balance, account.c.warned)
    .where(
        account.c.tenant_id == bindparam("tenant"),
        account.c.currency == bindparam("currency"),
        account.c.kind == constant(CREDIT),
    )
    .with_for_update()
)
_TOLD = Statement(
    update(account)
    .where(
        account.c.tenant_id == bindparam("a_tenant"),
        account.c.currency == bindparam("a_currency"),
        account.c.kind == constant(CREDIT),
    )
    .values(warned=bindparam("a_warned"))
)


@alone
def warn(items: Sequence[Look]) -> Script:
    """How many tenants were told that their credit has fallen to another threshold, an item."""
    results = []
    for item in items:
        told = 0
        for each in sorted(item.tenants, key=lambda each: each.tenant):
            told += yield from _warn(each, item.now)
        results.append(told)
    return results


def _warn(each: Watch, now: float) -> Script:
    found = yield Rows(_CREDIT, {"tenant": each.tenant, "currency": each.currency})
    if not found:
        return 0
    left, warned = found[0][0] + each.limit, found[0][1]
    stage = sum(left <= threshold for threshold in {*each.thresholds, 0})
    if stage != warned:
        values = {"a_tenant": each.tenant, "a_currency": each.currency, "a_warned": stage}
        yield Many(_TOLD, [values])
    if stage <= warned:
        return 0
    yield from tell_tenants({each.tenant: _words(left, each)}, "credit", each.tenant, now)
    return 1


def _words(left: int, each: Watch) -> Words:
    if left <= 0:
        return Words(
            "Your SMS credit is spent",
            (
                f"Left: {show(left)} {each.currency}.",
                "Nothing more is taken until it is topped up.",
            ),
        )
    return Words(
        "Your SMS credit is low",
        (f"Left: {show(left)} {each.currency}.", "`/sms balance` in a chat shows it."),
    )
