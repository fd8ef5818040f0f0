"""The rules of retention: periods, calendar months, bounds, and the table in the documentation."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bridge.dispatch.tenants import from_file
from bridge.errors import Misconfigured, Refused
from bridge.privacy.retention import Period, Plan, Rule, is_longer, rule, rules
from bridge.settings import Tenant
from bridge.store import mo_parts, submissions, sweeps, updates
from bridge.store.kept import WALKS
from bridge.store.staff import INVITATIONS_KEPT_SECONDS, TRIES_KEPT_SECONDS

DOCS = Path(__file__).parents[2] / "docs" / "privacy.md"
DAY = 86_400.0


def at(written: str) -> float:
    return datetime.fromisoformat(written).replace(tzinfo=UTC).timestamp()


def name_of(each: Rule) -> str:
    return each.name


@pytest.mark.parametrize(
    ("now", "period", "before"),
    [
        ("2026-11-23 12:00", "60d", "2026-09-24 12:00"),
        ("2026-11-23 12:00", "6mo", "2026-05-23 12:00"),
        ("2026-11-23 12:00", "10y", "2016-11-23 12:00"),
        ("2026-03-31 08:00", "1mo", "2026-02-28 23:59:59.999999"),
        ("2028-03-31 08:00", "1mo", "2028-02-29 23:59:59.999999"),
        ("2027-03-28 08:00", "1mo", "2027-02-28 08:00"),
        ("2028-02-28 08:00", "1y", "2027-02-28 08:00"),
        ("2026-01-15 08:00", "1mo", "2025-12-15 08:00"),
        ("2028-02-29 08:00", "1y", "2027-02-28 23:59:59.999999"),
        ("2027-02-28 08:00", "3y", "2024-02-28 08:00"),
        ("2027-03-01 00:00", "3y", "2024-03-01 00:00"),
        ("2026-11-23 12:00", "0d", "2026-11-23 12:00"),
    ],
)
def test_p05_months_are_calendar_months(now: str, period: str, before: str) -> None:
    assert Period.of(period).before(at(now)) == at(before)


def test_what_began_on_the_31st_ends_with_the_shorter_month() -> None:
    """Regulation 1182/71, article 3(2)(c)."""
    month = Period.of("1mo")
    begun = at("2026-01-31 09:00")
    assert begun > month.before(at("2026-02-28 23:59"))
    assert begun <= month.before(at("2026-03-01 09:00"))


@pytest.mark.parametrize("written", ["1mo", "3mo", "6mo", "1y", "3y"])
def test_p05_what_is_due_stays_due_in_every_hour_of_two_years(written: str) -> None:
    """Runs come hourly, or late: one that misses the minute of an end must find it all the same."""
    period = Period.of(written)
    hours = range(int(at("2027-01-01 00:10")), int(at("2029-01-01")), 3600)
    cutoffs = [period.before(now) for now in hours]
    assert cutoffs == sorted(cutoffs)


@given(
    some.integers(0, 1100),
    some.integers(0, 9999),
    some.floats(at("2026-01-01"), at("2100-01-01")),
)
def test_a_longer_period_reaches_further_back(months: int, days: int, now: float) -> None:
    assert Period(days, months).before(now) <= Period(0, months).before(now) <= now
    assert Period(0, months + 1).before(now) < Period(0, months).before(now)


@pytest.mark.parametrize("written", ["60d", "6mo", "10y", "never", "0d", "18mo"])
def test_a_period_is_written_as_it_is_read(written: str) -> None:
    assert Period.of(written).written == written


@pytest.mark.parametrize("written", ["", "60", "d", "60 d", "1h", "-1d", "9999y", "1.5d", "12345d"])
def test_what_is_no_period_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"period|longer"):
        Period.of(written)


def test_what_has_no_end_is_never_due() -> None:
    assert Period.of("never").before(at("2999-01-01")) == float("-inf")
    assert is_longer(Period.of("never"), Period.of("100y"))


@pytest.mark.parametrize("each", rules().values(), ids=name_of)
def test_every_rule_has_its_ground_its_source_and_its_date(each: Rule) -> None:
    assert each.holds
    assert each.trigger
    assert each.basis
    assert each.clause
    assert each.source_url.startswith("https://")
    assert date(2026, 1, 1) <= each.verified_on <= date(2027, 12, 31)
    assert each.set_by in ("tenant", "operator", "")
    assert not is_longer(each.minimum, each.period)
    assert not is_longer(each.period, each.maximum)
    assert bool(each.set_by) == (each.minimum != each.maximum)


def test_what_runs_purge_is_a_rule() -> None:
    assert WALKS.keys() <= rules().keys()


def test_p06_the_policies_periods_are_the_defaults() -> None:
    written = """text 60d, traffic 6mo, contact 60d, claimed-message 60d, closed-message 120d,
        import 60d, attachment 60d, backup 60d, activity 1mo, audit 2y, account 10y, invoice 10y,
        export 7d, suppression never"""
    policy = dict(each.split() for each in written.split(","))
    assert {name: rules()[name].period.written for name in policy} == policy


def test_what_is_kept_for_days_is_kept_no_longer_than_its_rule_says() -> None:
    spans = (
        submissions.REPEAT_SECONDS,
        mo_parts.REPEAT_SECONDS,
        sweeps.CALLBACK_SECONDS,
        updates.KEPT_SECONDS,
        TRIES_KEPT_SECONDS,
    )
    assert max(spans) == rules()["working"].period.days * DAY
    assert rules()["invitation"].period.days * DAY == INVITATIONS_KEPT_SECONDS


@pytest.mark.parametrize(
    ("name", "period", "said"),
    [
        ("text", "7mo", "at most"),
        ("traffic", "1mo", "at least"),
        ("traffic", "7mo", "at most"),
        ("audit", "1y", "cannot be changed"),
        ("suppression", "10y", "cannot be changed"),
    ],
)
def test_a_period_outside_of_its_bounds_is_refused(name: str, period: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        rule(name).check(Period.of(period))


def test_an_unknown_class_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(Refused) as no:
        rule("textt")
    assert "text" in no.value.hint


def test_the_narrower_decision_holds_and_none_leaves_the_bounds() -> None:
    plan = Plan(
        {
            ("text", 0): Period.of("30d"),
            ("text", 2): Period.of("90d"),
            ("text", 4): Period.of("1y"),
        },
        {2: Period.of("70d"), 3: Period.of("100d")},
    )
    assert [str(plan.period("text", tenant)) for tenant in (1, 2, 3, 4)] == [
        *("30 days", "90 days", "100 days", "6 months")
    ]
    cutoffs = plan.cutoffs("text", at("2026-11-23"))
    assert cutoffs.keys() == {0, 2, 3, 4}
    assert cutoffs[2] < cutoffs[0]


def test_a_tenant_cannot_keep_texts_for_longer_than_the_rule_allows() -> None:
    kept = from_file(Tenant.model_validate({"name": "acme", "keep_texts": "90d"}), 0.0)
    assert kept.settings["keep_texts"] == 90 * DAY
    with pytest.raises(Misconfigured, match="acme: keep_texts"):
        from_file(Tenant.model_validate({"name": "acme", "keep_texts": "200d"}), 0.0)


def test_the_documentation_shows_the_rules_as_they_are() -> None:
    text = DOCS.read_text(encoding="utf-8").partition("## Retention")[2]
    shown = re.findall(r"^\| `([\w-]+)` \|(.*)\|$", text.partition("\n## ")[0], re.MULTILINE)
    expected = [
        (
            each.name,
            f" {each.holds} | {each.period} | {each.trigger} | {each.clause}"
            f" | {each.set_by or 'nobody'} ",
        )
        for each in rules().values()
    ]
    assert shown == expected
