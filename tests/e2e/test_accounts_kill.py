"""Processes that move money are killed again and again: the books stay right to the last unit."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

HOME = Path(__file__).parents[2]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest) -> str:
    return (
        "sqlite" if request.param == "sqlite" else str(request.getfixturevalue("bare_postgres_url"))
    )


@pytest.mark.slow
async def test_p69_the_books_balance_whatever_is_killed(url: str, tmp_path: Path) -> None:
    given = ("--folder", str(tmp_path), "--operations", "2500", "--kills", "6")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(HOME / "bench" / "accounts.py"), url, *given),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(110):
        told, faults = await process.communicate()
    assert process.returncode == 0, (faults or told).decode()[-2000:]
    found = json.loads(told)
    assert found["wrong"] == []
    assert found["debits"] == found["credits"] > 0
    assert found["kills"] >= 6
    assert min(found["done"][way] for way in ("taken", "answered", "reported", "booked")) > 20
