"""People in a store; how many of them a second can be erased goes out, and that nothing is left.

    python bench/erase.py 10000 1000        erase 1,000 of 10,000 people, and look for them

Each person has a name, two SMS and an answer. What is looked for afterwards, in every file of the
data directory: numbers, names and texts as they were written.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bridge import opening, settings
from bridge.dispatch.erasing import Wish, erase
from bridge.dispatch.requests import Someone
from tests.bridges import write_config
from tests.crowd import found, people, settle


async def measured(folder: Path, many: int, erased: int) -> dict[str, object]:
    """Make, erase, look."""
    async with opening.opened(settings.load(write_config(folder), {})) as bridge:
        crowd = people(many)
        await settle(bridge, crowd)
        chosen = crowd[:: many // erased]
        wishes = [Wish(n, 1, Someone("number", o.number), "eva") for n, o in enumerate(chosen, 1)]
        begun = time.perf_counter()
        await erase(bridge, wishes)
        seconds = time.perf_counter() - begun
        left = found(folder / "var", [trace for one in chosen for trace in one.traces])
    size = (folder / "var" / "bridge.sqlite").stat().st_size
    return {
        "people": many,
        "erased": len(chosen),
        "seconds": round(seconds, 2),
        "per_second": round(len(chosen) / seconds, 1),
        "database_mb": round(size / 1e6, 1),
        "files_with_traces": sorted(left),
    }


def main() -> None:
    """Measure, and print JSON."""
    many, erased = (int(word) for word in (sys.argv[1:] or ["10000", "1000"]))
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(measured(Path(folder), many, erased))))


main()
