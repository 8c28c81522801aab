"""What was changed of the limits of a compute target that all servers on the database have: beside the target, no longer on each server."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("compute_targets", sa.Column("limits", sa.Text(), nullable=True))
