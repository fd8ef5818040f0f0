"""A carrier over HTTP: parts in; each leaves as one request, and what became of it goes out.

What is known of a request that broke is judged by what had been written: before the first octet
nothing can have been taken, after it anything may have been, unless the provider knows a repeat
by its key.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import structlog

from bridge.carriers import trust
from bridge.carriers.http.provider import Call, Provider, Unsendable
from bridge.carriers.http.tickets import Tickets
from bridge.carriers.http.wire import Leave, Lost, Unwritten, Wire
from bridge.errors import Misconfigured
from bridge.model import Outcome, Part, Verdict
from bridge.ports import Done, Inbox
from bridge.settings import Carrier as Config

log = structlog.get_logger("bridge.http")

GRACE: Final = 5.0
"""Seconds that `close` waits for answers still due."""
REPEATS: Final = (0.5, 2.0, 5.0)
"""Seconds before each repeat of a request in doubt, where the provider knows it by its key."""
LONGEST_PAUSE: Final = 30.0

_FIRST: Final = 0.2
_LONGEST: Final = 15.0
_NOT_OPEN: Final = Outcome(Verdict.NOT_SENT, reason="the provider does not answer")
_FAULT: Final = Outcome(Verdict.REJECTED, reason="a fault of the bridge, before it was written")
_ENDED: Final = "the bridge ended before the provider's answer"


class HttpCarrier:
    """An account at a provider, as `bridge.ports.Carrier`."""

    def __init__(
        self,
        config: Config,
        provider: Provider,
        *,
        clock: Callable[[], float] = time.time,
        may_leave: Callable[[], bool] = lambda: True,
    ) -> None:
        self.name = config.name
        self.provider = provider
        self.whole = provider.whole
        self.counts: Counter[str] = Counter()
        """What happened how often: sent, and each verdict."""
        self.last_error = ""
        """Why it is down, in a sentence; "" while it is up."""
        self._config = config
        self._clock = clock
        self._may_leave = may_leave
        self._wire: Wire | None = None
        self._on_room: Callable[[], None] = lambda: None
        self._flying: dict[asyncio.Task[None], tuple[Part, Leave]] = {}
        self._watch: asyncio.Task[None] | None = None
        self._up = False
        self._closing = True
        self._fails = 0  # how often it went down since the last part was accepted
        self._pause = 0.0
        self._paused_at = 0.0

    async def open(self, _inbox: Inbox, on_room: Callable[[], None]) -> None:
        """Take parts once the provider has answered. Raises Misconfigured for wrong TLS files.

        What the provider tells us comes in by the web edge, not here.
        """
        self._on_room = on_room
        self._wire = wire(self._config)
        self._tickets = Tickets(self.provider, self._wire)
        self._closing = False
        self._look_after()

    async def close(self) -> None:
        """Send no more; what is under way has a few seconds."""
        self._closing, self._up = True, False
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        if self._flying:
            await asyncio.wait(list(self._flying), timeout=GRACE)
        for task in list(self._flying):
            task.cancel()
        if self._flying:
            await asyncio.wait(list(self._flying))
        if self._wire is not None:
            await self._wire.close()

    @property
    def room(self) -> int:
        """Requests that may leave right now."""
        return max(0, self._config.window - len(self._flying)) if self._up else 0

    @property
    def up(self) -> bool:
        """Whether the provider answers and takes our account."""
        return self._up

    def send(self, parts: Sequence[Part], done: Done) -> None:
        """Hand over parts; those that cannot leave now are told as not sent."""
        loop = asyncio.get_running_loop()
        room = self.room
        for part in parts[:room]:
            leave = Leave(self._may_leave)
            task = loop.create_task(self._carry(part, leave, done))
            self._flying[task] = part, leave
        for part in parts[room:]:
            loop.call_soon(done, part, _NOT_OPEN)

    def withdraw(self, message: int) -> None:
        """What still waits for a connection, a token or its repeat does not leave any more."""
        for part, leave in self._flying.values():
            if part.message == message:
                leave.withdrawn = True

    async def _carry(self, part: Part, leave: Leave, done: Done) -> None:
        left = time.monotonic()
        try:
            outcome = await self._handed_over(part, leave)
        except asyncio.CancelledError:  # by `close`
            outcome = Outcome(Verdict.NOT_SENT, reason=_ENDED)
            if leave.ever_written:
                outcome = Outcome(Verdict.UNKNOWN, self.provider.known_as(part), _ENDED)
        except Exception as fault:  # noqa: BLE001
            # A part must be told of, whatever went wrong; the fault's words may hold a text.
            log.error("a request failed", carrier=self.name, fault=type(fault).__name__)
            outcome = _FAULT
            if leave.ever_written:
                outcome = Outcome(Verdict.UNKNOWN, self.provider.known_as(part), "fault")
        if not leave.withdrawn:
            outcome = self._learn(outcome, left)
        self.counts[outcome.verdict] += 1
        was_full = self.room == 0
        task = asyncio.current_task()
        if task is not None:
            self._flying.pop(task, None)
        done(part, outcome)
        if was_full and self.room:
            self._on_room()

    async def _handed_over(self, part: Part, leave: Leave) -> Outcome:
        """Ask, and ask again with the same key where that is without harm."""
        repeats = iter(REPEATS if self.provider.idempotent else ())
        doubt: Outcome | None = None
        while True:
            outcome = await self._asked(part, leave)
            if outcome.verdict is Verdict.UNKNOWN:
                doubt = outcome
            elif doubt is None or outcome.verdict not in (Verdict.NOT_SENT, Verdict.THROTTLED):
                return outcome
            pause = next(repeats, None)
            if pause is None or self._closing or leave.withdrawn:
                return doubt
            await asyncio.sleep(max(pause, outcome.pause))

    async def _asked(self, part: Part, leave: Leave) -> Outcome:
        """One request, or two where the first showed that its token is old."""
        try:
            answer = await self._tickets.ask(partial(self._call, part), leave)
        except Unsendable as no:
            return no.outcome
        except Unwritten as lost:
            return Outcome(Verdict.NOT_SENT, reason=str(lost))
        except Lost as lost:
            return Outcome(Verdict.UNKNOWN, self.provider.known_as(part), str(lost))
        outcome = self.provider.outcome(answer)
        if outcome.carrier_id or outcome.verdict not in (Verdict.ACCEPTED, Verdict.UNKNOWN):
            return outcome
        return replace(outcome, carrier_id=self.provider.known_as(part))

    def _call(self, part: Part, token: str) -> Call:
        return self.provider.request(part, self._clock(), token)

    # Up and down

    def _learn(self, outcome: Outcome, left: float) -> Outcome:
        """What an outcome says of the line; a refusal for now comes back with its pause."""
        verdict = outcome.verdict
        if verdict in (Verdict.NOT_SENT, Verdict.UNKNOWN):
            self._down(outcome.reason)
        elif verdict is Verdict.ACCEPTED:
            self._fails = 0
            if left >= self._paused_at:
                self._pause = 0.0
        elif verdict is Verdict.THROTTLED:
            return replace(outcome, pause=self._paused(outcome.pause, left))
        return outcome

    def _paused(self, told: float, left: float) -> float:
        """Seconds to leave the provider alone: as told, or twice as long as the last time.

        It doubles only for a part that left after the last refusal: a window refused at once counts
        once.
        """
        if not self._pause or left >= self._paused_at:
            self._pause = min(self._pause * 2, LONGEST_PAUSE) if self._pause else max(told, 1.0)
            self._paused_at = time.monotonic()
        return max(told, self._pause)

    def _down(self, why: str) -> None:
        if self._closing or not self._up:
            return
        self._up = False
        self.last_error = why
        log.warning("a provider is left alone", carrier=self.name, why=why)
        self._look_after()

    def _look_after(self) -> None:
        """Ask a harmless question until it is answered well; nobody's SMS is the question."""
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._until_up(), name=f"http-{self.name}")

    async def _until_up(self) -> None:
        while True:
            if self._fails:
                longest = min(_FIRST * 2 ** min(self._fails - 1, 10), _LONGEST)
                await asyncio.sleep(random.uniform(0.5, 1.0) * longest)  # noqa: S311
            self._fails += 1
            try:
                wrong = await examined(self.provider, self._tickets)
            except Exception as fault:  # noqa: BLE001 - it must be asked again, whatever was wrong
                wrong = f"its answer cannot be read ({type(fault).__name__})"
            if not wrong:
                break
            if wrong != self.last_error:
                log.warning("a provider cannot be used", carrier=self.name, why=wrong)
            self.last_error = wrong
        log.info("a provider answers", carrier=self.name)
        self._up, self.last_error = True, ""
        self._on_room()


def wire(config: Config) -> Wire:
    """Connections as an entry wants them. Raises Misconfigured."""
    tls = None
    if config.tls_ca:
        try:
            tls = trust.context(str(config.tls_ca))
        except OSError as error:  # ssl.SSLError is one
            raise Misconfigured(
                f"Carrier {config.name}: tls_ca cannot be used"
                f" ({error.strerror or type(error).__name__}).",
                "Check that it names a readable PEM file.",
            ) from error
    seconds = config.response_timeout.total_seconds()
    return Wire(limit=config.window + 1, timeout=seconds, tls=tls)


async def examined(provider: Provider, tickets: Tickets) -> str:
    """What is wrong with the account, in a sentence; "" where all is well."""
    try:
        answer = await tickets.ask(provider.probe)
    except Lost as lost:
        return str(lost)
    except Unsendable as no:
        return no.outcome.reason
    try:
        return provider.probed(answer)
    except Exception as fault:  # noqa: BLE001 - who watches must not end at an odd answer
        return f"the provider's answer cannot be read ({type(fault).__name__})"


async def probe(config: Config, provider: Provider) -> str:
    """Ask once: "" when the provider takes the account, else what is wrong.

    Raises Misconfigured for TLS files that cannot be used.
    """
    line = wire(config)
    try:
        return await examined(provider, Tickets(provider, line))
    finally:
        await line.close()
