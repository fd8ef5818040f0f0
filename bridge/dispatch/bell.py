"""In: `ring(queue)` in any process; out: `heard(queue, ids)` in a worker's loop, at once.

The database is the truth and the queue is a doorbell: everything in here may be lost at any time,
and the sweep rings again for what is due.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from queue import Empty, PriorityQueue
from typing import Any

import dramatiq

from bridge.dispatch import actors, broker
from bridge.dispatch.link import Link, shown
from bridge.dispatch.ringer import Ringer
from bridge.dispatch.valkey import Valkey, version

Heard = Callable[[str, Sequence[int]], None]

#: Milliseconds between looks of the worker's thread around itself. Jobs and its end do not wait.
LOOK_MS = 5000
#: Seconds that `start` gives the embedded server, and `stop` a thread that waits for a dead broker.
START_S, STOP_S = 2.0, 2.5


class _Jobs(PriorityQueue[Any]):
    """Jobs for the worker's thread, which would hear of its end only at its next look."""

    def __init__(self) -> None:
        super().__init__()
        self._ended = False

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """The next job. Empty when there is none in time, or none is to come."""
        with self.not_empty:
            if block and not self._ended and not self._qsize():
                self.not_empty.wait(timeout)
            if not self._qsize():
                raise Empty
            return self._get()

    def end(self) -> None:
        """Nobody is to wait any longer."""
        with self.not_empty:
            self._ended = True
            self.not_empty.notify_all()


class _Left:
    """What stands for a consumer that has left while a job of its queue was in hand.

    The job was a hint: taken or put back, nothing hangs on it.
    """

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer

    def post_process_message(self, message: Any) -> None:
        """Take the job off the queue, if its connection still stands."""
        with contextlib.suppress(Exception):
            self._consumer.consumer.ack(message)

    def requeue_messages(self, messages: Any) -> None:
        """Whoever works on the queue now looks into it anyway."""


def _close(consumer: Any) -> None:
    """Close what has been stopped; the worker does so only with what it still has."""
    consumer.join(STOP_S)
    with contextlib.suppress(Exception):
        consumer.close()


class _Consumers(dict[str, Any]):
    """A worker's consumers; one that has left is still found, or the worker's thread would end."""

    def __init__(self) -> None:
        super().__init__()
        self._left: dict[str, _Left] = {}

    def leave(self, queue: str) -> None:
        """Stop a queue's consumer, if there is one."""
        consumer = self.pop(queue, None)
        if consumer is not None:
            self._left[queue] = _Left(consumer)
            consumer.stop()
            threading.Thread(target=_close, args=(consumer,), daemon=True).start()

    def __missing__(self, queue: str) -> _Left:
        return self._left[queue]


class Bell:
    """The doorbell of one process.

    `url` is "embedded" or a redis, rediss, valkey, valkeys, unix, amqp or amqps URL; Misconfigured
    for any other. The embedded server lives in `data_dir`. Bridges that share a server differ in
    `namespace`.
    """

    def __init__(self, url: str, data_dir: Path, namespace: str = "sms-bridge") -> None:
        broker.check(url)
        self._url = url
        self._namespace = namespace
        self._link = Link(shown(url))
        self._valkey = Valkey(data_dir / "queue") if url == broker.EMBEDDED else None
        self._queues: Sequence[str] = ()
        self._heard: Heard | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._broker: broker.Broker | None = None
        self._ringer: Ringer | None = None
        self._worker: dramatiq.Worker | None = None
        self._consumers = _Consumers()
        self._jobs = _Jobs()

    @property
    def up(self) -> bool:
        """True when the last operation against the broker succeeded."""
        return self._link.up

    async def start(self, queues: Sequence[str], heard: Heard | None) -> None:
        """Begin to ring and, with `heard`, to hear these queues; once a bell.

        `heard(queue, ids)` is called in the running loop for every ring from any process, and, with
        no ids, when the broker is back after a broken connection. A broker that cannot be reached
        is tried again and again; only an unusable data directory raises (Misconfigured).
        """
        self._loop, self._heard, self._queues = asyncio.get_running_loop(), heard, tuple(queues)
        url = self._url
        if self._valkey is not None:
            self._valkey.start()
            url = self._valkey.url
            await asyncio.to_thread(self._valkey.wait, START_S)
        self._broker = broker.connect(url, self._namespace, self._link, partial(self._tell, ids=()))
        self._ringer = Ringer(self._broker, self._link, self._queues if heard else ())
        self._ringer.start()
        if heard is not None and self._queues:
            self._worker = self._work(self._broker)

    def hear(self, queues: Sequence[str]) -> None:
        """Hear these queues too: this process has become the one that works on them."""
        if self._worker is None or self._broker is None or self._ringer is None:
            return
        self._queues = (*self._queues, *(q for q in queues if q not in self._queues))
        self._ringer.hears(self._queues)
        for queue in queues:
            if queue in self._broker.engine.get_declared_queues():
                self._worker._add_consumer(queue)  # noqa: SLF001 - dramatiq adds only new ones
            else:
                self._broker.engine.declare_queue(queue)

    def leave(self, queues: Sequence[str]) -> None:
        """Hear these queues no more: another process works on them, and shall be rung."""
        if self._worker is None or self._broker is None or self._ringer is None:
            return
        self._queues = tuple(q for q in self._queues if q not in queues)
        self._ringer.hears(self._queues)
        for queue in queues:
            self._consumers.leave(queue)

    def ring(self, queue: str, ids: Sequence[int] = ()) -> None:
        """Wake whoever hears `queue`. Never blocks, never raises; from the loop's thread.

        `ids` are hints, and at most some tens of them travel. While the broker is away a queue's
        rings are kept as one.
        """
        if self._ringer is not None:
            self._ringer.ring(queue, ids)

    async def depth(self) -> int:
        """Jobs waiting in this process's queues; -1 when the broker cannot be asked."""
        if self._broker is None or self._ringer is None or not self.up:
            return -1
        asked = self._ringer.errand(partial(self._broker.waiting, self._queues))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(asked), 2.0)
        except TimeoutError:
            return -1
        except self._broker.lost:
            return -1

    async def stop(self) -> None:
        """Stop hearing, send what is due if that is possible, and end; within seconds."""
        self._heard = None
        await asyncio.to_thread(self._end)

    @classmethod
    async def probe(cls, url: str, data_dir: Path) -> str:
        """A sentence about the queue at `url`, for `bridge check`; Misconfigured if unusable."""
        broker.check(url)
        if url == broker.EMBEDDED:
            return f"Valkey {await asyncio.to_thread(version)}, embedded in {data_dir / 'queue'}"
        return await broker.probe(url)

    def _work(self, to: broker.Broker) -> dramatiq.Worker:
        """A dramatiq worker in this process, in threads: two, and one a queue."""
        actors.declare(to.engine, self._queues, self._answer)
        worker = dramatiq.Worker(to.engine, worker_timeout=LOOK_MS, worker_threads=1)
        worker.consumers = self._consumers = _Consumers()
        worker.work_queue = self._jobs = _Jobs()
        worker.queue_prefetch = broker.PREFETCH
        worker.start()
        to.listen()
        return worker

    def _answer(self, queue: str, ids: Sequence[int]) -> None:
        """A job's whole work: hand it to the loop. In the worker's thread."""
        if queue in self._queues:
            self._tell(queue, ids)

    def _tell(self, queue: str, ids: Sequence[int]) -> None:
        # The loop may be closed by an application that ends without stopping its bell.
        with contextlib.suppress(RuntimeError):
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._deliver, queue, ids)

    def _deliver(self, queue: str, ids: Sequence[int]) -> None:
        if self._heard is not None and self._ringer is not None:
            self._heard(queue, [*ids, *self._ringer.heard(queue)])

    def _end(self) -> None:
        if self._broker is not None and self._ringer is not None:
            self._ringer.close()
            self._end_worker(self._broker)
            self._ringer.join(STOP_S)
            self._broker.close()
        if self._valkey is not None:
            self._valkey.stop()

    def _end_worker(self, rung: broker.Broker) -> None:
        """Stop the worker, but do not wait for a consumer that hangs in a dead connection."""
        if self._worker is None:
            return
        for worker in self._worker.workers:
            worker.stop()
        self._jobs.end()
        for consumer in self._worker.consumers.values():
            consumer.stop()
        rung.rouse()
        ending = threading.Thread(target=self._worker.stop, args=(STOP_S * 1000,), daemon=True)
        ending.start()
        ending.join(STOP_S)
