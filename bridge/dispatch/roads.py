"""A number, a tenant and a class in; which route decides, and each of its carriers with why it is
or is not taken, out. Nothing is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from bridge.dispatch import senders
from bridge.dispatch.brakes import check_number
from bridge.dispatch.choose import Leg, Place, Ways, ordered, places, route_of
from bridge.dispatch.health import Health
from bridge.dispatch.lawful import Lawful
from bridge.dispatch.prices import Prices
from bridge.dispatch.route import WEIGHT, Route, Routes
from bridge.dispatch.tenants import Tenant, frozen
from bridge.errors import Refused
from bridge.settings import Carrier, Settings

CARRIERS_OWN: Final = "the carrier's own"
#: What a person's answer to such an originator becomes.
REPLIES: Final = {"yes": "yes", "no": "no", "": "as the carrier does"}


@dataclass
class Configured:
    """What the configuration alone knows: no health, no transfers, no prices."""

    settings: Settings
    lawful: Lawful = field(default_factory=Lawful)
    prices: Prices = field(default_factory=Prices)

    @cached_property
    def routes(self) -> Routes:
        """Its routes."""
        return Routes(self.settings.routes)

    @cached_property
    def health(self) -> Health:
        """Everybody is well."""
        return Health(self.settings, self.routes)

    @cached_property
    def carriers(self) -> Mapping[str, Carrier]:
        """Its carriers by name."""
        return {carrier.name: carrier for carrier in self.settings.carriers}

    def clock(self) -> float:
        """No price depends on it here."""
        return 0.0

    def luck(self) -> float:
        """Nothing is left to chance."""
        return 0.5

    def tenant(self, name: str) -> Tenant:
        """A tenant of the file; "" is its first. Raises Refused."""
        found = next((t for t in self.settings.tenants if name in ("", t.name)), None)
        if found is None:
            known = ", ".join(t.name for t in self.settings.tenants)
            raise Refused(f"the configuration has no tenant {name!r}", f"tenants there: {known}")
        return frozen(found)


@dataclass(frozen=True, slots=True)
class Own:
    """A person's token, and what they have been shown, the newest conversation's first."""

    person: str
    shown: Sequence[str] = ()

    def of(self, pool: Sequence[str]) -> tuple[str, bool]:
        """Their number of a pool, and whether they know it already."""
        known = next((each for each in self.shown if each in pool), "")
        return known or senders.of_pool(pool, self.person), bool(known)


def explained(ways: Ways, leg: Leg, own: Own | None) -> dict[str, Any]:
    """The answer; `own` where a bridge runs, which knows people, health, transfers and prices."""
    route = route_of(ways, leg)
    found = list(places(ways, leg))
    usable = [place for place in found if not place.why_not]
    first = usable if route.order == WEIGHT else ordered(ways, leg, route, usable)
    shares = _shares(ways, route, first)
    rest = [place for place in found if place.why_not]
    rows = [_row(ways, leg, place, shares, own) for place in (*first, *rest)]
    refused = _refused(leg)
    taken = max(rows, key=lambda row: row["share"]) if usable else None
    return {
        "number": leg.destination,
        "country": leg.country,
        "tenant": leg.tenant.name,
        "class": str(leg.klass),
        "route": str(route),
        "order": route.order,
        "refused": refused,
        "carrier": taken["carrier"] if taken and not refused else None,
        "originator": taken["originator"] if taken else "",
        "replies": taken["replies"] if taken else "",
        "carriers": rows,
        "health": "live" if own else "not known: no bridge runs here",
    }


def _refused(leg: Leg) -> str:
    """Why the tenant does not send there at all; "" where it does."""
    try:
        check_number(leg.tenant, leg.destination, leg.country)
    except Refused as no:
        return no.sentence
    return ""


def _shares(ways: Ways, route: Route, usable: list[Place]) -> dict[str, float]:
    """Which part of such messages each carrier gets now."""
    weights = {place.carrier.name: ways.health.weight(place.carrier.name) for place in usable}
    if route.order == WEIGHT:
        parts = {name: weight * route.weights.get(name, 1.0) for name, weight in weights.items()}
        whole = sum(parts.values()) or 1.0
        return {name: part / whole for name, part in parts.items()}
    left, shares = 1.0, {}
    for name, weight in weights.items():
        shares[name] = left * weight
        left -= shares[name]
    if weights:
        best = max(weights, key=weights.__getitem__)
        shares[best] += left
    return shares


def _row(
    ways: Ways, leg: Leg, place: Place, shares: Mapping[str, float], own: Own | None
) -> dict[str, Any]:
    name, country, runs = place.carrier.name, leg.country, own is not None
    originator, is_known = own.of(place.pool) if own and place.pool else (place.originator, False)
    weighed = ways.health.weights.get(name)
    price = ways.prices.cost(name, leg.destination, ways.clock())
    notes = senders.caveats(originator, country, place.carrier)
    if place.rule:
        notes = [f"a number, since {country} shows no such name", *notes]
    rule = senders.rules().get(country)
    return {
        "carrier": name,
        "place": place.hop + 1,
        "share": round(shares.get(name, 0.0), 3),
        "why_not": place.why_not,
        "originator": originator,
        "pool": list(place.pool),
        "conversation": is_known,
        "kind": senders.kind_of(originator),
        "replies": REPLIES[senders.answers(originator)],
        "price": str(price) if price else None,
        "weight": ways.health.weight(name) if runs else None,
        "reason": weighed.reason if weighed else "",
        "bound": ways.health.binds.get(name) if runs else None,
        "notes": notes,
        "source": f"{rule.source_url} ({rule.verified_on.isoformat()})" if rule else "",
    }


def in_words(answer: Mapping[str, Any]) -> list[str]:
    """The answer in lines for people."""
    lines = [f"{answer['number']} ({answer['country']}), {answer['class']}, {answer['tenant']}"]
    lines.append(f"route: {answer['route']}; order: {answer['order']}")
    if answer["refused"]:
        lines.append(f"refused: {answer['refused']}")
    for number, row in enumerate(answer["carriers"], 1):
        taken = f"takes {row['share']:.0%}" if not row["why_not"] else "is not taken"
        lines.append(f"{number}. {row['carrier']} {taken}" + _why(row))
        if not row["why_not"]:
            sender = _sender(row, is_live=answer["health"] == "live")
            lines.append(f"   sender: {sender}; answers: {row['replies']}")
        lines += [f"   note: {note}" for note in row["notes"] if not row["why_not"]]
    if answer["carriers"] and (source := answer["carriers"][0]["source"]):
        lines.append(f"senders: {source}")
    return [*lines, f"health: {answer['health']}"]


def _sender(row: Mapping[str, Any], *, is_live: bool) -> str:
    if row["pool"] and not is_live:
        return f"{' or '.join(row['pool'])} ({row['kind']})"
    shown = f"{row['originator'] or CARRIERS_OWN} ({row['kind']}"
    if not row["pool"]:
        return f"{shown})"
    why = "this person knows it" if row["conversation"] else "this person would get it"
    return f"{shown}, of {len(row['pool'])}: {why})"


def _why(row: Mapping[str, Any]) -> str:
    said = [row["why_not"]] if row["why_not"] else []
    said += [f"{row['price']} a part"] if row["price"] else []
    if row["weight"] is not None:
        said.append(f"weight {row['weight']}" + (f": {row['reason']}" if row["reason"] else ""))
    said += ["its bind is down"] if row["bound"] is False else []
    return f" ({'; '.join(said)})" if said else ""
