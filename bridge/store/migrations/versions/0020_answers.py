"""What a chat's update was answered, until the chat has taken it."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Add the column."""
    op.add_column("chat_update", sa.Column("answer", sa.Text(), server_default="", nullable=False))
