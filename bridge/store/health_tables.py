"""How carriers do: what was counted of each, a slot of time a row, and the weight that follows."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Integer, Table, Text, text

from bridge.store.tables import metadata, text_column, time


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text("0"))


# Parts, counted by each process for itself: no two of them ever write one row.
carrier_tally = Table(
    "carrier_tally",
    metadata,
    Column("carrier", Text, primary_key=True),
    Column("slot", BigInteger, primary_key=True, autoincrement=False),  # its start, milliseconds
    Column("incarnation", BigInteger, primary_key=True, autoincrement=False),
    _count("answered"),
    _count("accepted"),
    _count("errors"),
    _count("throttled"),
    _count("late"),  # answers that took too long
    _count("reported"),  # of those accepted in this slot: receipts that came in time
)

# What the owner of a carrier's bind makes of it; every process reads it.
carrier_health = Table(
    "carrier_health",
    metadata,
    Column("carrier", Text, primary_key=True),
    Column("weight", Double, nullable=False, server_default=text("1")),
    # The share of accepted parts whose receipt comes in time while all is well.
    Column("usual", Double, nullable=False, server_default=text("0")),
    text_column("reason"),
    time("changed_at"),
)
