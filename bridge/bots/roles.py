"""What each role may do: a role and an act come in, yes or no goes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

#: `look` is at messages and limits; `approve` at what somebody else wants to send to many;
#: `release` at messages that are held, and at conversations that somebody else has taken.
#: `stop` puts people on the lists, `unblock` and `unstop` take them off; for `unstop` a second
#: person must `agree-unstop`.
#: `request` registers what people ask about their data, `instruct` decides for the tenant,
#: `carry-out` does it; to an erasure a second person must `agree-request`.
#: `hold` and `retain` change how long data is kept; a second person must `agree-keeping`.
#: `suspect` reports what may be a breach, `govern` keeps the registers of breaches and processors,
#: `access` lets people in and out. `halt` stops all sending, and decides on what a rule stopped.
Act = Literal[
    "send",
    "reply",
    "look",
    "contacts",
    "consent",
    "approve",
    "release",
    "stop",
    "unblock",
    "unstop",
    "agree-unstop",
    "request",
    "instruct",
    "carry-out",
    "agree-request",
    "hold",
    "retain",
    "agree-keeping",
    "suspect",
    "govern",
    "access",
    "halt",
]

_AGENT: Final[frozenset[Act]] = frozenset(
    {"send", "reply", "look", "contacts", "consent", "release", "stop", "request", "suspect"}
)
_ALL: Final[frozenset[Act]] = _AGENT | {"approve", "unblock", "halt"}
_MAY: Final[Mapping[str, frozenset[Act]]] = {
    "agent": _AGENT,
    "privacy": _ALL
    | frozenset(
        {
            *("unstop", "agree-unstop", "carry-out", "agree-request"),
            *("hold", "agree-keeping", "govern"),
        }
    ),
    "tenant-owner": _ALL | {"instruct"},
    "admin": _ALL
    | frozenset({"agree-unstop", "agree-request", "retain", "agree-keeping", "access"}),
    "auditor": frozenset({"look", "suspect"}),
}
ROLES: Final = tuple(_MAY)


def may(role: str, act: Act) -> bool:
    """Whether somebody in this role may do this; a role that there is not may do nothing."""
    return act in _MAY.get(role, ())
