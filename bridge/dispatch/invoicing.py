"""A tenant and a month come in; its statement, or its invoice, goes out: as data, CSV or a page."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, Final

from bridge.dates import day
from bridge.dispatch import billing
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.money import MICRO, show
from bridge.pages import Pages
from bridge.privacy.periods import DAY
from bridge.store.invoices import HAS, MOVED, USED, Issue, issue_invoices

_MONTH = re.compile("20[0-9]{2}-(0[1-9]|1[0-2])").fullmatch
#: What a process books as of a month's last moments is in the database by so many seconds later;
#: what came after the invoice would stand on none.
_BOOKED: Final = 3600.0
_CENT: Final = Decimal("0.01")
_MOVES: Final = {"payment": "paid", "gift": "given", "correction": "corrected", "vat": "vat"}


@dataclass(frozen=True, slots=True)
class Month:
    """A month in UTC, from one moment to before another; and where its calendar year ends."""

    name: str
    since: float
    until: float
    year_ends: float

    @classmethod
    def of(cls, written: str) -> Month:
        """`2026-11`. Raises Refused."""
        if not _MONTH(written):
            raise Refused("a month is written as 2026-11")
        year, month = int(written[:4]), int(written[5:])
        ends = (year + month // 12, month % 12 + 1)
        return cls(written, _moment(year, month), _moment(*ends), _moment(year + 1, 1))


def _moment(year: int, month: int) -> float:
    return datetime(year, month, 1, tzinfo=UTC).timestamp()


def _end_of_day(moment: float) -> float:
    """The last second of its day (UTC): what is due on a day is not late before that is over."""
    return moment - moment % DAY + DAY - 1


async def statement(bridge: Bridge, tenant: Tenant, month: Month) -> dict[str, Any]:
    """What a tenant had, what came, what was used, and what was left. Raises StoreUnavailable."""
    who = {"tenant": tenant.id, "currency": tenant.currency}
    used = await bridge.store.read(USED, **who, since=month.since, until=month.until)
    moved = await bridge.store.read(MOVED, **who, since=month.since, until=month.until)
    sums: defaultdict[str, int] = defaultdict(int)
    sums.update({kind: int(within or 0) for kind, within, _ in moved})
    left = sums.pop("") - sum(int(since or 0) for _, _, since in moved)
    return {
        "tenant": tenant.name,
        "month": month.name,
        "currency": tenant.currency,
        "opening": show(left - sum(sums.values())),
        **{word: show(sums[kind]) for kind, word in _MOVES.items()},
        "used": show(-sums["settle"]),
        "closing": show(left),
        "countries": [
            {
                "country": country,
                "messages": int(messages),
                "parts": int(parts),
                "amount": show(int(amount)),
            }
            for country, messages, parts, amount in used
        ],
    }


async def invoiced(bridge: Bridge, actor: str, tenant: Tenant, month: Month) -> str:
    """Issue the invoice of a month that is over; its number. Raises Refused."""
    now = bridge.clock()
    if now < month.until + _BOOKED:
        raise Refused(f"{month.name} is not over", f"wait until {day(month.until)}, 01:00 UTC")
    settings = bridge.settings.billing
    found = await statement(bridge, tenant, month)
    net = _cents(sum((Decimal(each["amount"]) for each in found["countries"]), Decimal()))
    if not net:
        raise Refused(
            f"{tenant.name} has used nothing in {month.name}",
            "`bridge accounts statement` shows what it used in a month",
        )
    vat = _cents(net * Decimal(settings.vat) / 100)
    has = await bridge.store.read(HAS, tenant=tenant.id, currency=tenant.currency)
    # The net was paid as it was used; the tax is what the invoice itself takes.
    is_paid = tenant.billing == billing.PREPAID and int(has[0][0]) >= int(vat * MICRO)
    due_at = _end_of_day(now + settings.due.total_seconds())
    document = {
        "supplier": settings.supplier,
        "customer": list(tenant.billing_address) or [tenant.name],
        "month": month.name,
        "currency": tenant.currency,
        "lines": found["countries"],
        "net": f"{net}",
        "vat_rate": settings.vat,
        "vat": f"{vat}",
        "total": f"{net + vat}",
        "issued": day(now),
        "due": day(due_at),
        "variable_symbol": billing.symbol(tenant),
        "prepaid": is_paid,
    }
    item = Issue(
        id=bridge.ids.next(),
        transfer=bridge.ids.next(),
        tenant=tenant.id,
        month=month.name,
        currency=tenant.currency,
        total=int((net + vat) * MICRO),
        vat=int(vat * MICRO),
        document=document,
        actor=actor,
        now=now,
        due_at=due_at,
        kept_from=max(now, month.year_ends),
        year=datetime.fromtimestamp(now, UTC).year,
    )
    number: str = await bridge.store.write(issue_invoices, item)
    return number


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)


def as_csv(found: Mapping[str, Any], rows: str) -> str:
    """The lines of a statement or an invoice, and below them its sums."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    lines = found[rows]
    writer.writerow(("country", "messages", "parts", "amount"))
    writer.writerows([each.values() for each in lines])
    for name, value in found.items():
        if isinstance(value, str):
            writer.writerow((name, "", "", _plain(value)))
    return out.getvalue()


def _plain(value: str) -> str:
    """A text that no spreadsheet takes for a formula; an amount may be below zero."""
    looks = value[:1] in "=+-@" and not re.fullmatch(r"-?[0-9.]+", value)
    return f"'{value}" if looks else value


def as_page(found: Mapping[str, Any], template: str) -> str:
    """A statement or an invoice as a page that stands alone, to be printed."""
    return Pages(Path(__file__).with_name("templates")).render(template, it=found)
