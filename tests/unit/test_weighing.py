"""When a carrier loses traffic, when it gets it back, and that neither is twitchy."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from bridge.dispatch.weighing import Slot, slot_of, weighed
from bridge.settings import Health
from bridge.store.tallies import Weighed

RULES = Health()
STEP = RULES.step.total_seconds()
SLOT = slot_of(RULES)
BEGIN = 1_800_000_000.0
Second = Callable[[float], dict[str, float]]


def fine(_at: float) -> dict[str, float]:
    return {"accepted": 1.0, "reported": 0.95}


def days_of(life: Second, until: float, *, rate: float = 10) -> Iterator[tuple[float, Weighed]]:
    """What becomes of a carrier that lives so, step by step: (seconds since the begin, weight).

    Its traffic follows its weight; `life` gives shares of what is sent in a second.
    """
    was = Weighed("smsc", 1.0, 0.0, "", BEGIN)
    sent: list[tuple[float, float]] = []
    for number in range(int(until / SLOT)):
        at = number * SLOT
        sent.append((at, rate * SLOT * was.weight))
        if at % STEP < SLOT:
            slots = [_slot(start, parts, life(start), at) for start, parts in sent[-200:]]
            was = weighed(RULES, was, slots, BEGIN + at, is_up=not life(at).get("down"))
            yield at, was


def _slot(start: float, parts: float, life: dict[str, float], now: float) -> Slot:
    def of(word: str) -> int:
        return round(parts * life.get(word, 0.0))

    due = start + life.get("after", 5.0) <= now
    in_time = life.get("after", 5.0) <= RULES.slow.total_seconds()
    accepted = of("accepted")
    reported = round(accepted * life.get("reported", 0.0)) if due and in_time else 0
    errors, throttled = of("errors"), of("throttled")
    answered = accepted + errors + throttled
    return Slot(BEGIN + start, answered, accepted, errors, throttled, of("late"), reported)


def curve(life: Second, until: float = 2000, *, rate: float = 10) -> dict[int, float]:
    return {int(at): found.weight for at, found in days_of(life, until, rate=rate)}


def between(since: float, until: float, ill: dict[str, float]) -> Second:
    return lambda at: ill if since <= at < until else fine(at)


def test_a_well_carrier_keeps_all_its_traffic() -> None:
    assert set(curve(fine).values()) == {1.0}


def test_one_error_changes_nothing() -> None:
    assert set(curve(between(600, 601, {"errors": 1.0}), rate=0.2).values()) == {1.0}


def test_few_receipts_are_no_fault_of_a_carrier_that_never_had_more() -> None:
    assert set(curve(lambda _at: {"accepted": 1.0}).values()) == {1.0}
    assert set(curve(lambda _at: {"accepted": 1.0, "reported": 0.4}).values()) == {1.0}


def test_errors_take_traffic_in_steps_and_it_drifts_back() -> None:
    found = curve(between(600, 900, {"errors": 1.0}))
    falls = [found[at] for at in range(590, 680, 10)]
    assert falls == sorted(falls, reverse=True)
    assert found[590] == 1.0
    assert len({w for w in falls if 0.05 < w < 1}) >= 3, "in steps, not at once"
    assert found[700] == found[890] == 0.05, "a probe stays"
    rises = [found[at] for at in range(900, 1200, 10)]
    assert rises == sorted(rises)
    assert all(b - a <= 0.1001 for a, b in itertools.pairwise(rises))
    assert found[1200] == 1.0


def test_a_share_of_errors_below_the_bar_changes_nothing() -> None:
    some = {"accepted": 0.95, "reported": 0.95, "errors": 0.05}
    assert set(curve(between(600, 900, some), rate=10).values()) == {1.0}


def test_between_sick_and_well_a_weight_stays() -> None:
    def life(at: float) -> dict[str, float]:
        if 600 <= at < 640:
            return {"errors": 1.0}
        if 640 <= at < 1000:
            return {"accepted": 0.7, "reported": 0.95, "errors": 0.3}
        return fine(at)

    found = curve(life, rate=2)
    held = {found[at] for at in range(720, 1000, 10)}
    assert len(held) == 1
    assert 0.05 <= held.pop() < 1
    assert found[1300] == 1.0


def test_slow_receipts_take_traffic_once_they_are_overdue() -> None:
    slow = {"accepted": 1.0, "reported": 0.95, "after": 600.0}
    found = curve(between(600, 1200, slow))
    assert found[800] == 1.0, "nobody can know it before"
    assert found[1000] == 0.05
    assert found[1900] == 1.0


def test_a_carrier_that_stops_to_report_loses_traffic() -> None:
    found = curve(between(600, 1200, {"accepted": 1.0}))
    assert found[800] == 1.0
    assert found[1000] == 0.05
    assert found[1900] == 1.0
    reasons = {w.reason for _, w in days_of(between(600, 1200, {"accepted": 1.0}), 1100)}
    assert "accepts and does not report" in reasons


def test_late_answers_take_traffic() -> None:
    found = curve(between(600, 900, {"accepted": 1.0, "reported": 0.95, "late": 1.0}))
    assert found[700] == 0.05
    assert found[1200] == 1.0


def test_refusals_for_now_count_by_their_share_alone() -> None:
    some = {"accepted": 0.8, "reported": 0.95, "throttled": 0.2}
    assert set(curve(between(600, 900, some)).values()) == {1.0}
    assert curve(between(600, 900, {"throttled": 1.0}))[700] == 0.05


def test_a_carrier_that_wants_to_be_left_alone_is_not_well_yet() -> None:
    def life(at: float) -> dict[str, float]:
        if 600 <= at < 620:
            return {"throttled": 1.0}
        return {} if 620 <= at < 1000 else fine(at)

    found = curve(life)
    assert found[690] == found[990] < 0.5
    assert found[1200] == 1.0


def test_a_bind_that_is_down_gets_nothing_and_begins_with_the_probe() -> None:
    found = curve(between(600, 700, {"down": 1.0}))
    assert found[600] == found[690] == 0.0
    assert found[700] == 0.05
    assert found[900] == 1.0
