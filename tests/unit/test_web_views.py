"""What a phone shows, from rows as the store gives them."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.store.sandbox import NEVER, received
from bridge.web.phones import can_answer
from bridge.web.views import conversation, hue, iso, pretty, threads

NOW = 1_700_000_000.0
FOUND = ("+420601123456", "CZ", None)


def part(message: int, number: int, total: int, at: float = NOW) -> tuple[object, ...]:
    return (message, number, total, "+12025550100", "+420601123456", f"text {message}", at)


def sent(number: int, state: str, reason: str = "", resent: int = 0) -> tuple[object, ...]:
    return (number, NOW, "", "Ahoj", state, reason, 1, "gsm7", resent)


def test_a_message_is_whole_once_each_part_came() -> None:
    rows = [part(1, 2, 2, NOW), part(2, 1, 1, NOW + 1), part(1, 1, 2, NOW + 2)]
    assert [(sms.message, sms.at) for sms in received(rows)] == [(2, NOW + 1), (1, NOW + 2)]


def test_a_part_that_came_twice_makes_no_second_message_alone() -> None:
    rows = [part(1, 1, 2), part(1, 1, 2), part(1, 2, 2)]
    assert len(received(rows)) == 1
    assert len(received([*rows, part(1, 2, 2)])) == 2


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), max_size=40))
def test_a_message_is_there_as_often_as_its_rarest_part(came: list[tuple[int, int]]) -> None:
    found = Counter(sms.message for sms in received([part(m, n, 3) for m, n in came]))
    parts = Counter(came)
    assert found == Counter({m: min(parts[m, n] for n in (1, 2, 3)) for m in (1, 2, 3)})


@pytest.mark.parametrize(
    ("state", "reason", "label"),
    [
        ("queued", "", "waiting to leave"),
        ("failed", "phone unreachable", "failed: phone unreachable"),
        ("suppressed", "opted-out", "not sent: this person has opted out"),
        ("expired", "validity-over", "expired"),
        ("unknown", "process-ended", "in doubt: it may have arrived: process-ended"),
    ],
)
def test_a_state_is_told_in_words(state: str, reason: str, label: str) -> None:
    (bubble,) = conversation("k", FOUND, [sent(1, state, reason)], [], [], "", NOW).bubbles
    assert bubble.label == label


def test_what_has_not_arrived_is_a_ghost() -> None:
    rows = [sent(1, "sent"), sent(2, "failed"), sent(3, "delivered")]
    came = [(1, 1, 1, "", NOW + 15), (2, 1, 1, "", NEVER), (3, 1, 1, "", NOW)]
    bubbles = conversation("k", FOUND, rows, came, [], "", NOW).bubbles
    assert {b.state: b.there for b in bubbles} == {
        "sent": False,
        "failed": False,
        "delivered": True,
    }


def test_a_message_that_came_twice_says_so() -> None:
    came = [(1, 1, 1, "", NOW), (1, 1, 1, "", NOW)]
    (bubble,) = conversation("k", FOUND, [sent(1, "sent", resent=1)], came, [], "", NOW).bubbles
    assert "received 2 times" in bubble.facts


def test_answers_stand_between_messages_and_name_what_they_did() -> None:
    answers = [(9, NOW + 1, "+12025550100", "STOP", "stop")]
    first, second = conversation("k", FOUND, [sent(1, "sent")], [], answers, "", NOW).bubbles
    assert (first.mine, second.mine, second.facts) == (False, True, ("opted out",))


def test_threads_have_their_newest_line_and_order() -> None:
    rows = [("a", "+1", "US", 1.0, "old"), ("b", "+2", "EG", 2.0, "b's")]
    answers = [("a", "+1", "US", 3.0, "new\nline " + "x" * 200)]
    first, second = threads(rows, [], answers)
    assert (first.key, first.answered, second.key) == ("a", True, "b")
    assert first.snippet.startswith("new line x")
    assert len(first.snippet) == 80


@pytest.mark.parametrize(
    ("to", "may"),
    [("+12025550100", True), ("12345", True), ("ACME", False), ("", False), ("+99912345", True)],
)
def test_only_a_number_can_be_answered(to: str, may: bool) -> None:
    assert can_answer(to) is may


def test_numbers_and_times_are_written_as_people_read_them() -> None:
    assert pretty("+420601123456") == "+420 601 123 456"
    assert pretty("ACME") == "ACME"
    assert iso(0.5) == "1970-01-01T00:00:00.500Z"
    assert 0 <= hue("abc") < 8
