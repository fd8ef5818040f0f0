"""The ledger of erasures: what was written is read again, whatever ended the writer."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bridge.errors import Misconfigured, StoreUnavailable
from bridge.privacy.remembrance import Line, Remembrance


def line(number: int) -> Line:
    return Line(
        number,
        1_790_000_000.0,
        1,
        "number",
        77,
        "f" * 24,
        "token",
        (("tenant", 1, "token", 1),),
        ("number", "key"),
        1_800_000_000.0,
    )


def test_what_was_added_is_read_again(tmp_path: Path) -> None:
    ledger = Remembrance(tmp_path / "erasures.jsonl")
    ledger.add([line(1), line(2)])
    ledger.add([line(3)])
    assert sorted(ledger.lines()) == [1, 2, 3]
    assert ledger.lines()[1].suppressed == [["tenant", 1, "token", 1]]
    assert ledger.path.stat().st_mode & 0o077 == 0


def test_a_line_that_a_kill_cut_off_is_left_out_and_mended(tmp_path: Path) -> None:
    ledger = Remembrance(tmp_path / "erasures.jsonl")
    ledger.add([line(1), line(2)])
    whole = ledger.path.read_bytes()
    ledger.path.write_bytes(whole[:-20])
    assert sorted(ledger.lines()) == [1]
    ledger.add([line(3)])
    assert sorted(ledger.lines()) == [1, 3]


def test_a_damaged_ledger_lets_nobody_in(tmp_path: Path) -> None:
    ledger = Remembrance(tmp_path / "erasures.jsonl")
    ledger.add([line(1), line(2)])
    rows = ledger.path.read_text().splitlines()
    ledger.path.write_text(f"{rows[0][:-9]}\n{rows[1]}\n")
    with pytest.raises(Misconfigured, match="damaged in line 1"):
        ledger.lines()


def test_it_is_there_or_it_is_missing(tmp_path: Path) -> None:
    ledger = Remembrance(tmp_path / "erasures.jsonl")
    assert not ledger.is_there
    assert ledger.lines() == {}
    ledger.make()
    assert ledger.is_there
    ledger.add([line(1)])
    ledger.make()
    assert list(ledger.lines()) == [1]


def test_a_ledger_that_cannot_be_written_stops_an_erasure(tmp_path: Path) -> None:
    ledger = Remembrance(tmp_path / "none" / "erasures.jsonl")
    with pytest.raises(StoreUnavailable, match="was not written"):
        ledger.add([line(1)])
    with pytest.raises(Misconfigured, match="cannot be written"):
        ledger.make()


def test_many_writers_write_whole_lines(tmp_path: Path) -> None:
    ledger = Remembrance(tmp_path / "erasures.jsonl")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: ledger.add([line(n)]), range(200)))
    assert sorted(ledger.lines()) == list(range(200))
    for row in ledger.path.read_text().splitlines():
        json.loads(row)
