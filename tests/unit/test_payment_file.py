"""What a bank's file says came in."""

from __future__ import annotations

import pytest

from bridge.dispatch.payment_file import read_payments
from bridge.money import MICRO


def read(text: str, encoding: str = "utf-8") -> tuple[list[tuple[object, ...]], list[str]]:
    found, problems = read_payments(text.encode(encoding))
    rows = [(p.received_on, p.amount, p.currency, p.symbol, p.reference) for p in found]
    return rows, [f"{p.line}: {p.reason}" for p in problems]


def test_a_czech_banks_file_is_read() -> None:
    text = (
        "Datum;Objem;Měna;Protiúčet;VS;Zpráva pro příjemce\n"
        "03.11.2026;1 200,50;CZK;123/0100;0000000042;Faktura\n"
        "04.11.2026;-99,00;CZK;123/0100;1;Nájem\n"
    )
    for encoding in ("utf-8", "cp1250", "utf-8-sig"):
        rows, problems = read(text, encoding)
        assert not problems
        assert rows == [("2026-11-03", 1_200_500_000, "CZK", "42", "Faktura")]


def test_the_same_twice_in_a_file_came_twice_and_again_in_another_did_not() -> None:
    text = "date,amount,currency,vs,reference\n" + 2 * "2026-11-03,5,EUR,7,x\n"
    first, _ = read_payments(text.encode())
    again, _ = read_payments(text.encode())
    keys = [p.key for p in first]
    assert len(set(keys)) == 2
    assert [p.key for p in again] == keys
    assert first[0].amount == 5 * MICRO


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("3/11/2026,5,EUR,7", "a day is written"),
        ("2026-11-03,five,EUR,7", "an amount is"),
        ("2026-11-03,5,euro,7", "a currency has"),
        ("2026-11-03,5,EUR,7a", "digits only"),
        ("2026-11-03", "an amount is"),
        ("2026-11-03,5", "a currency has"),
        ('2026-11-03,"1,200",EUR,7', "at most two decimals"),
        ("2026-11-03,5,EUR,7,50", "more columns than the first line names"),
    ],
)
def test_what_is_wrong_is_said(line: str, said: str) -> None:
    rows, problems = read(f"date,amount,currency,vs\n{line}\n")
    assert not rows
    assert problems[0].startswith("2: ")
    assert said in problems[0]


def test_of_two_columns_of_one_meaning_the_first_that_says_anything_is_heard() -> None:
    rows, _ = read(
        "datum;částka;měna;VS;zpráva pro příjemce;poznámka\n"
        "1.11.2026;5;CZK;7;Faktura;\n1.11.2026;6;CZK;7;;own\n"
    )
    assert [row[4] for row in rows] == ["Faktura", "own"]


@pytest.mark.parametrize("text", ["", "date,amount\n2026-11-03,5\n"])
def test_a_file_names_its_columns(text: str) -> None:
    assert "the first line names the columns" in read(text)[1][0]
