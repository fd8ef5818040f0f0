"""Deliveries → MO parts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.carriers.smpp.inbound import read_inbound
from bridge.carriers.smpp.pdu import BadPdu, Delivery, read_data, read_deliver
from bridge.model import Inbound
from tests.smsc import tlv


def mo(data: bytes, data_coding: int = 0, default: str = "gsm7", **more: Any) -> Inbound:
    values: dict[str, Any] = {"esm_class": 0, "tlvs": {}}
    return read_inbound(
        Delivery(
            "420601123456", "420601000000", data_coding=data_coding, data=data, **(values | more)
        ),
        default,
    )


@pytest.mark.parametrize(
    ("data_coding", "coding"),
    [
        (0x00, "gsm7"), (0x01, "ascii"), (0x02, "latin1"), (0x03, "latin1"), (0x04, "latin1"), (0x08, "ucs2"),
        (0x10, "gsm7"), (0x11, "gsm7"), (0x14, "latin1"), (0x15, "latin1"), (0x18, "ucs2"), (0x19, "ucs2"),
        (0x48, "ucs2"), (0xC8, "gsm7"), (0xD0, "gsm7"), (0xE0, "ucs2"), (0xF0, "gsm7"), (0xF1, "gsm7"), (0xF5, "latin1"), (0x90, "gsm7"),
    ],
)  # fmt: skip
def test_data_coding_names_the_alphabet(data_coding: int, coding: str) -> None:
    part = mo(b"\0H\0i", data_coding)
    assert (part.coding, part.data) == (coding, b"\0H\0i")


@pytest.mark.parametrize("default", ["gsm7", "ascii", "latin1"])
def test_the_smsc_s_default_alphabet_is_told_by_the_operator(default: str) -> None:
    assert mo(b"Hi", 0, default).coding == default
    assert mo(b"Hi", 0xF0, default).coding == "gsm7"


@pytest.mark.parametrize(
    ("data_coding", "codec"),
    [
        (5, "shift_jis"),
        (6, "iso8859-5"),
        (7, "iso8859-8"),
        (10, "iso2022_jp"),
        (13, "euc_jp"),
        (14, "euc_kr"),
    ],
)
def test_codings_of_other_scripts_go_on_as_utf8(data_coding: int, codec: str) -> None:
    text = {"iso8859-5": "Да", "iso8859-8": "כן", "euc_kr": "네"}.get(codec, "はい")
    part = mo(text.encode(codec), data_coding)
    assert (part.coding, part.data.decode()) == ("utf-8", text)


def test_an_eighth_bit_where_there_are_seven() -> None:
    assert mo("přijdu".encode()).coding == "utf-8"
    assert mo("överallt".encode("latin-1")).coding == "latin1"
    assert mo(b"\xe5\xe5", 1).coding == "latin1"


@pytest.mark.parametrize(
    "data",
    [
        "Hi ž".encode("utf-16-be"),
        b"\xfe\xff" + "Hi ž".encode("utf-16-be"),
        b"\xff\xfe" + "Hi ž".encode("utf-16-le"),
        "Hi ž".encode("utf-16-be") + b"\0",
    ],
)
def test_ucs2_with_mark_in_any_order_or_half_a_character_too_much(data: bytes) -> None:
    assert mo(data, 8).data.decode("utf-16-be") == "Hi ž"


@pytest.mark.parametrize(
    ("header", "place", "lang"),
    [
        (b"\5\0\3\x07\2\1", (7, 2, 1), ""),
        (b"\6\x08\4\x02\x07\2\2", (0x207, 2, 2), ""),
        (b"\x08\0\3\7\2\1\x24\1\1", (7, 2, 1), "tr"),
        (b"\3\x24\1\2", (0, 1, 1), "es"),
        (b"\6\5\4\x0b\x84\x23\xf0", (0, 1, 1), ""),  # ports
        (b"\5\0\3\x07\2\0", (0, 1, 1), ""),
        (b"\5\0\3\x07\2\3", (0, 1, 1), ""),
        (b"\5\0\3\x07\0\0", (0, 1, 1), ""),
        (b"\0", (0, 1, 1), ""),
    ],
)
def test_the_header_tells_the_part_s_place(
    header: bytes, place: tuple[int, int, int], lang: str
) -> None:
    part = mo(header + b"Hi", esm_class=0x40)
    assert ((part.ref, part.total, part.number), part.lang, part.data) == (place, lang, b"Hi")


def test_a_header_longer_than_the_message_is_text() -> None:
    assert mo(b"\x09Hi", esm_class=0x40).data == b"\x09Hi"
    assert mo(b"", esm_class=0x40).data == b""


def test_a_header_is_not_guessed() -> None:
    assert mo(b"\5\0\3\x07\2\1Hi").data == b"\5\0\3\x07\2\1Hi"


def test_sar_parameters_tell_the_place_too() -> None:
    part = mo(b"Hi", tlvs={0x020C: b"\x02\x07", 0x020E: b"\2", 0x020F: b"\1"})
    assert (part.ref, part.total, part.number) == (0x207, 2, 1)
    part = mo(b"Hi", tlvs={0x020C: b"\x02\x07", 0x020E: b"\2", 0x020F: b"\5"})
    assert (part.ref, part.total, part.number) == (0, 1, 1)


def test_a_deliver_sm_with_parameters_and_padding() -> None:
    body = (
        b"\0\1\1"
        b"420601123456"
        b"\0\1\1"
        b"420601000000"
        b"\0\x40\0\0\0\0\0\0\x08\0\2Hi" + tlv(0x0424, b"\0ABC") + tlv(0x1400, b"") + b"\0\0"
    )
    delivery = read_deliver(body)
    assert (delivery.source, delivery.destination, delivery.esm_class, delivery.data_coding) == (
        "420601123456",
        "420601000000",
        0x40,
        8,
    )
    assert delivery.data == b"\0ABC"
    assert set(delivery.tlvs) == {0x0424, 0x1400}


@given(st.binary(max_size=400), st.integers(0, 255), st.sampled_from([read_deliver, read_data]))
def test_no_delivery_is_too_strange_to_read(body: bytes, coding: int, read: Any) -> None:
    try:
        delivery = read(body)
    except BadPdu:
        return
    part = read_inbound(delivery, "gsm7")
    assert 1 <= part.number <= part.total
    assert mo(body, coding, esm_class=0x40).total >= 1
    assert part.coding != "ucs2" or len(part.data) % 2 == 0
