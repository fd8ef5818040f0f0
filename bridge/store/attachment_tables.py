"""The tables of files that go with messages: who may have which by what link, and the files.

A file is stored once for all people of a mail, under a key of its own; the key stands with each
person's link, sealed under that person's key (`store.vault`). Whoever is erased loses theirs.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, SmallInteger, Table, Text, text

from bridge.store.tables import (
    id_column,
    maybe_time,
    metadata,
    ref,
    sealed_column,
    text_column,
    time,
)

# A file of a message, or one that was refused: then nothing of it is kept but its name.
attachment = Table(
    "attachment",
    metadata,
    id_column(),
    ref("tenant_id"),
    ref("subject_id"),
    ref("message_id"),
    Column("position", SmallInteger, nullable=False),
    Column("file_id", BigInteger, nullable=False, server_default=text("0")),  # 0: refused
    text_column("link"),  # keyed hash of the code in the text; empty where refused
    sealed_column("name", "subject_id"),
    sealed_column("file_key", "subject_id"),  # base64
    text_column("kind"),  # the media type it is served as
    Column("size", BigInteger, nullable=False),  # octets
    text_column("refused"),  # why; no personal data
    Column("served", Integer, nullable=False, server_default=text("0")),
    maybe_time("served_at"),  # last
    time("created_at"),
    time("expires_at"),
    Index("attachment_link", "link"),
    Index("attachment_message", "message_id"),
    Index("attachment_file", "file_id"),
)

# A file in pieces, so that no file is ever in memory as a whole.
attachment_chunk = Table(
    "attachment_chunk",
    metadata,
    Column("file_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),  # from 0
    Column("data", Text, nullable=False),  # base64 of nonce and ciphertext
)
