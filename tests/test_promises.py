"""Every privacy promise, P1 to P78, has a test that is named after it, or a line that says why
software cannot keep it.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HOME = Path(__file__).parent.parent
TESTED = {
    int(number)
    for file in sorted((HOME / "tests").rglob("test_*.py"))
    for name in re.findall(r"def (test_p\d+_\w+)\(", file.read_text(encoding="utf-8"))
    for number in re.findall(r"p(\d+)(?=_)", name.partition("_")[2])
}
NOT_OURS = {
    int(number)
    for line in re.findall(
        r"^\| (P[\d, P]+) \|",
        (HOME / "docs" / "privacy.md")
        .read_text(encoding="utf-8")
        .partition("## What software cannot keep")[2],
        re.MULTILINE,
    )
    for number in re.findall(r"P(\d+)", line)
}


@pytest.mark.parametrize("number", range(1, 79))
def test_every_promise_has_a_test_or_a_reason(number: int) -> None:
    assert number in TESTED or number in NOT_OURS, f"P{number} has neither"


def test_what_is_said_to_be_out_of_reach_has_no_test() -> None:
    assert not TESTED & NOT_OURS
