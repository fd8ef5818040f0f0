"""The tables of consents: who agreed to what, to which words; and what permits an advertisement.

Nothing here holds a number. Evidence is what somebody wrote about a person: it is sealed.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text

from bridge.store.tables import (
    id_column,
    maybe_time,
    metadata,
    ref,
    sealed_column,
    text_column,
    time,
)

# What a person has agreed to, or objected to. A row ends; it is not changed into another.
consent = Table(
    "consent",
    metadata,
    id_column(),
    ref("tenant_id"),
    ref("subject_id"),
    text_column("programme"),  # its name; empty: all of the tenant's
    text_column("purpose"),  # sms marketing newsletter service
    text_column("basis"),  # consent customer guardian objection
    text_column("channel"),  # how it came: handset import chat command portal, or as recorded
    text_column("text_version"),  # what they agreed to: `consent_text`
    sealed_column("evidence", "subject_id"),
    Column("of_age", Boolean, nullable=True),  # as they declared it; null: not asked
    time("given_at"),
    maybe_time("expires_at"),  # the end of its term; of a customer: a year after the contract
    maybe_time("withdrawn_at"),
    text_column("withdrawn_via"),
    text_column("void_reason"),  # reassigned superseded unconfirmed
    Index("consent_subject", "subject_id", "given_at"),
    Index("consent_expiry", "expires_at"),
)

# The words that people agreed to, each version once.
consent_text = Table(
    "consent_text",
    metadata,
    Column("tenant_id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Text, primary_key=True),
    text_column("text"),
    time("created_at"),
)

# What must still be there when an advertisement leaves; none for other messages.
permit = Table(
    "permit",
    metadata,
    id_column("message_id"),
    ref("subject_id"),
    text_column("programme"),
    text_column("bases"),  # words: any of these permits it
    text_column("purposes"),  # words: those that are specific enough
    Column("vouched", Boolean, nullable=False),  # the tenant says that it has consent
    Index("permit_subject", "subject_id"),
)
