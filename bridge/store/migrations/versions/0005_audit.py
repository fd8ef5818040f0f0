"""The audit becomes a chain with signed heads and checkpoints; an activity log beside it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _words(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), server_default="", nullable=False) for name in names]


def upgrade() -> None:
    """Make the tables of the audit; lines that were not chained prove nothing and go."""
    op.drop_table("audit")
    op.create_table(
        "audit",
        sa.Column("seq", KEY, autoincrement=False, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        *_words("actor", "action", "subject_ref", "reason", "prev", "hash"),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("audit_tenant", "audit", ["tenant_id", "seq"], unique=False)
    tail = op.create_table(
        "audit_tail",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("seq", KEY, nullable=False),
        *_words("hash"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.bulk_insert(tail, [{"id": 1, "seq": 0, "hash": ""}])
    op.create_table(
        "audit_head",
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("seq", KEY, nullable=False),
        *_words("hash"),
        sa.Column("count", sa.Integer(), nullable=False),
        *_words("signed_by", "signature"),
        sa.PrimaryKeyConstraint("day"),
    )
    op.create_table(
        "audit_checkpoint",
        sa.Column("seq", KEY, autoincrement=False, nullable=False),
        *_words("hash"),
        sa.Column("at", sa.Double(), nullable=False),
        *_words("signed_by", "signature"),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_table(
        "activity",
        sa.Column("id", KEY, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        *_words("actor", "action", "subject_ref", "reason"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("activity_at", "activity", ["at"], unique=False)
    op.create_index("activity_tenant", "activity", ["tenant_id", "id"], unique=False)
