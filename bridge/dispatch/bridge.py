"""What the rooms of one process share: settings, store, keys, tenants, bell, carriers, clock."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from bridge.dispatch import debts, lawful, tenants
from bridge.dispatch.bell import Bell
from bridge.dispatch.brakes import Brakes
from bridge.dispatch.clocks import SharedClock
from bridge.dispatch.health import Health
from bridge.dispatch.lawful import Lawful
from bridge.dispatch.lists import Lists
from bridge.dispatch.metrics import Metrics
from bridge.dispatch.prices import Prices
from bridge.dispatch.route import Routes
from bridge.dispatch.tenants import Register
from bridge.dispatch.tenure import Tenure
from bridge.errors import StoreUnavailable
from bridge.keyring import Keyring, Signer
from bridge.settings import Carrier, Settings
from bridge.store.ids import Ids
from bridge.store.notices import inbox_places
from bridge.store.store import Store
from bridge.store.submissions import Prepared, Stored


class AwakeLane(Protocol):
    """A lane that is at work in this process."""

    def hint(self) -> None:
        """Something waits in the lane."""

    def bear(self, prepared: Prepared) -> Callable[[asyncio.Future[Stored]], None] | None:
        """Claim a message at birth, if nothing older waits and there is room for it.

        What comes back is to be called when the message's commit has ended.
        """


class Carrying(Protocol):
    """Who carries data subjects' requests out in this process."""

    async def carry_out(self, number: int) -> object:
        """Carry a request out, if nobody else does."""

    async def run(self) -> None:
        """Look after requests for as long as the process lives."""


async def _nobody_sends(_people: Sequence[int]) -> None:
    """In a process without carriers no part is under way."""


@dataclass
class Bridge:
    """One process's share of the bridge."""

    settings: Settings
    store: Store
    keys: Keyring
    signer: Signer
    bell: Bell
    incarnation: int
    ids: Ids
    routes: Routes
    metrics: Metrics = field(default_factory=Metrics)
    register: Register = tenants.EMPTY
    #: Which processors may have which tenant's data.
    lawful: Lawful = field(default_factory=Lawful)
    clock: Callable[[], float] = time.time
    #: A number from 0 to 1 for what is left to chance.
    luck: Callable[[], float] = random.random
    #: Who has opted out, for a friendly refusal at RCPT; and what is on the blacklist.
    lists: Lists = field(default_factory=Lists)
    #: What a part costs with a carrier, and what a tenant pays for it.
    prices: Prices = field(default_factory=Prices)
    #: Tenants that owe what is overdue, where that stops them.
    debtors: frozenset[int] = frozenset()
    #: What is stopped, and what messages are counted by.
    brakes: Brakes = field(default_factory=Brakes)
    #: Returns once no part that is claimed for these people, and stopped, can leave any more.
    silence: Callable[[Sequence[int]], Awaitable[None]] = _nobody_sends
    #: Lanes of this process that are awake: they are told at once, not rung.
    awake: dict[str, AwakeLane] = field(default_factory=dict)
    #: How long nobody takes this process for dead; its lanes stand still afterwards.
    tenure: Tenure = field(default_factory=Tenure)
    #: Told of every task that must run for as long as the process: a fault in it ends the process.
    watch: Callable[[asyncio.Task[None]], None] = lambda _task: None
    #: Wakes whoever tells in this process what is owed over an edge.
    wake: Callable[[str], None] = lambda _edge: None
    clerk: Carrying | None = None
    #: Called when the register has been read anew.
    on_register: list[Callable[[Register], None]] = field(default_factory=list)

    @cached_property
    def health(self) -> Health:
        """How the carriers do."""
        return Health(self.settings, self.routes)

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
        """Something is owed over an edge: who tells it here hears at once, others by the queue."""
        self.wake(edge)
        self.bell.ring(f"answer.{edge}")

    async def refresh(self) -> None:
        """Read the tenants and the lists anew, and ask what time it is."""
        if isinstance(self.clock, SharedClock):
            await self.clock.ask(self.store)
        found = await tenants.read(self.store)
        self.lawful = await lawful.read(self.store, self.settings, found, self.clock())
        await self.lists.refresh(self.store, self.clock())
        await self.prices.refresh(self.store)
        if self.settings.billing.stop_debtors:
            self.debtors = await debts.debtors(self.store, self.clock())
        self.brakes.places = tuple(inbox_places(self.settings.privacy.inbox))
        await self.brakes.refresh(self.store)
        if found != self.register:
            self.register = found
            for tell in self.on_register:
                tell(found)

    async def refresh_every(self, seconds: float) -> None:
        """Keep fresh what other processes may change."""
        while True:
            await asyncio.sleep(seconds)
            with contextlib.suppress(StoreUnavailable):  # the store's own log tells of it
                await self.refresh()
