"""Parts → bodies of submit_sm."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.carriers.smpp.coding import Coder, Unsendable, derive
from bridge.carriers.smpp.config import SmppConfig
from bridge.model import Part, Verdict
from bridge.segments import segment
from bridge.settings import Carrier
from tests.smsc import Submit, read_submit

NOW = 1_800_000_000.0


def submit(part: dict[str, Any] | None = None, **config: Any) -> Submit:
    values: dict[str, Any] = {
        "attempt": 1, "message": 1, "number": 1, "total": 1, "ref": 5, "destination": "+420601123456", "originator": "",
        "text": "x", "encoding": "gsm7", "lang": "", "expires_at": None,
    }  # fmt: skip
    coder = Coder(SmppConfig("smsc-1", "127.0.0.1", **config))
    return read_submit(coder.body(Part(**(values | (part or {}))), NOW), "1", 0)


@pytest.mark.parametrize(
    ("originator", "expected"),
    [
        ("", ("", 0, 0)),
        ("+420601000000", ("420601000000", 1, 1)),
        ("+15550100", ("15550100", 1, 1)),
        ("90210", ("90210", 3, 0)),
        ("420601000000", ("420601000000", 0, 1)),
        ("Acme", ("Acme", 5, 0)),
        ("Acme 24", ("Acme 24", 5, 0)),
        ("+Acme", ("+Acme", 5, 0)),
        ("٣٤٥", ("٣٤٥", 5, 0)),
    ],
)
def test_an_originator_tells_its_type(originator: str, expected: tuple[str, int, int]) -> None:
    assert derive(originator) == expected


def test_a_part_s_own_originator_comes_first_and_types_can_be_set() -> None:
    assert submit({"originator": "Acme"}, originator="+420601000000").source == "Acme"
    set_by_hand = submit(originator="90210", source_ton=6, source_npi=8, dest_ton=2, dest_npi=9)
    assert (set_by_hand.source_ton, set_by_hand.source_npi) == (6, 8)
    assert (set_by_hand.dest_ton, set_by_hand.dest_npi) == (2, 9)
    nobody = submit(source_ton=5)
    assert (nobody.source, nobody.source_ton, nobody.source_npi) == ("", 0, 0)


@pytest.mark.parametrize(
    ("part", "verdict"),
    [
        ({"originator": "TwelveLetter"}, Verdict.REJECTED),
        ({"originator": "1" * 21}, Verdict.REJECTED),
        ({"originator": "Čeština"}, Verdict.REJECTED),
        ({"originator": "a\0b"}, Verdict.REJECTED),
        ({"destination": "+4206011234561234567890"}, Verdict.FAILED),
        ({"destination": "+420 601"}, Verdict.FAILED),
        ({"text": "x" * 65_536}, Verdict.FAILED),
        ({"text": "ž"}, Verdict.FAILED),
        ({"total": 256}, Verdict.FAILED),
        ({"lang": "xx"}, Verdict.FAILED),
    ],
)
def test_what_smpp_cannot_carry(part: dict[str, Any], verdict: Verdict) -> None:
    with pytest.raises(Unsendable) as no:
        submit(part)
    assert no.value.outcome.verdict is verdict
    assert no.value.outcome.reason


@pytest.mark.parametrize(
    ("seconds", "validity"),
    [
        (None, ""),
        (-5, "000000000100000R"),
        (59, "000000000100000R"),
        (3661, "000000010101000R"),
        (86_400, "000001000000000R"),
        (10**9, "000030000000000R"),
    ],
)
def test_validity_is_relative(seconds: float | None, validity: str) -> None:
    assert (
        submit({"expires_at": seconds if seconds is None else NOW + seconds}).validity == validity
    )


def test_receipts_and_urgency() -> None:
    assert (submit().registered, submit(receipts=False).registered) == (1, 0)
    assert (submit().priority, submit({"urgent": True}).priority) == (0, 1)


def test_a_national_alphabet_is_announced_in_a_header() -> None:
    one = submit({"text": "ışık", "lang": "tr"})
    assert (one.esm_class, one.header, one.data_coding) == (0x40, b"\3\x24\1\1", 0)
    assert one.data == b"\x1bi\x1bs\x1bik"
    second = submit({"text": "ışık", "lang": "tr", "total": 2, "number": 2})
    assert second.header == b"\x08\0\3\5\2\2\x24\1\1"
    by_sar = submit({"text": "ışık", "lang": "tr", "total": 2, "number": 2}, long="sar")
    assert (by_sar.header, by_sar.number, by_sar.total) == (b"\3\x24\1\1", 2, 2)


def test_a_default_alphabet_that_is_not_gsm7() -> None:
    assert submit({"text": "Dør @ [1]"}, gsm7_coding="latin1").data == "Dør @ [1]".encode("latin-1")
    assert submit({"text": "Door @ [1]"}, gsm7_coding="ascii").data == b"Door @ [1]"
    euro = submit({"text": "5 €"}, gsm7_coding="latin1")
    assert (euro.data_coding, euro.text) == (8, "5 €")
    for part in ({"text": "€" * 71}, {"text": "€", "total": 2}):
        with pytest.raises(Unsendable) as no:
            submit(part, gsm7_coding="latin1")
        assert no.value.outcome.verdict is Verdict.REJECTED


@given(st.text(max_size=400), st.integers(0, 255), st.sampled_from(["udh", "sar"]))
def test_the_parts_of_a_text_join_to_the_text(text: str, ref: int, long: str) -> None:
    cut = segment(text)
    total = len(cut.parts)
    sent = [
        submit(
            {"text": part, "encoding": cut.encoding, "number": n, "total": total, "ref": ref},
            long=long,
        )
        for n, part in enumerate(cut.parts, 1)
    ]
    assert "".join(s.text for s in sent) == text
    assert [s.number for s in sent] == list(range(1, total + 1))
    for s in sent:
        assert (s.ref, s.total) == ((ref, total) if total > 1 else (0, 1))
        octets = (
            len(s.header) * 8 // 7 + 1 + len(s.data)
            if cut.encoding == "gsm7"
            else len(s.header) + len(s.data)
        )
        assert octets <= (161 if cut.encoding == "gsm7" else 140)


def test_settings_say_what_a_carrier_needs() -> None:
    carrier = Carrier(
        name="smsc-1", kind="smpp", host="127.0.0.1", long="sar", dest_npi=9, window=77
    )
    config = SmppConfig.from_settings(carrier)
    assert (config.name, config.long, config.dest_npi, config.window) == ("smsc-1", "sar", 9, 77)
    assert config.response_timeout == 30.0
    assert (config.tls_context(), config.tls_ca) == (None, "")
    assert "password" not in repr(config)


def test_an_address_is_built_once_and_forgotten_in_time() -> None:
    coder = Coder(SmppConfig("smsc-1", "127.0.0.1"))
    for n in range(2000):
        coder._source(f"+{n}")
    assert len(coder._sources) <= 512
    assert coder._source("+1999") == b"\1\1" + b"1999\0"
