"""What was counted of a carrier comes in; the weight that it has from now on goes out.

Slow: half of the receipts that are usual have not come after `slow`, which also finds a carrier
that accepts and never reports. Sick: many errors, a high share of them, or late answers. One error
changes nothing. Between sick and well a weight stays (hysteresis); it halves when it falls, grows
by a tenth, and never ends: a probe stays, by which a carrier shows that it is well again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bridge.settings import Health
from bridge.store.tallies import Weighed

#: Fewer parts than this prove nothing.
FEW: Final = 5
#: So many parts tell how many receipts come.
ENOUGH: Final = 20
#: A carrier of which fewer are reported is not judged by its receipts.
REPORTS: Final = 0.1
FALL, RISE = 0.5, 0.1
DOWN: Final = "down"
#: How fast the usual share of receipts is learnt, and how slowly it is given up.
_UP, _OFF = 0.5, 0.02
_BACK: Final = 10  # windows to look back on for enough parts


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot's sums over all processes; its start in Unix seconds."""

    start: float
    answered: int
    accepted: int
    errors: int
    throttled: int
    late: int
    reported: int


def slot_of(rules: Health) -> float:
    """How long a slot is, in seconds."""
    shortest = min(rules.window.total_seconds() / 4, rules.slow.total_seconds() / 4, 5.0)
    return max(0.1, shortest)


def horizon(rules: Health) -> float:
    """How far back a judgement looks, in seconds."""
    return rules.slow.total_seconds() + _BACK * rules.window.total_seconds()


def weighed(
    rules: Health, was: Weighed, slots: Sequence[Slot], now: float, *, is_up: bool
) -> Weighed:
    """The carrier's weight after one step; `is_up` unless its bind is down for too long."""
    if not is_up:
        return _moved(was, 0.0, DOWN, now)
    verdict, reason = _answers(rules, slots, now)
    on_time, accepted, any_report = _receipts(rules, slots, now)
    usual = was.usual
    if accepted >= ENOUGH and verdict == "well" and on_time >= 0.8 * usual:
        usual += (on_time - usual) * (_UP if on_time > usual else _OFF)
    if was.usual >= REPORTS and accepted:
        told, why = _judged(was.usual, on_time, accepted, any_report=any_report)
        if verdict != "sick" and told != "well":
            verdict, reason = told, why
    was = replace(was, usual=usual)
    if verdict == "sick":
        return _moved(was, max(rules.probe, was.weight * FALL), reason, now)
    if verdict == "well" and was.weight < 1:
        grown = min(1.0, max(rules.probe, was.weight + RISE if was.weight else 0.0))
        return _moved(was, grown, "" if grown == 1 else "well again", now)
    return was


def _moved(was: Weighed, weight: float, reason: str, now: float) -> Weighed:
    weight = round(weight, 4)
    if (weight, reason) == (was.weight, was.reason):
        return was
    return replace(was, weight=weight, reason=reason, changed_at=now)


def _answers(rules: Health, slots: Sequence[Slot], now: float) -> tuple[str, str]:
    """By what it answers: sick, well, or neither; and why."""
    since = now - rules.window.total_seconds()
    recent = [slot for slot in slots if slot.start > since]
    answered = sum(slot.answered for slot in recent)
    if not answered:
        # Nobody asked it, or it wants to be left alone: what it said last holds for a while.
        last = next((slot for slot in reversed(slots) if slot.answered), None)
        ill = last is not None and last.errors + last.throttled >= rules.share / 2 * last.answered
        return "unsure" if ill else "well", ""
    errors = sum(slot.errors for slot in recent)
    bad = errors + sum(slot.throttled for slot in recent)
    late = sum(slot.late for slot in recent)
    if errors >= rules.errors or (bad >= FEW and bad >= rules.share * answered):
        return "sick", f"{bad} of {answered} parts refused or in doubt"
    if late >= FEW and late >= answered / 2:
        return "sick", f"{late} of {answered} answers late"
    calm = errors < rules.errors / 2 and bad < rules.share / 2 * answered and late < answered / 4
    return "well" if calm else "unsure", ""


def _receipts(rules: Health, slots: Sequence[Slot], now: float) -> tuple[float, int, bool]:
    """Of the parts whose receipt is due by now: the share in time, how many, whether any came.

    The newest window of them; where they are few, as many older ones as make enough.
    """
    due = now - rules.slow.total_seconds()
    first = due - rules.window.total_seconds()
    accepted = reported = 0
    for slot in reversed(slots):
        if slot.start + slot_of(rules) > due:
            continue
        if slot.start < first and accepted >= ENOUGH:
            break
        accepted += slot.accepted
        reported += slot.reported
    return (min(1.0, reported / accepted) if accepted else 0.0), accepted, reported > 0


def _judged(usual: float, on_time: float, accepted: int, *, any_report: bool) -> tuple[str, str]:
    if on_time >= 0.8 * usual:
        return "well", ""
    if accepted < ENOUGH or on_time >= usual / 2:
        return "unsure", ""
    if not any_report:
        return "sick", "accepts and does not report"
    return "sick", f"{on_time:.0%} of the receipts in time, {usual:.0%} are usual"
