"""Statements, invoices and payments: a month or a bank's file comes in, documents go out."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

from bridge.dates import day
from bridge.dispatch import billing, debts, invoicing
from bridge.dispatch.invoicing import Month
from bridge.dispatch.payment_file import read_payments
from bridge.errors import Refused
from bridge.money import show
from bridge.operations.contacts import unpacked
from bridge.operations.office import Item, Office, read_id, record, tenant_named
from bridge.store import ids
from bridge.store.invoices import DOCUMENT
from bridge.store.logbook import TENANT_NAMES
from bridge.store.payments import (
    PAYMENTS,
    Import,
    Imported,
    Match,
    PaymentIn,
    import_payments,
    match_payments,
)


async def accounts_statement(
    office: Office, *, tenant: str, month: str, form: str = "json"
) -> AsyncIterator[Item]:
    """What a tenant had, used and paid in a month. Raises Refused."""
    owner = await tenant_named(office, tenant)
    found = await invoicing.statement(office.bridge, owner, Month.of(month))
    yield _written(found, form, "countries", "statement.html")


async def invoice_issue(office: Office, *, tenant: str, month: str) -> AsyncIterator[Item]:
    """Issue the invoice of a month that is over. Raises Refused."""
    owner = await tenant_named(office, tenant)
    number = await invoicing.invoiced(office.bridge, office.actor, owner, Month.of(month))
    await record(office, "accounts invoice", tenant=owner.id, number=number, month=month)
    yield {"number": number, **await _document(office, number)}


async def invoice_show(office: Office, *, number: str, form: str = "json") -> AsyncIterator[Item]:
    """An invoice as it was issued. Raises Refused."""
    yield _written(await _document(office, number), form, "lines", "invoice.html")


async def _document(office: Office, number: str) -> dict[str, Any]:
    rows = await office.bridge.store.read(DOCUMENT, number=number)
    if not rows:
        raise Refused("there is no invoice of this number", "`bridge accounts invoices` lists them")
    found: dict[str, Any] = json.loads(rows[0][0])
    return found


def _written(found: Mapping[str, Any], form: str, lines: str, template: str) -> Item:
    match form:
        case "csv":
            return {"written": invoicing.as_csv(found, lines)}
        case "html":
            return {"written": invoicing.as_page(found, template)}
        case _:
            return dict(found)


async def invoice_list(
    office: Office, *, tenant: str = "", overdue: bool = False
) -> AsyncIterator[Item]:
    """One object an invoice: amounts and days only (PRIVACY P70)."""
    bridge = office.bridge
    names = {row[1]: row[0] for row in await bridge.store.read(TENANT_NAMES)}
    now = bridge.clock()
    for each in await debts.invoices(bridge.store):
        name, state = names.get(each.tenant, ""), each.state(now)
        if tenant in ("", name) and (state == "overdue" or not overdue):
            yield {
                "number": each.number,
                "tenant": name,
                "month": each.month,
                "total": show(each.total),
                "open": show(each.open),
                "currency": each.currency,
                "issued_at": day(each.issued_at),
                "due_at": day(each.due_at),
                "state": state,
            }


# Payments


async def payments_import(office: Office, *, data: str) -> AsyncIterator[Item]:
    """Book what a bank's file says came in, all of it or nothing. Raises Refused."""
    bridge = office.bridge
    lines, problems = read_payments(unpacked(data))
    for problem in problems:
        yield {"line": problem.line, "problem": problem.reason}
    if problems:
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        raise Refused(f"nothing was imported: {count}", "correct the file, and import it again")
    await bridge.refresh()
    accounts = await _accounts(office)
    found = tuple(replace(line, tenant=_owner(line, accounts)) for line in lines)
    item = Import(found, office.actor, bridge.clock(), bridge.ids.next)
    done: Imported = await bridge.store.write(import_payments, item)
    await record(office, "accounts import", booked=done.booked, waiting=done.waiting)
    await bridge.refresh()
    yield {"booked": done.booked, "waiting": done.waiting, "known": done.known}


async def _accounts(office: Office) -> Mapping[tuple[str, str], set[int]]:
    """(variable symbol, currency) → tenants: a tenant's own symbol, or an invoice's number."""
    tenants = office.bridge.register.tenants
    found: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for each in await debts.invoices(office.bridge.store):
        if each.tenant in tenants:
            found[each.number, each.currency].add(each.tenant)
    for tenant in tenants.values():
        if tenant.billing != billing.NONE:
            found[billing.symbol(tenant), tenant.currency].add(tenant.id)
    return found


def _owner(line: PaymentIn, accounts: Mapping[tuple[str, str], set[int]]) -> int:
    """Whose a payment is; 0 where a person must say: nobody's, or more than one's."""
    owners = accounts.get((line.symbol, line.currency), set())
    return next(iter(owners)) if len(owners) == 1 else 0


async def payments_list(office: Office, *, waiting: bool = False) -> AsyncIterator[Item]:
    """One object a payment, newest first; with `waiting` those that nobody could tell whose."""
    names = {row[1]: row[0] for row in await office.bridge.store.read(TENANT_NAMES)}
    for number, at, amount, currency, symbol, reference, tenant in await office.bridge.store.read(
        PAYMENTS
    ):
        if not (waiting and tenant):
            yield {
                "id": ids.show(number),
                "day": at,
                "amount": show(amount),
                "currency": currency,
                "variable_symbol": symbol,
                "reference": reference,
                "tenant": names.get(tenant) if tenant else None,
            }


async def payments_match(
    office: Office,
    *,
    id: str,  # noqa: A002
    tenant: str,
) -> AsyncIterator[Item]:
    """A person says whose a payment is: it is booked. Raises Refused."""
    bridge = office.bridge
    number = read_id(id, "bridge accounts payments")
    owner = await tenant_named(office, tenant)
    rows = {row[0]: row[3] for row in await bridge.store.read(PAYMENTS)}
    if rows.get(number, owner.currency) != owner.currency:
        raise Refused(
            f"{owner.name} keeps its account in {owner.currency}, this came in {rows[number]}",
            "change it at the bank, and book what it made: `bridge accounts add`",
        )
    item = Match(number, owner.id, office.actor, bridge.clock(), bridge.ids.next())
    await bridge.store.write(match_payments, item)
    await record(office, "accounts match", tenant=owner.id, payment=ids.show(number))
    await bridge.refresh()
    yield {"id": ids.show(number), "tenant": owner.name, "state": "booked"}
