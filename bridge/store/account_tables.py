"""The tables of credit: accounts, the transfers between them, and what each message is charged.

Double entry: the entries of a transfer sum to nothing in each currency, and are only ever added.
Nothing here tells of a person: a message is its id, and who pays is a company (PRIVACY P69).
Amounts are micro-units (`bridge.money`).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)

from bridge.store.tables import (
    id_column,
    maybe_time,
    metadata,
    ref,
    sealed_column,
    text_column,
    time,
)

# A tenant's accounts. Their balances are the sums of their entries, kept in the same transaction.
account = Table(
    "account",
    metadata,
    ref("tenant_id"),
    text_column("kind"),  # credit reserved revenue paid given corrected vat
    text_column("currency"),
    Column("balance", BigInteger, nullable=False, server_default=text("0")),
    # How many of the tenant's thresholds its credit was last told to be below.
    Column("warned", SmallInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("tenant_id", "kind", "currency"),
    sqlite_with_rowid=False,
)

# Why money moved. A transfer that could come twice has a key, which stands here once.
transfer = Table(
    "transfer",
    metadata,
    id_column(),
    ref("tenant_id"),
    text_column("kind"),  # reserve settle payment gift correction vat
    text_column("key"),
    sealed_column("note"),
    text_column("actor"),
    time("at"),
    Index("transfer_tenant", "tenant_id", "id"),
    Index(
        "transfer_key",
        "key",
        unique=True,
        sqlite_where=text("key <> ''"),
        postgresql_where=text("key <> ''"),
    ),
)

entry = Table(
    "account_entry",
    metadata,
    ref("transfer_id"),
    ref("tenant_id"),
    text_column("kind"),
    text_column("currency"),
    Column("amount", BigInteger, nullable=False),  # what it adds to the account's balance
    PrimaryKeyConstraint("transfer_id", "tenant_id", "kind", "currency"),
    sqlite_with_rowid=False,
)

# What a message is charged: reserved when it was taken, booked or released when it is known how it
# ended.
charge = Table(
    "charge",
    metadata,
    id_column("message_id"),
    ref("tenant_id"),
    text_column("country"),
    text_column("currency"),
    Column("price", BigInteger, nullable=False),  # of one part
    Column("parts", SmallInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False, server_default=text("0")),  # once it is booked
    text_column("charge_on"),  # "accepted" by the carrier | "delivered"
    text_column("state"),  # open booked released
    time("until"),  # of one that is charged when it is delivered: when nobody waits any more
    Column("transfer_id", BigInteger, nullable=False, server_default=text("0")),
    maybe_time("closed_at"),
    Index(
        "charge_open",
        "message_id",
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
    Index(
        "charge_closed",
        "tenant_id",
        "closed_at",
        sqlite_where=text("closed_at IS NOT NULL"),
        postgresql_where=text("closed_at IS NOT NULL"),
    ),
)

# What came in at the bank. One that finds no account waits for a person.
payment = Table(
    "payment",
    metadata,
    id_column(),
    Column("key", Text, nullable=False, unique=True),  # a hash of its line: the same comes once
    text_column("received_on"),  # a day, ISO 8601
    Column("amount", BigInteger, nullable=False),
    text_column("currency"),
    text_column("symbol"),  # variable symbol, without leading zeros
    sealed_column("reference"),
    ref("tenant_id"),  # 0 until it has found one
    text_column("matched_by"),
    time("imported_at"),
    maybe_time("matched_at"),
)

# An invoice as it was issued; it is never changed.
invoice = Table(
    "invoice",
    metadata,
    id_column(),
    Column("number", Text, nullable=False, unique=True),
    ref("tenant_id"),
    text_column("month"),
    text_column("currency"),
    Column("total", BigInteger, nullable=False),
    text_column("document"),  # JSON: all that stands on it
    time("issued_at"),
    time("due_at"),
    time("kept_from"),  # issue, or the end of the tax period where that is later (PRIVACY P8)
    Index("invoice_month", "tenant_id", "month", "currency", unique=True),
)
