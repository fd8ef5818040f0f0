"""What became of a group's people, one by one, comes in; what its one address hears goes out."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.smtp.door import Reply


def as_one(replies: Sequence[Reply]) -> Reply:
    """One reply for all: "not now" if anybody's is, else yes where anybody gets the SMS.

    The client then comes again with the whole mail; whoever has it already gets no second SMS.
    """
    if len(replies) == 1:
        return replies[0]
    later = next((reply for reply in replies if 400 <= reply.code < 500), None)
    taken = [reply for reply in replies if reply.code < 400]
    if later is not None or not taken:
        return later or replies[0]
    sentence = taken[0].sentence
    if len(taken) > 1:
        sentence += f", and for {len(taken) - 1} more"
    refused = [reply for reply in replies if reply.code >= 500]
    if refused:
        sentence += f"; not for {len(refused)}: {refused[0].sentence}"
    return Reply(taken[0].code, taken[0].status, sentence)


def shown_as(name: str, count: int, of: int) -> str:
    """A name as its writer knows it, with how many of its people this is about."""
    if of == 1:
        return name
    return f"{name} ({count} people)" if count == of else f"{name} ({count} of {of} people)"
