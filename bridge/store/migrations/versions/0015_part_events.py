"""Which part of a message an event is about."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the column; older events are about the whole of their message."""
    op.add_column(
        "event", sa.Column("part", sa.SmallInteger(), server_default=sa.text("0"), nullable=False)
    )
