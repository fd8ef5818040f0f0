"""What an SMS asked for and what was done about it come in, a sentence for who wrote goes out.

Chats and mails tell the same.
"""

from __future__ import annotations

from typing import Final, NamedTuple

_LOOK: Final = "Have a look within a working day."


class Done(NamedTuple):
    """What was done about an SMS: what it stopped ("any", "marketing"), in which scope."""

    what: str
    scope: str
    cancelled: int


NOTHING: Final = Done("", "", 0)


def stopped(verdict: str, done: Done) -> bool:
    """Whether nothing at all may be sent to the person any more."""
    return verdict == "stop" and done.scope != "programme"


def told(verdict: str, done: Done) -> str:
    """The sentence; "" where an SMS asked for nothing."""
    match verdict:
        case "stop" if done.scope == "programme":
            words = "This person has opted out of one programme: nothing more of it is sent."
        case "stop":
            words = "This person has opted out: nothing more is sent to them."
        case "start":
            return "This person may be written to again."
        case "intent" if done.what == "marketing":
            words = "They may want no more messages: no advertisement is sent to them any more."
            return " ".join(filter(None, (words, cancelled(done.cancelled), _LOOK)))
        case "intent":
            return f"They may want no more messages: nothing was stopped. {_LOOK}"
        case _:
            return ""
    return " ".join(filter(None, (words, cancelled(done.cancelled))))


def cancelled(count: int) -> str:
    """How much an opt-out held back; "" for nothing."""
    if not count:
        return ""
    return f"{count} waiting message{'s were' if count > 1 else ' was'} cancelled."
