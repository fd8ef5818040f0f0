"""The table of prices: what a part costs us with a carrier, and what a tenant pays for it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table

from bridge.store.tables import metadata, serial, text_column, time

# A price of one part to numbers that begin with `prefix`, from a day on. What ended stays: it
# tells what an older message cost.
price = Table(
    "price",
    metadata,
    serial(),
    text_column("kind"),  # "cost": we pay the carrier `name`; "price": the tenant `name` pays us
    text_column("name"),  # "*": every tenant that has none of its own
    text_column("prefix"),  # with its plus; "+" is everywhere
    text_column("currency"),
    Column("amount", BigInteger, nullable=False),  # micro-units
    time("valid_from"),
    time("imported_at"),
    Index("price_of", "kind", "name", "prefix", "currency", "valid_from", unique=True),
)
