"""Deliveries → receipts, and message ids in every writing."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.carriers.smpp.ids import REMEMBERED, Ids
from bridge.carriers.smpp.pdu import Delivery
from bridge.carriers.smpp.receipts import is_receipt, raw_id, read_receipt
from bridge.model import Receipt, State

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC).timestamp()


def delivery(text: str = "", **more: Any) -> Delivery:
    values: dict[str, Any] = {
        "esm_class": 4,
        "data_coding": 0,
        "data": text.encode("latin-1"),
        "tlvs": {},
    }
    return Delivery("420601123456", "420601000000", **(values | more))


def read(text: str = "", **more: Any) -> Receipt:
    it = delivery(text, **more)
    return read_receipt(it, Ids().receipt(raw_id(it)), NOW)


@pytest.mark.parametrize("esm_class", [0x04, 0x44, 0x08, 0x20, 0x24])
def test_esm_class_makes_a_receipt(esm_class: int) -> None:
    assert is_receipt(delivery(esm_class=esm_class))


@pytest.mark.parametrize("esm_class", [0x00, 0x40, 0x80, 0xC0, 0x03, 0x10, 0x18])
def test_nothing_else_does_but_the_id_in_a_parameter(esm_class: int) -> None:
    assert not is_receipt(delivery("id:1 stat:DELIVRD", esm_class=esm_class))
    assert is_receipt(delivery(esm_class=esm_class, tlvs={0x001E: b"1\0"}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "id:7 sub:001 dlvrd:001 submit date:2611232000 done date:2611231959 stat:DELIVRD err:000 text:x",
            ("7", State.DELIVERED, "", -60),
        ),
        ("id:7 done date:261123195930 stat:DELIVRD", ("7", State.DELIVERED, "", -30)),
        ("id:7 done date:20261123195930 stat:DELIVRD", ("7", State.DELIVERED, "", -30)),
        ("id:7 done date:202611231959 stat:DELIVRD", ("7", State.DELIVERED, "", -60)),
        ("id:7 done date:2611232200 stat:DELIVRD", ("7", State.DELIVERED, "", 0)),
        ("id:7 done date:9999999999 stat:DELIVRD", ("7", State.DELIVERED, "", None)),
        ("ID: 0007 STAT: delivrd", ("7", State.DELIVERED, "", None)),
        ("id:7 stat:DELIVERED err:000", ("7", State.DELIVERED, "", None)),
        (
            "id:7 stat:UNDELIV err:1B",
            ("7", State.FAILED, "it could not be delivered (UNDELIV, error 1B)", None),
        ),
        (
            "id:7 stat:UNDELIV err:000",
            ("7", State.FAILED, "it could not be delivered (UNDELIV)", None),
        ),
        (
            "id:7 stat:HUMBUG err:12",
            ("7", State.UNKNOWN, "the carrier told a state that we do not know (error 12)", None),
        ),
        ("id:7", ("7", State.UNKNOWN, "the carrier told a state that we do not know", None)),
    ],
)
def test_the_text_of_a_receipt(text: str, expected: tuple[str, State, str, float | None]) -> None:
    carrier_id, state, reason, at = expected
    assert read(text) == Receipt(carrier_id, state, reason, None if at is None else NOW + at)


def test_parameters_come_before_the_text() -> None:
    receipt = read(
        "id:1 stat:DELIVRD err:000", tlvs={0x001E: b"AB\0", 0x0427: b"\5", 0x0423: b"\3\0\x1b"}
    )
    assert (receipt.carrier_id, receipt.state, receipt.reason) == (
        "ab",
        State.FAILED,
        "it could not be delivered (UNDELIV, error 27)",
    )


def test_a_receipt_in_ucs2() -> None:
    assert read(data="id:7 stat:EXPIRED".encode("utf-16-be"), data_coding=8).state is State.EXPIRED


def test_a_failed_try_is_not_the_end() -> None:
    assert read("id:7 stat:UNDELIV err:011", esm_class=0x20).state is State.SENT
    assert read("id:7 stat:DELIVRD", esm_class=0x20).state is State.DELIVERED


def test_a_receipt_that_names_no_message() -> None:
    assert raw_id(delivery("stat:DELIVRD")) == ""
    assert raw_id(delivery(tlvs={0x001E: b" \0"})) == ""


@given(
    st.binary(max_size=300),
    st.dictionaries(st.sampled_from([0x001E, 0x0427, 0x0423]), st.binary(max_size=8)),
    st.integers(0, 255),
)
def test_no_receipt_is_too_strange_to_read(
    data: bytes, tlvs: dict[int, bytes], coding: int
) -> None:
    it = delivery(data=data, tlvs=tlvs, data_coding=coding)
    assert read_receipt(it, Ids().receipt(raw_id(it)), NOW).state


@pytest.mark.parametrize(
    ("declared", "answer", "receipt"),
    [
        ("auto", "1001", "1001"),
        ("auto", "0000001001", "1001"),
        ("auto", "3E9", "3e9"),
        ("auto", "A0B1-C2", "a0b1-c2"),
        ("hex", "3E9", "000003e9"),
        ("dec", "0001001", "1001"),
        ("hexdlr", "3E9", "0000001001"),
        ("hexdlr", "1001", "4097"),
        ("hexdlr", "not-hex", "NOT-HEX"),
        ("decdlr", "1001", "000003E9"),
        ("decdlr", "0000001001", "3e9"),
        ("auto", "0", "000"),
    ],
)
def test_both_writings_of_an_id_become_one(declared: str, answer: str, receipt: str) -> None:
    ids = Ids(declared)
    assert ids.answer(answer) == ids.receipt(receipt)


@given(
    st.integers(REMEMBERED, 2**40),
    st.sampled_from(["hexdlr", "decdlr", "hex", "dec"]),
    st.integers(40, 400),
)
def test_auto_finds_the_writing_by_itself(first: int, writing: str, count: int) -> None:
    write = {
        "hexdlr": ("X", "010d"),
        "decdlr": ("d", "X"),
        "hex": ("X", "016x"),
        "dec": ("010d", "d"),
    }[writing]
    numbers = range(first, first + count)
    ids = Ids()
    answers = [ids.answer(format(n, write[0])) for n in numbers]
    received = [ids.receipt(format(n, write[1])) for n in numbers]
    assert ids.settled == ("hex" if writing == "dec" else writing)
    # decdlr: until it settles, a receipt without a letter looks like a decimal one.
    lettered = [at for at, n in enumerate(numbers) if set(format(n, "x")) & set("abcdef")]
    start = lettered[2] if writing == "decdlr" else 0
    assert received[start:] == answers[start:]
    assert ids.knows("anything")


def test_auto_settles_on_what_the_first_receipts_prove() -> None:
    ids = Ids()
    answers = [ids.answer(f"{n:X}") for n in range(1000, 1100)]
    assert [ids.receipt(f"{n:010d}") for n in range(1000, 1100)] == answers
    assert ids.settled == "hexdlr"
    assert ids.receipt("4096") == ids.answer("1000")


def test_an_old_receipt_meets_no_recent_answer() -> None:
    for first in (1000, 5000, 123_456):
        ids = Ids()
        for n in range(first, first + 3000):
            ids.answer(str(n))
        assert [ids.receipt(str(n)) for n in range(first - 900, first)] == [
            str(n) for n in range(first - 900, first)
        ]
        assert ids.settled == ""


def test_auto_forgets_old_answers() -> None:
    ids = Ids()
    for n in range(REMEMBERED * 2):
        ids.answer(str(n))
        ids.answer(str(n))
    assert len(ids._recent) == len(ids._order) == REMEMBERED
