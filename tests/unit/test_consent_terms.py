"""What is written of a consent, in a chat, a file or a command: its terms, or what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.dispatch.consent_file import read_consents
from bridge.dispatch.contact_file import read_csv
from bridge.errors import Refused
from bridge.privacy.consents import PURPOSES, pairs, rules, terms, version_of
from tests.consents import moment

NOW = moment("2026-11-24T12:00")
DAY = 86400.0


def made(**given: str) -> Any:
    return terms({"evidence": "web form", **given}, NOW, "command")


def test_pairs_have_quotes_where_they_have_spaces() -> None:
    assert pairs('programme=news evidence="web form, 2 March"; text=v1') == {
        "programme": "news",
        "evidence": "web form, 2 March",
        "text": "v1",
    }


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("news", "written as name=value"),
        ("colour=red", "has no colour"),
        ("text=a text=b", "stands twice"),
        ('evidence="no end', "written as name=value"),
    ],
)
def test_pairs_that_mean_nothing_are_refused(written: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        pairs(written)


def test_what_is_not_said_is_the_usual() -> None:
    found = made()
    assert (found.purpose, found.basis, found.channel) == ("sms", "consent", "command")
    assert (found.given_at, found.expires_at, found.of_age) == (NOW, None, None)
    assert found.text_version == ""


def test_a_consent_has_its_evidence_and_the_version_of_its_text() -> None:
    with pytest.raises(Refused, match="needs its evidence"):
        terms({"evidence": " "}, NOW, "command")
    found = made(text="I want the news.")
    assert (found.text, found.text_version) == ("I want the news.", version_of("I want the news."))
    assert version_of("a") != version_of("b")


@pytest.mark.parametrize("purpose", PURPOSES)
def test_s4_11_whoever_is_too_young_needs_a_guardian(purpose: str) -> None:
    needed = {"service": 18}.get(purpose, 16)
    assert rules().ages[purpose] == needed
    assert made(purpose=purpose, age=str(needed)).of_age is True
    with pytest.raises(Refused, match=f"under {needed}"):
        made(purpose=purpose, age=str(needed - 1))
    young = made(purpose=purpose, age=str(needed - 1), basis="guardian")
    assert (young.of_age, young.basis) == (False, "guardian")


@pytest.mark.parametrize("age", ["x", "-3", "121", "15.5"])
def test_an_age_is_a_number_of_years(age: str) -> None:
    with pytest.raises(Refused, match="an age is"):
        made(age=age)


def test_p54_a_customers_year_begins_when_the_contract_ends() -> None:
    found = made(basis="customer", ended="2026-11-01")
    assert found.expires_at == moment("2026-11-01T00:00", "UTC") + 365 * DAY
    with pytest.raises(Refused, match="end of a customer's contract"):
        made(ended="2026-11-01")
    with pytest.raises(Refused, match="do not go together"):
        made(basis="customer", ended="2026-11-01", until="2026-12-01")


def test_p14_a_consent_may_have_a_term() -> None:
    assert made(until="2027-01-31").expires_at == moment("2027-01-31T00:00", "UTC")
    assert made(until="2027-01-31T10:00+01:00").expires_at == moment("2027-01-31T10:00")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"purpose": "fun"}, "no such purpose"),
        ({"basis": "hope"}, "no such basis"),
        ({"given": "yesterday"}, "given is no date"),
        ({"given": "2027-01-01"}, "in the future"),
        ({"until": "soon"}, "until is no date"),
    ],
)
def test_terms_that_cannot_be_are_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(Refused, match=said):
        made(**given)


# Files


def test_a_contact_comes_with_what_they_agreed_to() -> None:
    data = b"name,number,consent\nanna,+420601123456,web form\nberta,+420602123456,no\n"
    anna, berta = read_csv(data, "CZ", NOW).rows
    assert anna.consent is not None
    assert (anna.consent.evidence, anna.consent.channel) == ("web form", "import")
    assert anna.consent.given_at == NOW
    assert berta.consent is None


def test_a_contacts_consent_may_be_told_in_pairs() -> None:
    cell = 'programme=news basis=customer evidence=""order 7"" ended=2026-11-01'
    data = f'name,number,consent\nanna,+420601123456,"{cell}"\n'.encode()
    (anna,) = read_csv(data, "CZ", NOW).rows
    assert anna.consent is not None
    assert (anna.consent.programme, anna.consent.basis) == ("news", "customer")
    assert anna.consent.evidence == "order 7"


def test_a_contacts_consent_that_is_wrong_is_a_problem_of_its_line() -> None:
    data = b"name,number,consent\nanna,+420601123456,age=12 evidence=form\n"
    (problem,) = read_csv(data, "CZ", NOW).problems
    assert (problem.line, problem.reason) == (2, "whoever is under 16 does not agree to this alone")


def test_a_file_of_consents_is_read_whole() -> None:
    data = b"number;evidence;programme;given\n601123456;form;news;2026-03-02\n+4740612345;shop;;\n"
    found = read_consents(data, "CZ", NOW)
    assert found.problems == ()
    assert [(r.phone.e164, r.terms.programme, r.terms.evidence) for r in found.rows] == [
        ("+420601123456", "news", "form"),
        ("+4740612345", "", "shop"),
    ]
    assert found.rows[0].terms.given_at == moment("2026-03-02T00:00", "UTC")


@pytest.mark.parametrize(
    ("data", "line", "said"),
    [
        (b"number\n601123456\n", 1, "names the columns"),
        (b"number,evidence,colour\n601123456,x,red\n", 1, "names the columns"),
        (b"number,evidence\n601123456,\n", 2, "needs its evidence"),
        (b"number,evidence\n6011,form\n", 2, "too short"),
        (b"number,evidence\n", 0, "nobody in the file"),
        (b'number,evidence\n601123456,"form\n', 2, "a quote is not closed"),
    ],
)
def test_a_file_of_consents_says_what_is_wrong(data: bytes, line: int, said: str) -> None:
    (problem,) = read_consents(data, "CZ", NOW).problems
    assert problem.line == line
    assert said in problem.reason
