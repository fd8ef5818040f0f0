"""What the rooms of one process share: settings, store, keys, tenants, bell, carriers, clock."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from bridge.dispatch import tenants
from bridge.dispatch.bell import Bell
from bridge.dispatch.metrics import Metrics
from bridge.dispatch.route import Routes
from bridge.dispatch.tenants import Register
from bridge.errors import StoreUnavailable
from bridge.keyring import Keyring
from bridge.settings import Carrier, Settings
from bridge.store.ids import Ids
from bridge.store.sql import Values
from bridge.store.store import Store
from bridge.store.submissions import Prepared, Stored
from bridge.store.suppressions import ACTIVE, CHANGES


class AwakeLane(Protocol):
    """A lane that is at work in this process."""

    def hint(self) -> None:
        """Something waits in the lane."""

    def bear(self, prepared: Prepared) -> Callable[[asyncio.Future[Stored]], None] | None:
        """Claim a message at birth, if nothing older waits and there is room for it.

        What comes back is to be called when the message's commit has ended.
        """


@dataclass
class Bridge:
    """One process's share of the bridge."""

    settings: Settings
    store: Store
    keys: Keyring
    bell: Bell
    incarnation: int
    ids: Ids
    routes: Routes
    metrics: Metrics = field(default_factory=Metrics)
    register: Register = tenants.EMPTY
    clock: Callable[[], float] = time.time
    #: Tokens known to be suppressed: a hint for a friendly refusal at RCPT, never the decision.
    hints: set[str] = field(default_factory=set)
    _heard_of: tuple[int, float] = (0, 0.0)
    #: Lanes of this process that are awake: they are told at once, not rung.
    awake: dict[str, AwakeLane] = field(default_factory=dict)
    #: Until when nobody takes this process for dead; its lanes stand still afterwards.
    owned_until: float = 0.0
    #: Told of every task that must run for as long as the process: a fault in it ends the process.
    watch: Callable[[asyncio.Task[None]], None] = lambda _task: None
    #: Called when the register has been read anew.
    on_register: list[Callable[[Register], None]] = field(default_factory=list)

    @cached_property
    def carriers(self) -> Mapping[str, Carrier]:
        """The configured carriers by name."""
        return {carrier.name: carrier for carrier in self.settings.carriers}

    def carrier(self, name: str) -> Carrier:
        """One configured carrier."""
        return self.carriers[name]

    def ring_lane(self, lane: str, message_id: int) -> None:
        """Something waits in a lane."""
        awake = self.awake.get(lane)
        if awake is not None:
            awake.hint()
        else:
            self.bell.ring(f"deliver.{lane}", (message_id,))

    @cached_property
    def edges(self) -> tuple[str, ...]:
        """The edges over which something may be owed."""
        chats = {
            "slack": bool(self.settings.slack.apps()),
            "telegram": bool(self.settings.telegram.token.get_secret_value()),
        }
        return ("mail", *(name for name, is_on in chats.items() if is_on))

    def ring_edges(self) -> None:
        """Something is owed, over whichever edge."""
        for edge in self.edges:
            self.ring_edge(edge)

    def ring_edge(self, edge: str) -> None:
        """Something is owed over an edge."""
        self.bell.ring(f"answer.{edge}")

    async def refresh(self) -> None:
        """Read the tenants and the suppression hints anew."""
        found = await tenants.read(self.store)
        await self._hear_of_suppressions()
        if found != self.register:
            self.register = found
            for tell in self.on_register:
                tell(found)

    async def _hear_of_suppressions(self) -> None:
        """Bring the hints up to date; a lift may be told twice, but is never missed."""
        after, since = self._heard_of
        # Another process's clock may be behind, and its commit may be late.
        look = self.clock() - 60
        rows = await self.store.read(CHANGES, after=after, since=since)
        lifted = {row[1] for row in rows if row[2] is not None}
        if lifted:
            # Lifted once does not say that it was not suppressed again since.
            still = await self.store.read(ACTIVE, keys=Values(lifted))
            self.hints -= lifted - {row[3] for row in still}
        self.hints |= {row[1] for row in rows if row[2] is None}
        after = max((after, *(row[0] for row in rows)))
        self._heard_of = after, look

    async def refresh_every(self, seconds: float) -> None:
        """Keep fresh what other processes may change."""
        while True:
            await asyncio.sleep(seconds)
            with contextlib.suppress(StoreUnavailable):  # the store's own log tells of it
                await self.refresh()
