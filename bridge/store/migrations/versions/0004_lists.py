"""Suppression by purpose and programme, the blacklist, opt-out links, wishes to look at."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STANDS = sa.text("lifted_at IS NULL")
OPEN = sa.text("decided_at IS NULL")


def upgrade() -> None:
    """Make the tables of the lists."""
    _suppression()
    op.add_column(
        "message", sa.Column("programme_index", sa.Text(), server_default="", nullable=False)
    )
    op.add_column("reply", sa.Column("done", sa.Text(), server_default="", nullable=False))
    op.add_column("reply", sa.Column("done_scope", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "reply", sa.Column("cancelled", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.create_table(
        "programme",
        sa.Column("id", KEY, nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("keyword", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("programme_name", "programme", ["tenant_id", "name"], unique=True)
    _blocked()
    op.create_table(
        "optout_link",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.Text(), server_default="", nullable=False),
        sa.Column("pepper_version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("used_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("hash"),
        sqlite_with_rowid=False,
    )
    op.create_index("optout_link_token", "optout_link", ["token"], unique=False)
    _wish()


def _suppression() -> None:
    for column in (
        sa.Column("programme_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("pepper_version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("purpose", sa.Text(), server_default="any", nullable=False),
    ):
        op.add_column("suppression", column)
    op.drop_index(
        "suppression_token",
        table_name="suppression",
        sqlite_where=STANDS,
        postgresql_where=STANDS,
    )
    op.create_index(
        "suppression_token",
        "suppression",
        ["token", "purpose"],
        unique=True,
        sqlite_where=STANDS,
        postgresql_where=STANDS,
    )


def _blocked() -> None:
    op.create_table(
        "blocked",
        sa.Column("id", KEY, nullable=False),
        sa.Column("scope", sa.Text(), server_default="", nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("value", sa.Text(), server_default="", nullable=False),
        sa.Column("pepper_version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("lifted_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("blocked_lifted", "blocked", ["lifted_at"], unique=False)
    op.create_index(
        "blocked_value",
        "blocked",
        ["value", "tenant_id"],
        unique=True,
        sqlite_where=STANDS,
        postgresql_where=STANDS,
    )


def _wish() -> None:
    op.create_table(
        "wish",
        sa.Column("reply_id", KEY, autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("decided_at", sa.Double(), nullable=True),
        sa.Column("decision", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("reminded", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("reply_id"),
    )
    op.create_index(
        "wish_open", "wish", ["due_at"], unique=False, sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.create_index("wish_subject", "wish", ["subject_id"], unique=False)
