"""Numbers that an application may show though they are not its own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Go from 0001 to this version."""
    op.add_column("applications", sa.Column("verified", sa.JSON, nullable=False, server_default="[]"))


def downgrade() -> None:
    """Go back to 0001."""
    op.drop_column("applications", "verified")
