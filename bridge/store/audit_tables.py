"""The audit: acts on people's data, chained so that a change shows; and the everyday activity."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text

from bridge.store.tables import KEY, id_column, metadata, ref, serial, text_column, time

# What staff and operators did with people's data and with access to it. Append-only: `hash` is over
# the row and over `prev`, the hash of the row before.
audit = Table(
    "audit",
    metadata,
    id_column("seq"),
    time("at"),
    ref("tenant_id"),  # whose data it was; 0: nobody's, or the whole bridge's
    text_column("actor"),
    text_column("action"),
    text_column("subject_ref"),  # from the person's own key: without it, nobody's (P62)
    text_column("reason"),
    text_column("prev"),
    text_column("hash"),
    Index("audit_tenant", "tenant_id", "seq"),
)

# The newest row of `audit`; locked by whoever appends, so that several processes extend one chain.
audit_tail = Table(
    "audit_tail", metadata, id_column(), Column("seq", KEY, nullable=False), text_column("hash")
)

# A day's signature over the chain as it stood then.
audit_head = Table(
    "audit_head",
    metadata,
    Column("day", Text, primary_key=True),  # ISO 8601, in UTC
    Column("seq", KEY, nullable=False),
    text_column("hash"),
    Column("count", Integer, nullable=False),  # entries since the head before
    text_column("signed_by"),
    text_column("signature"),
)

# Where the chain begins since old entries were removed: the last one that is gone, signed.
audit_checkpoint = Table(
    "audit_checkpoint",
    metadata,
    id_column("seq"),
    text_column("hash"),
    time("at"),
    text_column("signed_by"),
    text_column("signature"),
)

# What people did day by day; kept for a month, not chained.
activity = Table(
    "activity",
    metadata,
    serial(),
    time("at"),
    ref("tenant_id"),
    text_column("actor"),
    text_column("action"),
    text_column("subject_ref"),
    text_column("reason"),
    Index("activity_at", "at"),
    Index("activity_tenant", "tenant_id", "id"),
)
