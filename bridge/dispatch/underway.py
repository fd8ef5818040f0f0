"""What a carrier's lanes have claimed: parts leave, answers come, the message moves on.

What a STOP, a halt or the end of the process catches here before it has left goes back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

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
from bridge.model import Outcome, Part, Verdict
from bridge.ports import Carrier
from bridge.settings import Carrier as CarrierSettings
from bridge.store.claims import Claimed, Claims, lane
from bridge.store.outcomes import Move, PartDone
from bridge.store.suppressions import Bound

log = structlog.get_logger("bridge.deliver")

#: Seconds for which a carrier is left alone that has refused everything several times in a row.
LOUD = 2.0

_SHUTTING_DOWN = Outcome(Verdict.NOT_SENT, reason="shutting-down")
_PAUSED = Outcome(Verdict.NOT_SENT, reason="the carrier wants to be left alone")
_OPTED_OUT = Outcome(Verdict.OPTED_OUT, reason="opted-out")
_HALTED = Outcome(Verdict.NOT_SENT, reason="halted")
_LAPSED = Outcome(Verdict.NOT_SENT, reason="the process stood still for longer than its lease")
_BLOCKED = Outcome(Verdict.FAILED, reason="blocked")
_UNLAWFUL = Outcome(Verdict.REJECTED, reason=NO_LAWFUL_ROUTE)

#: Messages of which further parts are asked for: id, parts in all, the numbers of those.
Begun = tuple[tuple[int, int, tuple[int, ...]], ...]


class Underway:
    """One carrier's messages from their claim to their move, of which `moved` is told."""

    def __init__(
        self,
        bridge: Bridge,
        carrier: Carrier,
        config: CarrierSettings,
        failover: Failover,
        moved: Callable[[Sequence[Move]], None],
    ) -> None:
        self.bridge = bridge
        self.carrier = carrier
        self._loop = asyncio.get_running_loop()
        self.ledger = Ledger(bridge, carrier.name, moved)
        self.out = Departures(Pace(config.tps, self._loop.time()), self._leave)
        self._failover = failover
        self._judge = Judge(bridge, config)
        self._whole = carrier.whole
        metrics, lanes = bridge.metrics, [lane(carrier.name, urgent) for urgent in (True, False)]
        self._count = {v: metrics.parts.labels(carrier.name, str(v)) for v in Verdict}
        self._answers = metrics.answer_seconds.of(carrier.name)
        self._waits = [metrics.wait_seconds.of(name) for name in lanes]
        self._watched = carrier.name in bridge.health.watched
        self._jobs: dict[int, Job] = {}
        self._revoked: dict[int, list[tuple[float, Bound]]] = {}
        self._refused = False
        #: The process ends: nothing that is claimed from now on leaves.
        self.stopping = False

    @property
    def known(self) -> frozenset[int]:
        """Messages that this process has in hand, or whose end the store does not know yet."""
        return frozenset({*self.ledger.untold, *self._jobs})

    # What a claim brings

    def begun(self, room: int) -> Begun:
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

    def taken(self, claims: Claims, begun: Begun, asked: float) -> list[Part]:
        """The parts that may leave of what was claimed, asked for at `asked`, `begun` among it."""
        parts = self._further(claims, begun)
        for claimed in claims.messages:
            job = self.begin(claimed, asked)
            if job is not None:
                parts += [job.part(n, a) for n, a in claimed.attempts.items()]
        return parts

    def begin(self, claimed: Claimed, asked: float) -> Job | None:
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

    def _why_not(self, claimed: Claimed, asked: float) -> Outcome | None:
        """Why nothing of a claimed message may leave here; None where it may."""
        if self.stopping:
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

    def stopped(self, messages: Iterable[int]) -> None:
        """Further parts of these were not given out: their people have said STOP."""
        for number in messages:
            if number in self._jobs:
                self._end(self._jobs[number], _OPTED_OUT)

    def forget_stops(self) -> None:
        """What was asked for before an old STOP has come long ago."""
        if self._revoked:
            horizon = self._loop.time() - 60
            self._revoked = {s: r for s, r in self._revoked.items() if r[-1][0] > horizon}

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

    def send(self, parts: Sequence[Part]) -> None:
        """Let these leave in their turn."""
        if parts:
            self.out.put(parts)
            if len(self.out) and self.out.paused:
                self._clear(_PAUSED)

    def _clear(self, why: Outcome) -> None:
        """The lane pauses: what waits for its turn waits in the outbox, where it may move on."""
        for part in self.out.take_back(lambda _: True):
            job = self._jobs[part.message]
            job.waiting.clear()
            job.bad.append(why)
            self._withdraw(part)

    def stop(self) -> None:
        """What waits for its turn goes back."""
        self._clear(_SHUTTING_DOWN)

    async def settle(self) -> None:
        """After the carrier is closed: give back what has not left, wait until all is recorded."""
        for job in list(self._jobs.values()):
            self._end(job, _SHUTTING_DOWN)
        self._take_back()
        await self.ledger.settled()

    def _leave(self, parts: Sequence[Part]) -> int:
        """Hand parts to the carrier; how many left."""
        leaving = []
        now = self._loop.time()
        # Another may have it by now, or have acknowledged a STOP: it stood frozen since its claim.
        lapsed = not self.bridge.tenure.stands()
        for part in parts:
            job = self._jobs[part.message]
            if lapsed:
                job.waiting.clear()
                job.bad.append(_LAPSED)
            # Given up between its claim and now: so, by a STOP, or by the end of this process.
            if job.bad:
                self._withdraw(part)
            else:
                part.left = now
                leaving.append(part)
        if leaving:
            self.carrier.send(leaving, self._done)
        return len(leaving)

    def _take_back(self) -> None:
        """What waits for its turn, and shall not leave any more, goes back at once."""
        for part in self.out.take_back(lambda part: bool(self._jobs[part.message].bad)):
            self._withdraw(part)

    def _withdraw(self, part: Part) -> None:
        job = self._jobs[part.message]
        job.flying -= 1
        self._unsent(part.attempt)
        self._end_if_over(job)

    def _done(self, part: Part, outcome: Outcome) -> None:
        """The carrier answered (or will not): record it, and the message's move with its last."""
        if outcome.late:
            # Whoever claims its message finds the part taken, and does not send it again.
            late = PartDone(part.attempt, STATES[outcome.verdict], outcome.carrier_id, "")
            self.ledger.record((late,), None)
            return
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
            if self._refused:
                self._refused = False
                log.info("a carrier takes messages again", carrier=self.carrier.name)
        else:
            self._note(job, outcome)
        done = PartDone(part.attempt, STATES[outcome.verdict], outcome.carrier_id, outcome.reason)
        if outcome.also:
            done.message = part.message
            done.also = tuple((self.bridge.ids.next(), each) for each in outcome.also)
        self.ledger.record((done,), self._move_if_over(job))

    def _note(self, job: Job, outcome: Outcome) -> None:
        job.bad.append(outcome)
        job.waiting.clear()
        if outcome.verdict is Verdict.THROTTLED:
            self.out.pace.pause(outcome.pause or 1.0, self._loop.time())
            if outcome.pause >= LOUD and not self._refused:
                self._refused = True
                name, why = self.carrier.name, outcome.reason
                log.warning(
                    "a carrier takes nothing for now: its messages wait", carrier=name, reason=why
                )
            self._loop.call_soon(self._clear, _PAUSED)
        elif outcome.verdict is Verdict.OPTED_OUT:
            self.ledger.opted_out(job.claimed.tenant_id, job.claimed.phone)

    def _end(self, job: Job, outcome: Outcome) -> None:
        """Nothing more of this message leaves; it moves on once what flies has been told of."""
        job.waiting.clear()
        job.bad.append(outcome)
        self._end_if_over(job)

    def _end_if_over(self, job: Job) -> None:
        move = self._move_if_over(job)
        if move is not None:
            self.ledger.record((), move)

    def _move_if_over(self, job: Job) -> Move | None:
        if not job.over:
            return None
        self._jobs.pop(job.claimed.id, None)
        return self._judge.decide(job)

    def _unsent(self, attempt: int) -> None:
        """An attempt was written for a part that then stayed here."""
        self.ledger.record((PartDone(attempt, "not-sent", "", "withdrawn"),), None)


def _is_stopped(bound: Bound, claimed: Claimed) -> bool:
    return not claimed.exempt and bound.binds(claimed.klass, claimed.programme_index)
