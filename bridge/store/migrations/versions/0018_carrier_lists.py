"""Carriers' own lists of opt-outs."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def _number(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def _moment(name: str) -> "sa.Column[float]":
    return sa.Column(name, sa.Double(), server_default=sa.text("0"), nullable=False)


def upgrade() -> None:
    """Make the tables of how a list was read, and of who stood on it."""
    op.create_table(
        "carrier_list",
        sa.Column("carrier", sa.Text(), nullable=False),
        _number("run"),
        _moment("until"),
        _moment("next_at"),
        _number("tries"),
        sa.Column("read_at", sa.Double()),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("carrier"),
    )
    op.create_table(
        "carrier_listed",
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("pepper_version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        _number("run"),
        sa.Column("first_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("carrier", "token"),
        sqlite_with_rowid=False,
    )
    op.create_index("carrier_listed_token", "carrier_listed", ["token"])
