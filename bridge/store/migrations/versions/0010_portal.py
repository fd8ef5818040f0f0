"""The portal's sign-in."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables of the portal."""
    op.create_table(
        "portal_code",
        sa.Column("all_index", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), server_default="", nullable=False),
        sa.Column("tries", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("all_index"),
    )
    op.create_table(
        "portal_ask",
        sa.Column("id", KEY, nullable=False),
        sa.Column("key", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("portal_ask_key", "portal_ask", ["key", "at"], unique=False)
    op.create_index("portal_ask_at", "portal_ask", ["at"], unique=False)
    op.create_table(
        "portal_session",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("all_index", sa.Text(), server_default="", nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("portal_session_expiry", "portal_session", ["expires_at"], unique=False)
