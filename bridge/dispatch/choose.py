"""A message's route in; the carrier to try, and what the phone will show, out.

The configured order, or weights, come first; a carrier's health takes traffic from it step by step.
What the law, the country's networks or the carrier's own word forbid is never chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from math import inf
from typing import NamedTuple, Protocol

from bridge.dispatch import senders
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.health import Health
from bridge.dispatch.lawful import CARRIER, Lawful
from bridge.dispatch.prices import Prices
from bridge.dispatch.route import LISTED, PRICE, Route, Routes
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.settings import Carrier


class Ways(Protocol):
    """What a choice looks at."""

    @property
    def routes(self) -> Routes: ...
    @property
    def carriers(self) -> Mapping[str, Carrier]: ...
    @property
    def lawful(self) -> Lawful: ...
    @property
    def health(self) -> Health: ...
    @property
    def prices(self) -> Prices: ...
    @property
    def clock(self) -> Callable[[], float]: ...
    @property
    def luck(self) -> Callable[[], float]: ...


class Leg(NamedTuple):
    """What a route is chosen by. `wanted` is what the writer asked the phone to show, or ""."""

    tenant: Tenant
    destination: str  # E.164
    country: str
    klass: str
    wanted: str = ""


class Place(NamedTuple):
    """A carrier of a route, its place as configured, and what it would show."""

    carrier: Carrier
    hop: int
    originator: str
    pool: tuple[str, ...] = ()
    rule: str = ""  # what shaped the originator, for the log
    why_not: str = ""  # why it may not be taken; "" where it may


def leg(bridge: Bridge, tenant: int, destination: str, country: str, klass: str) -> Leg:
    """Of a message that is stored; its tenant may have been closed since."""
    found = bridge.register.tenants.get(tenant) or Tenant(tenant, "")
    return Leg(found, destination, country, klass)


def first(bridge: Bridge, leg: Leg) -> Place:
    """The carrier that a new message goes to. Raises Refused where none may take it."""
    route = route_of(bridge, leg)
    if len(route.carriers) == 1:
        place = _place(bridge, leg, route, 0)
        if place.why_not:
            raise _refused(leg, place)
        return place
    places = [_place(bridge, leg, route, hop) for hop in range(len(route.carriers))]
    usable = ordered(bridge, leg, route, [place for place in places if not place.why_not])
    if not usable:
        raise _refused(leg, places[-1])
    return _by_weight(bridge, usable)


def onward(
    bridge: Bridge,
    leg: Leg,
    here: str,
    shown: str,
    *,
    without: Collection[str],
    least: float = 0.0,
    stands: bool = True,
) -> Place | None:
    """Where a message goes that leaves the carrier `here`, which shows `shown`; or None.

    Never to those of `without`; only to one that weighs more than `least`, and with `stands` only
    to a bind that does.
    """
    route = route_of(bridge, leg)
    keeps = _is_kept(leg.tenant, bridge.carriers.get(here), shown)
    kept = Leg(leg.tenant, leg.destination, leg.country, leg.klass, shown if keeps else "")
    found = [
        place
        for hop, name in enumerate(route.carriers)
        if name != here
        and name not in without
        and not (stands and bridge.health.is_down(name))
        and (bridge.health.weight(name) > least or not least)
        and not (place := _place(bridge, kept, route, hop)).why_not
    ]
    usable = ordered(bridge, leg, route, found)
    return usable[0] if usable else None


def _is_kept(tenant: Tenant, here: Carrier | None, shown: str) -> bool:
    """Whether an originator goes on with its message: not where it is the number of a carrier."""
    if here is None:  # gone from the configuration: its numbers are not known any more
        own = (tenant.originator, *tenant.originators)
        return bool(shown) and (shown in own or senders.kind_of(shown) == senders.NAME)
    return shown not in ("", here.originator, *here.originators)


def route_of(bridge: Ways, leg: Leg) -> Route:
    """The route that decides."""
    return bridge.routes.of(leg.destination, leg.country, leg.tenant.name, leg.klass)


def places(bridge: Ways, leg: Leg) -> Iterator[Place]:
    """Every carrier of the route as configured, also those that may not be taken."""
    route = route_of(bridge, leg)
    for hop in range(len(route.carriers)):
        yield _place(bridge, leg, route, hop)


def ordered(bridge: Ways, leg: Leg, route: Route, found: list[Place]) -> list[Place]:
    """In the order in which they are tried. With weights, luck has its say."""
    if route.order == LISTED or len(found) < 2:
        return found
    if route.order == PRICE:
        return _cheapest(bridge, leg, found)
    shares = {p.carrier.name: route.weights.get(p.carrier.name, 1.0) for p in found}
    luck = {name: bridge.luck() ** (1 / share) if share else 0.0 for name, share in shares.items()}
    return sorted(found, key=lambda p: -luck[p.carrier.name])


def _cheapest(bridge: Ways, leg: Leg, found: list[Place]) -> list[Place]:
    """By what a part costs; what is not known, or in another currency, comes last as it stands."""
    now = bridge.clock()
    prices = [bridge.prices.cost(place.carrier.name, leg.destination, now) for place in found]
    currency = next((price.currency for price in prices if price), "")
    cost = [
        float(price.amount) if price and price.currency == currency else inf for price in prices
    ]
    return [found[number] for number in sorted(range(len(found)), key=cost.__getitem__)]


def _by_weight(bridge: Bridge, usable: list[Place]) -> Place:
    """The first of them, as often as its health allows; else the next."""
    health = bridge.health
    for place in usable:
        weight = health.weight(place.carrier.name)
        if weight >= 1 or (weight and bridge.luck() < weight):
            return place
    return max(usable, key=lambda place: health.weight(place.carrier.name))


def _place(bridge: Ways, leg: Leg, route: Route, hop: int) -> Place:
    name = route.carriers[hop]
    carrier = bridge.carriers[name]
    forbidden = bridge.lawful.why_not(leg.tenant.id, CARRIER, name)
    if forbidden:
        return Place(carrier, hop, "", why_not=forbidden)
    return shown(leg, carrier, hop)


def shown(leg: Leg, carrier: Carrier, hop: int = 0) -> Place:
    """What a carrier would show: what was asked for, else the tenant's, else its own.

    A name that the country's networks do not carry gives way to a number of the carrier.
    """
    tenant = leg.tenant
    if leg.wanted:
        why = senders.why_not(leg.wanted, leg.country, carrier)
        return Place(carrier, hop, leg.wanted, why_not=why)
    if tenant.originators:
        return Place(carrier, hop, tenant.originators[0], tenant.originators)
    asked = tenant.originator or carrier.originator
    if not tenant.originator and carrier.originators:
        return _own(carrier, hop)
    why = senders.why_not(asked, leg.country, carrier)
    if not why:
        return Place(carrier, hop, asked)
    own = _own(carrier, hop, "sender:number")
    if own.originator and not senders.why_not(own.originator, leg.country, carrier):
        return own
    return Place(carrier, hop, asked, why_not=why)


def _own(carrier: Carrier, hop: int, rule: str = "") -> Place:
    pool = tuple(carrier.originators)
    return Place(carrier, hop, pool[0] if pool else carrier.originator, pool, rule)


def numbered(bridge: Bridge, leg: Leg, place: Place) -> Place:
    """A place whose originator is the one that this person has of its pool."""
    if not place.pool:
        return place
    person = bridge.keys.person(leg.tenant.id, leg.destination)
    return place._replace(originator=senders.of_pool(place.pool, person))


def _refused(leg: Leg, place: Place) -> Refused:
    if place.originator:
        return Refused(
            f"{place.originator} cannot be the sender: {place.why_not}",
            "leave the sender out, or ask the operator: `bridge explain route` shows the rules",
            status="5.7.1",
        )
    return Refused(
        f"no carrier of this route may have data of {leg.tenant.name} ({place.why_not})",
        "ask the operator: `bridge subproc list` shows what is recorded",
        status="5.7.1",
    )
