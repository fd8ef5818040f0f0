"""In: jobs; out: the same through Redis or Valkey, with a doorbell instead of sleeping polls.

Dramatiq's consumer sleeps up to its timeout between polls and forgets what it had fetched when the
connection breaks. Ours wait on an event that one shared subscription sets, poll only as a fallback,
and outlive their connection.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import uuid4

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import DecodeError
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError
from redis.retry import Retry

from bridge.dispatch.link import Link, log

#: A worker that was silent for so long is taken for dead, and its jobs are given back.
HEARTBEAT_MS = 10_000
#: Seconds between polls of an idle queue: they carry the heartbeat, and catch a ring that was lost.
POLL_S = 4.0
#: Seconds between two looks for dead workers, a queue. (Dramatiq draws lots at every command.)
TIDY_S = 4.0
#: Seconds without a word on the subscription before we ask whether the server is still there.
SILENCE_S = 5.0
#: Seconds between attempts to subscribe again.
AGAIN_S = 0.2
#: Seconds that the server may take to answer; no longer than we may take to stop.
ANSWER_S = 2.0
#: Seconds between looks of the listening thread around itself. Rings and its end do not wait.
LOOK_S = 1.0
#: Lua may unpack this many values at once; more than is ever prefetched. Known, so not measured.
UNPACK = 1000


def pool(url: str) -> redis.ConnectionPool:
    """Connections for a redis, rediss, valkey, valkeys or unix URL; its query may say more.

    Nothing is tried twice in here: a fetch that is repeated after its answer was lost would leave
    the first one's jobs with a worker that does not know of them.
    """
    scheme, rest = url.split(":", 1)
    scheme = {"valkey": "redis", "valkeys": "rediss"}.get(scheme, scheme)
    return redis.ConnectionPool.from_url(
        f"{scheme}:{rest}",
        protocol=2,
        socket_connect_timeout=ANSWER_S,
        socket_timeout=ANSWER_S,
        retry=Retry(NoBackoff(), 0),
    )


def greet(url: str) -> str:
    """Say hello to the server and try what we need of it; its name and version. OSError if not."""
    connections = pool(url)
    try:
        client: Any = redis.Redis(connection_pool=connections)
        # A server that is full, or follows another one, answers all questions and takes no job.
        client.eval("return redis.call('set', KEYS[1], '', 'px', 1000)", 1, "sms-bridge:probe")
        client.publish("sms-bridge:probe", "")
        server = client.info("server")
    except redis.RedisError as error:
        raise OSError(str(error)) from error
    finally:
        connections.disconnect()
    if "valkey_version" in server:
        return f"Valkey {server['valkey_version']}"
    return f"Redis {server['redis_version']}"


class RingingScript:
    """Dramatiq's script, through which all its commands go; an enqueue also rings, in one trip."""

    def __init__(self, script: Any, channel: str) -> None:
        self._script = script
        self._channel = channel

    def __call__(self, keys: list[str], args: list[Any]) -> object:
        command, _, queue = args[:3]
        if command != "enqueue":
            return self._script(keys=keys, args=args)
        client = self._script.registered_client
        try:
            with client.pipeline(transaction=False) as both:
                both.evalsha(self._script.sha, len(keys), *keys, *args)
                both.publish(self._channel, queue)
                return both.execute()
        except NoScriptError:  # a fresh server: this loads it
            self._script(keys=keys, args=args)
            return client.publish(self._channel, queue)


class DoorbellBroker(RedisBroker):
    """Dramatiq's Redis broker; whoever enqueues also rings, and idle consumers wait for that."""

    lost: tuple[type[Exception], ...] = (redis.RedisError, OSError)

    def __init__(self, url: str, namespace: str, link: Link, woken: Callable[[str], None]) -> None:
        self.connections = pool(url)
        self.link = link
        super().__init__(  # type: ignore[no-untyped-call]
            client=redis.Redis(connection_pool=self.connections),
            middleware=[],
            namespace=namespace,
            heartbeat_timeout=HEARTBEAT_MS,
        )
        # Channels are shared by all databases of a server, keys are not.
        self._channel = f"{namespace}:bell:{self.connections.connection_kwargs.get('db') or 0}"
        self.scripts["dispatch"] = RingingScript(self.scripts["dispatch"], self._channel)
        self._woken = woken
        self._bells: dict[str, threading.Event] = {}
        self._tidied = threading.local()
        self.closing = threading.Event()
        self._listener: threading.Thread | None = None

    @property
    def engine(self) -> dramatiq.Broker:
        return self

    @property
    def consumer_class(self) -> type[_RedisConsumer]:
        return DoorbellConsumer

    def bell(self, queue_name: str) -> threading.Event:
        """The event that a ring of this queue sets."""
        return self._bells.setdefault(queue_name, threading.Event())

    def declare_queue(self, queue_name: str) -> None:
        # Without dramatiq's second queue for delayed jobs, which would cost a thread each: times
        # are kept in the database.
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.add(queue_name)
            self.emit_after("declare_queue", queue_name)

    def forget(self) -> None:
        """Be another worker from now on.

        An answer was lost, perhaps with jobs in it. While our heartbeat lasts nobody would look for
        them; under the old name it stops, and they are given back like a dead worker's.
        """
        self.broker_id = str(uuid4())

    def listen(self) -> None:
        self._listener = threading.Thread(target=self._listen, name="bell", daemon=True)
        self._listener.start()

    def tend(self) -> None:
        self.client.ping()

    def waiting(self, queues: Sequence[str]) -> int:
        return sum(int(self.client.llen(f"{self.namespace}:{queue}")) for queue in queues)

    def leave(self) -> None:
        """Nothing to do: connections belong to the pool, not to a thread."""

    def rouse(self) -> None:
        self.closing.set()
        for bell in list(self._bells.values()):
            bell.set()

    def close(self) -> None:
        self.rouse()
        if self._listener is not None:
            if self.link.up:
                with contextlib.suppress(redis.RedisError):
                    self.client.publish(self._channel, "")  # nobody's queue: it only wakes
            self._listener.join(ANSWER_S)
        # What a thread still waits on is left to it: closed under it, it would end in a fault.
        self.connections.disconnect(inuse_connections=False)

    def _listen(self) -> None:
        again = False
        while not self.closing.is_set():
            subscription = self.client.pubsub()
            try:
                subscription.subscribe(self._channel)
                self._hear(subscription, again=again)
            except redis.RedisError as error:
                self.link.lost("bell", error)
                self.closing.wait(AGAIN_S)
            finally:
                subscription.close()
            again = True

    def _hear(self, subscription: redis.client.PubSub, *, again: bool) -> None:
        """Set bells as they are rung, until closing or the connection breaks."""
        heard_at = time.monotonic()
        asked = False
        while not self.closing.is_set():
            message = subscription.get_message(timeout=LOOK_S)
            if message is None:
                asked = self._ask(subscription, time.monotonic() - heard_at, asked=asked)
                continue
            heard_at, asked = time.monotonic(), False
            if message["type"] == "message":
                bell = self._bells.get(message["data"].decode())
                if bell is not None:
                    bell.set()
            elif message["type"] == "subscribe":
                self.link.ok("bell")
                self._catch_up(again=again)

    @staticmethod
    def _ask(subscription: redis.client.PubSub, silence: float, *, asked: bool) -> bool:
        """Ask a silent server for a sign of life; True once asked, an error if it gave none."""
        if silence > 2 * SILENCE_S:
            raise redis.ConnectionError("the server fell silent")
        if silence > SILENCE_S and not asked:
            subscription.ping()
            return True
        return asked

    def _catch_up(self, *, again: bool) -> None:
        """Look into every queue: what was rung before the subscription was not heard."""
        for queue, bell in list(self._bells.items()):
            bell.set()
            if again:
                self._woken(queue)

    def _should_do_maintenance(self, command: str) -> int:
        """1 when this fetch shall also give back dead workers' jobs; each consumer has a thread."""
        now = time.monotonic()
        if command != "fetch" or now - getattr(self._tidied, "at", -TIDY_S) < TIDY_S:
            return 0
        self._tidied.at = now
        return 1

    def _max_unpack_size(self) -> int:
        return UNPACK


class DoorbellConsumer(_RedisConsumer):
    """A consumer that waits for its bell, and does not let a broken connection end it."""

    broker: DoorbellBroker

    def __init__(
        self, broker: DoorbellBroker, queue_name: str, prefetch: int, timeout: int
    ) -> None:
        super().__init__(broker, queue_name, prefetch, timeout)  # type: ignore[no-untyped-call]
        self._bell = broker.bell(queue_name)

    def __next__(self) -> dramatiq.MessageProxy | None:
        while self.message_cache:
            message = self._decoded(self.message_cache.pop(0))
            if message is not None:
                return message
        # Cleared before the look, so that a ring during it is not missed.
        self._bell.clear()
        if not self._fetch() and not self.broker.closing.is_set():
            self._bell.wait(POLL_S)
        return None

    def ack(self, message: dramatiq.MessageProxy) -> None:
        # An unacknowledged job is rung again later, which harms nobody: never worth waiting for.
        was_full = self.outstanding_message_count >= self.prefetch
        try:
            self.broker.do_ack(self.queue_name, message.options["redis_message_id"])
        except redis.RedisError as error:
            self.broker.link.lost(self.queue_name, error)
            self.broker.forget()
        finally:
            self.queued_message_ids.discard(message.message_id)
        if was_full:
            self._bell.set()

    nack = ack  # our own failed lines live in the database, not in a dead letter queue

    def requeue(self, messages: Iterable[dramatiq.MessageProxy]) -> None:
        try:
            super().requeue(messages)  # type: ignore[no-untyped-call]
        except redis.RedisError as error:
            self.broker.link.lost(self.queue_name, error)

    def _fetch(self) -> bool:
        """Fill the cache from the broker; True when there is something in it."""
        room = self.prefetch - self.outstanding_message_count
        if room <= 0:
            return False
        try:
            self.message_cache = self.broker.do_fetch(self.queue_name, room)
        except redis.RedisError as error:
            self.broker.link.lost(self.queue_name, error)
            self.broker.forget()
            return False
        self.broker.link.ok(self.queue_name)
        return bool(self.message_cache)

    def _decoded(self, data: bytes | None) -> dramatiq.MessageProxy | None:
        """The message in `data`; None for what is not one of ours."""
        try:
            message = dramatiq.Message.decode(data or b"")
        except DecodeError:
            log.warning("a job that cannot be read was dropped", queue=self.queue_name)
            return None
        self.queued_message_ids.add(message.message_id)
        return dramatiq.MessageProxy(message)
