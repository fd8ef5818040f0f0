"""The operator's registers: who else processes data and where, what went wrong, who asked for data,
which terms are agreed on, and who has looked at whose access.

Nothing here names a person that is texted: a demand and an abuse case refer to `subject`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text, text

from bridge.store.tables import (
    maybe_time,
    metadata,
    ref,
    sealed_column,
    serial,
    text_column,
    time,
)

# Whoever else processes the tenants' data (GDPR Article 28(2); PRIVACY P50, P55).
subprocessor = Table(
    "subprocessor",
    metadata,
    serial(),
    text_column("kind"),  # carrier smarthost slack telegram other
    text_column("name"),
    text_column("source"),  # "file": it stands in bridge.toml; "command": it was announced
    text_column("company"),
    text_column("address"),
    text_column("contact"),
    text_column("purpose"),
    text_column("country"),  # ISO 3166; empty: nobody has said
    text_column("mechanism"),  # a name of rules/transfers.toml
    maybe_time("valid_until"),  # of the mechanism
    time("created_at"),
    maybe_time("notified_at"),
    time("effective_at"),
    maybe_time("ended_at"),
    Index("subprocessor_name", "kind", "name", unique=True),
)

# A tenant's no to a processor (P55).
objection = Table(
    "objection",
    metadata,
    serial(),
    ref("tenant_id"),
    ref("subprocessor_id"),
    text_column("actor"),
    text_column("reason"),
    text_column("outcome"),  # excluded exit
    time("at"),
    maybe_time("ended_at"),
    Index(
        "objection_stands",
        "tenant_id",
        "subprocessor_id",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

# Which tenant was told of what, and in how many inboxes; the words stand with the notices.
tenant_notice = Table(
    "tenant_notice",
    metadata,
    serial(),
    ref("tenant_id"),
    text_column("about"),  # subprocessor policy breach
    ref("about_id"),
    Column("places", Integer, nullable=False),
    time("at"),
    Index("tenant_notice_about", "about", "about_id"),
)

# A breach of security (Article 33; P58).
breach = Table(
    "breach",
    metadata,
    serial(),
    text_column("source"),  # "operator" | "tenant"
    sealed_column("nature"),
    sealed_column("categories"),
    Column("people", Integer, nullable=True),  # about how many; None: not known yet
    Column("records", Integer, nullable=True),
    sealed_column("consequences"),
    sealed_column("measures"),
    sealed_column("outcome"),
    time("aware_at"),
    time("created_at"),
    maybe_time("closed_at"),
    Column("reminded", Integer, nullable=False, server_default=text("0")),  # reminders sent
)

breach_tenant = Table(
    "breach_tenant",
    metadata,
    Column("breach_id", BigInteger, primary_key=True, autoincrement=False),
    Column("tenant_id", BigInteger, primary_key=True, autoincrement=False),
    maybe_time("told_at"),
)

# An authority's demand for data, or the declaration that a store for authorities needs (P57, P7).
demand = Table(
    "demand",
    metadata,
    serial(),
    text_column("kind"),  # "access" | "store"
    Column("tenant_id", BigInteger, nullable=True),
    Column("subject_id", BigInteger, nullable=True),
    text_column("authority"),
    text_column("reference"),
    text_column("basis"),
    text_column("fields"),  # JSON list: what may be answered, and nothing else
    maybe_time("since"),
    maybe_time("until"),
    text_column("state"),  # open approved answered refused
    text_column("opened_by"),
    text_column("reason"),
    time("created_at"),
    maybe_time("done_at"),
)

demand_approval = Table(
    "demand_approval",
    metadata,
    Column("demand_id", BigInteger, primary_key=True, autoincrement=False),
    Column("actor", Text, primary_key=True),
    time("at"),
)

# A version of the terms or of the privacy policy (P21).
policy_version = Table(
    "policy_version",
    metadata,
    serial(),
    text_column("version"),
    text_column("url"),
    text_column("hash"),  # SHA-256 of the text, where it was given
    time("announced_at"),
    time("effective_at"),
    Index("policy_version_name", "version", unique=True),
)

policy_acceptance = Table(
    "policy_acceptance",
    metadata,
    Column("policy_id", BigInteger, primary_key=True, autoincrement=False),
    Column("tenant_id", BigInteger, primary_key=True, autoincrement=False),
    text_column("actor"),
    time("at"),
)

# Somebody has looked whether a person still needs their access (P59).
access_review = Table(
    "access_review",
    metadata,
    serial(),
    ref("staff_id"),
    text_column("actor"),
    text_column("outcome"),  # confirmed expired
    time("at"),
    Index("access_review_staff", "staff_id"),
)

# A complaint (7726, a carrier's), or an account that a rule has blocked by itself (P53, P32).
abuse_case = Table(
    "abuse_case",
    metadata,
    serial(),
    text_column("kind"),  # "complaint" | "block"
    ref("tenant_id"),
    Column("subject_id", BigInteger, nullable=True),
    text_column("source"),
    sealed_column("note"),
    time("opened_at"),
    time("review_due"),
    maybe_time("reviewed_at"),
    text_column("reviewer"),
    text_column("outcome"),
    Column("reminded", Boolean, nullable=False, server_default=text("false")),
)

# A backup was restored for practice (P20).
drill = Table(
    "drill",
    metadata,
    serial(),
    text_column("actor"),
    text_column("outcome"),
    time("at"),
)
