"""Records at carriers of people who are erased, and what carriers call an MO's parts."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def _words(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "carrier_erasure",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("erasure_id", sa.BigInteger(), nullable=False),
        _words("carrier"),
        _words("carrier_id"),
        sa.Column("inbound", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _words("outcome"),
        _words("reason"),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease", sa.BigInteger()),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("done_at", sa.Double()),
    )
    op.create_index(
        "carrier_erasure_due",
        "carrier_erasure",
        ["carrier", "due_at"],
        sqlite_where=sa.text("outcome = ''"),
        postgresql_where=sa.text("outcome = ''"),
    )
    op.create_index("carrier_erasure_of", "carrier_erasure", ["erasure_id"])
    op.create_table(
        "reply_part",
        sa.Column("reply_id", sa.BigInteger(), nullable=False),
        sa.Column("carrier_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("reply_id", "carrier_id"),
        sqlite_with_rowid=False,
    )
