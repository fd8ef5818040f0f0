"""In: what each user of the broker met last; out: whether it answers, each change logged."""

from __future__ import annotations

import threading
from urllib.parse import urlsplit, urlunsplit

import structlog

log = structlog.get_logger("bridge.queue")


def shown(url: str) -> str:
    """A broker's URL without user, password and options, for logs and people."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def said(error: BaseException) -> str:
    """What an error says. Some wrap their cause without a word: then, what that says."""
    if str(error):
        return str(error)
    inner = next((arg for arg in error.args if isinstance(arg, BaseException)), None)
    return said(inner) if inner else ""


class Link:
    """Whether the broker answers, as its users found it. Safe to call from any thread.

    Each user reports under its own name (a queue, "ring", "bell"): one for whom the broker works
    does not hide another's trouble, such as a server that answers but refuses to write.
    """

    def __init__(self, broker: str) -> None:
        self._broker = broker
        self._lock = threading.Lock()
        self._troubled: set[str] = set()
        self._met = False

    @property
    def up(self) -> bool:
        """True when the last operation of every user succeeded, and there was one."""
        return self._met and not self._troubled

    def ok(self, user: str) -> None:
        """`user` has just succeeded."""
        if self._met and user not in self._troubled:
            return
        with self._lock:
            self._met = True
            was_down = bool(self._troubled)
            self._troubled.discard(user)
            is_up = not self._troubled
        if was_down and is_up:
            log.info("queue answers again", broker=self._broker)

    def lost(self, user: str, error: Exception) -> None:
        """`user` has just failed with `error`."""
        with self._lock:
            was_up = not self._troubled
            self._troubled.add(user)
        if was_up:
            log.warning(
                "queue does not answer; messages are accepted and wait in the database",
                broker=self._broker,
                error=f"{type(error).__name__}: {said(error)}",
            )
