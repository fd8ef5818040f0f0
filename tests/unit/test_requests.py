"""The register's rules without its store: states, dates, words, letters."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.privacy import asking, keywords, letters
from bridge.privacy import requests as law
from bridge.privacy.requests import FINAL, NEXT, Kind, State

#: The way of a request and what stands beside it, as PRIVACY draws it; an extension is no state.
DRAWN = {
    ("received", "identity_pending"),
    ("identity_pending", "verified"),
    ("identity_pending", "rejected"),
    ("verified", "approved"),
    ("verified", "forwarded"),
    ("forwarded", "instructed"),
    ("instructed", "approved"),
    ("instructed", "refused"),
    ("approved", "previewed"),
    ("previewed", "executing"),
    ("executing", "done"),
    ("done", "receipt_sent"),
}
#: Ours: a proof that comes with the request, an end without one, a refusal of our own, a failure
#: and its next try.
OURS = {
    ("received", "rejected"),
    ("received", "verified"),
    ("verified", "refused"),
    ("executing", "failed"),
    ("failed", "executing"),
    ("received", "duplicate"),
    ("identity_pending", "duplicate"),
}


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def shown(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()


@pytest.mark.parametrize(("before", "after"), list(itertools.product(State, State)))
def test_a_request_moves_by_the_table_and_no_other_way(before: State, after: State) -> None:
    step = (str(before), str(after))
    beside = after in (State.HELD, State.WITHDRAWN) or before is State.HELD
    if not beside:
        assert (after in NEXT[before]) == (step in DRAWN | OURS)
    if before in FINAL:
        assert after not in NEXT[before]


@given(st.lists(st.sampled_from(list(State)), min_size=1, max_size=30))
def test_whoever_follows_the_table_never_does_anything_before_it_was_approved(
    wished: list[State],
) -> None:
    state, way = State.RECEIVED, [State.RECEIVED]
    for wish in wished:
        if wish in NEXT[state]:
            state = wish
            way.append(state)
    if State.EXECUTING in way:
        before = way[: way.index(State.EXECUTING)]
        assert State.VERIFIED in before
        assert State.APPROVED in before
        assert State.PREVIEWED in before
    if State.RECEIPT_SENT in way:
        assert State.DONE in way


def test_every_state_can_be_reached_and_every_open_one_be_left() -> None:
    reached, edge = {State.RECEIVED}, {State.RECEIVED}
    while edge:
        edge = {after for state in edge for after in NEXT[state]} - reached
        reached |= edge
    assert reached == set(State)
    assert all(NEXT[state] for state in State if state not in FINAL)


def test_a_hold_ends_where_the_request_stood_and_shows_anew_what_was_begun() -> None:
    for state in State:
        if State.HELD in NEXT[state]:
            assert law.resumed(str(state)) in NEXT[State.HELD]
    assert law.resumed("executing") is State.APPROVED
    assert law.resumed("forwarded") is State.FORWARDED


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-11-23T10:00", "2026-12-23T10:00:00+00:00"),
        ("2027-01-31T23:30", "2027-02-28T23:30:00+00:00"),
        ("2028-01-31T00:00", "2028-02-29T00:00:00+00:00"),
        ("2026-12-31T12:00", "2027-01-31T12:00:00+00:00"),
        ("2026-08-31T12:00", "2026-09-30T12:00:00+00:00"),
    ],
)
def test_p22_a_request_is_due_in_one_calendar_month(received: str, due: str) -> None:
    assert shown(law.due(at(received))) == due


def test_p22_an_extension_is_of_two_months_at_most() -> None:
    assert shown(law.extended(at("2026-11-30T08:00"), 2)) == "2027-02-28T08:00:00+00:00"
    for months in (0, 3, -1):
        with pytest.raises(ValueError, match="1 to 2 months"):
            law.extended(at("2026-11-30T08:00"), months)


@given(st.floats(at("2000-01-01"), at("2090-01-01")), st.integers(1, 3))
def test_p22_calendar_months_never_skip_a_month(moment: float, months: int) -> None:
    before = datetime.fromtimestamp(moment, UTC)
    after = datetime.fromtimestamp(law.months_after(moment, months), UTC)
    assert (after.year * 12 + after.month) - (before.year * 12 + before.month) == months
    assert after.day <= before.day


def test_p22_silence_is_escalated_on_day_20_and_reminded_of_three_days_before() -> None:
    received = at("2026-11-01T09:00")
    assert shown(law.escalates_at(received)) == "2026-11-21T09:00:00+00:00"
    assert shown(law.reminds_at(law.due(received))) == "2026-11-28T09:00:00+00:00"


@pytest.mark.parametrize(
    ("received", "until"),
    [("2026-11-23T10:00", "2026-11-25"), ("2026-11-26T10:00", "2026-11-30")],
)
def test_p15_two_business_days_leave_out_the_weekend(received: str, until: str) -> None:
    assert shown(law.tell_by(at(received))).startswith(until)


def test_every_number_of_the_rules_has_a_source_and_a_date() -> None:
    import tomllib
    from pathlib import Path

    data = tomllib.loads(
        Path(law.__file__).with_name("rules").joinpath("requests.toml").read_text()
    )
    tables = [v for v in data.values() if isinstance(v, dict) and "default" not in v]
    for table in [*tables, *data["authorities"]]:
        assert table["source_url"].startswith("https://")
        assert table["verified_on"]


def test_p33_the_authority_is_the_tenants_then_the_operators_then_the_czech_one() -> None:
    assert law.authority("", "").name == "Úřad pro ochranu osobních údajů"
    assert law.authority("", "no").name == "Datatilsynet"
    assert law.authority("Garante", "NO").name == "Garante"


# Words


@pytest.mark.parametrize("text", sorted({*asking.ABOUT, *(f"gdpr {w}" for w in asking.WORDS)}))
def test_the_words_of_requests_are_no_keywords(text: str) -> None:
    """They stop and start nothing; that a request is a wish may be heard."""
    for country in (None, "CZ", "NO", "US", "GB", "IT"):
        assert keywords.verdict(text, country).verdict in ("none", "intent")


def test_an_sms_is_a_request_only_word_for_word() -> None:
    assert asking.of_sms("GDPR export") == asking.Wish(Kind.ACCESS, "")
    assert asking.of_sms("  gdpr VÝMAZ! ") == asking.Wish(Kind.ERASE, "cs")
    assert asking.of_sms("Osobní údaje") == asking.Wish(None, "cs")
    for talk in ("export", "slett", "please delete the old list", "GDPR is a law", "gdpr erase me"):
        assert asking.of_sms(talk) is None


@pytest.mark.parametrize(
    ("text", "kind", "lang"),
    [
        ("Please send me a copy of my personal data under article 15.", Kind.ACCESS, "en"),
        ("Dobrý den, žádám o výmaz všech mých údajů. Děkuji.", Kind.ERASE, "cs"),
        ("Hei, jeg ber om innsyn i opplysningene om meg.", Kind.ACCESS, "no"),
        ("Vennligst slett alle opplysninger om meg.", Kind.ERASE, "no"),
        ("Odvolávám svůj souhlas.", Kind.WITHDRAW, "cs"),
        ("Námitka: neposílejte mi reklamu.", Kind.OBJECT, "cs"),
        ("I object to your advertisements.", Kind.OBJECT, "en"),
        ("Prosím o přenositelnost údajů.", Kind.PORTABILITY, "cs"),
        ("I have a question about you", None, "en"),
        ("Send me a copy of my data and delete me.", None, "en"),
        ("", None, ""),
    ],
)
def test_a_mail_is_read_for_the_right_it_uses(text: str, kind: Kind | None, lang: str) -> None:
    found = asking.of_mail(text)
    assert (found.kind, found.lang) == (kind, lang)


def test_a_number_in_a_mail_is_found_as_it_was_written() -> None:
    text = "Muj telefon: +420 601 123 456, PSČ 110 00. Ref. 2026-11-23"
    assert asking.numbers_in(text)[0].startswith("+420 601 123 456")


# Letters

FACTS = letters.Facts(
    "38g4sre5p0100",
    "erase",
    "acme",
    "Our bridge",
    1_798_020_000.0,  # 2026-12-23 in UTC
    "Datatilsynet https://www.datatilsynet.no",
    "https://sms.example/privacy",
    reason="because",
    code="123456",
)


@pytest.mark.parametrize("lang", letters.LANGUAGES)
@pytest.mark.parametrize("news", sorted(letters.LETTERS))
def test_p33_every_letter_that_decides_names_remedy_and_authority(news: str, lang: str) -> None:
    letter = letters.letter(news, lang, FACTS)
    assert FACTS.reference in letter.subject
    assert "{" not in letter.text
    assert ("Datatilsynet" in letter.text) == (news != "code")


@pytest.mark.parametrize("lang", letters.LANGUAGES)
def test_p15_the_acknowledgement_says_who_decides_and_until_when(lang: str) -> None:
    text = letters.letter("acknowledged", lang, replace(FACTS, number=True)).text
    assert "acme" in text
    dates = {"en": "23 December 2026", "cs": "23. prosince 2026", "no": "23. desember 2026"}
    assert dates[lang] in text.replace("\N{NBSP}", " ")
    assert "https://sms.example/privacy" in text


@pytest.mark.parametrize("lang", letters.LANGUAGES)
@pytest.mark.parametrize("news", ["code", "release", "opened", "portal", "cancelled"])
def test_the_texts_fit_one_sms(news: str, lang: str) -> None:
    from bridge import segments

    text = letters.sms(news, lang, FACTS)
    assert "{" not in text
    assert len(segments.prepare(text, "auto", ()).parts) == 1


@pytest.mark.parametrize("lang", letters.LANGUAGES)
@pytest.mark.parametrize("kind", ["access", "erase", "object"])
def test_no_letter_sends_whoever_is_known_by_an_address_to_the_portal(kind: str, lang: str) -> None:
    """It takes numbers alone; what they are told to do, they can do by answering."""
    facts = replace(FACTS, kind=kind, receipt="https://sms.example/privacy/receipt/1")
    for news in ("acknowledged", "code", "done"):
        text = letters.letter(news, lang, facts).text.replace(facts.receipt, "")
        assert facts.portal not in text


@pytest.mark.parametrize("lang", letters.LANGUAGES)
def test_p26_the_letter_names_who_had_the_old_data_or_nobody(lang: str) -> None:
    """Carriers cannot be told by the bridge: the letter does not say that they have been."""
    nobody = letters.letter("done", lang, replace(FACTS, kind="rectify", reason="")).text
    some = letters.letter("done", lang, replace(FACTS, kind="rectify", reason="smsc-1")).text
    assert "smsc-1." in some
    assert ": \n" not in nobody
    assert not any(line.endswith(":") for line in nobody.splitlines())
    assert not any(claim in some for claim in ("have been told", "vyrozuměni", "har fått beskjed"))


def test_p29_the_last_letter_warns_whoever_kept_no_suppression() -> None:
    kept = letters.letter("done", "en", FACTS).text
    only = letters.letter("done", "en", replace(FACTS, mode="only")).text
    assert "No more messages" in kept
    assert "may be sent to you again" in only
