"""The chat edges: staff, what is typed and shown in chats, contacts; a notice knows its place."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables of the chats."""
    op.create_table(
        "card",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("edge", sa.Text(), server_default="", nullable=False),
        sa.Column("place", sa.Text(), server_default="", nullable=False),
        sa.Column("thread", sa.Text(), server_default="", nullable=False),
        sa.Column("answers", sa.Text(), server_default="", nullable=False),
        sa.Column("post", sa.Text(), server_default="", nullable=False),
        sa.Column("wanted", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("shown", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("doubtful", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "card_due",
        "card",
        ["edge", "due_at"],
        unique=False,
        sqlite_where=sa.text("wanted > shown"),
        postgresql_where=sa.text("wanted > shown"),
    )
    op.create_index(
        "card_lease",
        "card",
        ["lease"],
        unique=False,
        sqlite_where=sa.text("lease IS NOT NULL"),
        postgresql_where=sa.text("lease IS NOT NULL"),
    )
    op.create_table(
        "card_message",
        sa.Column("message_id", KEY, autoincrement=False, nullable=False),
        sa.Column("card_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("message_id"),
    )
    op.create_index("card_message_card", "card_message", ["card_id"], unique=False)
    op.create_table(
        "chat_post",
        sa.Column("edge", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("post", sa.Text(), nullable=False),
        sa.Column("thread_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("edge", "place", "post"),
    )
    op.create_index("chat_post_place", "chat_post", ["edge", "place", "created_at"], unique=False)
    op.create_index("card_staff", "card", ["staff_id"], unique=False)
    op.create_index("card_place", "card", ["edge", "place", "post"], unique=False)
    op.create_index("chat_post_thread", "chat_post", ["thread_id"], unique=False)
    op.create_table(
        "chat_update",
        sa.Column("id", KEY, nullable=False),
        sa.Column("edge", sa.Text(), server_default="", nullable=False),
        sa.Column("key", sa.Text(), server_default="", nullable=False),
        sa.Column("payload", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("chat_update_at", "chat_update", ["at"], unique=False)
    op.create_index("chat_update_key", "chat_update", ["edge", "key"], unique=True)
    op.create_index(
        "chat_update_open",
        "chat_update",
        ["edge", "id"],
        unique=False,
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_table(
        "contact",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("contact_name", "contact", ["tenant_id", "name"], unique=True)
    op.create_index("contact_subject", "contact", ["subject_id"], unique=False)
    op.create_table(
        "contact_group",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("contact_group_name", "contact_group", ["tenant_id", "name"], unique=True)
    op.create_table(
        "draft",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("edge", sa.Text(), server_default="", nullable=False),
        sa.Column("place", sa.Text(), server_default="", nullable=False),
        sa.Column("thread", sa.Text(), server_default="", nullable=False),
        sa.Column("payload", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("draft_expiry", "draft", ["expires_at"], unique=False)
    op.create_table(
        "enrol_try",
        sa.Column("id", KEY, nullable=False),
        sa.Column("edge", sa.Text(), server_default="", nullable=False),
        sa.Column("team", sa.Text(), server_default="", nullable=False),
        sa.Column("person", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("enrol_try_person", "enrol_try", ["edge", "team", "person", "at"], unique=False)
    op.create_table(
        "glimpse",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("reply_id", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("used_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("glimpse_expiry", "glimpse", ["expires_at"], unique=False)
    op.create_table(
        "group_member",
        sa.Column("group_id", KEY, autoincrement=False, nullable=False),
        sa.Column("contact_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("subject_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("group_id", "contact_id", "subject_id"),
    )
    op.create_table(
        "invitation",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("used_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_table(
        "staff",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("edge", sa.Text(), server_default="", nullable=False),
        sa.Column("team", sa.Text(), server_default="", nullable=False),
        sa.Column("person", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("role", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("revoked_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "staff_identity",
        "staff",
        ["edge", "team", "person"],
        unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "template",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name"),
    )
    op.create_table(
        "thread",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("edge", sa.Text(), server_default="", nullable=False),
        sa.Column("place", sa.Text(), server_default="", nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("originator", sa.Text(), server_default="", nullable=False),
        sa.Column("root", sa.Text(), server_default="", nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("claimed_at", sa.Double(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "thread_person", "thread", ["edge", "place", "subject_id", "originator"], unique=True
    )
    op.create_index("thread_root", "thread", ["edge", "place", "root"], unique=False)
    op.add_column("notice", sa.Column("place", sa.Text(), server_default="", nullable=False))
    op.add_column("notice", sa.Column("subject_id", sa.BigInteger(), nullable=True))
    op.drop_index(
        "notice_message", table_name="notice", sqlite_where=sa.text("message_id IS NOT NULL")
    )
    op.create_index(
        "notice_message",
        "notice",
        ["message_id", "kind", "edge", "place"],
        unique=True,
        sqlite_where=sa.text("message_id IS NOT NULL"),
        postgresql_where=sa.text("message_id IS NOT NULL"),
    )
    op.drop_index("notice_reply", table_name="notice", sqlite_where=sa.text("reply_id IS NOT NULL"))
    op.create_index(
        "notice_reply",
        "notice",
        ["reply_id", "kind", "edge", "place"],
        unique=True,
        sqlite_where=sa.text("reply_id IS NOT NULL"),
        postgresql_where=sa.text("reply_id IS NOT NULL"),
    )
    op.create_index(
        "notice_subject",
        "notice",
        ["subject_id", "edge", "place"],
        unique=False,
        sqlite_where=sa.text("(subject_id IS NOT NULL AND (state = 'due' OR state = 'sending'))"),
        postgresql_where=sa.text(
            "(subject_id IS NOT NULL AND (state = 'due' OR state = 'sending'))"
        ),
    )
