"""The lists' pure parts: peppers by version, files of numbers, bursts, workdays, what texts say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.bots import model
from bridge.bots.commands import parse
from bridge.bots.roles import may
from bridge.bots.words import WrongWord
from bridge.dispatch.bursts import Bursts
from bridge.dispatch.number_file import read_numbers
from bridge.dispatch.optout import link_hash, secret, with_way_out
from bridge.dispatch.tenants import Tenant
from bridge.errors import Misconfigured, Refused
from bridge.keyring import Keyring, keyring
from bridge.model import Class
from bridge.privacy.keywords import of_programme, verdict
from bridge.privacy.languages import phrases
from bridge.privacy.leaving import has_way_out, takes_no_answer
from bridge.privacy.workdays import next_workday
from bridge.store.listed import ANY, MARKETING, stops
from bridge.store.suppressions import Bound

ANNA = "+420601123456"
OLD, NEW = b"o" * 32, b"n" * 32
KEYS = Keyring(NEW, 2, [Keyring(OLD, 1)])
URL = "https://sms.example"


# peppers


def test_with_one_pepper_nothing_older_is_looked_up() -> None:
    keys = Keyring(OLD)
    assert keys.moved(1, ANNA) == {}
    assert keys.tokens(1, ANNA) == (keys.person(1, ANNA), keys.everyone(ANNA))


def test_an_older_token_leads_to_the_newest_of_its_kind() -> None:
    old = KEYS.older[0]
    assert KEYS.moved(1, ANNA, 7) == {
        old.person(1, ANNA): KEYS.person(1, ANNA),
        old.everyone(ANNA): KEYS.everyone(ANNA),
        old.programme(1, 7, ANNA): KEYS.programme(1, 7, ANNA),
    }
    assert len(set(KEYS.tokens(1, ANNA))) == 4


def test_programmes_and_tenants_have_tokens_of_their_own() -> None:
    tokens = {KEYS.programme(t, p, ANNA) for t in (1, 2) for p in (1, 2)}
    assert len(tokens | {KEYS.person(1, ANNA), KEYS.person(2, ANNA)}) == 6


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("6e" * 32, (1, [])),
        (f"2:{'6e' * 32}\n1:{'6f' * 32}\n", (2, [1])),
        (f"2:{'6e' * 32}\n{'6f' * 32}\n", (2, [1])),
        (f"7:{'6e' * 32}\n3:{'6f' * 32}\n", (7, [3])),
    ],
)
def test_a_pepper_file_has_the_newest_first(
    tmp_path: Path, text: str, wanted: tuple[int, list[int]]
) -> None:
    (tmp_path / "pepper").write_text(text)
    keys, _ = keyring(None, tmp_path)
    assert (keys.version, [older.version for older in keys.older]) == wanted


@pytest.mark.parametrize(
    "text",
    [
        f"1:{'6e' * 32}\n2:{'6f' * 32}\n",
        f"{'6e' * 32}\n{'6f' * 32}\n",
        f"0:{'6e' * 32}\n",
        f"x:{'6e' * 32}\n",
        f"2:{'6e' * 32}\n1:6f\n",
    ],
)
def test_a_pepper_file_in_another_order_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "pepper").write_text(text)
    with pytest.raises(Misconfigured, match="damaged"):
        keyring(None, tmp_path)


# what a suppression stops


@pytest.mark.parametrize(
    ("listed", "klass", "is_stopped"),
    [
        ({}, Class.MARKETING, False),
        ({"a": ANY}, Class.TRANSACTIONAL, True),
        ({"a": MARKETING}, Class.TRANSACTIONAL, False),
        ({"a": MARKETING}, Class.MARKETING, True),
        ({"x": ANY}, Class.MARKETING, False),
        ({"b": MARKETING, "a": ANY}, Class.TRANSACTIONAL, True),
    ],
)
def test_a_marketing_opt_out_stops_marketing_alone(
    listed: dict[str, str], klass: Class, is_stopped: bool
) -> None:
    assert stops(listed, ("a", "b", ""), klass) is is_stopped


def test_plain_ids_are_bound_in_everything() -> None:
    assert Bound.of([1, 2]).binds("transactional", "")
    assert not Bound.of([1], MARKETING).binds("transactional", "")
    assert not Bound.of([1], ANY, "offers").binds("transactional", "")
    assert Bound.of([1], ANY, "offers").binds("transactional", "offers")
    assert Bound.of(Bound.of([1], MARKETING)).purpose == MARKETING


# words


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("STOP offers", "stop"),
        ("please stop OFFERS!", "stop"),
        ("odhlásit Offers", "stop"),
        ("start offers", "start"),
        ("offers", ""),
        ("I like offers", ""),
        ("stop", ""),
    ],
)
def test_a_keyword_names_its_programme(text: str, wanted: str) -> None:
    assert of_programme(text, "Offers") == wanted


def test_p37_only_a_word_without_its_country_is_weak() -> None:
    assert verdict("slutt", "CZ").weak
    assert not verdict("please stop texting me", "CZ").weak
    assert verdict("slutt", "NO").verdict == "stop"


def test_p40_yes_is_no_word_that_starts_anything() -> None:
    words = {word.strip() for listed in phrases("start").values() for word in listed}
    assert not words & {"yes", "y", "ano", "ja", "oui", "si", "tak", "da"}
    assert verdict("YES", "US").verdict == "none"


def test_p36_a_wish_waits_a_business_day_and_no_weekend() -> None:
    friday = datetime(2026, 11, 20, 15, 30, tzinfo=UTC).timestamp()
    monday = datetime(2026, 11, 23, 15, 30, tzinfo=UTC).timestamp()
    assert next_workday(friday) == monday
    assert next_workday(monday) == monday + 86_400


def test_p72_a_burst_is_told_once_until_it_is_over() -> None:
    bursts = Bursts(3)
    assert [bursts.seen(float(at)) for at in range(6)] == [0, 0, 0, 4, 0, 0]
    assert [bursts.seen(100.0 + at) for at in range(4)] == [0, 0, 0, 4]


# files of numbers


@pytest.mark.parametrize(
    "text",
    [
        "601123456\n+420 601 123 457\n",
        "number\n601123456\n00420601123457\n",
        "who,phone\nAnna,601 123 456\nBerta,+420601123457\n",
        "601123456;Anna\n601123457;Berta\n",
        "﻿Number;who\n601-123-456;A\n(601) 123 457;B\n",
    ],
)
def test_numbers_are_read_in_any_writing(text: str) -> None:
    lines, problems = read_numbers(text.encode(), "CZ")
    assert [line.phone.e164 for line in lines] == [ANNA, "+420601123457"]
    assert not problems


def test_a_line_without_a_number_is_named_and_the_others_stay() -> None:
    lines, problems = read_numbers(b"number\n601123456\n12\n\n601123457\n", "CZ")
    assert [line.line for line in lines] == [2, 5]
    assert [problem.line for problem in problems] == [3]
    assert "12" not in problems[0].reason


def test_what_is_no_text_is_a_problem() -> None:
    lines, problems = read_numbers(b'"601123456', "CZ")
    assert (lines, len(problems)) == ([], 1)


# the way out of an advertisement

NAME = Tenant(1, "acme", originator="ACME")


@pytest.mark.parametrize(
    "text",
    [
        "Sale today. STOP: https://acme.example/out",
        "Sale. To unsubscribe call 601 123 456",
        "Sleva. Odhlášení: www.acme.example/x",
    ],
)
def test_p46_a_text_that_says_how_to_leave_stays_as_it_is(text: str) -> None:
    assert has_way_out(text, "ACME")
    assert with_way_out(NAME, KEYS, URL, ANNA, "ACME", text) == (text, "")


@pytest.mark.parametrize(
    "text", ["Sale today", "Sale, call 601 123 456", "See www.acme.example", "Stop here and look"]
)
def test_p46_an_advertisement_without_a_way_out_gets_one_or_is_refused(text: str) -> None:
    link = f"{URL}/o/{secret(KEYS, 1, ANNA)}"
    shown, kept = with_way_out(NAME, KEYS, f"{URL}/", ANNA, "ACME", text)
    assert shown == f"{text}\nSTOP: {link}"
    assert kept == link_hash(link.rpartition("/")[2])
    assert link not in kept
    with pytest.raises(Refused, match="needs a way to opt out"):
        with_way_out(replace(NAME, optout="require"), KEYS, URL, ANNA, "ACME", text)


def test_p46_the_link_is_on_the_tenants_own_domain() -> None:
    own = replace(NAME, link_domain="l.acme.example")
    shown, _ = with_way_out(own, KEYS, "https://sms.example:8443", ANNA, "ACME", "Sale today")
    assert shown == f"Sale today\nSTOP: https://l.acme.example:8443/o/{secret(KEYS, 1, ANNA)}"


def test_p46_the_link_stands_where_it_is_wanted() -> None:
    for tenant in (NAME, replace(NAME, optout="require")):
        shown, kept = with_way_out(tenant, KEYS, URL, ANNA, "ACME", "Sale. No more: {optout} Bye")
        assert shown.startswith(f"Sale. No more: {URL}/o/")
        assert shown.endswith(" Bye")
        assert kept


@pytest.mark.parametrize("originator", ["", "+420601000000", "36180"])
def test_who_can_answer_needs_no_link(originator: str) -> None:
    assert not takes_no_answer(originator)
    assert with_way_out(NAME, KEYS, URL, ANNA, originator, "Sale") == ("Sale", "")


def test_each_person_and_tenant_has_a_link_that_nobody_guesses() -> None:
    people = [f"+42060112{n:04d}" for n in range(1000)]
    links = {secret(KEYS, tenant, person) for tenant in (1, 2) for person in people}
    assert len(links) == 2000
    assert {len(link) for link in links} == {12}


# the grammar


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        (f"stop {ANNA}", model.Stop(model.Number(ANNA), "tenant", "", "")),
        (
            f'stop {ANNA} scope=all reason="asked on the phone"',
            model.Stop(model.Number(ANNA), "all", "", "asked on the phone"),
        ),
        (
            "stop 601 123 456 reason=“by mail” scope=programme:offers",
            model.Stop(model.Number(ANNA), "programme", "offers", "by mail"),
        ),
        ("stop @anna", model.Stop(model.Name("anna"), "tenant", "", "")),
        (
            f"unstop {ANNA} evidence=https://tickets.example/7",
            model.Unstop(model.Number(ANNA), "https://tickets.example/7"),
        ),
        ("blacklist", model.Blacklist("list", "", "")),
        ("blacklist list", model.Blacklist("list", "", "")),
        ('blacklist add GB reason="fraud"', model.Blacklist("add", "GB", "fraud")),
        ("blacklist add 601 123 456", model.Blacklist("add", "601 123 456", "")),
        ("blacklist remove +4477*", model.Blacklist("remove", "+4477*", "")),
        ("blacklist check +4477", model.Blacklist("check", "+4477", "")),
    ],
)
def test_p41_what_is_typed_about_the_lists(typed: str, wanted: model.Command) -> None:
    assert parse(typed, "CZ") == wanted


@pytest.mark.parametrize(
    ("typed", "at"),
    [
        (f"stop {ANNA} scope=world", "scope=world"),
        (f"stop {ANNA} scope=programme", "scope=programme"),
        (f"stop {ANNA} scope=all:x", "scope=all:x"),
        (f"stop {ANNA} please", "please"),
        (f'stop {ANNA} reason="open', 'reason="open'),
        (f"stop {ANNA} reason=a reason=b", "reason=b"),
        (f"unstop {ANNA}", ""),
        (f"unstop {ANNA} evidence=mail", "evidence=mail"),
        ("blacklist check GB reason=x", "reason=x"),
        ("blacklist drop GB", "drop"),
        ("blacklist add", ""),
    ],
)
def test_what_cannot_be_obeyed_is_pointed_at(typed: str, at: str) -> None:
    with pytest.raises(WrongWord) as caught:
        parse(typed, "CZ")
    assert caught.value.word.text == at


@pytest.mark.parametrize(
    ("act", "roles"),
    [
        ("stop", {"agent", "privacy", "tenant-owner", "admin"}),
        ("unblock", {"privacy", "tenant-owner", "admin"}),
        ("unstop", {"privacy"}),
        ("agree-unstop", {"privacy", "admin"}),
    ],
)
def test_who_may(act: str, roles: set[str]) -> None:
    everybody = ("agent", "privacy", "tenant-owner", "admin", "auditor")
    assert {role for role in everybody if may(role, act)} == roles  # type: ignore[arg-type]
