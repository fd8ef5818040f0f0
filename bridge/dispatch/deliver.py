"""A carrier's two lanes: due messages are claimed, or claimed as they are born, and sent.

One `Lanes` owns one bind (through the carrier's lease) and asks the store for no more parts than
window and pace let out, urgent ones first. Attempts are on disk before anything leaves, so what a
crash leaves in doubt is at most the window.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from functools import partial

import structlog

from bridge.dispatch import jobs
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.failover import Failover
from bridge.dispatch.underway import Begun, Underway
from bridge.errors import StoreUnavailable
from bridge.model import Part, State
from bridge.ports import Carrier
from bridge.settings import Carrier as CarrierSettings
from bridge.store.claims import Claim, Claims, ClaimScript, lane
from bridge.store.leases import GiveBack, give_back
from bridge.store.outcomes import Move
from bridge.store.sql import Values
from bridge.store.submissions import Prepared, Stored
from bridge.store.sweeps import NEXT_DUE

log = structlog.get_logger("bridge.deliver")

LINGER = 0.02  # seconds that an idle lane stays awake: under load nothing is rung
SOON = 0.005  # seconds
GLANCE = 1.0  # seconds after which an idle lane looks at the outbox by itself
RESERVE_SHARE = 50  # one in so many places of a large window is kept for urgent parts


class Lanes:
    """Both lanes of one carrier, for as long as this process owns its bind."""

    def __init__(self, bridge: Bridge, carrier: Carrier, config: CarrierSettings) -> None:
        self.bridge = bridge
        self.carrier = carrier
        self.config = config
        self.names = (lane(carrier.name, True), lane(carrier.name, False))
        self._loop = asyncio.get_running_loop()
        self._claim = ClaimScript(bridge.ids.next)
        self._failover = Failover(bridge, carrier, config, self.names)
        self._underway = Underway(bridge, carrier, config, self._failover, self._moved)
        self._out = self._underway.out
        self._ledger = self._underway.ledger
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._in_doubt = False
        #: The last claim found less than it asked for: no backlog, messages may leave at birth.
        self._drained = False
        self._reserved = 0  # parts that a claim or a birth under way may bring
        self._bearing: set[int] = set()  # births whose commit is under way
        self._born_at = 0.0
        self._born: list[Part] = []

    def start(self) -> None:
        """Begin to work; the lanes look at the outbox at once."""
        self._task = asyncio.create_task(self._run(), name=f"lanes-{self.carrier.name}")
        self.bridge.watch(self._task)
        self._failover.start()
        self.wake()

    async def stop(self) -> None:
        """Claim nothing more; what has left is waited for by the carrier's own `close`."""
        self._underway.stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task
        await self._failover.stop()
        self._underway.stop()
        self._asleep()

    async def settle(self) -> None:
        """After the carrier is closed: give back what has not left, wait until all is recorded."""
        await self._underway.settle()

    def wake(self) -> None:
        """Rung, or there is room again."""
        self._wake.set()

    hint = wake

    def there_is_room(self) -> None:
        """The carrier has room again. Nobody waits for it where the last claim left nothing."""
        if not self._drained:
            self._wake.set()

    def revoke(self, subjects: Sequence[int]) -> None:
        """A STOP is on disk: what is claimed for these people and not yet written stays here."""
        self._underway.revoke(subjects)

    def halted(self) -> None:
        """Something was halted, or goes on: what is claimed and not yet written waits again."""
        self._underway.halted()
        self.wake()

    # A message may be claimed at birth

    def bear(self, prepared: Prepared) -> Callable[[asyncio.Future[Stored]], None] | None:
        """Claim a message at birth: its attempts are stored with it, it leaves after its commit.

        That saves a commit; it must not let the new overtake a backlog.
        """
        if not self._drained or self._in_doubt or prepared.state != State.QUEUED:
            return None
        if self.bridge.brakes.halted(prepared.tenant_id):
            return None
        parts = 1 if self.carrier.whole else prepared.parts
        room, bulk = self._room()
        if parts > (room if prepared.urgent else bulk):
            return None
        self._ledger.flush()
        self._born_at = self._loop.time()
        self._reserved += parts
        self._bearing.add(prepared.id)
        prepared.lease = self.bridge.incarnation
        prepared.carrier = self.carrier.name
        prepared.attempts = {n: self.bridge.ids.next() for n in range(1, parts + 1)}
        return partial(self._delivered, prepared, self._born_at)

    def _delivered(self, prepared: Prepared, asked: float, future: asyncio.Future[Stored]) -> None:
        """A birth's commit has ended: the message leaves, if it is there to leave."""
        self._reserved -= len(prepared.attempts)
        self._bearing.discard(prepared.id)
        if future.cancelled() or future.exception() is not None:
            self._in_doubt = True
            return
        stored = future.result()
        if stored.repeat or stored.state is not State.SENDING:
            return
        job = self._underway.begin(jobs.born(prepared, stored.subject_id), asked)
        if job is None:
            return
        if not self._born:
            self._loop.call_soon(self._send_born)
        self._born += [job.part(n, a) for n, a in prepared.attempts.items()]

    def _send_born(self) -> None:
        parts, self._born = self._born, []
        self._underway.send(parts)

    # Claims

    async def _run(self) -> None:
        while not self._underway.stopping:
            await self._wake.wait()
            self._wake.clear()
            self._awaken()
            try:
                while await self._work():
                    pass
            except StoreUnavailable:
                self._look_again(0.5)
            except Exception as error:  # noqa: BLE001 - a lane must not end while the bridge runs
                fault = type(error).__name__
                log.error("a lane stumbled", carrier=self.carrier.name, error=fault)
                self._in_doubt = True
                self._look_again(1.0)

    async def _work(self) -> bool:
        """Claim and send once. True when there may be more to do at once."""
        if self._underway.stopping:
            return False
        room, bulk = self._room()
        if room <= 0:
            self._drained = False
            self._wait_for_room()
            return False
        began = self._loop.time()
        if self._drained:
            room -= room // 4  # some is left for messages that are born meanwhile
        asked = self._loop.time()
        begun = self._underway.begun(room)
        bulk = min(room, bulk)
        self._reserved += room
        try:
            claims = await self._ask(room, bulk, begun)
        finally:
            self._reserved -= room
        self._out.took(self._loop.time() - began)
        parts = self._underway.taken(claims, begun, asked)
        self._drained = _count(claims) < bulk and not claims.refused
        self._underway.send(parts)
        self._underway.stopped(claims.stopped)
        if parts or claims.refused:
            return True
        if claims.messages:  # nothing of them may leave: there may be more behind them
            self._look_again(LINGER)
            return False
        if claims.halted:  # what is due stays: no use in looking for it at once
            self._look_again(GLANCE)
            return False
        if begun and not claims.stopped:  # another process has their people locked for a moment
            self._look_again(LINGER)
            return False
        await self._doze()
        return False

    async def _ask(self, room: int, bulk: int, begun: Begun) -> Claims:
        now = self.bridge.clock()
        if self._in_doubt:
            keep = self._underway.known | self._bearing
            mine = GiveBack(self.bridge.incarnation, self.names, keep, now)
            await self.bridge.store.write(give_back, mine)
            self._in_doubt = False
        claim = Claim(
            carrier=self.carrier.name,
            incarnation=self.bridge.incarnation,
            now=now,
            room=room,
            bulk_room=bulk,
            begun=begun,
            whole=self.carrier.whole,
        )
        self._ledger.flush()
        try:
            claims: Claims = await self.bridge.store.write(self._claim, claim)
        except StoreUnavailable:
            # A connection lost during COMMIT: the claim may stand, and nothing of it has left.
            self._in_doubt = True
            raise
        return claims

    def _room(self) -> tuple[int, int]:
        """Parts that may be asked for, and how many of them in bulk.

        None when others may take this process for dead. Bulk leaves some places of a large window
        free, so that an urgent part need not wait.
        """
        if not self._is_open():
            return 0, 0
        free = self.carrier.room - len(self._out) - self._reserved
        room = min(free, self._out.room() - self._reserved)
        return room, min(room, max(0, free - self.config.window // RESERVE_SHARE))

    def _is_open(self) -> bool:
        """Whether anything may be claimed, were there room."""
        if not self.bridge.tenure.stands() or self._ledger.behind:
            return False
        return not self.bridge.brakes.all_halted

    def _moved(self, moves: Sequence[Move]) -> None:
        """After the commit: tell whoever is next."""
        for move in moves:
            if move.state is State.SENT:
                continue
            if move.state is not State.QUEUED:
                self.bridge.ring_edges()
            elif move.lane in self.names:
                self._look_again(max(0.0, move.due_at - self.bridge.clock()))
            else:
                self.bridge.ring_lane(move.lane, move.message)

    # Awake and asleep

    def _wait_for_room(self) -> None:
        """A carrier calls when its full window opens; pace, births, claims ahead need a timer."""
        wait = self._out.wait()
        if wait <= 0 and self._is_open() and self.carrier.room > 0:
            wait = SOON
        self._look_again(wait if wait > 0 else GLANCE)

    def _look_again(self, seconds: float) -> None:
        at = self._loop.time() + seconds
        if self._timer is not None:
            if self._timer_at <= at:
                return
            self._timer.cancel()
        # Its time is kept here: uvloop's handle of what is due at once has no `when`.
        self._timer, self._timer_at = self._loop.call_at(at, self._time_is_up), at

    def _time_is_up(self) -> None:
        self._timer = None
        self._wake.set()

    def _awaken(self) -> None:
        for name in self.names:
            self.bridge.awake[name] = self

    def _asleep(self) -> None:
        for name in self.names:
            self.bridge.awake.pop(name, None)
        self._drained = False

    async def _doze(self) -> None:
        """Nothing is due: linger, then sleep until rung, until the next is due, or for a glance.

        While messages leave at birth the lane stays awake, and claims at every glance, or when
        something becomes due that was not born just now.
        """
        now = self._loop.time()
        glance, until, looked = now + GLANCE, now + LINGER, False
        while now < until:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await self._wake.wait()
                    return
            now = self._loop.time()
            until = min(self._born_at + LINGER, glance)
            if until > now and not looked:
                looked, glance = True, min(glance, now + await self._next_due())
        self._underway.forget_stops()
        if now >= glance:
            self._wake.set()
            return
        self._asleep()
        # Between the last look and falling asleep something may have been stored.
        next_due = await self._next_due()
        if next_due <= 0:
            self._wake.set()
        self._look_again(next_due)

    async def _next_due(self) -> float:
        """Seconds until the next message of these lanes is due, no more than to a glance."""
        found = await self.bridge.store.read(NEXT_DUE, lanes=Values(self.names))
        due = found[0][0] - self.bridge.clock() if found else GLANCE
        return min(max(due, 0.0), GLANCE)


def _count(claims: Claims) -> int:
    """Parts that a claim has brought, whether or not they may leave."""
    return len(claims.attempts) + sum(len(each.attempts) for each in claims.messages)
