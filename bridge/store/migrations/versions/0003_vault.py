"""Numbers and texts are sealed from now on, each under its person's key."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table of the keys; a value that stands there plain stays readable."""
    op.create_table(
        "subject_key",
        sa.Column("subject_id", KEY, autoincrement=False, nullable=False),
        sa.Column("wrapped", sa.Text(), server_default="", nullable=False),
        sa.Column("kek", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("subject_id"),
    )
