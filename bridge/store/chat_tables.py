"""The tables of the chat edges: who may use them, what was typed there, and what is shown there.

What people typed stands in `chat_update` until it is worked, and in `draft` until it is decided on
(an hour, a day where a second person must agree); then both are emptied. Everything else holds
references: a number stands in `subject`, a text in `body` and `reply_body`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text, text

from bridge.store.tables import (
    KEY,
    id_column,
    maybe_time,
    metadata,
    ref,
    sealed_column,
    serial,
    text_column,
    time,
)

# An enrolled chat identity of a person (PRIVACY P76).
staff = Table(
    "staff",
    metadata,
    id_column(),
    ref("tenant_id"),
    text_column("edge"),  # "slack" | "telegram"
    text_column("team"),  # Slack's team id; empty in Telegram
    text_column("person"),  # Slack's user id, Telegram's numeric id
    text_column("name"),  # as the operator wrote it
    text_column("role"),  # agent privacy tenant-owner admin auditor
    time("created_at"),
    maybe_time("revoked_at"),
    maybe_time("review_due"),  # unless somebody confirms it before, the grant ends then (P59)
    Index(
        "staff_identity",
        "edge",
        "team",
        "person",
        unique=True,
        sqlite_where=text("revoked_at IS NULL"),
        postgresql_where=text("revoked_at IS NULL"),
    ),
)

# A one-time code that an operator gave to a named person; only its keyed hash is here.
invitation = Table(
    "invitation",
    metadata,
    Column("hash", Text, primary_key=True),
    ref("tenant_id"),
    text_column("role"),
    text_column("name"),
    time("created_at"),
    time("expires_at"),
    maybe_time("used_at"),
)

# Codes that did not fit, so that guessing ends soon.
enrol_try = Table(
    "enrol_try",
    metadata,
    serial(),
    text_column("edge"),
    text_column("team"),
    text_column("person"),
    time("at"),
    Index("enrol_try_person", "edge", "team", "person", "at"),
)

# What a chat told us, stored before it is acknowledged and worked afterwards. The key is the
# chat's own, so that what it tells twice is worked once.
chat_update = Table(
    "chat_update",
    metadata,
    serial(),
    text_column("edge"),
    text_column("key"),
    sealed_column("payload"),  # JSON as the chat sent it; empty once worked
    sealed_column("answer"),  # JSON, until the chat has taken it
    time("at"),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("lease", BigInteger, nullable=True),
    maybe_time("done_at"),
    Index("chat_update_key", "edge", "key", unique=True),
    Index(
        "chat_update_open",
        "edge",
        "id",
        sqlite_where=text("done_at IS NULL"),
        postgresql_where=text("done_at IS NULL"),
    ),
    Index("chat_update_at", "at"),
)

# What somebody is about to send: shown to them, perhaps to a second person, then sent or dropped.
draft = Table(
    "draft",
    metadata,
    id_column(),
    ref("tenant_id"),
    ref("staff_id"),
    text_column("edge"),
    text_column("place"),
    text_column("thread"),
    sealed_column("payload"),  # JSON: recipients and text; empty once decided
    text_column("state"),  # open sent cancelled
    time("created_at"),
    time("expires_at"),
    Index("draft_expiry", "expires_at"),
)

# One post that tells how the messages of one command stand; edited in place as they move.
card = Table(
    "card",
    metadata,
    id_column(),
    ref("tenant_id"),
    ref("staff_id"),
    text_column("edge"),
    text_column("place"),  # Slack: "team/channel"; Telegram: the chat's id
    text_column("thread"),  # where it is to stand; empty: at the top
    text_column("answers"),  # Telegram: the post that it answers
    text_column("post"),  # the chat's id of the post; empty until it stands there
    Column("wanted", Integer, nullable=False, server_default=text("1")),
    Column("shown", Integer, nullable=False, server_default=text("0")),
    Column("doubtful", Boolean, nullable=False, server_default=text("false")),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("lease", BigInteger, nullable=True),
    time("due_at"),
    time("created_at"),
    Index(
        "card_due",
        "edge",
        "due_at",
        sqlite_where=text("wanted > shown"),
        postgresql_where=text("wanted > shown"),
    ),
    Index("card_staff", "staff_id"),
    Index("card_place", "edge", "place", "post"),
    Index(
        "card_lease",
        "lease",
        sqlite_where=text("lease IS NOT NULL"),
        postgresql_where=text("lease IS NOT NULL"),
    ),
)

card_message = Table(
    "card_message",
    metadata,
    id_column("message_id"),
    ref("card_id"),
    Index("card_message_card", "card_id"),
)

# Where a person's SMS stand in a chat: Slack's thread, Telegram's forum topic.
thread = Table(
    "thread",
    metadata,
    id_column(),
    ref("tenant_id"),
    text_column("edge"),
    text_column("place"),
    ref("subject_id"),
    text_column("originator"),  # our number or name that the person knows
    text_column("root"),  # the chat's id; empty until it is made there
    Column("staff_id", BigInteger, nullable=True),  # who has taken the conversation
    maybe_time("claimed_at"),
    time("created_at"),
    Index("thread_person", "edge", "place", "subject_id", "originator", unique=True),
    Index("thread_root", "edge", "place", "root"),
    Index("thread_subject", "subject_id"),
)

# Posts that can be answered or pressed: which conversation each one belongs to.
chat_post = Table(
    "chat_post",
    metadata,
    Column("edge", Text, primary_key=True),
    Column("place", Text, primary_key=True),
    Column("post", Text, primary_key=True),
    ref("thread_id"),
    time("created_at"),
    Index("chat_post_thread", "thread_id"),
    Index("chat_post_place", "edge", "place", "created_at"),
)

# A name that a tenant gave to a number.
contact = Table(
    "contact",
    metadata,
    id_column(),
    ref("tenant_id"),
    text_column("name"),
    ref("subject_id"),
    time("created_at"),
    Index("contact_name", "tenant_id", "name", unique=True),
    Index("contact_subject", "subject_id"),
)

contact_group = Table(
    "contact_group",
    metadata,
    id_column(),
    ref("tenant_id"),
    text_column("name"),
    time("created_at"),
    Index("contact_group_name", "tenant_id", "name", unique=True),
)

# A member is a contact, whose number may change, or a number itself (contact_id 0).
group_member = Table(
    "group_member",
    metadata,
    Column("group_id", KEY, primary_key=True, autoincrement=False),
    Column("contact_id", BigInteger, primary_key=True, autoincrement=False),
    Column("subject_id", BigInteger, primary_key=True, autoincrement=False),
    Index("group_member_contact", "contact_id"),
    Index("group_member_subject", "subject_id"),
)

template = Table(
    "template",
    metadata,
    Column("tenant_id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    text_column("text"),
    time("created_at"),
)

# A link that shows a reply's text once (PRIVACY P56); only the hash of its secret is here.
glimpse = Table(
    "glimpse",
    metadata,
    Column("hash", Text, primary_key=True),
    ref("tenant_id"),
    ref("reply_id"),
    time("expires_at"),
    maybe_time("used_at"),
    Index("glimpse_expiry", "expires_at"),
)
