"""Prices: a file of them comes in, or a question; what stands goes out."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bridge import phone
from bridge.dates import day
from bridge.dispatch.price_file import read_prices
from bridge.dispatch.prices import Price
from bridge.errors import Refused
from bridge.money import show
from bridge.operations.contacts import unpacked
from bridge.operations.office import Item, Office, act, entry, tenant_named
from bridge.store.prices import COST, PRICES, Import, Row, put_prices


async def prices_import(office: Office, *, data: str) -> AsyncIterator[Item]:
    """Store a CSV file, all or nothing: each problem, or what was done. Raises Refused."""
    bridge = office.bridge
    await bridge.refresh()
    tenants = [tenant.name for tenant in bridge.register.tenants.values()]
    rows, problems = read_prices(unpacked(data), bridge.carriers.keys(), tenants)
    for problem in problems:
        yield {"line": problem.line, "problem": problem.reason}
    if problems:
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        raise Refused(f"nothing was imported: {count}", "correct the file, and import it again")
    item = Import(tuple(rows), bridge.clock(), str(bridge.ids.next()))
    await act(
        office,
        put_prices,
        item,
        lambda count: entry(office, "prices import", 0, f"prices={count}"),
    )
    await bridge.refresh()
    yield {"prices": len(rows)}


async def prices_list(
    office: Office, *, carrier: str = "", tenant: str = ""
) -> AsyncIterator[Item]:
    """One object a price, also those that are not valid yet or not any more."""
    for found in await office.bridge.store.read(PRICES):
        row = Row(*found)
        wanted = carrier if row.kind == COST else tenant
        if (carrier or tenant) and row.name != wanted:
            continue
        yield {
            "carrier": row.name if row.kind == COST else None,
            "tenant": None if row.kind == COST else row.name,
            "prefix": row.prefix,
            "price": show(row.amount),
            "currency": row.currency,
            "valid_from": day(row.valid_from) if row.valid_from else None,
        }


async def prices_check(office: Office, *, number: str, tenant: str = "") -> AsyncIterator[Item]:
    """What a part to this number costs: with each carrier that has a price, and each tenant.

    Raises Refused.
    """
    bridge = office.bridge
    await bridge.refresh()
    owners = [await tenant_named(office, tenant)] if tenant else bridge.register.tenants.values()
    region = next((t.region for t in owners), bridge.settings.region)
    to = phone.parse(number, region).e164
    now = bridge.clock()
    for name in bridge.carriers:
        if (price := bridge.prices.cost(name, to, now)) is not None:
            yield {"carrier": name, "tenant": None, **_shown(price)}
    for owner in owners:
        if (price := bridge.prices.of(owner.name, to, now)) is not None:
            yield {"carrier": None, "tenant": owner.name, **_shown(price)}


def _shown(price: Price) -> Item:
    return {
        "prefix": price.prefix,
        "price": show(price.amount),
        "currency": price.currency,
        "valid_from": day(price.valid_from) if price.valid_from else None,
    }
