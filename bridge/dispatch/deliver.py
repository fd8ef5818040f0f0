"""A carrier's two lanes: due messages are claimed, their parts leave, answers are recorded.

One `Lanes` owns one bind (through the carrier's lease) and asks the store for no more parts than
window and pace let out, urgent ones first. Attempts are on disk before anything leaves, so what a
crash leaves in doubt is at most the window.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog

from bridge import segments
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.failover import Failover
from bridge.dispatch.pace import Pace
from bridge.dispatch.submit import shifts
from bridge.errors import StoreUnavailable
from bridge.model import Class, Outcome, Part, State, Verdict
from bridge.ports import Carrier
from bridge.settings import Carrier as CarrierSettings
from bridge.store.claims import Claim, Claimed, Claims, ClaimScript, lane
from bridge.store.leases import RESEND_TIMES, GiveBack, give_back
from bridge.store.outcomes import Move, PartDone, Progress, record_progress
from bridge.store.submissions import Prepared, Stored
from bridge.store.suppressions import Suppress, suppress_all
from bridge.store.sweeps import NEXT_DUE, Values

log = structlog.get_logger("bridge.deliver")

LINGER = 0.02  # seconds that an idle lane stays awake: under load nothing is rung
GLANCE = 1.0  # seconds after which an idle lane looks at the outbox by itself
TRIES_HERE = 5  # refusals for now, after which the next carrier of the route may try
RESERVE_SHARE = 50  # one in so many places of a large window is kept for urgent parts


@dataclass(slots=True)
class Job:
    """A claimed message while its parts leave."""

    claimed: Claimed
    texts: Sequence[str]
    total: int
    waiting: deque[int]  # parts without an attempt yet
    flying: int = 0
    taken: int = 0
    bad: list[Outcome] = field(default_factory=list)


class Lanes:
    """Both lanes of one carrier, for as long as this process owns its bind."""

    def __init__(self, bridge: Bridge, carrier: Carrier, config: CarrierSettings) -> None:
        self.bridge = bridge
        self.carrier = carrier
        self.config = config
        self.names = (lane(carrier.name, True), lane(carrier.name, False))
        self._claim = ClaimScript(bridge.ids.next)
        self._pace = Pace(config.tps, bridge.clock())
        self._failover = Failover(bridge, carrier, config)
        self._whole = config.long == "payload"
        self._count = {v: bridge.metrics.parts.labels(carrier.name, str(v)) for v in Verdict}
        self._waits = [bridge.metrics.wait_seconds.labels(name) for name in self.names]
        self._jobs: dict[int, Job] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._known: list[Progress] = []
        self._recording: set[asyncio.Future[None]] = set()
        self._untold: set[int] = set()  # messages done with, of which the store does not know yet
        self._revoked: dict[int, float] = {}
        self._stopping = False
        self._in_doubt = False
        #: The last claim found less than it asked for: no backlog, messages may leave at birth.
        self._drained = False
        self._reserved = 0  # parts that a claim or a birth under way may bring
        self._born: list[Part] = []

    def start(self) -> None:
        """Begin to work; the lanes look at the outbox at once."""
        self._task = asyncio.create_task(self._run(), name=f"lanes-{self.carrier.name}")
        self.bridge.watch(self._task)
        self.wake()

    async def stop(self) -> None:
        """Claim nothing more; what has left is waited for by the carrier's own `close`."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task
        self._asleep()

    async def settle(self) -> None:
        """After the carrier is closed: give back what has not left, wait until all is recorded."""
        for job in list(self._jobs.values()):
            job.waiting.clear()
            job.bad.append(Outcome(Verdict.NOT_SENT, reason="shutting-down"))
            self._settle_if_done(job)
        if self._known:
            self._write()
        while self._recording:
            await asyncio.wait(list(self._recording), timeout=5)
            if self.bridge.store.failing is not None:
                return

    def wake(self) -> None:
        """Rung, or there is room again."""
        self._wake.set()

    def hint(self) -> None:
        """Something waits in one of the lanes."""
        self._wake.set()

    def bear(self, prepared: Prepared) -> Callable[[asyncio.Future[Stored]], None] | None:
        """Claim a message at birth: its attempts are stored with it, it leaves after its commit.

        That saves a commit; it must not let the new overtake a backlog.
        """
        if not self._drained or prepared.state != State.QUEUED:
            return None
        now = self.bridge.clock()
        parts = 1 if self._whole else prepared.parts
        room = min(self.carrier.room, self._pace.free(now)) - self._reserved
        if not prepared.urgent:
            room = min(room, self._bulk_room(room))
        if parts > room:
            self.hint()
            return None
        self._reserved += parts
        prepared.lease = self.bridge.incarnation
        prepared.carrier = self.carrier.name
        prepared.attempts = {n: self.bridge.ids.next() for n in range(1, parts + 1)}
        asked = asyncio.get_running_loop().time()
        return partial(self._delivered, prepared, asked)

    def _delivered(self, prepared: Prepared, asked: float, future: asyncio.Future[Stored]) -> None:
        """A birth's commit has ended: the message leaves, if it is there to leave."""
        self._reserved -= len(prepared.attempts)
        if future.cancelled() or future.exception() is not None:
            self._in_doubt = True
            return
        stored = future.result()
        if stored.repeat or stored.state is not State.SENDING:
            return
        job = self._job(_claimed(prepared, stored.subject_id))
        if self._forbidden(job.claimed, asked) or self._stopping:
            for attempt in prepared.attempts.values():
                self._unsent(attempt)
            self._give_up(job)
            return
        if not self._born:
            asyncio.get_running_loop().call_soon(self._send_born)
        self._born += [self._part(job, n, a) for n, a in prepared.attempts.items()]
        self._observe_wait(job.claimed)

    def _give_up(self, job: Job) -> None:
        if self._stopping:
            job.bad.append(Outcome(Verdict.NOT_SENT, reason="shutting-down"))
            self._settle_if_done(job)
        else:
            self._drop(job)

    def _send_born(self) -> None:
        parts, self._born = self._born, []
        self._send(parts)

    def _send(self, parts: Sequence[Part]) -> None:
        self._pace.take(len(parts), self.bridge.clock())
        self.carrier.send(parts, self._done)

    def _forbidden(self, claimed: Claimed, asked: float) -> bool:
        """Whether a STOP was stored since the claim was asked for."""
        return not claimed.exempt and self._revoked.get(claimed.subject_id, 0.0) >= asked

    def revoke(self, subjects: Sequence[int]) -> None:
        """A STOP is on disk: what is claimed for these people and not yet written stays here."""
        now = asyncio.get_running_loop().time()
        for subject in subjects:
            self._revoked[subject] = now
        for job in list(self._jobs.values()):
            if job.claimed.subject_id in subjects and not job.claimed.exempt:
                self._drop(job)

    def _drop(self, job: Job) -> None:
        job.waiting.clear()
        job.bad.append(Outcome(Verdict.OPTED_OUT, reason="opted-out"))
        self._settle_if_done(job)

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
        now = self.bridge.clock()
        room = min(self.carrier.room, self._pace.free(now)) - self._reserved
        if room <= 0:
            await self._failover.look(self.names)
            self._wait_for_room(now)
            return False
        if self._drained:
            room -= room // 4  # some is left for messages that are born meanwhile
        asked = asyncio.get_running_loop().time()
        begun = self._begun(room)
        self._reserved += room
        try:
            claims = await self._ask(now, room, begun)
        finally:
            self._reserved -= room
        parts = self._parts_of(claims, begun, asked)
        self._drained = len(parts) < room and not claims.refused
        if parts:
            self._send(parts)
        if claims.stopped:
            for number in claims.stopped:
                if number in self._jobs:
                    self._drop(self._jobs[number])
        if parts or claims.refused:
            return True
        await self._doze()
        return False

    async def _ask(
        self, now: float, room: int, begun: tuple[tuple[int, int, tuple[int, ...]], ...]
    ) -> Claims:
        if self._in_doubt:
            await self.bridge.store.write(
                give_back,
                GiveBack(self.bridge.incarnation, self.names, self._under_way(), now),
            )
            self._in_doubt = False
        claim = Claim(
            carrier=self.carrier.name,
            incarnation=self.bridge.incarnation,
            now=now,
            room=room,
            bulk_room=self._bulk_room(room),
            begun=begun,
            whole=self._whole,
        )
        try:
            claims: Claims = await self.bridge.store.write(self._claim, claim)
        except StoreUnavailable:
            # A connection lost during COMMIT: the claim may stand, and nothing of it has left.
            self._in_doubt = True
            raise
        return claims

    def _under_way(self) -> frozenset[int]:
        """The messages that may have left, whatever the store says."""
        return frozenset(self._untold.union(self._jobs))

    def _bulk_room(self, room: int) -> int:
        """Bulk leaves some places of a large window free, so that an urgent part need not wait."""
        return min(room, max(0, self.carrier.room - self.config.window // RESERVE_SHARE))

    def _begun(self, room: int) -> tuple[tuple[int, int, tuple[int, ...]], ...]:
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

    def _parts_of(
        self, claims: Claims, begun: tuple[tuple[int, int, tuple[int, ...]], ...], asked: float
    ) -> list[Part]:
        parts: list[Part] = []
        for number, _, numbers in begun:
            job = self._jobs.get(number)
            for part in numbers:
                attempt = claims.attempts.get((number, part))
                if attempt is not None and job is not None and part in job.waiting:
                    job.waiting.remove(part)
                    parts.append(self._part(job, part, attempt))
                elif attempt is not None:
                    self._unsent(attempt)
        for claimed in claims.messages:
            job = self._job(claimed)
            if self._forbidden(claimed, asked):
                for attempt in claimed.attempts.values():
                    self._unsent(attempt)
                self._drop(job)
                continue
            if not claimed.due:
                self._settle_if_done(job)
            for part, attempt in claimed.attempts.items():
                parts.append(self._part(job, part, attempt))
            self._observe_wait(claimed)
        return parts

    def _observe_wait(self, claimed: Claimed) -> None:
        waited = max(0.0, self.bridge.clock() - claimed.due_at)
        self._waits[not claimed.urgent].observe(waited)

    def _job(self, claimed: Claimed) -> Job:
        texts: Sequence[str]
        if self._whole or claimed.parts == 1:
            texts = (claimed.text,)
        else:
            texts = segments.segment(claimed.text, shifts(self.config)).parts
        waiting = deque(n for n in claimed.due if n not in claimed.attempts)
        total = 1 if self._whole else claimed.parts
        job = Job(claimed, texts, total, waiting, taken=total - len(claimed.due))
        self._jobs[claimed.id] = job
        return job

    def _part(self, job: Job, number: int, attempt: int) -> Part:
        job.flying += 1
        claimed = job.claimed
        return Part(
            attempt=attempt,
            message=claimed.id,
            number=number,
            total=job.total,
            ref=(claimed.id >> 3) & 0xFF,
            destination=claimed.phone,
            originator=claimed.originator,
            text=job.texts[number - 1],
            encoding=claimed.encoding,
            lang=claimed.lang,
            expires_at=claimed.expires_at,
            urgent=claimed.urgent,
        )

    def _done(self, part: Part, outcome: Outcome) -> None:
        """The carrier answered (or will not): record it, and the message's move with its last."""
        self._count[outcome.verdict].inc()
        job = self._jobs[part.message]
        job.flying -= 1
        if outcome.verdict is Verdict.ACCEPTED:
            job.taken += 1
        else:
            job.bad.append(outcome)
            job.waiting.clear()
            if outcome.verdict is Verdict.THROTTLED:
                self._pace.pause(outcome.pause or 1.0, self.bridge.clock())
        done = PartDone(part.attempt, _STATES[outcome.verdict], outcome.carrier_id, outcome.reason)
        self._record((done,), self._move_if_done(job))

    def _settle_if_done(self, job: Job) -> None:
        move = self._move_if_done(job)
        if move is not None:
            self._record((), move)

    def _move_if_done(self, job: Job) -> Move | None:
        if job.flying or job.waiting:
            return None
        self._jobs.pop(job.claimed.id, None)
        return self._judge(job)

    def _judge(self, job: Job) -> Move:
        """Where a message goes when no part of it is under way any more."""
        claimed = job.claimed
        if not job.bad:
            return self._move(job, State.SENT, "")
        worst = max(job.bad, key=lambda o: _WEIGHT[o.verdict])
        match worst.verdict:
            case Verdict.OPTED_OUT:
                self._suppress(claimed, worst)
                return self._move(job, State.SUPPRESSED, worst.reason)
            case Verdict.FAILED:
                return self._move(job, State.FAILED, worst.reason)
            case Verdict.UNKNOWN:
                if claimed.klass == Class.TRANSACTIONAL and claimed.resent < RESEND_TIMES:
                    return self._again(job, worst.reason, resent=claimed.resent + 1, soon=True)
                return self._move(job, State.UNKNOWN, worst.reason)
            case Verdict.REJECTED:
                return self._elsewhere(job, worst.reason)
            case Verdict.THROTTLED if claimed.tries >= TRIES_HERE and not job.taken:
                return self._elsewhere(job, worst.reason, or_again=True)
            case _:
                # It waits in its place: after a refusal for now the lane is what pauses.
                soon = worst.verdict is Verdict.NOT_SENT or claimed.tries < TRIES_HERE
                return self._again(job, worst.reason, resent=claimed.resent, soon=soon)

    def _again(self, job: Job, reason: str, *, resent: int, soon: bool) -> Move:
        first = self.config.retry_first.total_seconds()
        longest = self.config.retry_longest.total_seconds()
        delay = min(longest, first * 2 ** min(job.claimed.tries - 1, 30))
        jittered = random.uniform(0.5, 1.0) * delay  # noqa: S311
        now = self.bridge.clock()
        due_at = now if soon else now + jittered
        return self._move(job, State.QUEUED, reason, due_at=due_at, resent=resent)

    def _elsewhere(self, job: Job, reason: str, *, or_again: bool = False) -> Move:
        """The next carrier of the route; a message of which a part has left stays whole here."""
        route = self.bridge.routes.carriers(job.claimed.phone)
        hop = job.claimed.hop + 1
        if hop < len(route) and not job.taken:
            return self._move(job, State.QUEUED, reason, hop=hop, carrier=route[hop])
        if or_again:
            return self._again(job, reason, resent=job.claimed.resent, soon=False)
        return self._move(job, State.FAILED, reason)

    def _move(
        self,
        job: Job,
        state: State,
        reason: str,
        *,
        due_at: float | None = None,
        resent: int | None = None,
        hop: int | None = None,
        carrier: str | None = None,
    ) -> Move:
        claimed = job.claimed
        config = self.bridge.carrier(carrier) if carrier else self.config
        fitted = (
            segments.segment(claimed.text, shifts(config)) if carrier and claimed.lang else None
        )
        return Move(
            message=claimed.id,
            state=state,
            reason=reason,
            lane=lane(config.name, claimed.urgent),
            hop=claimed.hop if hop is None else hop,
            due_at=self.bridge.clock() if due_at is None else due_at,
            resent=claimed.resent if resent is None else resent,
            encoding=fitted.encoding if fitted else claimed.encoding,
            lang=fitted.lang if fitted else claimed.lang,
            parts=len(fitted.parts) if fitted else claimed.parts,
        )

    def _unsent(self, attempt: int) -> None:
        """An attempt was written for a part that then stayed here."""
        self._record((PartDone(attempt, "not-sent", "", "withdrawn"),), None)

    def _suppress(self, claimed: Claimed, outcome: Outcome) -> None:
        """The carrier knows of an opt-out that we had not heard of."""
        if outcome.reason == "opted-out":
            return  # our own list said so
        token = self.bridge.keys.person(claimed.tenant_id, claimed.phone)
        item = Suppress(claimed.tenant_id, token, "tenant", "carrier", self.bridge.clock())
        self._keep_trying(lambda: self.bridge.store.put(suppress_all, item), ())

    def _record(self, parts: tuple[PartDone, ...], move: Move | None) -> None:
        """Keep for the next write, which all answers of this turn of the loop share."""
        if not self._known:
            asyncio.get_running_loop().call_soon(self._write)
        if move is not None:
            self._untold.add(move.message)
        self._known.append(
            Progress(self.carrier.name, self.bridge.clock(), self.bridge.incarnation, parts, move)
        )

    def _write(self) -> None:
        if not self._known:
            return  # settle() was faster
        known, self._known = self._known, []
        moves = [progress.move for progress in known if progress.move is not None]
        self._keep_trying(lambda: self.bridge.store.put(record_progress, known), moves)

    def _keep_trying(self, put: Callable[[], asyncio.Future[None]], moves: Sequence[Move]) -> None:
        """Write what is known until the store takes it; it is not known anywhere else."""
        future = put()
        self._recording.add(future)

        def ended(done: asyncio.Future[None]) -> None:
            self._recording.discard(done)
            if done.cancelled():
                return
            error = done.exception()
            if error is None:
                self._moved(moves)
            elif isinstance(error, StoreUnavailable):
                asyncio.get_running_loop().call_later(0.5, self._keep_trying, put, moves)
            else:
                log.error("outcome not recorded", error=type(error).__name__)

        future.add_done_callback(ended)

    def _moved(self, moves: Sequence[Move]) -> None:
        """After the commit: tell whoever is next."""
        for move in moves:
            self._untold.discard(move.message)
            if move.state is State.SENT:
                continue
            if move.state is not State.QUEUED:
                self.bridge.ring_edge("mail")
            elif move.lane in self.names:
                self._look_again(max(0.0, move.due_at - self.bridge.clock()))
            else:
                self.bridge.ring_lane(move.lane, move.message)

    def _wait_for_room(self, now: float) -> None:
        """The carrier will call when its window opens; the pace needs a timer."""
        wait = self._pace.wait(now)
        self._look_again(wait if wait > 0 else GLANCE)

    def _look_again(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        at = loop.time() + seconds
        if self._timer is not None:
            if self._timer_at <= at:
                return
            self._timer.cancel()
        # Its time is kept here: uvloop's handle of what is due at once has no `when`.
        self._timer, self._timer_at = loop.call_at(at, self._time_is_up), at

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
        """Nothing is due: linger, then sleep until rung, until the next is due, or for a glance."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER):
                await self._wake.wait()
                return
        self._asleep()
        # Between the last look and falling asleep something may have been stored.
        found = await self.bridge.store.read(NEXT_DUE, lanes=Values(self.names))
        now = self.bridge.clock()
        next_due = found[0][0] - now if found else GLANCE
        if next_due <= 0:
            self._wake.set()
        self._look_again(min(max(next_due, 0.0), GLANCE))
        horizon = asyncio.get_running_loop().time() - 60
        if self._revoked:
            self._revoked = {s: at for s, at in self._revoked.items() if at > horizon}


def _claimed(prepared: Prepared, subject_id: int) -> Claimed:
    """A message that was claimed at birth, as if it had been claimed later."""
    return Claimed(
        id=prepared.id,
        subject_id=subject_id,
        phone=prepared.phone,
        text=prepared.text,
        encoding=prepared.encoding,
        lang=prepared.lang,
        originator=prepared.originator,
        parts=prepared.parts,
        due=tuple(prepared.attempts),
        attempts=prepared.attempts,
        klass=prepared.klass,
        urgent=prepared.urgent,
        tries=1,
        resent=0,
        hop=0,
        expires_at=prepared.expires_at,
        tenant_id=prepared.tenant_id,
        exempt=prepared.exempt,
        due_at=prepared.due_at,
    )


_STATES = {
    Verdict.ACCEPTED: "accepted",
    Verdict.NOT_SENT: "not-sent",
    Verdict.THROTTLED: "not-sent",
    Verdict.REJECTED: "rejected",
    Verdict.FAILED: "failed",
    Verdict.OPTED_OUT: "rejected",
    Verdict.UNKNOWN: "unknown",
}
# Of several bad answers to one message, the one that decides.
_WEIGHT = {
    Verdict.NOT_SENT: 1,
    Verdict.THROTTLED: 2,
    Verdict.REJECTED: 3,
    Verdict.UNKNOWN: 4,
    Verdict.FAILED: 5,
    Verdict.OPTED_OUT: 6,
}
