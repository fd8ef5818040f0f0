"""The tables of erasure and export: what was asked, how far it is, and what is still to be done.

Nothing here names a person for longer than the work takes: a reference of the audit (P62), and the
keyed hash by which an interrupted erasure is found again.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text, text

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

# One person's erasure within one tenant; a request that names all tenants has one for each.
erasure = Table(
    "erasure",
    metadata,
    id_column(),
    ref("request_id"),  # the data subject's request that it carries out; 0: a replay
    ref("tenant_id"),
    text_column("kind"),  # number mail slack telegram
    ref("subject_id"),  # 0 where the person is no recipient
    text_column("ref"),  # how the audit names the person
    text_column("token"),  # keyed hash of the identity
    sealed_column("value"),  # the identity; empty once done
    text_column("wishes"),  # JSON: what is suppressed with it
    text_column("actor"),
    text_column("counts"),  # JSON: category → rows
    text_column("carriers"),  # JSON: those who carried the person's messages
    Column("audit_seq", BigInteger, nullable=False, server_default=text("0")),
    text_column("audit_hash"),  # of the audit's entry of its end
    text_column("state"),  # running done
    time("begun_at"),
    maybe_time("done_at"),
    Index("erasure_token", "token"),
    Index("erasure_request", "request_id"),
    Index(
        "erasure_open",
        "state",
        sqlite_where=text("state = 'running'"),
        postgresql_where=text("state = 'running'"),
    ),
)

# What a person is given as proof (PRIVACY P68); a later one replaces it when posts have followed.
receipt = Table(
    "receipt",
    metadata,
    id_column("request_id"),
    text_column("document"),  # JSON, with its signature
    time("issued_at"),
    # Whether posts in chats are still tried: then another one follows.
    Column("is_last", Boolean, nullable=False),
    Index(
        "receipt_open",
        "issued_at",
        sqlite_where=text("NOT is_last"),
        postgresql_where=text("NOT is_last"),
    ),
)

# A post of ours about somebody who is erased, to be taken out of its chat.
chat_erasure = Table(
    "chat_erasure",
    metadata,
    serial(),
    ref("erasure_id"),
    text_column("edge"),
    text_column("place"),
    text_column("post"),
    text_column("what"),  # post thread
    text_column("outcome"),  # "" deleted blanked gone refused
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("lease", BigInteger, nullable=True),
    time("due_at"),
    maybe_time("done_at"),
    Index(
        "chat_erasure_due",
        "edge",
        "due_at",
        sqlite_where=text("outcome = ''"),
        postgresql_where=text("outcome = ''"),
    ),
    Index("chat_erasure_of", "erasure_id"),
)

# A carrier's record of an SMS of somebody who is erased, which the carrier is to be asked to erase.
carrier_erasure = Table(
    "carrier_erasure",
    metadata,
    serial(),
    ref("erasure_id"),
    text_column("carrier"),
    text_column("carrier_id"),  # the carrier's own; empty once settled
    Column("inbound", Boolean, nullable=False, server_default=text("false")),
    text_column("outcome"),  # "" erased gone refused given-up nameless
    text_column("reason"),  # why it is not erased, or not yet
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("lease", BigInteger, nullable=True),
    time("due_at"),
    maybe_time("done_at"),
    Index(
        "carrier_erasure_due",
        "carrier",
        "due_at",
        sqlite_where=text("outcome = ''"),
        postgresql_where=text("outcome = ''"),
    ),
    Index("carrier_erasure_of", "erasure_id"),
)

# A file that was made for somebody, in `data_dir/exports` of the machine that made it.
export_file = Table(
    "export_file",
    metadata,
    Column("name", Text, primary_key=True),
    ref("request_id"),
    ref("tenant_id"),
    text_column("token"),  # keyed hash of whose data it holds
    time("made_at"),
    Index("export_file_token", "token"),
)
