"""Breaches as people speak of them: what happened comes in; the clock, the draft that Article 33(3)
asks for, and who was told go out (PRIVACY P58).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from bridge.dates import minute
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.privacy.duties import duties
from bridge.store.announcements import Words
from bridge.store.breaches import (
    BREACHES,
    CONCERNED,
    Breach,
    Close,
    Facts,
    Learn,
    Open,
    Remind,
    Tell,
    breach_of,
    close_breaches,
    learn_facts,
    open_breaches,
    remind_of_breaches,
    tell_breaches,
)
from bridge.store.notices import inbox_places

log = structlog.get_logger("bridge.breaches")

_UNKNOWN: Final = "not known yet"
_HARD: Final = round(duties().breach_hard / 3600)


@dataclass(frozen=True, slots=True)
class Case:
    """A breach, and the tenants that it concerns: id → told at, or None."""

    breach: Breach
    tenants: Mapping[int, float | None]

    @property
    def target_at(self) -> float:
        """Until when the tenants should be told."""
        return self.breach.aware_at + duties().breach_target

    @property
    def due_at(self) -> float:
        """Until when they must be told."""
        return self.breach.aware_at + duties().breach_hard

    @property
    def untold(self) -> Sequence[int]:
        """Whom nobody has told yet."""
        return [tenant for tenant, told_at in self.tenants.items() if told_at is None]

    @property
    def state(self) -> str:
        """open, told or closed."""
        if self.breach.closed_at is not None:
            return "closed"
        return "open" if self.untold else "told"


async def cases(bridge: Bridge) -> list[Case]:
    """All breaches, newest first."""
    concerned: dict[int, dict[int, float | None]] = {}
    for number, tenant, told_at in await bridge.store.read(CONCERNED):
        concerned.setdefault(number, {})[tenant] = told_at
    rows = [breach_of(row) for row in await bridge.store.read(BREACHES)]
    return [Case(row, concerned.get(row.id, {})) for row in rows]


async def case(bridge: Bridge, number: int) -> Case:
    """One breach. Raises Refused."""
    for each in await cases(bridge):
        if each.breach.id == number:
            return each
    raise Refused("there is no breach with this id", "`bridge breach list` shows them")


async def begin(
    bridge: Bridge,
    actor: str,
    tenants: Sequence[Tenant],
    facts: Facts,
    *,
    source: str = "operator",
    aware_at: float | None = None,
) -> Case:
    """Open a breach: the clock runs from when anybody here knew. Raises Refused."""
    now = bridge.clock()
    if not facts.nature or not facts.nature.strip():
        raise Refused("what has happened?", "say it in a sentence, without names and numbers")
    if aware_at is not None and aware_at > now:
        raise Refused("nobody can be aware of it in the future", "say --aware with an earlier time")
    names = ", ".join(tenant.name for tenant in tenants)
    since = now if aware_at is None else aware_at
    words = Words(
        "A breach was opened" if source == "operator" else "A tenant suspects a breach",
        (
            f"Concerned: {names}.",
            f"Tenants are to be told by {minute(since + duties().breach_target)}, "
            f"and must be by {minute(since + duties().breach_hard)}.",
            "`bridge breach list` shows it, `bridge breach notify ID` tells them.",
        ),
    )
    item = Open(
        source,
        facts,
        tuple(tenant.id for tenant in tenants),
        since,
        actor,
        now,
        own_places(bridge),
        words,
    )
    number = await bridge.store.write(open_breaches, item)
    log.warning("a breach was opened", breach=number, source=source)
    bridge.ring_edges()
    return await case(bridge, number)


async def learn(bridge: Bridge, actor: str, number: int, facts: Facts) -> Case:
    """Record what has become known. Raises Refused."""
    await bridge.store.write(learn_facts, Learn(number, facts, actor, bridge.clock()))
    return await case(bridge, number)


async def tell(
    bridge: Bridge, actor: str, number: int, by_hand: Sequence[Tenant] = ()
) -> tuple[Case, Sequence[int]]:
    """Tell those who have not been told: the case, and who was told now. Raises Refused."""
    found = await case(bridge, number)
    words = {tenant: notice(bridge, found) for tenant in found.untold}
    hands = frozenset(tenant.id for tenant in by_hand)
    item = Tell(number, words, hands, actor, bridge.clock())
    heard: Sequence[int] = await bridge.store.write(tell_breaches, item)
    bridge.ring_edges()
    return await case(bridge, number), heard


async def close(bridge: Bridge, actor: str, number: int, outcome: str) -> Case:
    """Close a breach of which every tenant was told. Raises Refused."""
    if not outcome.strip():
        raise Refused("how did it end?", "say --outcome with a sentence")
    await bridge.store.write(close_breaches, Close(number, outcome, actor, bridge.clock()))
    return await case(bridge, number)


async def remind(bridge: Bridge) -> None:
    """Remind the operator of breaches of which somebody has not been told; the sweep asks."""
    now = bridge.clock()
    for each in await cases(bridge):
        passed = sum(now >= each.breach.aware_at + after for after in duties().breach_reminders)
        if each.state != "open" or passed <= each.breach.reminded:
            continue
        item = Remind(each.breach.id, passed, own_places(bridge), _reminder(each, now), now)
        if await bridge.store.write(remind_of_breaches, item):
            log.warning("tenants are to be told of a breach", breach=each.breach.id)
            bridge.ring_edges()


def _reminder(found: Case, now: float) -> Words:
    hours = (found.due_at - now) / 3600
    left = f"{hours:.0f} hours are left" if hours > 0 else f"the {_HARD} hours are over"
    return Words(
        f"Breach {found.breach.id}: {left}",
        (
            f"{len(found.untold)} tenants have not been told. They must be by "
            f"{minute(found.due_at)}.",
            f"bridge breach notify {found.breach.id}",
        ),
    )


def own_places(bridge: Bridge) -> tuple[tuple[str, str], ...]:
    """The operator's inboxes, each an (edge, place)."""
    return tuple(inbox_places(bridge.settings.privacy.inbox))


def notice(bridge: Bridge, found: Case) -> Words:
    """What a tenant is told."""
    return Words(
        "A breach of security concerns your data",
        tuple(line for line in draft(bridge, found).splitlines() if line),
    )


def draft(bridge: Bridge, found: Case) -> str:
    """The notification of Article 33(3), as far as its facts are known."""
    facts, privacy = found.breach, bridge.settings.privacy
    told = sorted(t for t in found.tenants.values() if t is not None)
    lines = [
        "Notification of a personal data breach (GDPR Article 33)",
        "",
        f"(a) What happened: {facts.nature}",
        f"    Categories of data and people: {facts.categories or _UNKNOWN}",
        f"    People concerned, about: {_count(facts.people)}",
        f"    Records concerned, about: {_count(facts.records)}",
        f"(b) Contact: {privacy.dpo or privacy.operator or _UNKNOWN}",
        f"(c) Likely consequences: {facts.consequences or _UNKNOWN}",
        f"(d) Measures taken or proposed: {facts.measures or _UNKNOWN}",
        "",
        f"We became aware of it on {minute(facts.aware_at)}.",
        *([f"Tenants were first told on {minute(told[0])}."] if told else []),
    ]
    if told and told[0] > found.due_at:
        lines.append(f"It was later than {_HARD} hours; the reasons for that: (to be given)")
    return "\n".join(lines) + "\n"


def _count(number: int | None) -> str:
    return _UNKNOWN if number is None else str(number)
