"""A process that does what time does, on a clock that a test sets: config, a file with the seconds
by which the clock is ahead.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from bridge import app, settings


async def main(config: Path, ahead: Path) -> None:
    """Run the background tasks of `bridge up` until killed."""
    async with app.running(settings.load(config, {}), "up") as parts:
        parts.bridge.clock = lambda: time.time() + float(ahead.read_text())
        await parts.bell(hears=False)
        parts.sweep()
        await parts.done.wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
