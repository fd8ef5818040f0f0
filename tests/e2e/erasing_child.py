"""A process that erases many people, so that a test can kill it: config, how many, every how many.

Each person has a request of their own, so that whoever runs it again finds what was done.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bridge import opening, settings
from bridge.dispatch.erasing import Wish, erase
from bridge.dispatch.requests import Someone
from tests.crowd import people


async def main(config: Path, many: int, every: int) -> None:
    """Erase every so-manieth of the crowd."""
    async with opening.opened(settings.load(config, {})) as bridge:
        chosen = people(many)[::every]
        wishes = [Wish(n, 1, Someone("number", o.number), "eva") for n, o in enumerate(chosen, 1)]
        await erase(bridge, wishes)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
