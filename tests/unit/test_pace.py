"""No second holds more than a carrier's TPS, and nearly all of it is used, also by late timers."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_left

import pytest

from bridge.dispatch.departing import LEAST, Departures
from bridge.dispatch.pace import Pace
from bridge.model import Part
from tests.bridges import until


def most_in_a_second(times: list[float]) -> int:
    return max(bisect_left(times, at + 1) - n for n, at in enumerate(times))


def left(pace: Pace, seconds: float, late: random.Random, most_late: float) -> list[float]:
    """When parts leave of which there are always more; each timer is late by chance."""
    now, times = 0.0, []
    while now < seconds:
        count = pace.free(now)
        pace.take(count, now)
        times += [now] * count
        now += max(1e-4, pace.wait(now)) + late.uniform(0, most_late)
    return times


@pytest.mark.parametrize("tps", [1, 3, 5, 10, 20, 50, 100, 500])
def test_any_second_holds_at_most_the_rate_and_most_of_it_is_used(tps: int) -> None:
    times = left(Pace(tps, 0.0), 30, random.Random(7), 0.03 if tps >= 20 else 0.0)
    assert most_in_a_second(times) <= tps
    assert len(times) >= 0.95 * 30 * tps


def test_what_was_late_for_a_moment_is_caught_up() -> None:
    """A process that stands still for a twentieth of a second every half second loses nothing."""
    pace, now, times = Pace(200, 0.0), 0.0, []
    while now < 20:
        count = pace.free(now)
        pace.take(count, now)
        times += [now] * count
        now += 0.05 if now % 0.5 < 0.002 else 0.002
    assert most_in_a_second(times) <= 200
    assert len(times) >= 0.95 * 20 * 200


def test_after_a_rest_the_rate_is_kept_too() -> None:
    pace = Pace(50, 0.0)
    pace.free(100.0)
    times, now = [], 100.0
    while now < 103:
        count = pace.free(now)
        pace.take(count, now)
        times += [now] * count
        now += 0.001
    assert most_in_a_second(times) <= 50


def a_part(number: int) -> Part:
    return Part(number, number, 1, 1, 0, "+420601123456", "", "x", "gsm7", "", None)


async def test_what_is_claimed_ahead_leaves_in_its_order_at_the_pace() -> None:
    loop = asyncio.get_running_loop()
    gone: list[tuple[float, int]] = []

    def leave(parts: list[Part]) -> int:
        gone.extend((loop.time(), part.message) for part in parts)
        return len(parts)

    out = Departures(Pace(100, loop.time()), leave)
    for _ in range(50):
        out.took(0.1)
    assert LEAST + 0.25 < out.ahead <= LEAST + 0.3
    claimed = out.room()
    assert 30 <= claimed <= 40
    out.put(a_part(number) for number in range(claimed))
    assert out.room() <= 0
    assert out.wait() > 0.05, "a claim is worth its while when half has left"
    back = out.take_back(lambda part: part.message == claimed - 1)
    assert [part.message for part in back] == [claimed - 1]
    await until(lambda: _are(gone, claimed - 1))
    assert [number for _, number in gone] == list(range(claimed - 1))
    assert gone[-1][0] - gone[0][0] > (claimed - 5) / 100
    assert not len(out)


async def _are(gone: list[tuple[float, int]], count: int) -> bool:
    return len(gone) >= count


async def test_without_a_limit_all_leave_at_once() -> None:
    gone: list[int] = []
    out = Departures(
        Pace(0, 0.0), lambda parts: gone.extend(p.message for p in parts) or len(parts)
    )
    out.put(a_part(number) for number in range(500))
    assert gone == list(range(500))
    assert out.room() > 1_000_000
