"""The tables of retention: which periods were decided, what is held, what was claimed and purged.

The rules themselves, with their defaults, are a file (`privacy/rules/retention.toml`).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, SmallInteger, Table, text

from bridge.store.tables import (
    id_column,
    maybe_time,
    metadata,
    ref,
    sealed_column,
    serial,
    text_column,
    time,
)

# A period that somebody proposed and a second person agreed to; the newest agreed one holds.
retention_rule = Table(
    "retention_rule",
    metadata,
    id_column(),
    ref("tenant_id"),  # 0: for all, by the operator
    text_column("class"),
    text_column("trigger"),
    Column("days", Integer, nullable=False),
    Column("months", Integer, nullable=False),
    text_column("minimum"),  # what the rules allowed when it was set
    text_column("maximum"),
    text_column("basis"),
    sealed_column("reason"),
    text_column("set_by"),
    text_column("approved_by"),  # empty until a second person agrees
    time("set_at"),
    maybe_time("approved_at"),
)

# What must not be deleted although its period is over: all of a person, or, where somebody
# disputes a message's price or delivery, that message's traffic record.
hold = Table(
    "hold",
    metadata,
    id_column(),
    ref("tenant_id"),
    ref("subject_id"),
    ref("message_id"),  # 0: all of the person
    sealed_column("basis"),
    time("until"),
    text_column("set_by"),
    text_column("approved_by"),  # empty until a second person agrees; it lapses without
    time("created_at"),
    maybe_time("released_at"),
    text_column("released_by"),
    Index("hold_subject", "subject_id"),
)

# A tenant wants its contacts and messages deleted, or its account was closed (S0 7.2.1, 7.2.6).
deletion_claim = Table(
    "deletion_claim",
    metadata,
    serial(),
    ref("tenant_id"),
    text_column("kind"),  # claim closure
    text_column("actor"),
    sealed_column("instruction"),
    time("claimed_at"),
    maybe_time("ended_at"),  # the account was renewed before
    maybe_time("contacts_gone_at"),
    maybe_time("messages_gone_at"),
    Index("deletion_claim_tenant", "tenant_id"),
)

# One walk through a class of data. Where a killed process was is where the next one goes on.
retention_run = Table(
    "retention_run",
    metadata,
    serial(),
    text_column("class"),
    Column("stage", SmallInteger, nullable=False, server_default=text("0")),
    Column("after", BigInteger, nullable=False, server_default=text("0")),  # the last id looked at
    time("started_at"),
    time("turned_at"),
    maybe_time("done_at"),
    text_column("counts"),  # JSON: table → rows deleted
    Index(
        "retention_run_open",
        "class",
        unique=True,
        sqlite_where=text("done_at IS NULL"),
        postgresql_where=text("done_at IS NULL"),
    ),
    Index("retention_run_done", "class", "done_at"),
)

# What was sent, once its traffic record is gone: accounts balance by message id, and nobody can be
# told from it (PRIVACY P69).
ledger = Table(
    "ledger",
    metadata,
    id_column("message_id"),
    ref("tenant_id"),
    text_column("country"),
    text_column("carrier"),
    Column("parts", SmallInteger, nullable=False),
    time("sent_at"),
)
