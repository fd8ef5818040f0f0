"""A carrier's two lanes: due messages are claimed, their parts leave, answers are recorded.

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

from bridge import phone
from bridge.dispatch import jobs
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.departing import Departures
from bridge.dispatch.failover import Failover
from bridge.dispatch.jobs import Job, Judge
from bridge.dispatch.lawful import CARRIER, NO_LAWFUL_ROUTE
from bridge.dispatch.ledger import STATES, Ledger
from bridge.dispatch.pace import Pace
from bridge.errors import StoreUnavailable
from bridge.model import Outcome, Part, State, Verdict
from bridge.ports import Carrier
from bridge.settings import Carrier as CarrierSettings
from bridge.store.claims import Claim, Claimed, Claims, ClaimScript, lane
from bridge.store.leases import GiveBack, give_back
from bridge.store.outcomes import Move, PartDone
from bridge.store.sql import Values
from bridge.store.submissions import Prepared, Stored
from bridge.store.suppressions import Bound
from bridge.store.sweeps import NEXT_DUE

log = structlog.get_logger("bridge.deliver")

LINGER = 0.02  # seconds that an idle lane stays awake: under load nothing is rung
SOON = 0.005  # seconds
GLANCE = 1.0  # seconds after which an idle lane looks at the outbox by itself
RESERVE_SHARE = 50  # one in so many places of a large window is kept for urgent parts

_SHUTTING_DOWN = Outcome(Verdict.NOT_SENT, reason="shutting-down")
_PAUSED = Outcome(Verdict.NOT_SENT, reason="the carrier wants to be left alone")
_OPTED_OUT = Outcome(Verdict.OPTED_OUT, reason="opted-out")
_HALTED = Outcome(Verdict.NOT_SENT, reason="halted")
_BLOCKED = Outcome(Verdict.FAILED, reason="blocked")
_UNLAWFUL = Outcome(Verdict.REJECTED, reason=NO_LAWFUL_ROUTE)

Begun = tuple[tuple[int, int, tuple[int, ...]], ...]


class Lanes:
    """Both lanes of one carrier, for as long as this process owns its bind."""

    def __init__(self, bridge: Bridge, carrier: Carrier, config: CarrierSettings) -> None:
        self.bridge = bridge
        self.carrier = carrier
        self.config = config
        self.names = (lane(carrier.name, True), lane(carrier.name, False))
        self._loop = asyncio.get_running_loop()
        self._claim = ClaimScript(bridge.ids.next)
        self._judge = Judge(bridge, config)
        self._ledger = Ledger(bridge, carrier.name, self._moved)
        self._out = Departures(Pace(config.tps, self._loop.time()), self._leave)
        self._failover = Failover(bridge, carrier, config, self.names)
        self._whole = carrier.whole
        self._count = {v: bridge.metrics.parts.labels(carrier.name, str(v)) for v in Verdict}
        self._answers = bridge.metrics.answer_seconds.labels(carrier.name)
        self._waits = [bridge.metrics.wait_seconds.labels(name) for name in self.names]
        self._watched = carrier.name in bridge.health.watched
        self._jobs: dict[int, Job] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._revoked: dict[int, list[tuple[float, Bound]]] = {}
        self._stopping = False
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
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task
        await self._failover.stop()
        self._clear(_SHUTTING_DOWN)
        self._asleep()

    async def settle(self) -> None:
        """After the carrier is closed: give back what has not left, wait until all is recorded."""
        for job in list(self._jobs.values()):
            self._end(job, _SHUTTING_DOWN)
        self._take_back()
        await self._ledger.settled()

    def wake(self) -> None:
        """Rung, or there is room again."""
        self._wake.set()

    hint = wake

    def there_is_room(self) -> None:
        """The carrier has room again. Nobody waits for it where the last claim left nothing."""
        if not self._drained:
            self._wake.set()

    # A message may be claimed at birth

    def bear(self, prepared: Prepared) -> Callable[[asyncio.Future[Stored]], None] | None:
        """Claim a message at birth: its attempts are stored with it, it leaves after its commit.

        That saves a commit; it must not let the new overtake a backlog.
        """
        if not self._drained or self._in_doubt or prepared.state != State.QUEUED:
            return None
        if self.bridge.brakes.halted(prepared.tenant_id):
            return None
        parts = 1 if self._whole else prepared.parts
        room = self._room()
        if not prepared.urgent:
            room = min(room, self._bulk_room(room))
        if parts > room:
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
        job = self._begin(jobs.born(prepared, stored.subject_id), asked)
        if job is None:
            return
        if not self._born:
            self._loop.call_soon(self._send_born)
        self._born += [job.part(n, a) for n, a in prepared.attempts.items()]

    def _send_born(self) -> None:
        parts, self._born = self._born, []
        self._send(parts)

    # Claims

    async def _run(self) -> None:
        while not self._stopping:
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
        if self._stopping:
            return False
        room = self._room()
        if room <= 0:
            self._drained = False
            self._wait_for_room()
            return False
        began = self._loop.time()
        if self._drained:
            room -= room // 4  # some is left for messages that are born meanwhile
        asked = self._loop.time()
        begun = self._begun(room)
        bulk = self._bulk_room(room)
        self._reserved += room
        try:
            claims = await self._ask(room, bulk, begun)
        finally:
            self._reserved -= room
        self._out.took(self._loop.time() - began)
        parts = self._further(claims, begun) + self._first(claims, asked)
        self._drained = _count(claims) < bulk and not claims.refused
        self._send(parts)
        for number in claims.stopped:
            if number in self._jobs:
                self._end(self._jobs[number], _OPTED_OUT)
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
            keep = frozenset({*self._ledger.untold, *self._jobs, *self._bearing})
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
            whole=self._whole,
        )
        self._ledger.flush()
        try:
            claims: Claims = await self.bridge.store.write(self._claim, claim)
        except StoreUnavailable:
            # A connection lost during COMMIT: the claim may stand, and nothing of it has left.
            self._in_doubt = True
            raise
        return claims

    def _room(self) -> int:
        """Parts that may be asked for: 0 also when others may take this process for dead."""
        if not self._is_open():
            return 0
        return min(self.carrier.room - len(self._out), self._out.room()) - self._reserved

    def _is_open(self) -> bool:
        """Whether anything may be claimed, were there room."""
        if self.bridge.clock() > self.bridge.owned_until or self._ledger.behind:
            return False
        return not self.bridge.brakes.all_halted

    def _bulk_room(self, room: int) -> int:
        """Bulk leaves some places of a large window free, so that an urgent part need not wait."""
        taken = len(self._out) + self._reserved + self.config.window // RESERVE_SHARE
        return min(room, max(0, self.carrier.room - taken))

    def _begun(self, room: int) -> Begun:
        """Further parts of messages that have begun to leave, as many as there is room for."""
        found = []
        for number, job in self._jobs.items():
            if room <= 0:
                break
            if job.waiting:
                parts = tuple(job.waiting)[:room]
                room -= len(parts)
                found.append((number, job.total, parts))
        return tuple(found)

    def _further(self, claims: Claims, begun: Begun) -> list[Part]:
        parts: list[Part] = []
        for number, _, numbers in begun:
            job = self._jobs.get(number)
            for part in numbers:
                attempt = claims.attempts.get((number, part))
                if attempt is None:
                    continue
                if job is not None and part in job.waiting:
                    job.waiting.remove(part)
                    parts.append(job.part(part, attempt))
                else:
                    self._unsent(attempt)
        return parts

    def _first(self, claims: Claims, asked: float) -> list[Part]:
        parts: list[Part] = []
        for claimed in claims.messages:
            job = self._begin(claimed, asked)
            if job is not None:
                parts += [job.part(n, a) for n, a in claimed.attempts.items()]
        return parts

    def _begin(self, claimed: Claimed, asked: float) -> Job | None:
        """A job for what was claimed; None when nothing of it may leave, or nothing has to."""
        job = jobs.begin(claimed, whole=self._whole)
        self._jobs[claimed.id] = job
        why = self._why_not(claimed, asked)
        if why is not None:
            for attempt in claimed.attempts.values():
                self._unsent(attempt)
            self._end(job, why)
            return None
        if not claimed.due:
            self._end_if_over(job)
            return None
        waited = max(0.0, self.bridge.clock() - claimed.due_at)
        self._waits[not claimed.urgent].observe(waited)
        return job

    def _why_not(self, claimed: Claimed, asked: float) -> Outcome | None:
        """Why nothing of a claimed message may leave here; None where it may."""
        if self._stopping:
            return _SHUTTING_DOWN
        if self._forbidden(claimed, asked):
            return _OPTED_OUT
        if self.bridge.brakes.halted(claimed.tenant_id):
            return _HALTED
        if self._is_blocked(claimed):
            return _BLOCKED
        lawful = self.bridge.lawful
        if lawful.why_not(claimed.tenant_id, CARRIER, self.carrier.name):
            return _UNLAWFUL
        return None

    # STOP wins

    def revoke(self, subjects: Sequence[int]) -> None:
        """A STOP is on disk: what is claimed for these people and not yet written stays here."""
        now = self._loop.time()
        bound = Bound.of(subjects)
        for subject in bound:
            self._revoked.setdefault(subject, []).append((now, bound))
        for job in list(self._jobs.values()):
            if job.claimed.subject_id in bound and _is_stopped(bound, job.claimed):
                self.carrier.withdraw(job.claimed.id)
                self._end(job, _OPTED_OUT)
        self._take_back()

    def halted(self) -> None:
        """Something was halted, or goes on: what is claimed and not yet written waits again."""
        for job in list(self._jobs.values()):
            if not job.bad and self.bridge.brakes.halted(job.claimed.tenant_id):
                self._end(job, _HALTED)
        self._take_back()
        self.wake()

    def _forbidden(self, claimed: Claimed, asked: float) -> bool:
        """Whether a STOP was stored since the claim was asked for."""
        since = self._revoked.get(claimed.subject_id, ())
        return any(at >= asked and _is_stopped(bound, claimed) for at, bound in since)

    def _is_blocked(self, claimed: Claimed) -> bool:
        """Whether its number has come onto the blacklist since it was taken."""
        lists, to = self.bridge.lists, claimed.phone
        if not lists.blocked or claimed.exempt:
            return False
        country = phone.country(to)
        return bool(lists.block_of(self.bridge.keys, claimed.tenant_id, to, country))

    # Parts leave, answers come

    def _send(self, parts: Sequence[Part]) -> None:
        if parts:
            self._out.put(parts)
            if len(self._out) and self._out.paused:
                self._clear(_PAUSED)

    def _leave(self, parts: Sequence[Part]) -> int:
        """Hand parts to the carrier; how many left."""
        leaving = []
        now = self._loop.time()
        for part in parts:
            # Given up between its claim and now: a STOP, or the end of this process.
            if self._jobs[part.message].bad:
                self._withdraw(part)
            else:
                part.left = now
                leaving.append(part)
        if leaving:
            self.carrier.send(leaving, self._done)
        return len(leaving)

    def _take_back(self) -> None:
        """What waits for its turn, and shall not leave any more, goes back at once."""
        for part in self._out.take_back(lambda part: bool(self._jobs[part.message].bad)):
            self._withdraw(part)

    def _withdraw(self, part: Part) -> None:
        job = self._jobs[part.message]
        job.flying -= 1
        self._unsent(part.attempt)
        self._end_if_over(job)

    def _done(self, part: Part, outcome: Outcome) -> None:
        """The carrier answered (or will not): record it, and the message's move with its last."""
        self._count[outcome.verdict].inc()
        took = self._loop.time() - part.left
        if outcome.verdict is Verdict.NOT_SENT:
            self._failover.unsent += 1
        else:
            self._answers.observe(took)
        if self._watched:
            bridge = self.bridge
            bridge.health.answered(self.carrier.name, outcome.verdict, took, bridge.clock())
        job = self._jobs[part.message]
        job.flying -= 1
        if outcome.verdict is Verdict.ACCEPTED:
            job.taken += 1
        else:
            self._note(job, outcome)
        done = PartDone(part.attempt, STATES[outcome.verdict], outcome.carrier_id, outcome.reason)
        if outcome.also:
            done.message = part.message
            done.also = tuple((self.bridge.ids.next(), each) for each in outcome.also)
        self._ledger.record((done,), self._move_if_over(job))

    def _note(self, job: Job, outcome: Outcome) -> None:
        job.bad.append(outcome)
        job.waiting.clear()
        if outcome.verdict is Verdict.THROTTLED:
            self._out.pace.pause(outcome.pause or 1.0, self._loop.time())
            self._loop.call_soon(self._clear, _PAUSED)
        elif outcome.verdict is Verdict.OPTED_OUT:
            self._ledger.opted_out(job.claimed.tenant_id, job.claimed.phone)

    def _clear(self, why: Outcome) -> None:
        """The lane pauses: what waits for its turn waits in the outbox, where it may move on."""
        for part in self._out.take_back(lambda _: True):
            job = self._jobs[part.message]
            job.waiting.clear()
            job.bad.append(why)
            self._withdraw(part)

    def _end(self, job: Job, outcome: Outcome) -> None:
        """Nothing more of this message leaves; it moves on once what flies has been told of."""
        job.waiting.clear()
        job.bad.append(outcome)
        self._end_if_over(job)

    def _end_if_over(self, job: Job) -> None:
        move = self._move_if_over(job)
        if move is not None:
            self._ledger.record((), move)

    def _move_if_over(self, job: Job) -> Move | None:
        if not job.over:
            return None
        self._jobs.pop(job.claimed.id, None)
        return self._judge.decide(job)

    def _unsent(self, attempt: int) -> None:
        """An attempt was written for a part that then stayed here."""
        self._ledger.record((PartDone(attempt, "not-sent", "", "withdrawn"),), None)

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

        While messages leave at birth the lane stays awake, and claims only at every glance.
        """
        now = self._loop.time()
        glance, until = now + GLANCE, now + LINGER
        while now < until:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await self._wake.wait()
                    return
            now = self._loop.time()
            until = min(self._born_at + LINGER, glance)
        self._forget_stops()
        if now >= glance:
            self._wake.set()
            return
        self._asleep()
        # Between the last look and falling asleep something may have been stored.
        found = await self.bridge.store.read(NEXT_DUE, lanes=Values(self.names))
        next_due = found[0][0] - self.bridge.clock() if found else GLANCE
        if next_due <= 0:
            self._wake.set()
        self._look_again(min(max(next_due, 0.0), GLANCE))

    def _forget_stops(self) -> None:
        if self._revoked:
            horizon = self._loop.time() - 60
            self._revoked = {s: r for s, r in self._revoked.items() if r[-1][0] > horizon}


def _count(claims: Claims) -> int:
    """Parts that a claim has brought, whether or not they may leave."""
    return len(claims.attempts) + sum(len(each.attempts) for each in claims.messages)


def _is_stopped(bound: Bound, claimed: Claimed) -> bool:
    return not claimed.exempt and bound.binds(claimed.klass, claimed.programme_index)
