"""The tokens of messages come in; which of them stand on our list not to text, and what that stops.

A token is a keyed hash (`keyring`). Under an older pepper it moves to the newest as soon as it is
found (PRIVACY P64).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Double, Integer, Text, select, update

from bridge.model import Class
from bridge.store.sql import Many, Rows, Script, Statement, among, batched, constant, unique
from bridge.store.tables import suppression

#: What a suppression stops: everything, or what is marketing.
ANY: Final = "any"
MARKETING: Final = "marketing"
#: As ANY, and nobody but who restricted lifts it (Art. 18, PRIVACY P27): no START, no operator.
RESTRICTED: Final = "restricted"
#: As ANY, until an objection is decided (Art. 18(1)(d), PRIVACY P28); a STOP beside it stays.
OBJECTED: Final = "objected"

#: Tokens that are listed, each with the wider of what it stops.
Listed = Mapping[str, str]

_LISTED = Statement(
    select(suppression.c.token, suppression.c.purpose).where(
        among(suppression.c.token, "keys"), suppression.c.lifted_at.is_(None)
    )
)
_there = suppression.alias("there")
_MOVE = batched(
    lambda given, _: (
        update(suppression)
        .where(
            suppression.c.token == given.c.old,
            suppression.c.lifted_at.is_(None),
            ~select(_there.c.id)
            .where(
                _there.c.token == given.c.new,
                _there.c.purpose == suppression.c.purpose,
                _there.c.lifted_at.is_(None),
            )
            .exists(),
        )
        .values(token=given.c.new, pepper_version=given.c.version)
    ),
    old=Text,
    new=Text,
    version=Integer,
)
# It stands under its newest token already: the older row has nothing to say any more.
_DOUBLE = batched(
    lambda given, _: (
        update(suppression)
        .where(suppression.c.token == given.c.old, suppression.c.lifted_at.is_(None))
        .values(lifted_at=given.c.at, lift_source=constant("rotation"))
    ),
    old=Text,
    at=Double,
)


def suppressed(tokens: set[str]) -> Script:
    """`Listed`: those of the tokens that stand on the list."""
    if not tokens:
        return {}
    found = yield Rows(_LISTED, {"keys": unique(tokens)})
    wide = {row[0]: ANY for row in found if row[1] != MARKETING}
    return {row[0]: MARKETING for row in found} | wide


def stops(listed: Listed, tokens: Iterable[str], klass: str) -> bool:
    """Whether a message of this class, known by these tokens, is stopped."""
    if not listed:
        return False
    found = {listed[token] for token in tokens if token in listed}
    return ANY in found or (bool(found) and klass == Class.MARKETING)


def move_tokens(moves: Mapping[str, str], version: int, now: float) -> Script:
    """Suppressions go from their token under an older pepper to the newest (old → new)."""
    pairs = sorted(moves.items())
    yield Many(_MOVE, [{"old": old, "new": new, "version": version} for old, new in pairs])
    yield Many(_DOUBLE, [{"old": old, "at": now} for old, _ in pairs])
