"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "attempt",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.SmallInteger(), nullable=False),
        sa.Column("total", sa.SmallInteger(), nullable=False),
        sa.Column("carrier", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("carrier_id", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("incarnation", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("answered_at", sa.Double(), nullable=True),
        sa.Column("final_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "attempt_carrier_id",
        "attempt",
        ["carrier_id", "carrier"],
        unique=False,
        sqlite_where=sa.text("carrier_id <> ''"),
        postgresql_where=sa.text("carrier_id <> ''"),
    )
    op.create_index(
        "attempt_claimed",
        "attempt",
        ["incarnation"],
        unique=False,
        sqlite_where=sa.text("state = 'claimed'"),
        postgresql_where=sa.text("state = 'claimed'"),
    )
    op.create_index("attempt_message", "attempt", ["message_id"], unique=False)
    op.create_table(
        "audit",
        sa.Column("id", KEY, nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("action", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "body",
        sa.Column("message_id", KEY, autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("origin", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("message_id"),
    )
    op.create_table(
        "callback",
        sa.Column("id", KEY, nullable=False),
        sa.Column("carrier", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("key", sa.Text(), server_default="", nullable=False),
        sa.Column("number", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("total", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("payload", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("callback_at", "callback", ["at"], unique=False)
    op.create_index("callback_key", "callback", ["kind", "key"], unique=False)
    op.create_table(
        "carrier_lease",
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("incarnation", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("up", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("carrier"),
    )
    op.create_table(
        "conversation",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("originator", sa.Text(), server_default="", nullable=False),
        sa.Column("origin_kind", sa.Text(), server_default="", nullable=False),
        sa.Column("origin_address", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "conversation_key",
        "conversation",
        ["subject_id", "originator", "origin_kind", "origin_address"],
        unique=True,
    )
    op.create_table(
        "event",
        sa.Column("id", KEY, nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("event_message", "event", ["message_id"], unique=False)
    op.create_table(
        "fact",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "heard",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sqlite_with_rowid=False,
    )
    op.create_index("heard_at", "heard", ["at"], unique=False)
    op.create_table(
        "incarnation",
        sa.Column("id", KEY, nullable=False),
        sa.Column("slot", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "login",
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("password_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("username"),
    )
    op.create_table(
        "message",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("class", sa.Text(), server_default="", nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("exempt", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("originator", sa.Text(), server_default="", nullable=False),
        sa.Column("encoding", sa.Text(), server_default="", nullable=False),
        sa.Column("lang", sa.Text(), server_default="", nullable=False),
        sa.Column("parts", sa.SmallInteger(), nullable=False),
        sa.Column("rules", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("lane", sa.Text(), server_default="", nullable=False),
        sa.Column("hop", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("resent", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("sent_at", sa.Double(), nullable=True),
        sa.Column("final_at", sa.Double(), nullable=True),
        sa.Column("lease", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "message_due",
        "message",
        ["lane", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "message_expiry",
        "message",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("(state = 'queued' OR state = 'scheduled' OR state = 'held')"),
        postgresql_where=sa.text("(state = 'queued' OR state = 'scheduled' OR state = 'held')"),
    )
    op.create_index(
        "message_open",
        "message",
        ["state", "lease"],
        unique=False,
        sqlite_where=sa.text(
            "(state = 'sending' OR state = 'scheduled' OR state = 'held' OR state = 'unknown')"
        ),
        postgresql_where=sa.text(
            "(state = 'sending' OR state = 'scheduled' OR state = 'held' OR state = 'unknown')"
        ),
    )
    op.create_index("message_subject", "message", ["subject_id", "id"], unique=False)
    op.create_table(
        "notice",
        sa.Column("id", KEY, nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("edge", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("reply_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("done_at", sa.Double(), nullable=True),
        sa.Column("lease", sa.BigInteger(), nullable=True),
        sa.Column("mailbox", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "notice_due",
        "notice",
        ["edge", "due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'due'"),
        postgresql_where=sa.text("state = 'due'"),
    )
    op.create_index(
        "notice_mailbox",
        "notice",
        ["done_at"],
        unique=False,
        sqlite_where=sa.text("mailbox"),
        postgresql_where=sa.text("mailbox"),
    )
    op.create_index(
        "notice_message",
        "notice",
        ["message_id", "kind"],
        unique=True,
        sqlite_where=sa.text("message_id IS NOT NULL"),
        postgresql_where=sa.text("message_id IS NOT NULL"),
    )
    op.create_index(
        "notice_reply",
        "notice",
        ["reply_id", "kind"],
        unique=True,
        sqlite_where=sa.text("reply_id IS NOT NULL"),
        postgresql_where=sa.text("reply_id IS NOT NULL"),
    )
    op.create_table(
        "notice_body",
        sa.Column("notice_id", KEY, autoincrement=False, nullable=False),
        sa.Column("payload", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("notice_id"),
    )
    op.create_table(
        "reply",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("carrier", sa.Text(), server_default="", nullable=False),
        sa.Column("originator", sa.Text(), server_default="", nullable=False),
        sa.Column("verdict", sa.Text(), server_default="", nullable=False),
        sa.Column("partial", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("reply_subject", "reply", ["subject_id"], unique=False)
    op.create_table(
        "reply_body",
        sa.Column("reply_id", KEY, autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("reply_id"),
    )
    op.create_table(
        "sandbox_part",
        sa.Column("id", KEY, nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.SmallInteger(), nullable=False),
        sa.Column("total", sa.SmallInteger(), nullable=False),
        sa.Column("originator", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("sandbox_part_message", "sandbox_part", ["message_id"], unique=False)
    op.create_table(
        "sandbox_phone",
        sa.Column("all_index", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("all_index"),
    )
    op.create_table(
        "seen",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sqlite_with_rowid=False,
    )
    op.create_index("seen_at", "seen", ["at"], unique=False)
    op.create_table(
        "sender_rule",
        sa.Column("id", KEY, nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("proofs", sa.Text(), server_default="", nullable=False),
        sa.Column("class", sa.Text(), server_default="", nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "sender_token",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_table(
        "subject",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.Column("phone_index", sa.Text(), server_default="", nullable=False),
        sa.Column("all_index", sa.Text(), server_default="", nullable=False),
        sa.Column("country", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("subject_all", "subject", ["all_index"], unique=False)
    op.create_index("subject_phone", "subject", ["phone_index"], unique=True)
    op.create_table(
        "suppression",
        sa.Column("id", KEY, nullable=False),
        sa.Column("scope", sa.Text(), server_default="", nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.Text(), server_default="", nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("lifted_at", sa.Double(), nullable=True),
        sa.Column("lift_source", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("suppression_lifted", "suppression", ["lifted_at"], unique=False)
    op.create_index(
        "suppression_token",
        "suppression",
        ["token"],
        unique=True,
        sqlite_where=sa.text("lifted_at IS NULL"),
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_table(
        "tenant",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), server_default="", nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("closed_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
