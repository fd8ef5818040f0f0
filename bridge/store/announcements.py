"""Words that are owed to a tenant's inboxes, or to the operator's own; and who was told of what.

The words stand beside their notice; that a tenant was told stands in `tenant_notice`, without them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from bridge.store.notices import inboxes, notice_row, owe_with_payload
from bridge.store.processor_tables import tenant_notice
from bridge.store.sql import Many, Rows, Script, Statement, Values, among, insert
from bridge.store.tables import tenant

#: The tenant of what is owed to the operator.
OPERATOR = 0
KIND = "told"


@dataclass(frozen=True, slots=True)
class Words:
    """What is told: a subject for a mail, and lines below it."""

    subject: str
    lines: tuple[str, ...]

    @property
    def payload(self) -> str:
        """As it stands beside the notice."""
        return json.dumps({"subject": self.subject, "lines": self.lines})


def words_of(payload: str) -> Words | None:
    """The words beside a notice; None where they have been erased."""
    if not payload:
        return None
    kept = json.loads(payload)
    return Words(kept["subject"], tuple(kept["lines"]))


_SETTINGS = Statement(
    select(tenant.c.id, tenant.c.settings)
    .where(among(tenant.c.id, "ids"), tenant.c.closed_at.is_(None))
    .order_by(tenant.c.id)
)
_TOLD_ADD = insert(tenant_notice, ("tenant_id", "about", "about_id", "places", "at"))
#: Who was told of something, and in how many inboxes.
TOLD = Statement(
    select(tenant_notice.c.tenant_id, tenant_notice.c.places, tenant_notice.c.at)
    .where(
        tenant_notice.c.about == bindparam("about"),
        tenant_notice.c.about_id == bindparam("about_id"),
    )
    .order_by(tenant_notice.c.id)
)


def owe_words(
    tenant_id: int, places: Sequence[tuple[str, str]], words: Words, now: float
) -> Script:
    """Owe the words to these inboxes, each an (edge, place); nothing comes back."""
    for edge, place in places:
        yield from owe_with_payload(
            notice_row(tenant_id, edge, KIND, now, place=place), words.payload
        )


def tell_tenants(words: Mapping[int, Words], about: str, about_id: int, now: float) -> Script:
    """How many inboxes of each open tenant are owed its words; 0 where it has named none."""
    found = yield Rows(_SETTINGS, {"ids": Values(sorted(words))})
    told: dict[int, int] = {}
    for number, settings in found:
        places = inboxes(json.loads(settings))
        yield from owe_words(number, places, words[number], now)
        told[number] = len(places)
    rows = [
        {"tenant_id": n, "about": about, "about_id": about_id, "places": count, "at": now}
        for n, count in told.items()
        if count
    ]
    if rows:
        yield Many(_TOLD_ADD, rows)
    return told


@dataclass(frozen=True, slots=True)
class Owed:
    """Words to the operator's own inboxes."""

    places: tuple[tuple[str, str], ...]
    words: Words
    now: float


def tell_operator(items: Sequence[Owed]) -> Script:
    """Owe each its words; nothing an item."""
    for item in items:
        yield from owe_words(OPERATOR, item.places, item.words, item.now)
    return [None] * len(items)
