"""How carriers do: answers and receipts are counted here, and weights known to all come out.

Every process counts for itself and adds its counts to the store every few seconds, nothing a
message; whoever owns a carrier's bind weighs it. Only carriers that another could stand in for are
counted, and never the sandbox: nobody reads its phones.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import structlog

from bridge.dispatch.metrics import Metrics
from bridge.dispatch.route import Routes
from bridge.dispatch.weighing import Slot, horizon, slot_of, weighed
from bridge.errors import StoreUnavailable
from bridge.model import Verdict
from bridge.settings import SANDBOX, Settings
from bridge.store.health import BINDS
from bridge.store.store import Store
from bridge.store.tallies import SLOTS, WEIGHTS, Counted, Weighed, count, weigh

log = structlog.get_logger("bridge.health")

EVERY = 2.0

_ERRORS = frozenset({Verdict.UNKNOWN, Verdict.REJECTED, Verdict.NOT_SENT})


class Here(Protocol):
    """The process that counts."""

    @property
    def store(self) -> Store: ...
    @property
    def metrics(self) -> Metrics: ...
    @property
    def incarnation(self) -> int: ...
    @property
    def clock(self) -> Callable[[], float]: ...


class Health:
    """The health of all carriers, as one process knows it."""

    def __init__(self, settings: Settings, routes: Routes) -> None:
        self.rules = settings.health
        real = frozenset(c.name for c in settings.carriers if c.kind != SANDBOX)
        #: Carriers that have a weight.
        self.watched = routes.contested(real)
        self.is_off = not any(len(route.carriers) > 1 for route in routes.routes)
        self.weights: Mapping[str, Weighed] = {}
        #: Binds that some process owns, and whether they stand.
        self.binds: Mapping[str, bool] = {}
        self._patience = {c.name: c.failover.total_seconds() for c in settings.carriers}
        self._slot = slot_of(self.rules)
        self._late = self.rules.slow_answer.total_seconds()
        self._counted: dict[tuple[str, int], Counted] = {}
        self._down_since: dict[str, float] = {}
        self._stepped: dict[str, float] = {}

    # Counting: in the way of every part

    def answered(self, carrier: str, verdict: Verdict, seconds: float, now: float) -> None:
        """A carrier answered to a part, after so long; `now` in Unix seconds."""
        counted = self._of(carrier, now)
        counted.answered += 1
        if verdict is Verdict.ACCEPTED:
            counted.accepted += 1
        elif verdict is Verdict.THROTTLED:
            counted.throttled += 1
        elif verdict in _ERRORS:
            counted.errors += 1
        if seconds > self._late:
            counted.late += 1

    def reported(self, carrier: str, accepted_at: float | None, now: float) -> None:
        """A final receipt came for a part accepted then; None: it overtook the answer."""
        accepted_at = now if accepted_at is None else accepted_at
        if carrier in self.watched and now - accepted_at <= self.rules.slow.total_seconds():
            self._of(carrier, accepted_at).reported += 1

    def _of(self, carrier: str, at: float) -> Counted:
        number = int(at / self._slot)
        found = self._counted.get((carrier, number))
        if found is None:
            start = int(number * self._slot * 1000)
            found = self._counted[carrier, number] = Counted(carrier, start, 0)
        return found

    # Asking: in the way of every message

    def weight(self, carrier: str) -> float:
        """The share of its traffic that a carrier gets now, 0 to 1."""
        found = self.weights.get(carrier)
        return 1.0 if found is None else found.weight

    def is_down(self, carrier: str) -> bool:
        """Whether its bind is known not to stand: nothing is moved there."""
        return self.binds.get(carrier) is False

    # Every few seconds

    async def run(self, here: Here, owned: Callable[[], Mapping[str, bool]]) -> None:
        """Keep the store and this process informed for as long as the process lives.

        `owned` are the binds of this process, and whether they stand.
        """
        if self.is_off:
            return
        every = min(EVERY, self._slot, self.rules.step.total_seconds())
        while True:
            with contextlib.suppress(StoreUnavailable):  # the store's own log tells of it
                await self.once(here, owned())
            await asyncio.sleep(every)

    async def once(self, here: Here, owned: Mapping[str, bool]) -> None:
        """Tell what was counted, weigh what is ours, hear of the others.

        Raises StoreUnavailable.
        """
        store, now = here.store, here.clock()
        await self._tell(store, here.incarnation)
        binds = {row[0]: bool(row[1]) for row in await store.read(BINDS, now=now)}
        self.binds = {**binds, **owned}
        if not self.watched:
            return
        found = {row[0]: Weighed(*row) for row in await store.read(WEIGHTS)}
        self.weights = {name: found[name] for name in found if name in self.watched}
        await self._step(store, {n: up for n, up in owned.items() if n in self.watched}, now)
        for name in self.watched:
            here.metrics.carrier_weight.labels(name).set(self.weight(name))

    async def _tell(self, store: Store, me: int) -> None:
        if not self._counted:
            return
        told, self._counted = list(self._counted.values()), {}
        for each in told:
            each.incarnation = me
        try:
            await store.write(count, told)
        except StoreUnavailable:
            for each in told:
                self._put_back(each)
            raise

    def _put_back(self, told: Counted) -> None:
        """Counts that the store has refused for now are told with the next ones."""
        found = self._of(told.carrier, (told.slot + 1) / 1000)
        for name in ("answered", "accepted", "errors", "throttled", "late", "reported"):
            setattr(found, name, getattr(found, name) + getattr(told, name))

    async def _step(self, store: Store, owned: Mapping[str, bool], now: float) -> None:
        step = self.rules.step.total_seconds()
        moved = dict(self.weights)
        for name, up in owned.items():
            was = moved.get(name) or Weighed(name, 1.0, 0.0, "", now)
            is_up = self._is_up(was, up, now)
            # A clock that was set back must not hold a step back.
            is_late = not 0 <= now - self._stepped.get(name, 0.0) < step
            if is_up and not is_late:
                continue
            if is_late:
                self._stepped[name] = now
            since = int((now - horizon(self.rules)) * 1000)
            rows = await store.read(SLOTS, carrier=name, since=since)
            slots = [Slot(row[0] / 1000, *row[1:]) for row in rows]
            found = weighed(self.rules, was, slots, now, is_up=is_up)
            if found != was:
                await store.write(weigh, found)
                _log(was, found)
            moved[name] = found
        self.weights = moved

    def _is_up(self, was: Weighed, up: bool, now: float) -> bool:
        """Whether its bind stands, or may soon; one that was down stays so until it stands."""
        if up:
            self._down_since.pop(was.carrier, None)
            return True
        since = min(now, self._down_since.get(was.carrier, now))
        self._down_since[was.carrier] = since
        return was.weight > 0 and now - since < self._patience[was.carrier]


def _log(was: Weighed, now: Weighed) -> None:
    if was.weight == now.weight:
        return
    tell = log.warning if now.weight < was.weight else log.info
    tell(
        "a carrier's weight changed",
        carrier=now.carrier,
        weight=now.weight,
        was=was.weight,
        reason=now.reason,
    )


def said(weights: Iterable[Weighed]) -> list[str]:
    """A sentence for each carrier that has lost traffic."""
    return [
        f"carrier {each.carrier}: gets {each.weight:.0%} of its traffic"
        + (f" ({each.reason})" if each.reason else "")
        for each in sorted(weights, key=lambda each: each.carrier)
        if each.weight < 1
    ]
