"""Who is taken for dead, and when: by what passes here, not by what a clock says."""

from __future__ import annotations

import math

import pytest

from bridge.dispatch.clocks import BELIEVED, LEAP, Jumps, SettledClock
from bridge.dispatch.tenure import BLIND, Moment, Tenure, Watch, moment
from bridge.store.leases import LEASE_SECONDS

WORKER = 7


@pytest.mark.parametrize(
    ("asked", "stands"),
    [
        (Moment(0, 0), True),
        (Moment(-9, -9), False),  # frozen: both clocks ran on
        (Moment(-9, 3600), False),  # frozen, and the clock was set back meanwhile
        (Moment(0, -9), False),  # the machine slept, and only one of them noticed
    ],
)
def test_a_process_that_stood_still_keeps_what_it_has(asked: Moment, *, stands: bool) -> None:
    now, tenure = moment(), Tenure()
    tenure.renew(Moment(now.running + asked.running, now.wall + asked.wall), 8)
    assert tenure.stands() is stands


def test_before_the_first_beat_nothing_leaves() -> None:
    assert not Tenure().stands()


def looks(*beats: float, every: float = 1.0) -> list[bool]:
    """At each look in turn, whether a process with these beats is taken for dead."""
    watch, at, found = Watch(), 100.0, []
    for beat in beats:
        found.append(bool(watch.silent([(WORKER, beat)], at)))
        at += every
    return found


def test_nobody_is_taken_for_dead_by_a_clock() -> None:
    """Beats an hour behind, an hour ahead and back again: it beats, so it lives."""
    assert not any(looks(*(-3600.0 + n for n in range(20)), *(3600.0 - n for n in range(20))))


def test_who_says_nothing_new_is_dead_after_a_lease() -> None:
    found = looks(*[5.0] * 20)
    assert found.index(True) == math.ceil(LEASE_SECONDS)
    assert all(found[found.index(True) :])


def test_who_could_not_look_begins_anew() -> None:
    """The database was away, or who watches stood still: nobody could be heard of meanwhile."""
    assert not any(looks(*[5.0] * 20, every=BLIND + 1))


@pytest.mark.parametrize("seconds", [3600.0, -3600.0])
def test_a_clock_that_was_set_is_told_of_once(seconds: float) -> None:
    jumps, now = Jumps(), 1_790_000_000.0
    assert [jumps.since(now), jumps.since(now + 0.1)] == [0.0, 0.0]
    assert jumps.since(now + seconds) == pytest.approx(seconds, abs=1)
    assert jumps.since(now + seconds) == 0.0


class Machine:
    """Its clock, and how long it runs."""

    def __init__(self) -> None:
        self.set, self.ran = 1_790_000_000.0, 0.0
        self.clock = SettledClock(lambda: self.set + self.ran, lambda: self.ran)

    def after(self, seconds: float) -> float:
        """By how much the bridge's clock has gone on when so much has passed, a second at a time."""
        before = self.clock()
        for _ in range(int(seconds)):
            self.ran += 1
            self.clock()
        return self.clock() - before


@pytest.mark.parametrize("hours", [25, -25])
def test_a_leap_that_is_taken_back_changes_nothing(hours: int) -> None:
    machine = Machine()
    machine.set += hours * 3600
    assert machine.after(BELIEVED - 10) == BELIEVED - 10
    machine.set -= hours * 3600
    assert machine.after(2 * BELIEVED) == 2 * BELIEVED


@pytest.mark.parametrize("hours", [25, -25])
def test_a_leap_that_stands_is_believed(hours: int) -> None:
    machine = Machine()
    machine.set += hours * 3600
    assert machine.after(BELIEVED + 10) == BELIEVED + 10 + hours * 3600
    assert machine.after(10) == 10


def test_what_is_no_leap_is_followed_at_once() -> None:
    machine = Machine()
    before = machine.clock()
    machine.set += LEAP - 1
    assert machine.clock() - before == LEAP - 1
