"""Months, invoices and payments over both databases; who owes; who is told of low credit."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bridge import opening
from bridge.dispatch.billing import Treasurer, give
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.debts import debtors, overdue
from bridge.dispatch.erasing import Wish, erase
from bridge.dispatch.requests import Someone
from bridge.errors import Refused
from bridge.money import MICRO
from bridge.settings import load
from bridge.store.account_tables import invoice
from bridge.store.chat_log import TakeBack, take_back
from bridge.store.sql import Do, Script, Statement
from bridge.store.tables import message, notice
from tests.flow.test_prices import packed, run
from tests.seeds import seeded

ANNA = "+420601123456"
CONFIG = """
data_dir = "{data_dir}"
[database]
url = "{url}"
[billing]
supplier = ["Bridge s.r.o.", "ICO 12345678"]
vat = "21"
stop_debtors = true
[[tenants]]
name = "acme"
billing = "postpaid"
currency = "CZK"
credit_limit = 1000
variable_symbol = "4242"
billing_address = ["Acme a.s.", "Praha"]
inbox = ["boss@acme.example"]
low_balance = [995, 990]
[[tenants]]
name = "sister"
billing = "prepaid"
currency = "CZK"
"""
PRICES = "tenant,prefix,price,currency\n*,+420,1.005,CZK\n"
BANK = "date,amount,currency,vs,reference\n"
Do_ = Callable[..., Any]


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 10, 15, tzinfo=UTC).timestamp()

    def __call__(self) -> float:
        return self.now

    def on(self, month: int, day: int) -> None:
        self.now = datetime(2026, month, day, 2, tzinfo=UTC).timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def bridge(tmp_path: Path, url: str, clock: Clock) -> AsyncIterator[Bridge]:
    path = tmp_path / "bridge.toml"
    path.write_text(CONFIG.format(data_dir=seeded(tmp_path / "data"), url=url))
    async with opening.opened(load(path, {}), "up") as bridge:
        bridge.clock = clock
        await run(bridge, "prices import", data=packed(PRICES))
        yield bridge


@pytest.fixture
def do(bridge: Bridge) -> Do_:
    return lambda operation, **given: run(bridge, operation, **given)


def _all_taken(items: list[float]) -> Script:
    """A carrier has taken everything."""
    for at in items:
        state = message.update().where(message.c.state == "queued")
        yield Do(Statement(state.values(state="sent", sent_at=at)), {})
    return [None] * len(items)


async def sent(bridge: Bridge, count: int, **more: Any) -> None:
    for n in range(count):
        given = {"tenant": "acme", "to": ANNA, "text": f"Boiler {n}", **more}
        await run(bridge, "send", **given)
    await bridge.store.write(_all_taken, bridge.clock())
    await booked(bridge)


async def booked(bridge: Bridge) -> None:
    await Treasurer(bridge).once(bridge.clock())
    (found,) = await run(bridge, "accounts verify")
    assert found["right"]


async def account(do: Do_, tenant: str = "acme") -> dict[str, Any]:
    (found,) = await do("accounts list", tenant=tenant)
    return found


async def test_a_statement_adds_up(bridge: Bridge, do: Do_, clock: Clock) -> None:
    await sent(bridge, 2)
    await do("accounts add", tenant="acme", amount="10", kind="payment")
    clock.on(11, 3)
    await sent(bridge, 3)
    await do("accounts add", tenant="acme", amount="5", kind="gift")
    (october,) = await do("accounts statement", tenant="acme", month="2026-10")
    (november,) = await do("accounts statement", tenant="acme", month="2026-11")
    assert (october["opening"], october["used"], october["closing"]) == ("0.00", "2.01", "7.99")
    assert (november["opening"], november["used"], november["closing"]) == (
        "7.99",
        "3.015",
        "9.975",
    )
    for each in (october, november):
        parts = [Decimal(each[word]) for word in ("opening", "paid", "given", "corrected", "vat")]
        assert sum(parts) - Decimal(each["used"]) == Decimal(each["closing"])
    assert november["countries"] == [
        {"country": "CZ", "messages": 3, "parts": 3, "amount": "3.015"}
    ]
    assert (await account(do))["available"] == "1009.975"


async def test_what_is_on_its_way_is_still_the_tenants(do: Do_) -> None:
    await do("send", tenant="acme", to=ANNA, text="Boiler")
    (found,) = await do("accounts statement", tenant="acme", month="2026-10")
    assert (found["used"], found["closing"]) == ("0.00", "0.00")


@pytest.mark.parametrize("form", ["csv", "html"])
async def test_a_statement_is_a_file_too(bridge: Bridge, do: Do_, form: str) -> None:
    await sent(bridge, 1)
    (found,) = await do("accounts statement", tenant="acme", month="2026-10", form=form)
    assert "CZ" in found["written"]
    assert "1.005" in found["written"]


async def test_an_invoice_is_issued_once_the_month_is_over(
    bridge: Bridge, do: Do_, clock: Clock
) -> None:
    await sent(bridge, 100)
    with pytest.raises(Refused, match="is not over"):
        await do("accounts invoice issue", tenant="acme", month="2026-10")
    clock.on(11, 2)
    (made,) = await do("accounts invoice issue", tenant="acme", month="2026-10")
    assert made["number"] == "2026000001"
    assert (made["net"], made["vat"], made["total"]) == ("100.50", "21.11", "121.61")
    assert made["customer"] == ["Acme a.s.", "Praha"]
    # What is owed is what stands on it.
    assert (await account(do))["credit"] == "-121.61"
    with pytest.raises(Refused, match="has its invoice: 2026000001"):
        await do("accounts invoice issue", tenant="acme", month="2026-10")
    with pytest.raises(Refused, match="used nothing"):
        await do("accounts invoice issue", tenant="acme", month="2026-09")
    await booked(bridge)


async def test_what_is_booked_in_a_months_last_moments_is_on_its_invoice(
    bridge: Bridge, do: Do_, clock: Clock
) -> None:
    """Another process may still be writing down what it booked before midnight."""
    await sent(bridge, 1)
    clock.on(11, 1)
    clock.now -= 3601
    with pytest.raises(Refused, match="is not over"):
        await do("accounts invoice issue", tenant="acme", month="2026-10")
    clock.now += 2
    await do("accounts invoice issue", tenant="acme", month="2026-10")


async def test_a_statement_is_of_one_moment_while_money_moves(
    bridge: Bridge, do: Do_, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sent(bridge, 2)
    clock.on(11, 3)
    await do("accounts add", tenant="acme", amount="5", kind="payment")
    (quiet,) = await do("accounts statement", tenant="acme", month="2026-10")
    real, acme = bridge.store.read, bridge.register.named("acme")
    assert acme is not None

    async def busy(statement: Statement, **values: Any) -> Any:
        found = await real(statement, **values)
        await give(bridge, acme, MICRO, "eva")
        return found

    monkeypatch.setattr(bridge.store, "read", busy)
    (found,) = await do("accounts statement", tenant="acme", month="2026-10")
    assert found == quiet


@pytest.mark.parametrize("paid", ["2", "1.005"])
async def test_an_invoice_is_paid_from_credit_only_where_that_suffices(
    bridge: Bridge, do: Do_, clock: Clock, paid: str
) -> None:
    given = {"tenant": "sister", "amount": paid, "kind": "correction", "note": "moved"}
    await do("accounts add", **given)
    await sent(bridge, 1, tenant="sister")
    clock.on(11, 2)
    (made,) = await do("accounts invoice issue", tenant="sister", month="2026-10")
    (shown,) = await do("accounts invoice show", number=made["number"], form="html")
    (listed,) = await do("accounts invoice list")
    is_paid = paid == "2"
    assert (listed["state"] == "paid") is is_paid
    assert ("paid from credit" in shown["written"]) is is_paid


async def test_numbers_have_no_gap(bridge: Bridge, do: Do_, clock: Clock) -> None:
    for month in (9, 10):
        clock.on(month, 15)
        await sent(bridge, 1)
    clock.on(11, 1)
    for month in ("2026-09", "2026-09", "2026-08", "2026-10"):
        with contextlib.suppress(Refused):
            await do("accounts invoice issue", tenant="acme", month=month)
    listed = await do("accounts invoice list")
    assert [each["number"] for each in listed] == ["2026000001", "2026000002"]


async def test_an_invoice_is_exported_as_it_was_issued(
    bridge: Bridge, do: Do_, clock: Clock
) -> None:
    await sent(bridge, 10)
    clock.on(11, 2)
    (made,) = await do("accounts invoice issue", tenant="acme", month="2026-10")
    (shown,) = await do("accounts invoice show", number=made["number"])
    assert shown == made
    for form, what in (("csv", "total,,,12.16"), ("html", "Invoice 2026000001")):
        (found,) = await do("accounts invoice show", number=made["number"], form=form)
        assert what in found["written"]
    with pytest.raises(Refused, match="no invoice"):
        await do("accounts invoice show", number="1")


async def test_p8_an_erasure_leaves_the_invoice_which_names_a_company(
    bridge: Bridge, do: Do_, clock: Clock
) -> None:
    await sent(bridge, 3)
    clock.on(11, 2)
    (made,) = await do("accounts invoice issue", tenant="acme", month="2026-10")
    before = await account(do)
    bridge_rows = Statement(select(invoice.c.document))
    (document,) = [row[0] for row in await bridge.store.read(bridge_rows)]
    await erase(bridge, [Wish(1, 1, Someone("number", ANNA), "eva")])
    assert [row[0] for row in await bridge.store.read(bridge_rows)] == [document]
    assert ANNA[1:] not in document
    assert await account(do) == before
    (shown,) = await do("accounts invoice show", number=made["number"])
    assert shown["lines"] == [{"country": "CZ", "messages": 3, "parts": 3, "amount": "3.015"}]
    await booked(bridge)


async def test_a_payment_finds_its_account_by_its_variable_symbol(
    bridge: Bridge, do: Do_, clock: Clock
) -> None:
    await sent(bridge, 1)
    clock.on(11, 2)
    (made,) = await do("accounts invoice issue", tenant="acme", month="2026-10")
    file = BANK + (
        f"2026-11-03,1.22,CZK,{made['number']},invoice\n"
        "2026-11-03,100,CZK,0000004242,own symbol\n"
        "2026-11-03,7,CZK,999,nobody\n"
        "2026-11-03,8,EUR,4242,another currency\n"
        "2026-11-03,-9,CZK,4242,out\n"
    )
    (done,) = await do("accounts payments import", data=packed(file))
    assert done == {"booked": 2, "waiting": 2, "known": 0}
    (again,) = await do("accounts payments import", data=packed(file))
    assert again == {"booked": 0, "waiting": 0, "known": 4}
    assert (await account(do))["credit"] == "100.005"
    waiting = await do("accounts payments list", waiting=True)
    assert sorted(each["amount"] for each in waiting) == ["7.00", "8.00"]
    await booked(bridge)


async def test_a_symbol_that_two_accounts_have_waits_for_a_person(bridge: Bridge, do: Do_) -> None:
    """A tenant without one of its own has its number for a symbol, which another may have chosen."""
    sister = bridge.register.named("sister")
    assert sister is not None
    described = {"billing": "prepaid", "currency": "CZK", "variable_symbol": str(sister.id)}
    await do("tenant add", tenant={"name": "beta", **described})
    file = BANK + f"2026-11-03,7,CZK,{sister.id},whose\n"
    (done,) = await do("accounts payments import", data=packed(file))
    assert done == {"booked": 0, "waiting": 1, "known": 0}


@pytest.mark.parametrize("kind", ["payment", "gift"])
async def test_a_sign_between_thousands_is_no_decimal_sign(do: Do_, kind: str) -> None:
    with pytest.raises(Refused, match="at most two decimals"):
        await do("accounts add", tenant="acme", amount="1,200", kind=kind)


async def test_a_person_says_whose_a_payment_is(bridge: Bridge, do: Do_) -> None:
    file = BANK + "2026-11-03,7,CZK,999,nobody\n2026-11-03,8,EUR,,euro\n"
    await do("accounts payments import", data=packed(file))
    euro, crown = await do("accounts payments list", waiting=True)
    (done,) = await do("accounts payments match", id=crown["id"], tenant="sister")
    assert done["state"] == "booked"
    assert (await account(do, "sister"))["credit"] == "7.00"
    with pytest.raises(Refused, match="no payment of this id waits"):
        await do("accounts payments match", id=crown["id"], tenant="sister")
    with pytest.raises(Refused, match="keeps its account in CZK"):
        await do("accounts payments match", id=euro["id"], tenant="acme")
    await booked(bridge)


async def test_a_wrong_line_books_nothing(do: Do_) -> None:
    with pytest.raises(Refused, match="1 problem"):
        await do("accounts payments import", data=packed(BANK + "today,1,CZK,4242,x\n"))
    assert await do("accounts payments list") == []


async def test_p70_a_debtor_is_shown_by_amount_and_days_only_and_stopped_until_it_pays(
    bridge: Bridge, do: Do_, clock: Clock
) -> None:
    await sent(bridge, 2)
    clock.on(11, 2)
    (made,) = await do("accounts invoice issue", tenant="acme", month="2026-10")
    clock.on(11, 15)
    await bridge.refresh()
    await sent(bridge, 1)
    clock.on(11, 16)
    clock.now += 21 * 3600  # the day on which it is due, an hour before its end
    await bridge.refresh()
    await sent(bridge, 1)
    clock.on(11, 17)
    await bridge.refresh()
    with pytest.raises(Refused, match="an invoice that is overdue"):
        await do("send", tenant="acme", to=ANNA, text="Boiler")
    (late,) = await do("accounts invoice list", overdue=True)
    assert late.keys() == {
        *("number", "tenant", "month", "total", "open", "currency"),
        *("issued_at", "due_at", "state"),
    }
    assert (late["open"], late["due_at"]) == ("2.43", "2026-11-16")
    assert (await account(do))["overdue"] == "2.43"
    # An objection is heard: what was wrong is given back, and says why.
    given = {"tenant": "acme", "amount": "2.43", "kind": "correction", "note": "disputed"}
    await do("accounts add", **given)
    await bridge.refresh()
    assert await do("accounts invoice list", overdue=True) == []
    await do("send", tenant="acme", to=ANNA, text="Boiler")
    assert made["number"] == late["number"]


async def test_a_payment_pays_the_oldest_first(bridge: Bridge, do: Do_, clock: Clock) -> None:
    for month in (8, 9):
        clock.on(month, 15)
        await sent(bridge, 10)
        clock.on(month + 1, 1)
        await do("accounts invoice issue", tenant="acme", month=f"2026-{month:02}")
    await do("accounts add", tenant="acme", amount="15", kind="payment")
    listed = await do("accounts invoice list")
    assert [(each["state"], each["open"]) for each in listed] == [
        ("paid", "0.00"),
        ("open", "9.32"),
    ]


async def test_debtors_are_those_who_owe_what_is_overdue(
    bridge: Bridge, do: Do_, clock: Clock
) -> None:
    """Also where the first invoice may be paid later than the second."""
    settings = bridge.settings
    for month, days in ((8, 60), (9, 1)):
        clock.on(month, 15)
        await sent(bridge, 10)
        clock.on(month + 1, 1)
        terms = settings.billing.model_copy(update={"due": timedelta(days=days)})
        bridge.settings = settings.model_copy(update={"billing": terms})
        await do("accounts invoice issue", tenant="acme", month=f"2026-{month:02}")
    acme = bridge.register.named("acme")
    assert acme is not None
    seen = set()
    for paid in ("0", "12", "12", "0.32", "1"):
        if paid != "0":
            await do("accounts add", tenant="acme", amount=paid, kind="payment")
        for day in (1, 3, 31):
            clock.on(10, day)
            found = await debtors(bridge.store, clock())
            assert found == (await overdue(bridge.store, clock())).keys()
            seen.add((paid, day, acme.id in found))
    assert ("0", 1, False) in seen
    assert ("12", 3, True) in seen
    assert ("1", 31, False) in seen


async def told(bridge: Bridge) -> int:
    found = await bridge.store.read(Statement(select(notice.c.id).where(notice.c.kind == "told")))
    return len(found)


async def test_low_credit_is_told_of_once_a_threshold(bridge: Bridge, do: Do_) -> None:
    await sent(bridge, 1)
    assert await told(bridge) == 0
    await sent(bridge, 5)
    assert await told(bridge) == 1
    await sent(bridge, 1)
    assert await told(bridge) == 1
    await sent(bridge, 5)
    assert await told(bridge) == 2
    await do("accounts add", tenant="acme", amount="12", kind="payment")
    await booked(bridge)
    await sent(bridge, 6)
    assert await told(bridge) == 3


async def test_what_was_reserved_for_nothing_comes_back(bridge: Bridge, do: Do_) -> None:
    await do("accounts add", tenant="sister", amount="1.01", kind="payment")
    await do("send", tenant="sister", to=ANNA, text="Boiler")
    with pytest.raises(Refused, match="not enough credit"):
        await do("send", tenant="sister", to=ANNA, text="Boiler")
    (number,) = [r[0] for r in await bridge.store.read(Statement(select(message.c.id)))]
    sister = bridge.register.named("sister")
    assert sister is not None
    item = TakeBack(number, sister.id, bridge.clock())
    await bridge.store.write(take_back, item)
    await booked(bridge)
    await do("send", tenant="sister", to=ANNA, text="Boiler")


async def test_a_tenant_may_begin_with_credit(bridge: Bridge, do: Do_) -> None:
    described = {"name": "beta", "billing": "prepaid", "currency": "CZK"}
    with pytest.raises(Refused, match="keeps no account"):
        await do("tenant add", tenant={"name": "gamma"}, credit="5")
    assert bridge.register.named("gamma") is None
    await do("tenant add", tenant=described, credit="5.50")
    assert (await account(do, "beta"))["available"] == "5.50"
    await booked(bridge)
