"""A tenant, a sender and a time come in; what they may send or spend in which periods goes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from bridge.dispatch.prices import Prices
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.money import show
from bridge.store.brakes import Cap


def any_of(tenant: Tenant) -> bool:
    """Whether anything of this tenant is capped."""
    return bool(tenant.caps or tenant.cap_per_sender or is_money(tenant))


def is_money(tenant: Tenant) -> bool:
    """Whether its money is."""
    return bool(tenant.spend or tenant.spend_per_sender)


def of(tenant: Tenant, sender: str, shown: str, price: int, now: float) -> Iterator[Cap]:
    """All that a message of this sender (a keyed hash, and as its tenant knows it) counts on.

    `price` is a part's, in micro-units.
    """
    yield from of_tenant(tenant, now, price)
    yield from _caps(sender, tenant.cap_per_sender, shown, now)
    yield from _money(_caps(sender, tenant.spend_per_sender, shown, now), tenant, price)


def of_tenant(tenant: Tenant, now: float, price: int = 0) -> Iterator[Cap]:
    """The tenant's own, of the periods that `now` is in."""
    name = f"t{tenant.id}"
    yield from _caps(name, tenant.caps, "", now)
    yield from _money(_caps(name, tenant.spend, "", now), tenant, price)


def _caps(name: str, limits: Mapping[str, int], whose: str, now: float) -> Iterator[Cap]:
    for period, limit in limits.items():
        if limit:
            begin, end = span_of(period, now)
            yield Cap(f"{name} {period}", begin, end, limit, period, whose)


def _money(caps: Iterator[Cap], tenant: Tenant, price: int) -> Iterator[Cap]:
    currency = tenant.currency
    for cap in caps:
        yield replace(cap, key=f"{cap.key} {currency}", each=price, currency=currency)


def price_of(prices: Prices, tenant: Tenant, e164: str, now: float) -> int:
    """What a part counts where money is capped, in micro-units. Raises Refused without a price."""
    if not is_money(tenant):
        return 0
    price = prices.of(tenant.name, e164, now, tenant.currency)
    if price is None:
        raise Refused(
            f"{tenant.name} may spend only so much, and has no price in {tenant.currency} for"
            " this number",
            "ask the operator: `bridge prices list` shows the prices that there are",
        )
    return price.amount


def amount(cap: Cap) -> str:
    """`500 SMS parts`, `10.00 EUR`."""
    return f"{show(cap.limit)} {cap.currency}" if cap.currency else f"{cap.limit} SMS parts"


def setting(cap: Cap) -> str:
    """By which key it is set."""
    if cap.currency:
        return "spend_per_sender" if cap.whose else "spend"
    return "cap_per_sender" if cap.whose else "caps"


@lru_cache(maxsize=64)
def _span(period: str, hour: int) -> tuple[int, float]:
    at = datetime.fromtimestamp(hour * 3600, UTC)
    if period == "hour":
        end = at + timedelta(hours=1)
    elif period == "day":
        at = at.replace(hour=0)
        end = at + timedelta(days=1)
    else:
        at = at.replace(day=1, hour=0)
        end = (at + timedelta(days=32)).replace(day=1)
    return int(at.timestamp()), end.timestamp()


def span_of(period: str, now: float) -> tuple[int, float]:
    """Begin and end of the hour, day or month (UTC) that `now` is in."""
    return _span(period, int(now // 3600))
