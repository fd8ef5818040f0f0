"""Restores that were practised: who, when, and how it went (PRIVACY P20)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from bridge.store.audit import Entry, append
from bridge.store.processor_tables import drill
from bridge.store.sql import Many, Script, Statement, insert


@dataclass(frozen=True, slots=True)
class Drill:
    """A backup was restored for practice."""

    actor: str
    outcome: str
    now: float


#: (actor, outcome, at), newest first.
DRILLS = Statement(select(drill.c.actor, drill.c.outcome, drill.c.at).order_by(drill.c.id.desc()))
_ADD = insert(drill, ("actor", "outcome", "at"))


def add_drills(items: Sequence[Drill]) -> Script:
    """Keep them; nothing an item."""
    yield Many(_ADD, [{"actor": i.actor, "outcome": i.outcome, "at": i.now} for i in items])
    yield from append([Entry(i.actor, "privacy drill", i.outcome, i.now) for i in items])
    return [None] * len(items)
