"""A tenant and a number come in; what a message is charged, or why it is not taken, goes out.

And what time does with accounts: charges of messages that have ended are booked, free credit is
given at sign-up, tenants are told that their credit is low.
"""

from __future__ import annotations

from typing import Final

import structlog

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.clocks import Rarely
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.store.accounts import (
    BALANCE_HINT,
    Charge,
    Close,
    Closed,
    Posting,
    close_charges,
    post,
)
from bridge.store.books import ANY_OPEN
from bridge.store.low_credit import Look, Watch, warn

log = structlog.get_logger("bridge.billing")

NONE: Final = "none"
PREPAID: Final = "prepaid"
POSTPAID: Final = "postpaid"
#: Turns of `close_charges` a second, and how many of them may find nothing to close.
TURNS: Final = 20
IDLE: Final = 2
#: Seconds between two looks for low credit, and for what is open where nobody keeps an account.
RARELY: Final = 20.0


def charge(bridge: Bridge, tenant: Tenant, to: str, now: float) -> Charge:
    """What a message to this number is charged. Raises Refused for debtors, and without a price."""
    if tenant.id in bridge.debtors:
        raise Refused(
            f"{tenant.name} has an invoice that is overdue", "pay it: `bridge accounts invoices`"
        )
    price = bridge.prices.of(tenant.name, to, now, tenant.currency)
    if price is None:
        raise Refused(
            f"{tenant.name} has no price in {tenant.currency} for this number",
            "ask the operator: `bridge prices list` shows the prices that there are",
        )
    return Charge(price.amount, price.currency, limit(tenant), tenant.charge_on)


def limit(tenant: Tenant) -> int:
    """How far below zero a tenant's credit may go."""
    return tenant.credit_limit if tenant.billing == POSTPAID else 0


def symbol(tenant: Tenant) -> str:
    """By which a payment finds the tenant's account: its variable symbol."""
    return tenant.variable_symbol or str(tenant.id)


def unpaid(bridge: Bridge, tenant: int) -> Refused:
    """The refusal of what the tenant's credit does not suffice for."""
    name = bridge.register.tenants[tenant].name
    return Refused(f"{name} has not enough credit for this message", BALANCE_HINT)


class Treasurer:
    """What time does with accounts; several processes at it do no harm."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self._after = 0
        self._looks = Rarely(RARELY)
        self._warns = Rarely(RARELY)
        self._welcomed: set[int] = set()

    async def once(self, now: float) -> None:
        """Book what has ended. Raises StoreUnavailable."""
        if not await self._has_work(now):
            return
        await self._welcome()
        await self._warn(now)
        idle = 0
        for _ in range(TURNS):
            turn = Close(self._after, now, self.bridge.ids.next)
            done: Closed = await self.bridge.store.write(close_charges, turn)
            self._after = done.after or 0
            idle += not done.count
            if not self._after or idle >= IDLE:
                return

    async def _has_work(self, now: float) -> bool:
        """Where no tenant has an account any more, what is open is looked for now and then."""
        if any(each.billing != NONE for each in self.bridge.register.tenants.values()):
            return True
        return self._looks.due(now) and bool(await self.bridge.store.read(ANY_OPEN))

    async def _warn(self, now: float) -> None:
        """Tenants hear, once each, that their credit is low."""
        if not self._warns.due(now):
            return
        watched = tuple(
            Watch(tenant.id, tenant.currency, limit(tenant), tenant.low_balance)
            for tenant in self.bridge.register.tenants.values()
            if tenant.billing != NONE
        )
        if watched and await self.bridge.store.write(warn, Look(watched, now)):
            self.bridge.ring_edges()

    async def _welcome(self) -> None:
        """New accounts get the credit that every account begins with, once."""
        amount = self.bridge.settings.billing.free_credit
        for tenant in self.bridge.register.tenants.values():
            if amount and tenant.billing != NONE and tenant.id not in self._welcomed:
                await give(self.bridge, tenant, amount, "bridge", key=f"welcome {tenant.id}")
                self._welcomed.add(tenant.id)


async def give(
    bridge: Bridge,
    tenant: Tenant,
    amount: int,
    actor: str,
    *,
    kind: str = "gift",
    key: str = "",
    note: str = "",
) -> bool:
    """Book money that comes to a tenant, or goes below zero; False where its key was booked."""
    item = Posting(
        bridge.ids.next(),
        tenant.id,
        kind,
        tenant.currency,
        amount,
        actor,
        bridge.clock(),
        key,
        note,
    )
    return bool(await bridge.store.write(post, item))
