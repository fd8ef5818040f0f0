"""What `bridge explain` answers: golden outputs, and no input that it stumbles over."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import explain
from bridge.explain import Answer, Rules

PLAIN = b"""\
From: Eva <eva@firm.example>
Subject: Pump 3
Content-Type: text/plain; charset=utf-8

The pump is running again.

--\x20
Eva, maintenance
"""


def test_a_mail_is_explained() -> None:
    assert explain.mail(PLAIN, "pump.eml") == {
        "file": "pump.eml",
        "text": "The pump is running again.",
        "subject": "Pump 3",
        "refused": False,
        "reason": "",
        "encoding": "gsm7",
        "parts": 1,
        "units": [26],
        "rules": ["signature-dashes"],
    }


def letter(text: str, *headers: str) -> bytes:
    head = ["From: eva@firm.example", "Content-Type: text/plain; charset=utf-8", *headers]
    return ("\n".join(head) + "\n\n" + text).encode()


def test_a_text_that_shrinks_is_shown_as_written_and_as_sent() -> None:
    found = explain.mail(letter("Příliš žluťoučký kůň. " * 6), "-")
    assert found["text"].startswith("Příliš žluťoučký")
    assert found["sent"].startswith("Prilis zlutoucky")
    assert found["encoding"] == "gsm7"
    assert (found["parts"], sum(found["units"])) == (1, 131)
    assert found["rules"][-1] == "transliterated"


def test_a_text_that_is_sent_as_written_has_no_sent() -> None:
    assert "sent" not in explain.mail(letter("Kůň."), "-")


def test_an_automatic_mail_is_refused_with_its_text() -> None:
    found = explain.mail(letter("I am away.", "Auto-Submitted: auto-replied"), "-")
    assert found["refused"] is True
    assert "automatic" in found["reason"]
    assert found["text"] == "I am away."


def test_an_empty_mail_is_refused() -> None:
    found = explain.mail(b"", "-")
    assert found["refused"] is True
    assert found["reason"] == ("there is no text to send; write something")
    assert (found["text"], found["encoding"], found["parts"], found["units"]) == ("", None, 0, [])


def test_too_many_parts_are_refused_with_counts() -> None:
    found = explain.mail(letter("word " * 400), "-", Rules(name="acme", max_parts=3))
    assert found["refused"] is True
    assert "needs 14 SMS parts" in found["reason"]
    assert "acme allows 3" in found["reason"]
    assert found["parts"] == 14


def test_a_mail_beyond_any_sms_is_refused() -> None:
    found = explain.mail(letter("word " * 40_000), "-")
    assert found["refused"] is True
    assert "no SMS can carry more" in found["reason"]


def test_a_tenant_that_wants_long_texts_cut_sees_what_is_left() -> None:
    found = explain.mail(letter("word " * 400), "-", Rules(max_parts=2, over_limit="cut"))
    assert found["refused"] is False
    assert found["parts"] == 2
    assert found["sent"].endswith("...")


def test_a_tenants_rules_shape_the_text() -> None:
    rules = Rules(subject="first-line", prefix="ACME:", end_markers=("//end",), encoding="keep")
    found = explain.mail(letter("Kůň běží.\n//end\nrest", "Subject: Farm"), "-", rules)
    assert found["text"] == "ACME: Farm\nKůň běží."
    assert found["encoding"] == "ucs2"


@given(st.binary(max_size=300))
def test_no_mail_is_too_broken(raw: bytes) -> None:
    assert json.dumps(explain.mail(raw, "-"), allow_nan=False)


# Lines of JSON


def texts(*lines: bytes) -> list[Answer]:
    return list(explain.lines(lines, explain.text))


def test_texts_are_counted_as_written() -> None:
    assert texts(
        b'{"id": "a", "text": "hello"}\n',
        '{"id": 2, "text": "kůň"}\n'.encode(),
        json.dumps({"id": None, "text": "€" * 81}).encode(),
    ) == [
        {"id": "a", "encoding": "gsm7", "parts": 1, "units": [5]},
        {"id": 2, "encoding": "ucs2", "parts": 1, "units": [3]},
        {"id": None, "encoding": "gsm7", "parts": 2, "units": [152, 10]},
    ]


def test_half_a_surrogate_pair_is_counted() -> None:
    assert texts(rb'{"id": 1, "text": "\ud800"}') == [
        {"id": 1, "encoding": "ucs2", "parts": 1, "units": [1]}
    ]


def numbers(items: Iterable[dict[str, Any]]) -> list[Answer]:
    return list(explain.lines([json.dumps(i).encode() for i in items], explain.number))


@pytest.mark.parametrize("nowhere", [{}, {"region": ""}, {"region": "ZZ"}, {"region": None}])
def test_a_number_without_a_region_is_from_nowhere(nowhere: dict[str, Any]) -> None:
    invalid = {"id": 1, "valid": False, "e164": None, "type": "UNKNOWN"}
    assert numbers([{"id": 1, "raw": "601 123 456", **nowhere}]) == [invalid]


def test_a_number_in_its_region() -> None:
    expected = {"id": 1, "valid": True, "e164": "+420601123456", "type": "MOBILE"}
    assert numbers([{"id": 1, "raw": "601 123 456", "region": "CZ"}]) == [expected]


def test_replies_are_judged() -> None:
    source = [b'{"id": 1, "text": "Stop."}', b'{"id": 2, "text": "see you at six"}']
    assert list(explain.lines(source, explain.reply)) == [
        {"id": 1, "verdict": "stop", "keyword": "stop"},
        {"id": 2, "verdict": "none", "keyword": None},
    ]


def test_a_country_decides_on_everyday_words() -> None:
    source = [
        b'{"id": 1, "text": "Konec", "country": "CZ"}',
        b'{"id": 2, "text": "Konec", "country": null}',
    ]
    verdicts = [answer["verdict"] for answer in explain.lines(source, explain.reply)]
    assert verdicts == ["stop", "intent"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"hello\n", "this is not JSON"),
        (b'["a"]\n', "this is no JSON object"),
        (b'{"id": 1}\n', '"text" is missing'),
        (b'{"id": 1, "text": 7}\n', '"text" must be text'),
        (b'{"id": [1], "text": "a"}\n', "the id is neither"),
        (b'{"id": 1e999, "text": "a"}\n', "the id is neither"),
        (b'{"id": NaN, "text": "a"}\n', "this is not JSON"),
        (b'{"id": 1, "text": "\xff"}\n', "octet 20 is not UTF-8"),
        (b"[" * 100_000, "the JSON is nested too deeply"),
        (b'{"id": ' + b"9" * 5000 + b', "text": "a"}', "this is not JSON"),
    ],
)
def test_a_bad_line_has_an_error_and_the_rest_goes_on(line: bytes, said: str) -> None:
    good = b'{"id": 9, "text": "ok"}'
    bad, blank_skipped = texts(line, b"  \n", good)
    assert set(bad) == {"id", "error"}
    assert bad["error"].startswith(f"line 1: {said}")
    assert blank_skipped["id"] == 9
    assert json.dumps(bad, allow_nan=False)


def test_a_bad_line_keeps_its_id_where_it_has_one() -> None:
    assert texts(b'{"id": "x7"}')[0]["id"] == "x7"


@given(st.lists(st.binary(max_size=80), max_size=5))
def test_no_line_is_too_broken(source: list[bytes]) -> None:
    for how in (explain.text, explain.number, explain.reply):
        for answer in explain.lines(source, how):
            assert json.dumps(answer, allow_nan=False)


def test_the_sample_cases_of_numbers_and_segments() -> None:
    data = Path(__file__).parent.parent / "data"
    for name, how in (("numbers.jsonl", explain.number), ("segments.jsonl", explain.text)):
        source = (data / name).read_bytes().splitlines()
        assert not [a for a in explain.lines(source, how) if "error" in a]
