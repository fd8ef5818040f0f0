"""What each role may do: a role and an act come in, yes or no goes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

#: `look` is at messages and limits; `approve` at what somebody else wants to send to many;
#: `release` at messages that are held, and at conversations that somebody else has taken.
Act = Literal["send", "reply", "look", "contacts", "approve", "release"]

_AGENT: Final[frozenset[Act]] = frozenset({"send", "reply", "look", "contacts", "release"})
_ALL: Final[frozenset[Act]] = _AGENT | {"approve"}
_MAY: Final[Mapping[str, frozenset[Act]]] = {
    "agent": _AGENT,
    "privacy": _ALL,
    "tenant-owner": _ALL,
    "admin": _ALL,
    "auditor": frozenset({"look"}),
}
ROLES: Final = tuple(_MAY)


def may(role: str, act: Act) -> bool:
    """Whether somebody in this role may do this; a role that there is not may do nothing."""
    return act in _MAY.get(role, ())
