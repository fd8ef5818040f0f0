"""The tables of the lists: programmes, what the operator blocks, opt-out links, wishes to look at,
and whom carriers list.

None of them holds a number: a person stands here as a keyed hash, as in `suppression`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, Table, Text, text

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

# What of a tenant's messages a person may opt out of by itself (PRIVACY P38).
programme = Table(
    "programme",
    metadata,
    serial(),
    ref("tenant_id"),
    text_column("name"),
    text_column("keyword"),  # "STOP <keyword>" opts out of this one alone
    time("created_at"),
    Index("programme_name", "tenant_id", "name", unique=True),
)

# Whom the operator, or a tenant, does not write to, whatever they want.
blocked = Table(
    "blocked",
    metadata,
    serial(),
    text_column("scope"),  # "tenant" | "operator"
    ref("tenant_id"),  # 0 in scope "operator"
    text_column("kind"),  # "number" | "prefix" | "country"
    text_column("value"),  # a number's keyed hash; digits with their plus; an ISO country
    Column("pepper_version", Integer, nullable=False, server_default=text("1")),
    sealed_column("reason"),
    text_column("actor"),
    time("created_at"),
    maybe_time("lifted_at"),
    Index("blocked_lifted", "lifted_at"),
    Index(
        "blocked_value",
        "value",
        "tenant_id",
        unique=True,
        sqlite_where=text("lifted_at IS NULL"),
        postgresql_where=text("lifted_at IS NULL"),
    ),
)

# The short link in an advertisement whose sender takes no answer (PRIVACY P46).
optout_link = Table(
    "optout_link",
    metadata,
    Column("hash", Text, primary_key=True),
    ref("tenant_id"),
    text_column("token"),  # the person's suppression token
    Column("pepper_version", Integer, nullable=False, server_default=text("1")),
    time("created_at"),
    maybe_time("used_at"),
    Index("optout_link_token", "token"),
    sqlite_with_rowid=False,
)

# A wish in free words waits for a person to look at it (PRIVACY P36).
wish = Table(
    "wish",
    metadata,
    id_column("reply_id"),
    ref("tenant_id"),
    ref("subject_id"),
    time("at"),
    time("due_at"),
    maybe_time("decided_at"),
    text_column("decision"),  # opted-out | blocked | no-wish
    text_column("actor"),
    Column("reminded", Boolean, nullable=False, server_default=text("false")),
    Index(
        "wish_open",
        "due_at",
        sqlite_where=text("decided_at IS NULL"),
        postgresql_where=text("decided_at IS NULL"),
    ),
    Index("wish_subject", "subject_id"),
)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default=text("0"))


def _moment(name: str) -> Column[float]:
    return Column(name, Double, nullable=False, server_default=text("0"))


# A carrier that shows who has opted out with it: how its list was last read (PRIVACY P44).
carrier_list = Table(
    "carrier_list",
    metadata,
    Column("carrier", Text, primary_key=True),
    _number("run"),  # the newest reading
    _moment("until"),  # whoever reads has the list for so long; 0: nobody reads
    _moment("next_at"),
    _number("tries"),  # readings since the last that came to the end
    maybe_time("read_at"),  # when one last came to its end
    text_column("problem"),  # why the newest did not
)

# Who stood on it, for each tenant that the entry is about: a keyed hash, as in `suppression`.
carrier_listed = Table(
    "carrier_listed",
    metadata,
    Column("carrier", Text, primary_key=True),
    Column("token", Text, primary_key=True),
    ref("tenant_id"),
    Column("pepper_version", Integer, nullable=False, server_default=text("1")),
    _number("run"),  # the newest reading that found it
    time("first_at"),  # since when it stands there without a break, as far as we have seen
    Index("carrier_listed_token", "token"),
    sqlite_with_rowid=False,
)
