"""A destination, its tenant and class in; the route that decides, with its carriers, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bridge import settings

#: How a route's carriers are ordered: as they stand, the cheapest first, or by weighted chance.
LISTED, PRICE, WEIGHT = "listed", "price", "weight"


@dataclass(frozen=True, slots=True)
class Route:
    """Carriers to try. An empty condition holds for everything."""

    match: str
    carriers: tuple[str, ...]
    order: str = LISTED
    weights: Mapping[str, float] = field(default_factory=dict)
    countries: frozenset[str] = frozenset()
    tenant: str = ""
    klass: str = ""

    def takes(self, destination: str, country: str, tenant: str, klass: str) -> bool:
        """Whether it decides for such a message."""
        return (
            destination.startswith(self.match)
            and (not self.countries or country in self.countries)
            and self.tenant in ("", tenant)
            and self.klass in ("", klass)
        )

    def hides(self, other: Route, tenant: str) -> bool:
        """Whether it decides for all of a tenant's messages that another, after it, would take."""
        here = not self.countries or (bool(other.countries) and other.countries <= self.countries)
        ours = self.tenant in ("", tenant) and self.klass in ("", other.klass)
        return here and ours and other.match.startswith(self.match)

    def __str__(self) -> str:
        said = [f"match {self.match}"]
        said += [f"country {', '.join(sorted(self.countries))}"] if self.countries else []
        said += [f"tenant {self.tenant}"] if self.tenant else []
        said += [f"class {self.klass}"] if self.klass else []
        return "; ".join(said)


#: What takes what no other route takes.
REST = Route("+", (settings.SANDBOX,))


class Routes:
    """The configured routes: the first that takes a message decides."""

    def __init__(self, routes: Sequence[settings.Route]) -> None:
        self.routes = tuple(_route(route) for route in routes)

    def of(self, destination: str, country: str, tenant: str, klass: str) -> Route:
        """The route of a message to an E.164 number."""
        for route in self.routes:
            if route.takes(destination, country, tenant, klass):
                return route
        return REST

    def serves(self, carrier: str, tenant: str) -> bool:
        """Whether a message of this tenant may leave by this carrier."""
        return any(
            carrier in route.carriers
            and route.tenant in ("", tenant)
            and not any(earlier.hides(route, tenant) for earlier in self.routes[:place])
            for place, route in enumerate(self.routes)
        )

    def contested(self, names: frozenset[str]) -> frozenset[str]:
        """Those of `names` that another of them could stand in for."""
        shared = [names.intersection(route.carriers) for route in self.routes]
        return frozenset(name for found in shared if len(found) > 1 for name in found)


def _route(given: settings.Route) -> Route:
    return Route(
        match=given.match,
        carriers=tuple(given.carriers),
        order=given.order,
        weights=given.weights,
        countries=frozenset(given.country),
        tenant=given.tenant,
        klass=given.message_class,
    )
