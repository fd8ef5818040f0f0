"""Prices: what a file says, and which of them holds for a number on a day."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.dispatch.price_file import read_prices
from bridge.dispatch.prices import Price, Prices, total
from bridge.money import MICRO, decimal, micro, show
from bridge.store.prices import COST, PRICE, Row

ANNA = "+420601123456"
DAY = 86_400.0
NOW = 1_790_000_000.0


def read(text: str) -> tuple[list[Row], list[tuple[int, str]]]:
    rows, problems = read_prices(text.encode(), ["smsc", "other"], ["acme"])
    return rows, [(p.line, p.reason) for p in problems]


@given(st.integers(-(10**15), 10**15))
def test_an_amount_survives_being_written(units: int) -> None:
    assert micro(show(units)) == units
    assert decimal(units) * MICRO == units


@pytest.mark.parametrize(
    ("written", "units"),
    [("0.0521", 52_100), ("0,0521", 52_100), ("12", 12 * MICRO), ("-3.5", -3_500_000)],
)
def test_an_amount_is_exact(written: str, units: int) -> None:
    assert micro(written) == units


@pytest.mark.parametrize("written", ["", "1.0000001", "1e3", "nan", "1.2.3", "0x10", "10000000000"])
def test_what_is_no_amount_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="an amount is"):
        micro(written)


def test_an_amount_has_two_places_or_as_many_as_it_needs() -> None:
    assert [show(n) for n in (12 * MICRO, 52_100, 500_000, 0)] == [
        "12.00",
        "0.0521",
        "0.50",
        "0.00",
    ]
    assert decimal(52_100) == Decimal("0.0521")


def test_a_file_of_costs_is_read() -> None:
    rows, problems = read(
        "carrier;prefix;price;currency;valid_from\n"
        "smsc;+420;0,85;CZK;\nsmsc;420601;0,90;czk;2026-12-01\nother;*;0.04;EUR;\n"
    )
    assert not problems
    assert rows == [
        Row(COST, "smsc", "+420", "CZK", 850_000),
        Row(COST, "smsc", "+420601", "CZK", 900_000, 1_796_083_200.0),
        Row(COST, "other", "+", "EUR", 40_000),
    ]


def test_a_file_of_tenants_prices_is_read() -> None:
    rows, problems = read("tenant,prefix,price,currency\nacme,+47,0.6,NOK\n*,+,1.2,CZK\n")
    assert not problems
    assert [(row.kind, row.name) for row in rows] == [(PRICE, "acme"), (PRICE, "*")]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nobody,+420,1,CZK,", "there is no carrier 'nobody'"),
        ("smsc,x,1,CZK,", "a prefix is"),
        ("smsc,,1,CZK,", "a prefix is"),
        ("smsc,+420,a,CZK,", "an amount is"),
        ("smsc,+420,-1,CZK,", "not below nothing"),
        ("smsc,+420,1,crowns,", "a currency has three letters"),
        ("smsc,+420,1,CZK,tomorrow", "valid_from is a day"),
        ("smsc,+420,1,CZK,,7", "more columns than the first line names"),
        ("smsc", "an amount is"),
    ],
)
def test_what_is_wrong_in_a_line_is_said(line: str, said: str) -> None:
    rows, problems = read(f"carrier,prefix,price,currency,valid_from\n{line}\n")
    assert not rows
    assert problems[0][0] == 2
    assert said in problems[0][1]


def test_two_prices_of_the_same_are_a_problem() -> None:
    _, problems = read("carrier,prefix,price,currency\nsmsc,+420,1,CZK\nsmsc,+420,2,CZK\n")
    assert problems == [(3, "line 2 has another price of the same")]


def test_a_line_that_ends_early_is_a_problem() -> None:
    _, problems = read("prefix,price,currency,carrier\n+420,1,CZK\n")
    assert problems == [(2, "there is no carrier ''; there is other, smsc")]


def test_a_column_without_a_name_is_taken_out() -> None:
    _, problems = read("carrier,,prefix,price,currency\nsmsc,x,+420,1,CZK\n")
    assert problems == [(1, "column 2 has no name: take it out")]
    rows, problems = read("carrier,prefix,price,currency,,\nsmsc,+420,1,CZK,,\n")
    assert (len(rows), problems) == (1, [])


@pytest.mark.parametrize(
    "header",
    [
        "",
        "prefix,price,currency",
        "carrier,tenant,prefix,price,currency",
        "carrier,prefix,price,currency,note",
    ],
)
def test_a_file_says_whose_prices_it_has(header: str) -> None:
    _, problems = read(header + "\n")
    assert "the first line names the columns" in problems[0][1]


def test_the_longest_prefix_decides() -> None:
    prices = Prices(
        [
            Row(COST, "smsc", "+", "CZK", 9),
            Row(COST, "smsc", "+420", "CZK", 3),
            Row(COST, "smsc", "+420601", "CZK", 5),
        ]
    )
    found = [prices.cost("smsc", to, NOW) for to in (ANNA, "+420777123456", "+4740612345")]
    assert [p.amount for p in found if p] == [5, 3, 9]
    assert prices.cost("other", ANNA, NOW) is None


def test_the_newest_price_that_is_valid_already_holds() -> None:
    prices = Prices(
        [
            Row(COST, "smsc", "+420", "CZK", 1, NOW - 2 * DAY),
            Row(COST, "smsc", "+420", "CZK", 2, NOW - DAY),
            Row(COST, "smsc", "+420", "CZK", 3, NOW + DAY),
            Row(COST, "smsc", "+420601", "CZK", 4, NOW + DAY),
        ]
    )
    days = (NOW - 3 * DAY, NOW - 1.5 * DAY, NOW, NOW + DAY)
    found = [prices.cost("smsc", ANNA, day) for day in days]
    assert [p and p.amount for p in found] == [None, 1, 2, 4]


def test_a_tenants_own_price_comes_before_that_of_all() -> None:
    prices = Prices(
        [
            Row(PRICE, "acme", "+420", "CZK", 1),
            Row(PRICE, "*", "+420601", "CZK", 2),
            Row(PRICE, "*", "+47", "NOK", 3),
        ]
    )
    assert prices.of("acme", ANNA, NOW) == Price(1, "CZK", "+420")
    assert prices.of("beta", ANNA, NOW) == Price(2, "CZK", "+420601")
    assert prices.of("acme", "+4740612345", NOW, "CZK") is None
    assert prices.shown("acme", "smsc", "+4740612345", NOW) == Price(3, "NOK", "+47")


def test_what_whoever_sends_is_shown_falls_back_on_the_cost() -> None:
    prices = Prices([Row(COST, "smsc", "+", "EUR", 40_000)])
    price = prices.shown("acme", "smsc", ANNA, NOW)
    assert price is not None
    assert str(price.times(3)) == "0.12 EUR"


def test_a_sum_is_by_currency_and_known_whole_or_not_at_all() -> None:
    crown, euro = Price(MICRO, "CZK"), Price(52_100, "EUR")
    assert total([crown, euro, crown]) == "2.00 CZK + 0.0521 EUR"
    assert total([crown, None]) == ""


def test_a_look_costs_microseconds_and_nothing_where_there_are_none() -> None:
    rows = [Row(COST, "smsc", f"+{n}", "EUR", n) for n in range(1, 20_000)]
    full, empty = Prices(rows), Prices()
    began = time.perf_counter()
    for _ in range(1000):
        full.cost("smsc", ANNA, NOW)
    assert (time.perf_counter() - began) / 1000 < 50e-6
    assert empty.cost("smsc", ANNA, NOW) is None
