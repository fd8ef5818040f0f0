"""The local part of an address: numbers, aliases, options, and what is said of wrong ones."""

import contextlib
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadAddress
from bridge.smtp.address import Address, parse


@pytest.mark.parametrize(
    ("local", "target"),
    [
        ("+420601123456", "+420601123456"),
        ("00420601123456", "00420601123456"),
        ("601123456", "601123456"),
        ("601-123-456", "601123456"),
        ("601.123.456", "601123456"),
        ("+420.601.123.456", "+420601123456"),
        ('"+420 601 123 456"', "+420601123456"),
        ("601/123456", "601123456"),
        ("(601)123456", "601123456"),
        ("(+420)601123456", "+420601123456"),
        ("601_123_456", "601123456"),
        ("６０１１２３４５６", "601123456"),
    ],
)
def test_a_number_in_any_common_writing(local, target):
    assert parse(local) == Address("number", target)


@pytest.mark.parametrize("local", ["anna", "jan.novak", "on-call", "privacy", "1st-line", "team+x"])
def test_what_is_no_number_is_an_alias(local):
    assert parse(local) == Address("alias", local)


@pytest.mark.parametrize(
    ("local", "token"), [("r-AbC.9", "AbC.9"), ("reply+x-1", "x-1"), ("Reply-q", "q")]
)
def test_reply_tokens_are_left_whole(local, token):
    assert parse(local) == Address("reply", token)


def test_every_option_at_once():
    at = datetime(2026, 11, 23, 20, 0)  # noqa: DTZ001
    local = "601123456.urgent.marketing.from-ACME.at-202611232000.t-Xk29fQ7a"
    assert parse(local) == Address(
        "number", "601123456", urgent=True, klass="marketing", originator="ACME", at=at,
        token="Xk29fQ7a",
    )  # fmt: skip


def test_options_take_any_case_and_values_keep_theirs():
    assert parse("601.123.456.URGENT.From-AcMe.T-aB") == Address(
        "number", "601123456", urgent=True, originator="AcMe", token="aB"
    )


def test_options_follow_an_alias_with_dots():
    assert parse("jan.novak.urgent") == Address("alias", "jan.novak", urgent=True)


@pytest.mark.parametrize("local", ["explain.601123456", "Explain.601123456", "601123456.explain"])
def test_explain(local):
    assert parse(local) == Address("number", "601123456", explain=True)


@pytest.mark.parametrize(
    ("local", "said"),
    [
        ("", "names nobody"),
        ("explain", "names nobody"),
        (".601123457", "names nobody"),
        ("601123457.urgnet", "did you mean .urgent"),
        ("601123457.loud", "the options are"),
        ("601123457..urgent", "without an option"),
        ("601123457.urgent.urgent", "twice"),
        ("601123457.at-20261123", "such as .at-202611232000"),
        ("601123457.at-202613232000", "such as .at-202611232000"),
        ("601123457.from-ThisNameIsTooLong", "at most 11"),
        ("601123457.from-", "at most 11"),
        ("601123457.t-", "token"),
        ("601123457.marketing.transactional", "leave one"),
    ],
)
def test_a_wrong_address_is_told_the_right_form(local, said):
    with pytest.raises(BadAddress) as refused:
        parse(local)
    text = f"{refused.value.sentence}; {refused.value.hint}"
    assert said in text
    assert "601123457" not in text


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_a_refusal(local):
    with contextlib.suppress(BadAddress):
        assert parse(local).target
