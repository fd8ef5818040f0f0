"""In: rings, from the event loop; out: jobs on the broker, merged and sent by a thread."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from queue import Empty, SimpleQueue

from bridge.dispatch.actors import job
from bridge.dispatch.broker import Broker
from bridge.dispatch.link import Link

#: Ids a job carries at most. They are hints: what is over is found by whoever wakes.
MOST_IDS = 50
#: So many jobs of a queue say all there is to say: how often we look, and how many may wait.
ENOUGH = 32
#: Seconds for which a ring that this process itself will hear carries later ones along.
HEARING_S = 0.02
#: Seconds between signs of life to the broker when nothing is rung.
TEND_S = 4.0
#: Seconds before a failed ring is tried again: the first time, and at most.
AGAIN_S, AGAIN_MOST_S = 0.1, 1.0


class Ringer(threading.Thread):
    """Sends rings. While one of a queue is on its way, later ones join it.

    `local` names the queues that this process also hears: there, a ring is on its way until it was
    heard, and those that joined it need not be sent at all.
    """

    def __init__(self, broker: Broker, link: Link, local: Sequence[str]) -> None:
        super().__init__(name="ringer", daemon=True)
        self._broker = broker
        self._link = link
        self._local = frozenset(local)
        self._lock = threading.Lock()
        self._due: dict[str, list[int]] = {}
        self._unheard: dict[str, float] = {}
        self._sent: dict[str, int] = {}
        self._errands: deque[tuple[Callable[[], int], Future[int]]] = deque()
        # A queue written in C: to wake a thread by it costs a third of what an Event does.
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._closing = False
        self._pause = 0.0
        self._spoke = -TEND_S

    def hears(self, local: Sequence[str]) -> None:
        """Which queues this process hears has changed."""
        with self._lock:
            self._local = frozenset(local)
            self._unheard = {q: until for q, until in self._unheard.items() if q in self._local}

    def ring(self, queue: str, ids: Sequence[int]) -> None:
        """Have `queue` rung soon. Takes microseconds, whatever the broker does."""
        with self._lock:
            due = self._due.get(queue)
            if due is not None:
                due.extend(ids[: MOST_IDS - len(due)])
                return
            self._due[queue] = list(ids[:MOST_IDS])
            carried = queue in self._unheard
        if not carried:
            self._wake.put(None)

    def heard(self, queue: str) -> list[int]:
        """Tell that a ring of `queue` was heard here; the ids that have joined it since."""
        with self._lock:
            self._unheard.pop(queue, None)
            return self._due.pop(queue, []) if queue in self._local else []

    def errand(self, work: Callable[[], int]) -> Future[int]:
        """Run `work` in the thread that holds the sender's connection."""
        done: Future[int] = Future()
        self._errands.append((work, done))
        self._wake.put(None)
        return done

    def close(self) -> None:
        """Send what is due, if the broker takes it, and end."""
        self._closing = True
        self._wake.put(None)

    def run(self) -> None:
        while not self._closing:
            self._run_errands()
            if not self._send_due() and time.monotonic() - self._spoke >= self._silence():
                self._attempt(self._broker.tend)
            with contextlib.suppress(Empty):
                self._wake.get(timeout=self._patience())
        if not self._pause:
            self._send_due()
        self._run_errands()
        self._broker.leave()

    def _silence(self) -> float:
        """Seconds without a word to the broker after which it gets a sign of life."""
        return self._pause or TEND_S

    def _patience(self) -> float:
        """Seconds to sleep when nobody rings."""
        return self._pause or (HEARING_S if self._unheard else TEND_S)

    def _run_errands(self) -> None:
        while self._errands:
            work, done = self._errands.popleft()
            if not done.set_running_or_notify_cancel():
                continue
            try:
                done.set_result(work())
            except self._broker.lost as error:
                done.set_exception(error)

    def _send_due(self) -> bool:
        """Send until nothing is due or the broker fails; False when nothing was due."""
        jobs = self._take()
        if not jobs:
            return False
        while jobs:
            queue, ids = jobs.popitem()
            if not self._attempt(partial(self._send, queue, ids)):
                jobs[queue] = ids
                self._put_back(jobs)
                break
        return True

    def _send(self, queue: str, ids: list[int]) -> None:
        """Enqueue a job, unless enough wait already: whoever takes those finds all that is due."""
        sent = self._sent.get(queue, 0)
        if sent >= ENOUGH and self._broker.waiting([queue]) >= ENOUGH:
            return
        self._broker.enqueue(job(queue, ids))
        self._sent[queue] = 1 if sent >= ENOUGH else sent + 1

    def _take(self) -> dict[str, list[int]]:
        """Remove from what is due all that is not carried by a ring on its way."""
        now = time.monotonic()
        with self._lock:
            for queue in [name for name, until in self._unheard.items() if until <= now]:
                del self._unheard[queue]
            jobs = {name: ids for name, ids in self._due.items() if name not in self._unheard}
            for queue in jobs:
                del self._due[queue]
                if queue in self._local:
                    self._unheard[queue] = now + HEARING_S
        return jobs

    def _put_back(self, jobs: dict[str, list[int]]) -> None:
        with self._lock:
            for queue, ids in jobs.items():
                self._due[queue] = (ids + self._due.get(queue, []))[:MOST_IDS]
                self._unheard.pop(queue, None)

    def _attempt(self, work: Callable[[], object]) -> bool:
        """Do it; on failure, tell the link and have the next attempt wait longer."""
        self._spoke = time.monotonic()
        try:
            work()
        except self._broker.lost as error:
            self._link.lost("ring", error)
            self._pause = min(2 * self._pause or AGAIN_S, AGAIN_MOST_S)
            return False
        self._link.ok("ring")
        self._pause = 0.0
        return True
