"""What a test of loss asks at its end: all arrived, and twice only what is marked."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from tests.e2e.processes import House, until
from tests.e2e.senders import Load
from tests.smsc import Smsc

RATE = 500  # mails a second
SLOWER = 300  # answers of the SMSC a second
WINDOW = 10
NAMED = re.compile(r"^id=(\w+);")
OVER = {"sent", "delivered"}


def arrivals(centre: Smsc) -> Counter[str]:
    """How often each text reached the SMSC."""
    return Counter(NAMED.match(m.text)[1] for m in centre.messages)  # type: ignore[index]


async def all_there(centre: Smsc, load: Load) -> None:
    """Wait until whatever was accepted has reached the SMSC."""

    def missing() -> set[str]:
        return load.accepted.keys() - arrivals(centre).keys()

    try:
        await until(lambda: not missing(), "the last message", 90)
    except AssertionError:
        raise AssertionError(f"lost: {sorted(missing())[:20]}") from None


async def settled(house: House) -> list[dict[str, Any]]:
    """The log, once every message has left."""

    async def look() -> list[dict[str, Any]] | None:
        rows = await house.log("--reveal")
        return rows if {row["state"] for row in rows} <= OVER else None

    rows: list[dict[str, Any]] = await until(look, "the last outcome")
    return rows


async def judged(house: House, centre: Smsc, load: Load, kills: int, window: int = WINDOW) -> None:
    """Nothing lost; no part twice that is not marked; no more in doubt than the windows held."""
    await all_there(centre, load)
    rows = await settled(house)
    assert len(load.accepted) == load.count
    ids = Counter(NAMED.match(str(row["text"]))[1] for row in rows)  # type: ignore[index]
    assert ids == Counter(load.accepted.keys()), "a repeat became a message of its own"
    marked = {row["destination"][1:] for row in rows if row["resent"]}
    parts = Counter((s.destination, s.number) for s in centre.submits if s.status == 0)
    twice = [part for part, times in parts.items() if times > 1]
    print(  # noqa: T201 - figures for the reader
        f"kills={kills} marked={len(marked)} twice={len(twice)} slowest={load.slowest:.2f}s"
        f" refusals={len(load.refusals)}"
    )
    assert {to for to, _ in twice} <= marked, "twice and not marked"
    assert len(twice) <= kills * window
    assert centre.most_in_flight <= window
    assert not [said for said in load.refusals if not said.startswith(("421", "451", "452"))]
