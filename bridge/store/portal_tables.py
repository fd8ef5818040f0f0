"""The tables of the portal: codes that are under way, who asked how often, who is signed in.

A number stands in none of them: a person is known by the operator's keyed hash of their number,
whether anything was ever sent to it or not.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, SmallInteger, Table, Text, text

from bridge.store.tables import metadata, serial, text_column, time

# The code that was last asked for with a number; only its keyed hash is here (PRIVACY P23).
portal_code = Table(
    "portal_code",
    metadata,
    Column("all_index", Text, primary_key=True),
    text_column("hash"),
    Column("tries", SmallInteger, nullable=False, server_default=text("0")),
    time("expires_at"),
)

# That a code was asked for, or a link to a file that leads nowhere: keyed hashes of the address
# and of the number (P74).
portal_ask = Table(
    "portal_ask",
    metadata,
    serial(),
    text_column("key"),
    time("at"),
    Index("portal_ask_key", "key", "at"),
    Index("portal_ask_at", "at"),
)

# Somebody who has proved a number; only the hash of the cookie is here.
portal_session = Table(
    "portal_session",
    metadata,
    Column("hash", Text, primary_key=True),
    text_column("all_index"),
    time("expires_at"),
    Index("portal_session_expiry", "expires_at"),
)
