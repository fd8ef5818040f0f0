"""In: jobs; out: the same through RabbitMQ, over connections that come back by themselves."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import dramatiq
import pika  # type: ignore[import-untyped]
import pika.exceptions  # type: ignore[import-untyped]
from dramatiq import Consumer, Message, MessageProxy
from dramatiq.brokers.rabbitmq import RabbitmqBroker, _RabbitmqConsumer
from dramatiq.errors import ConnectionClosed
from pika.adapters.utils.connection_workflow import (  # type: ignore[import-untyped]
    AMQPConnectorException,
)

from bridge.dispatch.link import Link, said

#: Seconds between attempts to open a consumer again.
AGAIN_S = 0.5
#: Milliseconds after which an idle consumer looks whether it shall end. Jobs do not wait for it.
LOOK_MS = 1_000
HEARTBEAT_S = 10
#: Seconds that the server may take to greet whoever has connected.
ANSWER_S = 5

LOST: tuple[type[Exception], ...] = (
    pika.exceptions.AMQPError,
    AMQPConnectorException,  # a server that accepts and says nothing; pika's tree has it apart
    ConnectionClosed,
    OSError,
    AssertionError,
)


def parameters(url: str) -> pika.URLParameters:
    """Parameters for pika from `url`, with limits where it names none."""
    found = pika.URLParameters(url)
    if "heartbeat" not in url:
        found.heartbeat = HEARTBEAT_S
    found.connection_attempts = 1
    found.socket_timeout = 3
    found.stack_timeout = ANSWER_S
    found.blocked_connection_timeout = 5
    return found


def greet(url: str) -> str:
    """Open a connection and a channel; the server's name and version. OSError if not."""
    quieten()
    try:
        connection = pika.BlockingConnection(parameters(url))
        properties = connection._impl.server_properties  # noqa: SLF001 - not public otherwise
        connection.channel()
        connection.close()
    except (pika.exceptions.AMQPError, AMQPConnectorException) as error:
        raise OSError(said(error)) from error
    product, version = properties.get("product", "AMQP"), properties.get("version", "0.9.1")
    return f"{product} {version}"


def quieten() -> None:
    """Silence pika, which logs each failed attempt at length; we say once that it is away."""
    logging.getLogger("pika").setLevel(logging.CRITICAL + 1)


class AmqpBroker(RabbitmqBroker):
    """Dramatiq's RabbitMQ broker: confirmed publishing, one durable queue a lane, no others."""

    lost: tuple[type[Exception], ...] = LOST

    def __init__(self, url: str, namespace: str, link: Link, woken: Callable[[str], None]) -> None:
        quieten()
        super().__init__(middleware=[], confirm_delivery=True)
        self.parameters = parameters(url)
        self.link = link
        self.woken = woken
        self.closing = threading.Event()
        self._namespace = namespace
        # The queues known to exist; the sender's, who forgets them with its connection.
        self._declared: set[str] = set()

    @property
    def engine(self) -> dramatiq.Broker:
        return self

    def on_wire(self, queue_name: str) -> str:
        """The name RabbitMQ knows a queue by: two bridges may share a virtual host."""
        return f"{self._namespace}.{queue_name}"

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = LOOK_MS) -> Consumer:
        del timeout
        return SteadyConsumer(self, queue_name, prefetch)

    def declare_queue(self, queue_name: str, *, ensure: bool = False) -> None:
        # Without dramatiq's queues for delayed and dead jobs: times and failures are kept in the
        # database, and a consumer of delayed jobs would cost a thread and a connection.
        del ensure
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.add(queue_name)
            self.emit_after("declare_queue", queue_name)

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """Publish and wait for the confirmation; one of `lost` when there was none."""
        del delay
        try:
            self._publish(message)
        except LOST:
            # Perhaps only an idle connection that was closed, or a queue that was deleted.
            self.leave()
            self._publish(message)
        return message

    def listen(self) -> None:
        """Nothing to do: RabbitMQ pushes."""

    def tend(self) -> None:
        try:
            self.channel.connection.process_data_events(0)
        except LOST:
            self.leave()
            raise

    def waiting(self, queues: Sequence[str]) -> int:
        try:
            return sum(self._declare(queue) for queue in queues)
        except LOST:
            self.leave()
            raise

    def leave(self) -> None:
        self._declared.clear()
        del self.connection

    def rouse(self) -> None:
        self.closing.set()

    def close(self) -> None:
        """Nothing to do: each thread closes its own connection, which no other may touch.

        One that hangs in a dead connection ends with the process, and nobody waits for it.
        """

    def _publish(self, message: Message[Any]) -> None:
        if message.queue_name not in self._declared:
            self._declare(message.queue_name)
        self.channel.basic_publish(
            exchange="",
            routing_key=self.on_wire(message.queue_name),
            body=message.encode(),
            properties=pika.BasicProperties(delivery_mode=pika.DeliveryMode.Persistent),
            mandatory=True,
        )

    def _declare(self, queue_name: str) -> int:
        """Make sure that a queue exists; how many jobs wait in it."""
        found = self.channel.queue_declare(self.on_wire(queue_name), durable=True)
        self._declared.add(queue_name)
        return int(found.method.message_count)


class SteadyConsumer(Consumer):
    """A consumer that outlives its connection: it opens another, and tells that it had to."""

    def __init__(self, broker: AmqpBroker, queue_name: str, prefetch: int) -> None:
        self._broker = broker
        self._queue = queue_name
        self._prefetch = prefetch
        self._inner: _RabbitmqConsumer | None = None
        self._opened_before = False

    def __next__(self) -> MessageProxy | None:
        try:
            inner = self._inner or self._open()
            message: MessageProxy | None = next(inner)
        except StopIteration:
            self._lost(ConnectionResetError("the queue was deleted"))
            return None
        except LOST as error:
            self._lost(error)
            return None
        return message

    def ack(self, message: MessageProxy) -> None:
        # After a broken connection RabbitMQ gives the job out again by itself.
        if self._inner is not None:
            with contextlib.suppress(*LOST):
                self._inner.ack(message)  # type: ignore[no-untyped-call]

    nack = ack  # our own failed lines live in the database, not in a dead letter queue

    def close(self) -> None:
        inner, self._inner = self._inner, None
        if inner is not None:
            with contextlib.suppress(*LOST):
                inner.close()  # type: ignore[no-untyped-call]

    def _lost(self, error: Exception) -> None:
        self._broker.link.lost(self._queue, error)
        self.close()
        self._broker.closing.wait(AGAIN_S)

    def _open(self) -> _RabbitmqConsumer:
        name = self._broker.on_wire(self._queue)
        inner = self._inner = _RabbitmqConsumer(  # type: ignore[no-untyped-call]
            self._broker, name, self._prefetch, LOOK_MS
        )
        inner.channel.queue_declare(name, durable=True)
        self._broker.link.ok(self._queue)
        if self._opened_before:
            self._broker.woken(self._queue)
        self._opened_before = True
        return inner
