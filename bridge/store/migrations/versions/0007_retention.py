"""Retention: decided periods, holds, claims of deletion, purges, and what accounts keep of them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN = sa.text("done_at IS NULL")
LOOSE = sa.text("(message_id IS NULL AND reply_id IS NULL)")


def _words(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def upgrade() -> None:
    """Make the tables, and the indexes that purges look by."""
    op.create_table(
        "retention_rule",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        _words("class"),
        _words("trigger"),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        *map(_words, ("minimum", "maximum", "basis", "reason", "set_by", "approved_by")),
        sa.Column("set_at", sa.Double(), nullable=False),
        sa.Column("approved_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "hold",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        _words("basis"),
        sa.Column("until", sa.Double(), nullable=False),
        _words("set_by"),
        _words("approved_by"),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("released_at", sa.Double(), nullable=True),
        _words("released_by"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("hold_subject", "hold", ["subject_id"], unique=False)
    op.create_table(
        "deletion_claim",
        sa.Column("id", KEY, nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        *map(_words, ("kind", "actor", "instruction")),
        sa.Column("claimed_at", sa.Double(), nullable=False),
        *(
            sa.Column(name, sa.Double(), nullable=True)
            for name in ("ended_at", "contacts_gone_at", "messages_gone_at")
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("deletion_claim_tenant", "deletion_claim", ["tenant_id"], unique=False)
    _runs()
    op.create_table(
        "ledger",
        sa.Column("message_id", KEY, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        _words("country"),
        _words("carrier"),
        sa.Column("parts", sa.SmallInteger(), nullable=False),
        sa.Column("sent_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("message_id"),
    )
    op.create_index("group_member_contact", "group_member", ["contact_id"], unique=False)
    op.create_index("group_member_subject", "group_member", ["subject_id"], unique=False)
    op.create_index("thread_subject", "thread", ["subject_id"], unique=False)
    op.create_index(
        "notice_loose", "notice", ["id"], sqlite_where=LOOSE, postgresql_where=LOOSE, unique=False
    )


def _runs() -> None:
    op.create_table(
        "retention_run",
        sa.Column("id", KEY, nullable=False),
        _words("class"),
        sa.Column("stage", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("after", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("turned_at", sa.Double(), nullable=False),
        sa.Column("done_at", sa.Double(), nullable=True),
        _words("counts"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "retention_run_open",
        "retention_run",
        ["class"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_index("retention_run_done", "retention_run", ["class", "done_at"], unique=False)
