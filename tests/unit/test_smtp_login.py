"""Passwords checked off the loop, and guessing slowed down."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from bridge.errors import TryLater
from bridge.smtp.login import LOOPBACK, Throttle, Verifier

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
ELSEWHERE = "192.0.2.7"


@pytest.fixture
def verifier() -> Iterator[Verifier]:
    made = Verifier()
    yield made
    made.close()


async def test_right_wrong_unknown_and_broken(verifier: Verifier) -> None:
    stored = QUICK.hash("right")
    assert await verifier.verify(stored, "right")
    assert not await verifier.verify(stored, "wrong")
    assert not await verifier.verify(None, "right")
    assert not await verifier.verify("no hash", "right")
    assert not await verifier.verify(stored, "\ud800")


async def test_an_unknown_user_costs_a_hash(
    verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []

    def fits(_: Verifier, password_hash: str, _password: str) -> bool:
        checked.append(password_hash)
        return True  # even a password that fits the stand-in lets nobody in

    monkeypatch.setattr(Verifier, "_fits", fits)
    assert not await verifier.verify(None, "anything")
    assert not await verifier.verify(None, "anything")
    assert len(checked) == 2
    assert checked[0].startswith("$argon2id$v=19$m=65536,t=3,p=4$")


async def test_a_right_password_is_remembered_for_its_hash_only(
    verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, other = QUICK.hash("right"), QUICK.hash("changed")
    assert await verifier.verify(stored, "right")
    monkeypatch.setattr(Verifier, "_fits", lambda *_: False)
    assert await verifier.verify(stored, "right")
    assert not await verifier.verify(other, "right")
    assert not await verifier.verify(stored, "Right")


async def test_checks_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, started = threading.Event(), threading.Event()

    def fits(*_: object) -> bool:
        started.set()
        return gate.wait(10)

    monkeypatch.setattr(Verifier, "_fits", fits)
    verifier = Verifier(threads=1, waiting=2)
    try:
        under_way = [asyncio.create_task(verifier.verify("hash", str(n))) for n in range(2)]
        await asyncio.to_thread(started.wait, 10)
        with pytest.raises(TryLater):
            await verifier.verify("hash", "one too many")
        gate.set()
        assert await asyncio.gather(*under_way) == [True, True]
    finally:
        gate.set()
        verifier.close()


def guess(throttle: Throttle, now: float, address: str = ELSEWHERE, user: str = "acme") -> float:
    """Wait one's turn, then be wrong; the time after it."""
    wait = throttle.wait(address, user, now)
    assert wait is not None
    throttle.failed(address, user, now + wait)
    return now + wait


def test_the_delay_grows_and_stays_bounded() -> None:
    throttle, now, waits = Throttle(free=3, most=100, slowest=8), 0.0, []
    for _ in range(9):
        later = guess(throttle, now)
        waits.append(later - now)
        now = later
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 8]


def test_guesses_at_once_wait_for_each_other() -> None:
    throttle = Throttle(free=0, most=100, slowest=8, patience=20)
    throttle.failed(ELSEWHERE, "acme", 0.0)
    waits = [throttle.wait(ELSEWHERE, "acme", 0.0) for _ in range(25)]
    assert waits == [*range(1, 21), *[None] * 5]


def test_an_address_is_refused_in_the_end_and_forgotten_later() -> None:
    throttle = Throttle(free=100, most=5, window=900)
    for number in range(5):
        guess(throttle, 0.0, user=f"user{number}")
    assert throttle.wait(ELSEWHERE, "another", 1.0) is None
    assert throttle.wait("198.51.100.1", "another", 1.0) == 0
    assert throttle.wait(ELSEWHERE, "another", 901.0) == 0


def test_a_user_is_never_locked_out_where_at_home() -> None:
    throttle, now = Throttle(most=1000), 0.0
    throttle.passed("198.51.100.1", "acme")
    for number in range(50):
        now = guess(throttle, now, address=f"192.0.2.{number}")
    assert throttle.wait("198.51.100.1", "acme", now) == 0
    elsewhere = throttle.wait("203.0.113.5", "acme", now)
    assert elsewhere is not None
    assert elsewhere > 0


def test_home_is_no_place_to_guess_either() -> None:
    throttle, now = Throttle(most=1000), 0.0
    throttle.passed(LOOPBACK, "acme")
    for _ in range(10):
        now = guess(throttle, now, address=LOOPBACK)
    assert (throttle.wait(LOOPBACK, "acme", now) or 0) > 0
    assert throttle.wait(LOOPBACK, "other", now) == 0


def test_memory_is_bounded() -> None:
    throttle = Throttle(entries=10)
    for number in range(1000):
        throttle.failed(f"192.0.2.{number % 256}", f"user{number}", 0.0)
        throttle.passed(f"192.0.2.{number % 256}", f"user{number}")
    assert len(throttle._tallies) <= 10
    assert len(throttle._known) <= 10
