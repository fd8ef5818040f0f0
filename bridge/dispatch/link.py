"""In: what each user of the broker met last; out: whether it answers, each change logged."""

from __future__ import annotations

import threading
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import structlog

log = structlog.get_logger("bridge.queue")

#: What to do, by the names that Redis' and RabbitMQ's clients give to what went wrong.
_ADVICE: Final = {
    "OutOfMemoryError": "give it more maxmemory; the bridge needs a few MB of it",
    "ReadOnlyError": "name the primary in [queue] url: this is a replica",
    "AuthenticationError": "check user and password in [queue] url",
    "AuthenticationWrongNumberOfArgsError": "check user and password in [queue] url",
    "ProbableAuthenticationError": "check user and password in [queue] url",
    "ProbableAccessDeniedError": "give the user of [queue] url rights on its virtual host",
    "NoPermissionError": "give the user of [queue] url rights on its own keys and channels",
    "ConnectionBlockedTimeout": "look at its alarms: it is short of memory or disk",
    "AMQPConnectorStackTimeout": "it connects and says nothing: look at its load, and at the port",
    "BusyLoadingError": "wait: it is still reading its file",
}
_ANYTHING: Final = "see that it runs and that [queue] url names it"
_OURS: Final = "the embedded server is started again by itself"


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
        self._otherwise = _OURS if broker == "embedded" else _ANYTHING
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
        """`user` has just failed with `error`; what to do is said with it."""
        name = type(error).__name__
        with self._lock:
            was_up = not self._troubled
            self._troubled.add(user)
        if was_up:
            log.warning(
                "queue does not answer; messages are accepted and wait in the database",
                broker=self._broker,
                error=f"{name}: {said(error)}",
                hint=_ADVICE.get(name, self._otherwise),
            )
