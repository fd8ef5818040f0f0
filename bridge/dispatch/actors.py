"""In: jobs from the broker, (queue, ids) and so never a person; out: a call of `heard`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import dramatiq

ACTOR = "ring"


def job(queue: str, ids: Sequence[int]) -> dramatiq.Message[None]:
    """The message that rings `queue`; `ids` are hints."""
    return dramatiq.Message(queue, ACTOR, (queue, list(ids)), {}, {})


def declare(
    broker: dramatiq.Broker, queues: Sequence[str], heard: Callable[[str, list[int]], None]
) -> None:
    """Let a worker of `broker` answer rings of `queues` by calling `heard` in its thread."""

    # One actor answers for all queues: the job says which one was rung.
    @dramatiq.actor(broker=broker, actor_name=ACTOR, queue_name=queues[0])
    def ring(queue: str, ids: list[int]) -> None:
        heard(queue, ids)

    for queue in queues[1:]:
        broker.declare_queue(queue)
