"""Numbers as people write them, against recorded answers of an independent libphonenumber."""

import json
from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneNumberFormat

from bridge import phone
from bridge.errors import BadNumber
from bridge.phone import Phone, explain_number, mask, parse

VECTORS = Path(__file__).parents[1] / "data" / "numbers.jsonl"
CASES = [json.loads(line) for line in VECTORS.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("case", CASES)
def test_explain_agrees_with_an_independent_library(case):
    got = explain_number(7, case["raw"], case["region"])
    assert got == {"id": 7, "valid": case["valid"], "e164": case["e164"], "type": case["type"]}


@pytest.mark.parametrize(
    ("raw", "region"),
    [
        ("+420601123456", None),
        ("00420601123456", "CZ"),
        ("00420601123456", None),
        ("00420601123456", "US"),
        ("601123456", "CZ"),
        ("601 123 456", "cz"),
        ("601-123-456", "CZ"),
        ("+420 (601) 123-456", "NO"),
        ("tel:+420601123456", ""),
        ("６０１１２３４５６", "CZ"),
        ("\u200b+420601123456\u00a0", "ZZ"),
    ],
)
def test_one_number_in_many_writings(raw, region):
    assert parse(raw, region) == Phone("+420601123456", "CZ", "MOBILE")


@pytest.mark.parametrize(
    ("raw", "region", "said"),
    [
        ("601123457", "", "no country code"),
        ("601123457", "ZZ", "no country code"),
        ("hello", "CZ", "not a phone number"),
        ("", "CZ", "not a phone number"),
        ("+420601", None, "too short for +420 (CZ)"),
        ("+4206011234571234", None, "too long for +420 (CZ)"),
        ("112", "CZ", "too short"),
        ("+420101123457", None, "No such number"),
        ("+999601123457", None, "No country has"),
        ("+420601123457 ext. 5", None, "extension"),
    ],
)
def test_a_wrong_number_is_told_why_and_never_repeated(raw, region, said):
    with pytest.raises(BadNumber) as refused:
        parse(raw, region)
    assert said in refused.value.sentence
    assert refused.value.hint
    assert "601123457" not in refused.value.sentence + refused.value.hint


def examples():
    for code, regions in COUNTRY_CODE_TO_REGION_CODE.items():
        for region in regions:
            for kind in range(11):
                found = (
                    phonenumbers.example_number_for_non_geo_entity(code)
                    if region == "001"
                    else phonenumbers.example_number_for_type(region, kind)
                )
                if found:
                    yield phonenumbers.format_number(found, PhoneNumberFormat.E164)


EXAMPLES = sorted(set(examples()))


@given(st.sampled_from(EXAMPLES), st.integers(0, 6), st.text("0123456789", max_size=4))
def test_the_short_way_never_differs_from_the_long_one(example, cut, tail):
    raw = example[: len(example) - cut] + tail
    short = phone._international(raw[1:])
    number = phone._read(raw, None)
    if short:
        assert number is not None
        assert phonenumbers.is_valid_number(number)
        assert short == phone._phone(number)


def test_the_short_way_covers_nearly_every_country():
    long_way = [e164 for e164 in EXAMPLES if phone._international(e164[1:]) is None]
    assert len(long_way) < len(EXAMPLES) // 10


@pytest.mark.parametrize("e164", EXAMPLES[::25])
def test_country_is_the_long_ways(e164):
    number = phonenumbers.parse(e164)
    assert phone.country(e164) == phonenumbers.region_code_for_number(number)


@pytest.mark.parametrize(
    ("e164", "masked"),
    [
        ("+420601123456", "+420 ••• ••• 456"),
        ("+4740612345", "+47 •• ••• 345"),
        ("+15550100", "+1 •••• 100"),
        ("+29041234", "+290 ••• 34"),
    ],
)
def test_a_mask_hides_all_but_the_end(e164, masked):
    assert mask(e164).replace(" ", "") == masked.replace(" ", "")


@given(st.sampled_from(EXAMPLES))
def test_a_mask_shows_at_most_three_digits_of_the_person(e164):
    code, *groups = mask(e164).split()
    assert sum(char.isdigit() for char in "".join(groups)) <= 3
    assert e164.startswith(code)


def test_zones():
    assert phone.zones("+420601123456") == ("Europe/Prague",)
    assert phone.zones("+999") == ()


@given(st.text(max_size=60), st.sampled_from(["", "ZZ", "CZ", "US", "XX"]))
def test_any_text_is_a_number_or_a_refusal(raw, region):
    try:
        assert parse(raw, region).e164[1:].isdigit()
    except BadNumber as refused:
        assert refused.sentence  # noqa: PT017
