"""How carriers do."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def _count(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False)


def upgrade() -> None:
    """Make the tables of carriers' counts and weights."""
    op.create_table(
        "carrier_tally",
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("slot", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("incarnation", sa.BigInteger(), autoincrement=False, nullable=False),
        _count("answered"),
        _count("accepted"),
        _count("errors"),
        _count("throttled"),
        _count("late"),
        _count("reported"),
        sa.PrimaryKeyConstraint("carrier", "slot", "incarnation"),
    )
    op.create_table(
        "carrier_health",
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("weight", sa.Double(), server_default=sa.text("1"), nullable=False),
        sa.Column("usual", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("carrier"),
    )
