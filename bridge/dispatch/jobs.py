"""A claimed message while its parts leave: cut into parts, counted, judged when all are told of."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from bridge import phone, segments
from bridge.dispatch import choose
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.choose import Place, numbered, onward
from bridge.dispatch.submit import shifts
from bridge.model import Class, Outcome, Part, State, Verdict
from bridge.settings import Carrier as Config
from bridge.store.claims import Claimed, lane
from bridge.store.leases import RESEND_TIMES
from bridge.store.outcomes import Move
from bridge.store.submissions import Prepared

TRIES_HERE = 5  # refusals for now, after which the next carrier of the route may try


@dataclass(slots=True)
class Job:
    """A message, its parts, and what is known of them."""

    claimed: Claimed
    texts: Sequence[str]
    total: int
    waiting: deque[int]  # parts without an attempt yet
    flying: int = 0
    taken: int = 0
    bad: list[Outcome] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """Nothing of it is under way or waits."""
        return not self.flying and not self.waiting

    def part(self, number: int, attempt: int) -> Part:
        """One part, ready to leave."""
        self.flying += 1
        claimed = self.claimed
        return Part(
            attempt=attempt,
            message=claimed.id,
            number=number,
            total=self.total,
            ref=reference(claimed.id),
            destination=claimed.phone,
            originator=claimed.originator,
            text=self.texts[number - 1],
            encoding=claimed.encoding,
            lang=claimed.lang,
            expires_at=claimed.expires_at,
            urgent=claimed.urgent,
        )


def reference(message: int) -> int:
    """What a phone joins parts by: the same for each try, another for the next message."""
    return ((message >> 21) + 31 * (message & 0x3FF)) & 0xFF


def begin(claimed: Claimed, *, whole: bool) -> Job:
    """A job for a claimed message; with `whole`, the carrier takes a long text in one piece."""
    if whole or claimed.parts == 1:
        texts: Sequence[str] = (claimed.text,)
    else:
        # As it was cut when it was stored, whatever the carrier's tables are now.
        texts = segments.split(claimed.text, claimed.encoding, claimed.lang)
    waiting = deque(n for n in claimed.due if n not in claimed.attempts)
    return Job(claimed, texts, len(texts), waiting, taken=len(texts) - len(claimed.due))


def born(prepared: Prepared, subject_id: int) -> Claimed:
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
        hop=prepared.hop,
        expires_at=prepared.expires_at,
        tenant_id=prepared.tenant_id,
        exempt=prepared.exempt,
        due_at=prepared.due_at,
        programme_index=prepared.programme_index,
    )


class Judge:
    """Decides where a message goes when its last part has been told of."""

    def __init__(self, bridge: Bridge, config: Config) -> None:
        self._bridge = bridge
        self._config = config

    def decide(self, job: Job) -> Move:
        """The message's move out of `sending`."""
        claimed = job.claimed
        if not job.bad:
            return self._move(job, State.SENT, "")
        worst = max(job.bad, key=lambda o: _WEIGHT[o.verdict])
        match worst.verdict:
            case Verdict.OPTED_OUT:
                return self._move(job, State.SUPPRESSED, worst.reason)
            case Verdict.FAILED:
                return self._move(job, State.FAILED, worst.reason)
            case Verdict.UNKNOWN:
                if claimed.klass == Class.TRANSACTIONAL and claimed.resent < RESEND_TIMES:
                    return self._in_doubt(job, worst.reason)
                return self._move(job, State.UNKNOWN, worst.reason)
            case Verdict.REJECTED if claimed.resent:
                # An earlier try of it is in doubt: it may have been taken then.
                return self._move(job, State.UNKNOWN, worst.reason)
            case Verdict.REJECTED:
                return self._elsewhere(job, worst.reason)
            case Verdict.THROTTLED if claimed.tries >= TRIES_HERE and not (
                job.taken or claimed.resent
            ):
                return self._beyond(job, worst.reason)
            case _:
                # It waits in its place: after a refusal for now the lane is what pauses.
                soon = worst.verdict is Verdict.NOT_SENT or claimed.tries < TRIES_HERE
                return self._again(job, worst.reason, resent=claimed.resent, soon=soon)

    def _again(self, job: Job, reason: str, *, resent: int, soon: bool) -> Move:
        if soon:
            return self._move(job, State.QUEUED, reason, resent=resent)
        first = self._config.retry_first.total_seconds()
        longest = self._config.retry_longest.total_seconds()
        delay = min(longest, first * 2 ** min(job.claimed.tries - 1, 30))
        jittered = random.uniform(0.5, 1.0) * delay  # noqa: S311
        due_at = self._bridge.clock() + jittered
        return self._move(job, State.QUEUED, reason, due_at=due_at, resent=resent)

    def _in_doubt(self, job: Job, reason: str) -> Move:
        """Sent again: at once, or when an answer that is late has not come for that long either."""
        resent = job.claimed.resent
        hope = max(outcome.pause for outcome in job.bad if outcome.verdict is Verdict.UNKNOWN)
        if not hope:
            return self._again(job, reason, resent=resent + 1, soon=True)
        due_at = self._bridge.clock() + hope * 2**resent
        return self._move(job, State.QUEUED, reason, due_at=due_at, resent=resent + 1)

    def _elsewhere(self, job: Job, reason: str) -> Move:
        """A carrier that has not refused it; what has left in part stays whole here."""
        no, not_now = job.claimed.refused, job.claimed.throttled
        place = self._next(job, no | not_now) or self._next(job, no)
        place = place or self._next(job, no, stands=False)
        if place is None or job.taken:
            return self._move(job, State.FAILED, reason)
        return self._move(job, State.QUEUED, reason, place=place)

    def _beyond(self, job: Job, reason: str) -> Move:
        """A carrier that has not been tried; where there is none, here again, later."""
        claimed = job.claimed
        place = self._next(job, claimed.refused | claimed.throttled)
        if place is None:
            return self._again(job, reason, resent=claimed.resent, soon=False)
        return self._move(job, State.QUEUED, reason, place=place)

    def _next(self, job: Job, without: frozenset[str], *, stands: bool = True) -> Place | None:
        claimed, bridge = job.claimed, self._bridge
        to = claimed.phone
        leg = choose.leg(bridge, claimed.tenant_id, to, phone.country(to), claimed.klass)
        here, shown = self._config.name, claimed.originator
        place = onward(bridge, leg, here, shown, without=without, stands=stands)
        return place and numbered(bridge, leg, place)

    def _move(
        self,
        job: Job,
        state: State,
        reason: str,
        *,
        due_at: float | None = None,
        resent: int | None = None,
        place: Place | None = None,
    ) -> Move:
        claimed = job.claimed
        encoding, lang, parts = claimed.encoding, claimed.lang, claimed.parts
        config = self._config
        if place is not None:
            config = place.carrier
            fitted = segments.segment(claimed.text, shifts(config))
            encoding, lang, parts = fitted.encoding, fitted.lang, len(fitted.parts)
        return Move(
            message=claimed.id,
            state=state,
            reason=reason,
            lane=lane(config.name, claimed.urgent),
            hop=claimed.hop if place is None else place.hop,
            due_at=claimed.due_at if due_at is None else due_at,
            resent=claimed.resent if resent is None else resent,
            encoding=encoding,
            lang=lang,
            parts=parts,
            tries=claimed.tries,
            originator=None if place is None else place.originator,
        )


# Of several bad answers to one message, the one that decides.
_WEIGHT = {
    Verdict.NOT_SENT: 1,
    Verdict.THROTTLED: 2,
    Verdict.REJECTED: 3,
    Verdict.UNKNOWN: 4,
    Verdict.FAILED: 5,
    Verdict.OPTED_OUT: 6,
}
