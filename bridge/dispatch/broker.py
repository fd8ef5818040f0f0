"""In: a queue URL; out: a dramatiq broker that wakes in milliseconds and comes back by itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol
from urllib.parse import urlsplit

import dramatiq

from bridge.dispatch.link import Link, shown
from bridge.errors import Misconfigured

#: Jobs a consumer may hold at once. A full consumer waits, so this bounds memory, not speed.
PREFETCH = 64

REDIS = ("redis", "rediss", "valkey", "valkeys", "unix")
AMQP = ("amqp", "amqps")
EMBEDDED = "embedded"


class Broker(Protocol):
    """What a bell needs of a broker, beside being dramatiq's."""

    #: What its methods raise when the server cannot be reached or refuses.
    lost: tuple[type[Exception], ...]

    @property
    def engine(self) -> dramatiq.Broker:
        """The same object, as dramatiq knows it."""

    def enqueue(self, message: dramatiq.Message[None]) -> object:
        """Hand a job to the server; from the sender's thread."""

    def listen(self) -> None:
        """Start hearing of new jobs; called before a worker starts."""

    def tend(self) -> None:
        """Keep the sender's connection alive; from the sender's thread, every few seconds."""

    def waiting(self, queues: Sequence[str]) -> int:
        """Jobs waiting in all of `queues`; from the sender's thread."""

    def leave(self) -> None:
        """Close what the sender's thread opened; from that thread."""

    def rouse(self) -> None:
        """Make every idle consumer look up at once; safe from any thread."""

    def close(self) -> None:
        """Close everything that is still open."""


def check(url: str) -> None:
    """Raise Misconfigured for a URL whose scheme names no broker we know."""
    if url != EMBEDDED and urlsplit(url).scheme not in REDIS + AMQP:
        raise Misconfigured(
            f"[queue] url names no queue this bridge knows: {shown(url)}",
            'Use "embedded", redis://host:6379/0, rediss://…, unix:///path, or amqp://host:5672.',
        )


def connect(url: str, namespace: str, link: Link, woken: Callable[[str], None]) -> Broker:
    """A broker for `url`; nothing is opened yet.

    `woken(queue)` is called from some thread when a queue's consumer is back after a broken
    connection: rings may have been missed. RabbitMQ's client is imported only when it is used.
    """
    logging.getLogger("dramatiq").setLevel(logging.ERROR)
    if urlsplit(url).scheme in AMQP:
        from bridge.dispatch.broker_amqp import AmqpBroker

        return AmqpBroker(url, namespace, link, woken)
    from bridge.dispatch.broker_redis import DoorbellBroker

    return DoorbellBroker(url, namespace, link, woken)


async def probe(url: str) -> str:
    """A sentence about the server behind `url`; Misconfigured when it cannot be used."""
    import asyncio

    if urlsplit(url).scheme in AMQP:
        from bridge.dispatch.broker_amqp import greet
    else:
        from bridge.dispatch.broker_redis import greet
    try:
        return f"{await asyncio.to_thread(greet, url)} at {shown(url)}"
    except (OSError, ValueError) as error:
        raise Misconfigured(
            f"the queue at {shown(url)} cannot be used: {type(error).__name__}: {error}",
            "Check that the server runs and that [queue] url has its host, port and password.",
        ) from error
