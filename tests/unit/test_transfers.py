"""Where data may go, by the dated rules: countries, mechanisms, and the day on which one ends."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bridge.errors import Refused
from bridge.privacy import transfers as module
from bridge.privacy.duties import duties
from bridge.privacy.transfers import transfers

TODAY = date(2026, 11, 22)
RULES = Path(module.__file__).with_name("rules")


def why_not(country: str, mechanism: str = "", until: date | None = None, on: date = TODAY) -> str:
    return transfers().why_not(country, mechanism, until, on)


def test_p50_inside_the_eea_nothing_more_is_needed() -> None:
    assert len(transfers().eea) == 30
    for country in ("CZ", "NO", "IS", "LI", "IE"):
        assert why_not(country) == ""
        assert transfers().ground(country, "", TODAY) == "inside the EEA"


def test_p50_uk_adequacy_holds_to_its_last_day_and_not_after() -> None:
    assert why_not("GB", on=date(2031, 12, 27)) == ""
    assert "GB" in why_not("GB", on=date(2031, 12, 28))
    assert why_not("GB", "scc", date(2032, 6, 30), on=date(2031, 12, 28)) == ""
    assert "2031-12-27" in transfers().ground("GB", "", TODAY)
    assert transfers().ground("GB", "", date(2032, 1, 1)) == ""


@pytest.mark.parametrize("country", ["US", "AE", "IN", "RU"])
def test_p50_elsewhere_a_mechanism_must_be_recorded(country: str) -> None:
    assert country in why_not(country)
    assert why_not(country, "scc", TODAY) == ""


def test_p50_a_mechanism_ends_with_its_day() -> None:
    assert why_not("US", "dpf", date(2027, 3, 31), on=date(2027, 3, 31)) == ""
    assert "has ended" in why_not("US", "dpf", date(2027, 3, 31), on=date(2027, 4, 1))
    assert "has ended" in why_not("US", "dpf", None)


def test_p50_privacy_shield_is_nothing_and_cannot_be_chosen() -> None:
    assert why_not("US", "privacy-shield", date(2027, 3, 31)) != ""
    with pytest.raises(Refused) as caught:
        transfers().check("US", "privacy-shield", date(2027, 3, 31), TODAY)
    assert "2020-07-16" in caught.value.sentence
    assert "privacy-shield" not in caught.value.hint


REFUSED = {
    "unknown": ("US", "trust", date(2027, 3, 31), "there is no transfer mechanism"),
    "elsewhere": ("IN", "dpf", date(2027, 3, 31), "dpf is for US alone"),
    "no end": ("US", "scc", None, "until when"),
    "over": ("US", "scc", date(2026, 11, 21), "has ended already"),
    "too long": ("US", "dpf", date(2028, 6, 30), "366 days at most"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_p50_what_cannot_be_recorded(name: str) -> None:
    country, mechanism, until, said = REFUSED[name]
    with pytest.raises(Refused) as caught:
        transfers().check(country, mechanism, until, TODAY)
    assert said in caught.value.sentence
    assert caught.value.hint


def test_every_rule_says_where_it_stands_and_when_that_was_looked_at() -> None:
    for name in ("transfers.toml", "duties.toml"):
        data = tomllib.loads((RULES / name).read_text(encoding="utf-8"))
        rows = [
            row for each in data.values() for row in (each if isinstance(each, list) else [each])
        ]
        for row in rows:
            assert urlsplit(row["source_url"]).scheme == "https"
            assert row["verified_on"] <= TODAY


def test_p21_p55_p58_p59_the_periods_are_those_of_the_rules() -> None:
    found = duties()
    assert found.notice == 30 * 86400
    assert (found.breach_target, found.breach_hard) == (24 * 3600, 72 * 3600)
    assert found.review == 90 * 86400
    assert found.approvers == 2
