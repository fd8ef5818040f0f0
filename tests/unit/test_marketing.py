"""Advertising: every row of the rules with its hours, its words and its bases, to the second."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import timezone

from bridge import explain
from bridge.explain import Advertising
from bridge.privacy import consents, countries, hours, marketing
from bridge.privacy.countries import Cap, rule_for
from bridge.privacy.hours import Hours, Window
from bridge.privacy.marketing import Advert, Allowed, Deferred, Forbidden, Person, verdict
from bridge.segments import segment
from bridge.segments.alphabets import DEFAULT
from bridge.settings.values import _GSM7
from bridge.store.permits import Record
from tests.consents import moment

RULES = Path(countries.__file__).with_name("rules")
ROWS = tomllib.loads((RULES / "countries.toml").read_text(encoding="utf-8"))["rule"]

PRAGUE, PARIS, NEW_YORK = "Europe/Prague", "Europe/Paris", "America/New_York"
CZ, FR, NO, GB = "+420601123456", "+33601020304", "+4740612345", "+447400123456"
NY, FL, MD, OK, CT, TX = (f"+1{code}5550100" for code in ("212", "305", "410", "405", "203", "214"))
TOLL_FREE = "+18005550100"
YES = Record("", "sms", "consent", None, 0.0)
OFFER = "OS Acme: sleva 20 %. Odhlaseni: STOP"


def advert(text: str = OFFER, **more: Any) -> Advert:
    return Advert(**{"text": text, "originator": "+420601000000", "sender": "acme", **more})


def person(number: str, zones: Sequence[str] = (), **more: Any) -> Person:
    country = phonenumbers.region_code_for_number(phonenumbers.parse(number)) or "US"
    found = zones or timezone.time_zones_for_number(phonenumbers.parse(number))
    return Person(rule_for(country, number), tuple(found), **more)


def judge(number: str, local: str, zone: str, **more: Any) -> Allowed | Deferred | Forbidden:
    return verdict(advert(**more), person(number), [YES], moment(local, zone))


def opens(number: str, local: str, zone: str) -> str:
    """The local time at which an advertisement of this moment may leave; "" for at once."""
    found = judge(number, local, zone)
    if isinstance(found, Allowed):
        return ""
    assert isinstance(found, Deferred)
    return datetime.fromtimestamp(found.at, ZoneInfo(zone)).strftime("%a %Y-%m-%dT%H:%M")


# The rules file


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_every_rule_is_dated_and_has_its_source(row: dict[str, Any]) -> None:
    assert row["source_url"].startswith("https://")
    assert date(2026, 1, 1) <= row["verified_on"] <= date(2100, 1, 1)
    assert row["why"]
    assert set(row["bases"]) <= set(consents.BASES)
    assert set(row["purposes"]) <= set(consents.PURPOSES)
    hours.parse(row["hours"])


def test_no_country_has_two_rules_of_the_same_state() -> None:
    named = [
        (c, s) for row in ROWS for c in row.get("countries", ()) for s in row.get("states", [""])
    ]
    assert len(named) == len(set(named))
    assert [row["name"] for row in ROWS if "countries" not in row] == ["elsewhere"]


def test_a_state_is_known_by_its_area_code_and_by_nothing_else() -> None:
    found = {number: countries.state_of(number) for number in (NY, FL, MD, OK, CT, TX)}
    assert list(found.values()) == ["NY", "FL", "MD", "OK", "CT", "TX"]
    assert countries.state_of(TOLL_FREE) == countries.state_of(CZ) == ""


def test_all_zones_of_all_numbers_are_known_here() -> None:
    from phonenumbers.tzdata import TIMEZONE_DATA

    for zone in {zone for zones in TIMEZONE_DATA.values() for zone in zones}:
        ZoneInfo(zone)


# The hours (P49)

AT_ONCE = ""
US_DAY = "2026-11-24"  # a Tuesday
P49 = {
    "us before 8": (NY, NEW_YORK, f"{US_DAY}T07:59:59", "Tue 2026-11-24T08:00"),
    "us at 8": (NY, NEW_YORK, f"{US_DAY}T08:00:00", AT_ONCE),
    "us before 21": (NY, NEW_YORK, f"{US_DAY}T20:59:59", AT_ONCE),
    "us at 21": (NY, NEW_YORK, f"{US_DAY}T21:00:00", "Wed 2026-11-25T08:00"),
    "florida before 20": (FL, NEW_YORK, f"{US_DAY}T19:59:59", AT_ONCE),
    "florida at 20": (FL, NEW_YORK, f"{US_DAY}T20:00:00", "Wed 2026-11-25T08:00"),
    "maryland at 8": (MD, NEW_YORK, f"{US_DAY}T08:00:00", AT_ONCE),
    "maryland at 20": (MD, NEW_YORK, f"{US_DAY}T20:00:00", "Wed 2026-11-25T08:00"),
    "oklahoma before 20": (OK, "America/Chicago", f"{US_DAY}T19:59:59", AT_ONCE),
    "oklahoma at 20": (OK, "America/Chicago", f"{US_DAY}T20:00:00", "Wed 2026-11-25T08:00"),
    "connecticut before 9": (CT, NEW_YORK, f"{US_DAY}T08:59:59", "Tue 2026-11-24T09:00"),
    "connecticut at 9": (CT, NEW_YORK, f"{US_DAY}T09:00:00", AT_ONCE),
    "connecticut at 20": (CT, NEW_YORK, f"{US_DAY}T20:00:00", "Wed 2026-11-25T09:00"),
    "texas before 9": (TX, "America/Chicago", f"{US_DAY}T08:59:59", "Tue 2026-11-24T09:00"),
    "texas before 21": (TX, "America/Chicago", f"{US_DAY}T20:59:59", AT_ONCE),
    "texas sunday before noon": (TX, "America/Chicago", "2026-11-29T11:59", "Sun 2026-11-29T12:00"),
    "texas sunday noon": (TX, "America/Chicago", "2026-11-29T12:00", AT_ONCE),
    "texas saturday night": (TX, "America/Chicago", "2026-11-28T21:00", "Sun 2026-11-29T12:00"),
    "france saturday before 20": (FR, PARIS, "2026-11-28T19:59:59", AT_ONCE),
    "france saturday at 20": (FR, PARIS, "2026-11-28T20:00", "Mon 2026-11-30T08:00"),
    "france sunday noon": (FR, PARIS, "2026-11-29T12:00", "Mon 2026-11-30T08:00"),
    "france armistice": (FR, PARIS, "2026-11-11T12:00", "Thu 2026-11-12T08:00"),
    "france easter monday": (FR, PARIS, "2027-03-29T12:00", "Tue 2027-03-30T08:00"),
    "france easter saturday night": (FR, PARIS, "2027-03-27T20:00", "Tue 2027-03-30T08:00"),
    "france new year": (FR, PARIS, "2027-01-01T12:00", "Sat 2027-01-02T08:00"),
    "france christmas, then a weekend": (FR, PARIS, "2026-12-24T20:30", "Sat 2026-12-26T08:00"),
    "czech before 8": (CZ, PRAGUE, f"{US_DAY}T07:59:59", "Tue 2026-11-24T08:00"),
    "czech sunday": (CZ, PRAGUE, "2026-11-29T12:00", AT_ONCE),
    "czech holidays are days": (CZ, PRAGUE, "2026-11-17T12:00", AT_ONCE),
    "czech at 20": (CZ, PRAGUE, f"{US_DAY}T20:00", "Wed 2026-11-25T08:00"),
    "norway at 20": (NO, "Europe/Oslo", f"{US_DAY}T20:00", "Wed 2026-11-25T08:00"),
    "elsewhere, courtesy": (
        "+819012345678",
        "Asia/Tokyo",
        f"{US_DAY}T20:00",
        "Wed 2026-11-25T08:00",
    ),
    "spring forward": (CZ, PRAGUE, "2027-03-28T03:30", "Sun 2027-03-28T08:00"),
    "autumn back": (CZ, PRAGUE, "2026-10-25T02:30", "Sun 2026-10-25T08:00"),
    "us spring forward": (NY, NEW_YORK, "2027-03-14T03:30", "Sun 2027-03-14T08:00"),
    "a leap day": (CZ, PRAGUE, "2028-02-28T21:00", "Tue 2028-02-29T08:00"),
    "after a leap day": (CZ, PRAGUE, "2028-02-29T20:00", "Wed 2028-03-01T08:00"),
    "the year's last night": (CZ, PRAGUE, "2026-12-31T23:59", "Fri 2027-01-01T08:00"),
}


@pytest.mark.parametrize(("number", "zone", "local", "expected"), P49.values(), ids=P49)
def test_p49_an_advertisement_waits_for_its_hours(
    number: str, zone: str, local: str, expected: str
) -> None:
    assert opens(number, local, zone) == expected


def test_p49_an_unknown_state_keeps_to_all_of_them() -> None:
    rule = rule_for("US", TOLL_FREE)
    assert rule.name == "US-unknown"
    assert rule.hours.week == hours.parse("Mo-Sa 09:00-20:00; Su 12:00-20:00")
    assert rule.caps == (Cap(3, 86400.0),)
    for row in ROWS:
        if "US" in row.get("countries", ()):
            week = hours.parse(row["hours"])
            assert hours.both(rule.hours.week, week) == rule.hours.week


def test_p49_a_day_with_a_lost_hour_ends_on_time() -> None:
    found = judge(CZ, "2027-03-28T12:00", PRAGUE)
    assert isinstance(found, Allowed)
    assert found.until == moment("2027-03-28T20:00")
    assert found.until - moment("2027-03-28T00:00") == 19 * 3600.0


SPAIN = ("Atlantic/Canary", "Europe/Madrid")
P49_ZONES = {
    "the east is awake, the islands not": (SPAIN, "2026-11-24T08:30", "Tue 2026-11-24T09:00"),
    "both are": (SPAIN, "2026-11-24T09:00", AT_ONCE),
    "the islands still are": (SPAIN, "2026-11-24T20:00", "Wed 2026-11-25T09:00"),
    "far apart": (("Europe/Madrid", "Asia/Tokyo"), "2026-11-24T12:00", "Wed 2026-11-25T08:00"),
}


@pytest.mark.parametrize(("zones", "local", "expected"), P49_ZONES.values(), ids=P49_ZONES)
def test_p49_what_holds_must_hold_in_every_zone(
    zones: tuple[str, ...], local: str, expected: str
) -> None:
    spain = person("+34612345678", zones)
    found = verdict(advert(), spain, [YES], moment(local, "Europe/Madrid"))
    at = found.at if isinstance(found, Deferred) else 0.0
    shown = datetime.fromtimestamp(at, ZoneInfo("Europe/Madrid")).strftime("%a %Y-%m-%dT%H:%M")
    assert (shown if at else AT_ONCE) == expected


def test_p49_zones_without_a_common_hour_are_refused() -> None:
    rule = replace(rule_for("CZ", CZ), hours=Hours(hours.parse("Mo-Su 12:00-13:00")))
    nowhere = Person(rule, ("Pacific/Auckland", PRAGUE))
    found = verdict(advert(), nowhere, [YES], moment("2026-11-24T12:00"))
    assert isinstance(found, Forbidden)
    assert found.rule == "hours:CZ"


def test_p49_a_wanted_time_at_night_moves_to_the_morning() -> None:
    now, night = moment("2026-11-24T12:00"), moment("2026-11-24T23:00")
    found = verdict(advert(not_before=night), person(CZ), [YES], now)
    assert isinstance(found, Deferred)
    assert found.at == moment("2026-11-25T08:00")
    assert found.until == moment("2026-11-25T20:00")
    day = verdict(advert(not_before=night + 15 * 3600), person(CZ), [YES], now)
    assert isinstance(day, Allowed)
    assert day.until == moment("2026-11-25T20:00")


@settings(deadline=None)  # the holidays' modules are loaded once
@given(
    number=st.sampled_from([CZ, FR, NO, GB, NY, FL, TX, CT, TOLL_FREE, "+61412345678"]),
    at=st.floats(1_700_000_000, 2_000_000_000),
)
def test_p49_at_any_time_the_window_is_inside_the_hours_of_every_zone(
    number: str, at: float
) -> None:
    one = person(number)
    found = hours.window(one.rule.hours, one.zones, at)
    if number == TOLL_FREE and found is None:
        return  # from Guam to Puerto Rico there is no common hour in summer
    assert isinstance(found, Window)
    assert found.closes > at
    for zone in one.zones:
        for edge in (max(at, found.opens), found.closes - 1):
            there = datetime.fromtimestamp(edge, ZoneInfo(zone))
            span = one.rule.hours.week[there.weekday()]
            assert span is not None
            assert span[0] <= there.hour * 60 + there.minute < span[1]


@pytest.mark.parametrize(
    "written", ["Mo-Su", "Mo-Su 8-20", "Mo-Su 20:00-08:00", "Xx 08:00-20:00", ""]
)
def test_hours_that_mean_nothing_are_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"hours|not in"):
        hours.parse(written)


def test_hours_past_midnight_are_one_window() -> None:
    always = Hours(hours.parse("Mo-Su 00:00-24:00"))
    now = moment("2026-11-24T23:59")
    found = hours.window(always, (PRAGUE,), now)
    assert found is not None
    assert found.closes - now > 7 * 86400


# The bases (P48)

P48: dict[str, tuple[str, dict[str, Any], str]] = {
    "consent": (CZ, {}, "consent"),
    "nothing": (CZ, {"basis": "objection", "withdrawn_at": 1.0}, ""),
    "a customer in the EU": (CZ, {"basis": "customer"}, "customer"),
    "a customer in Norway": (NO, {"basis": "customer"}, "customer"),
    "a customer in the US": (NY, {"basis": "customer"}, ""),
    "a guardian's consent": (CZ, {"basis": "guardian", "of_age": False}, "guardian"),
    "a child's own": (CZ, {"of_age": False}, ""),
    "no channel named": (CZ, {"purpose": "marketing"}, "consent"),
    "no channel named, in the UK": (GB, {"purpose": "marketing"}, ""),
    "texts named, in the UK": (GB, {"purpose": "sms"}, "consent"),
    "only the service": (CZ, {"purpose": "service"}, ""),
    "withdrawn": (CZ, {"withdrawn_at": 5.0}, ""),
    "its term is over": (CZ, {"expires_at": 5.0}, ""),
    "its term lasts": (CZ, {"expires_at": 9e9}, "consent"),
    "void": (CZ, {"void_reason": "reassigned", "expires_at": 5.0}, ""),
    "not confirmed": (CZ, {"void_reason": "unconfirmed"}, ""),
    "to another programme": (CZ, {"programme": "news"}, ""),
}


@pytest.mark.parametrize(("number", "facts", "expected"), P48.values(), ids=P48)
def test_p48_an_advertisement_needs_its_basis(
    number: str, facts: dict[str, Any], expected: str
) -> None:
    found = verdict(advert(), person(number), [replace(YES, **facts)], moment("2026-11-24T17:00"))
    if expected:
        assert not isinstance(found, Forbidden)
        assert found.basis == expected
    else:
        assert isinstance(found, Forbidden)
        assert found.rule.startswith("basis:")
        assert "bridge consent add" in found.hint


def test_p48_nobody_is_taken_to_have_agreed() -> None:
    found = verdict(advert(), person(CZ), [], moment("2026-11-24T12:00"))
    assert isinstance(found, Forbidden)
    assert found.reason.startswith("no consent to advertising is recorded")


PROGRAMMES: dict[str, tuple[list[Record], str]] = {
    "to all": ([YES], "consent"),
    "to this one": ([replace(YES, programme="news")], "consent"),
    "to another": ([replace(YES, programme="shop")], ""),
    "to all, and this one taken back later": (
        [YES, replace(YES, programme="news", withdrawn_at=9.0)],
        "",
    ),
    "to all, and another taken back": (
        [YES, replace(YES, programme="shop", withdrawn_at=9.0)],
        "consent",
    ),
    "given again after it was taken back": (
        [replace(YES, withdrawn_at=9.0), replace(YES, given_at=10.0)],
        "consent",
    ),
}


@pytest.mark.parametrize(("records", "expected"), PROGRAMMES.values(), ids=PROGRAMMES)
def test_p48_a_programme_has_consents_of_its_own(records: list[Record], expected: str) -> None:
    found = verdict(advert(programme="news"), person(CZ), records, moment("2026-11-24T12:00"))
    assert ("" if isinstance(found, Forbidden) else found.basis) == expected


@pytest.mark.parametrize(
    ("records", "expected"),
    [([], "tenant"), ([replace(YES, withdrawn_at=5.0)], ""), ([YES], "consent")],
)
def test_p48_a_tenant_that_vouches_is_outweighed_by_what_people_say(
    records: list[Record], expected: str
) -> None:
    found = verdict(advert(vouched=True), person(CZ), records, moment("2026-11-24T12:00"))
    assert ("" if isinstance(found, Forbidden) else found.basis) == expected


# P46, P47: the text

P47 = {
    "label, sender, way out": (OFFER, ""),
    "in full": ("Obchodní sdělení Acme: sleva. Odhlášení: STOP", ""),
    "without the label": ("Acme: sleva 20 %. Odhlaseni: STOP", "label:CZ"),
    "the label too late": ("Acme sleva na novy OS. Odhlaseni: STOP", "label:CZ"),
    "a label in another word": ("iOS Acme sleva. Odhlaseni: STOP", "label:CZ"),
    "without the sender": ("OS: sleva 20 %. Odhlaseni: STOP", "sender:CZ"),
    "without the way out": ("OS Acme: sleva 20 %.", "opt-out:CZ"),
    "stop as an everyday word": ("OS Acme: Stop by our shop", "opt-out:CZ"),
    "the keyword in capitals": ("OS Acme: sleva. STOP = konec", ""),
}


@pytest.mark.parametrize(("text", "expected"), P47.values(), ids=P47)
def test_p47_a_czech_advertisement_says_what_it_is_and_from_whom(text: str, expected: str) -> None:
    found = verdict(advert(text), person(CZ), [YES], moment("2026-11-24T12:00"))
    assert (found.rule if isinstance(found, Forbidden) else "") == expected


WAYS_OUT = {
    "en": "Acme sale! Reply STOP to end",
    "no": "Acme tilbud. Svar STOPP for avmelding",
    "sv": "Acme rea. STOPP avslutar",
    "de": "Acme Angebot. Abmelden: STOPP",
    "fr": "Acme soldes. STOP au 36180",
    "pl": "Acme promocja. Rezygnacja: STOP",
}


@pytest.mark.parametrize("text", WAYS_OUT.values(), ids=WAYS_OUT)
def test_p47_the_way_out_is_asked_for_all_over_the_eu(text: str) -> None:
    berlin = person("+4915112345678")
    now = moment("2026-11-24T12:00")
    assert isinstance(verdict(advert(text), berlin, [YES], now), Allowed)
    without = verdict(advert("Acme: everything must go"), berlin, [YES], now)
    assert isinstance(without, Forbidden)
    assert without.rule == "opt-out:EEA"


P46 = {
    "a word that takes no answer": ("OS Acme: sleva. Odhlaseni: STOP", False),
    "a link": ("OS Acme: sleva. Odhlaseni: https://acme.example/x", True),
    "a bare link": ("OS Acme: sleva. Odhlaseni acme.example/x", True),
    "a number": ("OS Acme: sleva. STOP: +420601000000", True),
    "a link to the shop only": ("OS Acme: sleva https://acme.example/shop", False),
    "a price is no number": ("OS Acme: sleva. Odhlaseni kdykoli, 50 Kc", False),
    "our own link is put there": ("OS Acme: sleva {optout}", True),
}


@pytest.mark.parametrize(("text", "is_fine"), P46.values(), ids=P46)
def test_p46_a_sender_that_takes_no_answer_says_where_to_opt_out(text: str, is_fine: bool) -> None:
    found = verdict(advert(text, originator="Acme"), person(CZ), [YES], moment("2026-11-24T12:00"))
    assert isinstance(found, Allowed) is is_fine
    if isinstance(found, Forbidden):
        assert "takes no answer" in found.reason


def test_p46_our_own_link_will_be_added() -> None:
    shown = advert("OS Acme: sleva", originator="Acme", adds_link=True)
    assert isinstance(verdict(shown, person(CZ), [YES], moment("2026-11-24T12:00")), Allowed)


def test_what_the_phone_shows_names_the_sender() -> None:
    now = moment("2026-11-24T12:00")
    text = "OS: sleva. Odhlaseni: https://a.example/x"
    assert isinstance(verdict(advert(text, originator="ACME"), person(CZ), [YES], now), Allowed)
    other = verdict(advert(text, originator="INFO"), person(CZ), [YES], now)
    assert isinstance(other, Forbidden)
    assert other.rule == "sender:CZ"


def test_the_tenants_label_and_footer_are_put_where_they_are_missing() -> None:
    own = {"label": "OS Acme:", "footer": "Odhlaseni: STOP"}
    now = moment("2026-11-24T12:00")
    found = verdict(advert("sleva 20 %", **own), person(CZ), [YES], now)
    assert isinstance(found, Allowed)
    assert found.text == "OS Acme: sleva 20 % Odhlaseni: STOP"
    assert {"marketing-label", "marketing-footer"} <= set(found.rules)
    whole = verdict(advert(OFFER, **own), person(CZ), [YES], now)
    assert isinstance(whole, Allowed)
    assert whole.text == OFFER


def test_p47_labels_and_footers_stay_gsm7() -> None:
    assert frozenset(DEFAULT.septets) - {"\f"} == _GSM7
    assert segment("OS Acme: sleva. Odhlaseni: STOP").encoding == "gsm7"
    assert segment("OS Acme: sleva. Odhlášení: STOP").encoding == "ucs2"


# Caps

DAY = 86400.0
CAPS = {
    "two of three": ((0.0, 1.0), "3/7d", False),
    "three of three": ((0.0, 1.0, 2.0), "3/7d", True),
    "the first is over": ((0.0, 1.0, 2.0), "3/2d", False),
    "those to come count too": ((3.5, 4.0, 4.5), "3/7d", True),
    "far on both sides": ((0.0, 0.5, 9.0), "3/7d", False),
    "none": ((0.0,) * 50, "", False),
}


@pytest.mark.parametrize(("days", "written", "refused"), CAPS.values(), ids=CAPS)
def test_a_person_gets_no_more_than_the_cap(
    days: tuple[float, ...], written: str, refused: bool
) -> None:
    now = moment("2026-11-24T12:00")
    recent = tuple(now + (day - 3) * DAY for day in days)
    found = verdict(advert(cap=countries.cap(written)), person(CZ, recent=recent), [YES], now)
    assert isinstance(found, Forbidden) is refused
    if isinstance(found, Forbidden):
        assert (found.rule, written in found.reason) == ("cap:CZ", True)


def test_the_cap_of_a_state_holds_beside_the_tenants() -> None:
    now = moment("2026-11-24T12:00", NEW_YORK)
    recent = (now - 3600, now - 1800, now - 900)
    text = "Acme sale! Reply STOP to end"
    wide = advert(text, cap=countries.cap("100/1d"))
    assert isinstance(verdict(wide, person(FL, recent=recent), [YES], now), Forbidden)
    assert isinstance(verdict(wide, person(NY, recent=recent), [YES], now), Allowed)


@pytest.mark.parametrize("written", ["3", "3/7", "0/7d", "3/0d", "x/7d", "-1/7d"])
def test_a_cap_that_means_nothing_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="3/7d"):
        countries.cap(written)


def test_the_order_is_basis_text_cap_hours() -> None:
    night, recent = moment("2026-11-24T02:00"), (moment("2026-11-24T08:00"),)
    one = person(CZ, recent=recent)
    poor = advert("hello", cap=countries.cap("1/7d"))
    rules = []
    for wanted, records in ((poor, []), (poor, [YES]), (replace(poor, text=OFFER), [YES])):
        found = verdict(wanted, one, records, night)
        assert isinstance(found, Forbidden)
        rules.append(found.rule)
    assert rules == ["basis:CZ", "label:CZ", "cap:CZ"]
    late = verdict(advert(OFFER), one, [YES], night)
    assert isinstance(late, Deferred)
    assert late.rules == ("marketing:CZ", "basis:consent", "quiet-hours:CZ")


# What `bridge explain mail` says


def explained(text: str, local: str = "2026-11-24T12:00", **more: Any) -> dict[str, Any]:
    raw = f"From: eva@acme.example\nSubject: s\n\n{text}\n".encode()
    facts = {"to": CZ, "country": "CZ", "now": moment(local), "sender": "Acme", **more}
    return explain.mail(raw, "x.eml", explain.Rules(advert=Advertising(**facts)))


def test_p47_explain_names_the_rule_that_refuses() -> None:
    found = explained("Sleva 20 %")
    assert found["refused"] is True
    assert "rule label:CZ" in found["reason"]
    assert found["rules"] == ["label:CZ"]
    law = found["marketing"]
    assert (law["rule"], law["verdict"], law["at"]) == ("CZ", "refused", None)
    assert law["source_url"].startswith("https://uoou.gov.cz/")


def test_p49_explain_tells_when_it_would_leave() -> None:
    found = explained(OFFER, "2026-11-24T21:00")
    assert found["refused"] is False
    assert found["rules"] == ["marketing:CZ", "quiet-hours:CZ"]
    assert found["marketing"]["verdict"] == "deferred"
    assert found["marketing"]["at"] == "2026-11-25T07:00:00+00:00"
    assert found["marketing"]["until"] == "2026-11-25T19:00:00+00:00"


def test_explain_shows_what_leaves_with_the_tenants_words() -> None:
    found = explained("sleva", label="OS Acme:", footer="Odhlaseni: STOP")
    assert found["text"] == "sleva"
    assert found["sent"] == "OS Acme: sleva Odhlaseni: STOP"
    assert found["units"] == [30]


def test_explain_of_other_mails_is_as_ever() -> None:
    found = explain.mail(b"Subject: s\n\nhello\n", "x.eml")
    assert "marketing" not in found
    assert found["rules"] == []


def test_need_is_what_the_rule_asks_for() -> None:
    found = marketing.need(advert(programme="news"), rule_for("GB", GB))
    assert (found.programme, found.purposes) == ("news", ("sms",))
    assert set(found.bases) == {"consent", "guardian", "customer"}
