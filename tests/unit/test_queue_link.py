"""What is said of a broker that does not answer: once, and with what to do."""

from __future__ import annotations

import pytest
import redis
import structlog
from pika.exceptions import ConnectionBlockedTimeout, ProbableAuthenticationError

from bridge.dispatch.link import Link


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (redis.OutOfMemoryError("OOM command not allowed"), "maxmemory"),
        (redis.ReadOnlyError("READONLY You can't write"), "primary"),
        (redis.AuthenticationError("WRONGPASS"), "password"),
        (ProbableAuthenticationError(), "password"),
        (ConnectionBlockedTimeout(), "alarms"),
        (redis.ConnectionError("Connection refused"), "see that it runs"),
    ],
)
def test_a_broker_that_fails_is_told_of_once_with_what_to_do(error: Exception, hint: str) -> None:
    link = Link("redis://queue.example:6379")
    with structlog.testing.capture_logs() as logs:
        link.lost("bell", error)
        link.lost("ring", error)
        link.ok("bell")
        link.ok("ring")
    down, up = logs
    assert hint in down["hint"]
    assert type(error).__name__ in down["error"]
    assert up["event"] == "queue answers again"


def test_nobody_has_to_start_the_embedded_server() -> None:
    with structlog.testing.capture_logs() as logs:
        Link("embedded").lost("bell", redis.ConnectionError("Connection refused"))
    assert "by itself" in logs[0]["hint"]
