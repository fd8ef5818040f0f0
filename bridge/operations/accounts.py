"""Tenants' accounts: money that came in, or a question; balances and what a check found go out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator

from bridge.dispatch import billing, debts
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.money import micro, paid, show
from bridge.operations.office import Item, Office, record, tenant_named
from bridge.store.accounts import CREDIT, RESERVED, REVENUE
from bridge.store.books import BALANCES, verified
from bridge.store.logbook import TENANT_NAMES


async def accounts_list(office: Office, *, tenant: str = "") -> AsyncIterator[Item]:
    """One object an account: what is left, what is reserved, and what was earned."""
    bridge = office.bridge
    await bridge.refresh()
    if tenant:
        await tenant_named(office, tenant)
    names = {row[1]: row[0] for row in await bridge.store.read(TENANT_NAMES)}
    found: defaultdict[tuple[int, str], dict[str, int]] = defaultdict(dict)
    late = await debts.overdue(bridge.store, bridge.clock())
    for each in bridge.register.tenants.values():
        if each.billing != billing.NONE:
            found[each.id, each.currency] = {}
    for number, currency, kind, balance in await bridge.store.read(BALANCES):
        found[number, currency][kind] = balance
    for (number, currency), kinds in sorted(found.items()):
        name = names.get(number, "")
        if tenant in ("", name):
            owner = bridge.register.tenants.get(number)
            owed = sum(each.open for each in late.get(number, ()) if each.currency == currency)
            yield {"tenant": name, **_shown(owner, currency, kinds), "overdue": show(owed)}


def _shown(tenant: Tenant | None, currency: str, kinds: dict[str, int]) -> Item:
    """An account; of a closed tenant what is left of it."""
    credit = kinds.get(CREDIT, 0)
    limit = billing.limit(tenant) if tenant is not None and tenant.currency == currency else 0
    return {
        "billing": tenant.billing if tenant is not None else "closed",
        "variable_symbol": billing.symbol(tenant) if tenant is not None else "",
        "currency": currency,
        "credit": show(credit),
        "limit": show(limit),
        "available": show(credit + limit),
        "reserved": show(kinds.get(RESERVED, 0)),
        "earned": show(kinds.get(REVENUE, 0)),
    }


async def accounts_add(
    office: Office, *, tenant: str, amount: str, kind: str, note: str = ""
) -> AsyncIterator[Item]:
    """Book a payment, a gift or a correction; the account as it is then. Raises Refused."""
    owner = await tenant_named(office, tenant)
    if kind not in ("payment", "gift", "correction"):
        raise Refused(f"there is no kind {kind!r}")
    try:
        units = micro(amount) if kind == "correction" else paid(amount)
    except ValueError as wrong:
        raise Refused(str(wrong)) from None
    if not units or (units < 0 and kind != "correction"):
        raise Refused("the amount is not above zero", "what was wrong is corrected: --correction")
    if kind == "correction" and not note:
        raise Refused("why is it corrected?", "say --note")
    await billing.give(office.bridge, owner, units, office.actor, kind=kind, note=note)
    await record(office, f"accounts {kind}", tenant=owner.id, amount=show(units), why=note)
    async for item in accounts_list(office, tenant=owner.name):
        yield item


async def accounts_verify(office: Office) -> AsyncIterator[Item]:
    """Whether the books are right: debits and credits by currency. Raises Refused where not."""
    found = await verified(office.bridge.store)
    yield {
        "right": not found.faults,
        "transfers": found.transfers,
        "charges": found.charges,
        "open": found.open,
        "debits": {currency: show(debit) for currency, debit, _ in found.sides},
        "credits": {currency: show(credit) for currency, _, credit in found.sides},
        "faults": list(found.faults),
    }
    if found.faults:
        raise Refused(
            f"the books are not right: {'; '.join(found.faults)}",
            "restore the last backup that `bridge accounts verify` finds right, and compare",
        )
