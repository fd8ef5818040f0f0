"""A coroutine comes in, it is run on the fastest loop there is, its exit code goes out."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

#: Seconds after which a thread that wants to run gets its turn. Python's 5 ms would keep a commit
#: that is on disk waiting for the busy loop, and a ring for longer than a mail takes.
SWITCH = 0.001


def run(main: Callable[[], Awaitable[int]]) -> int:
    """Run a coroutine on the fastest loop there is."""
    sys.setswitchinterval(SWITCH)
    try:
        import uvloop
    except ImportError:
        return asyncio.run(_awaited(main))
    return uvloop.run(_awaited(main))


async def _awaited(main: Callable[[], Awaitable[int]]) -> int:
    return await main()
