"""The tables of the brakes: what was sent lately, what is stopped, which alerts are folded.

No number and no address stands here: ranges, numbers and senders are keyed hashes.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, SmallInteger, Table, Text, text

from bridge.store.tables import (
    maybe_time,
    metadata,
    ref,
    sealed_column,
    serial,
    text_column,
    time,
)

# Parts, or money in micro-units, of a tenant or of one sender in an hour, a day or a month; and, in
# rows of their own that count nothing, of which stages of a cap the tenant has been told.
brake_count = Table(
    "brake_count",
    metadata,
    Column("key", Text, primary_key=True),  # tenant, or keyed hash of the sender; and the period
    Column("slot", BigInteger, primary_key=True, autoincrement=False),  # its begin, Unix seconds
    Column("count", BigInteger, nullable=False, server_default=text("0")),
    # Up to which percentage of the cap that its key names.
    Column("told", SmallInteger, nullable=False, server_default=text("0")),
    time("until"),
    Index("brake_count_until", "until"),
    sqlite_with_rowid=False,
)

# Who in a range of numbers was written to within the tenant's `velocity`.
brake_number = Table(
    "brake_number",
    metadata,
    Column("key", Text, primary_key=True),  # keyed hash of tenant and range
    Column("token", Text, primary_key=True),  # keyed hash of the number
    text_column("sender"),  # keyed hash
    time("at"),
    time("until"),
    Index("brake_number_until", "until"),
    sqlite_with_rowid=False,
)

STANDING = "ended_at IS NULL"

# What is stopped: a range of numbers, a sender, a tenant, or (tenant 0) everything.
brake = Table(
    "brake",
    metadata,
    serial(),
    ref("tenant_id"),
    text_column("kind"),  # "range" | "sender" | "halt"
    text_column("key"),  # keyed hash; empty for a halt
    text_column("about"),  # the range's country; else empty
    sealed_column("reason"),
    text_column("actor"),  # who stopped it; "bridge" for a rule
    Column("case_id", BigInteger, nullable=True),
    time("created_at"),
    maybe_time("confirmed_at"),
    maybe_time("ended_at"),
    text_column("ended_by"),
    Index(
        "brake_standing",
        "kind",
        "tenant_id",
        "key",
        unique=True,
        sqlite_where=text(STANDING),
        postgresql_where=text(STANDING),
    ),
)

# An alert that is being folded: the first one left, the others are counted here.
fold = Table(
    "fold",
    metadata,
    Column("key", Text, primary_key=True),  # keyed hash of tenant, sender, recipient, first line
    ref("message_id"),  # the first one
    Column("count", Integer, nullable=False, server_default=text("1")),
    time("ends_at"),
    Index("fold_ends_at", "ends_at"),
    sqlite_with_rowid=False,
)
