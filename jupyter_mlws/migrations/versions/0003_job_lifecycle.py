"""Attempts of jobs, what jobs ask of their target, and which server minds them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATUSES = (
    "'NotStarted', 'Queued', 'Preparing', 'Running', 'Finalizing', 'CancelRequested', 'Paused', 'NotResponding', "
    "'Completed', 'Failed', 'Canceled'"
)


def _varchar(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    _queue()
    _attempts()


def _queue() -> None:
    """What the queue goes by."""
    op.add_column("jobs", sa.Column("max_retries", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("not_before", sa.BigInteger(), nullable=True))
    op.add_column("jobs", sa.Column("submitted_by", _varchar(255), nullable=False, server_default=""))
    op.add_column("jobs", sa.Column("cpus", sa.Float(53), nullable=True))
    op.add_column("jobs", sa.Column("memory_bytes", sa.BigInteger(), nullable=True))
    op.add_column("jobs", sa.Column("gpus", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("gpu_ids", sa.Text(), nullable=True))
    op.add_column("jobs", sa.Column("owner", _varchar(64), nullable=True))
    op.add_column("jobs", sa.Column("lease_until", sa.BigInteger(), nullable=True))
    op.execute('UPDATE jobs SET submitted_by = (SELECT runs."user" FROM runs WHERE runs.id = jobs.run_id)')


def _attempts() -> None:
    """Each attempt to run a job."""
    op.create_table(
        "job_attempts",
        sa.Column("run_id", _varchar(32), nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", _varchar(32), nullable=False),
        sa.Column("reason", _varchar(64), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("signal", sa.Integer(), nullable=True),
        sa.CheckConstraint(f"status IN ({STATUSES})", name=op.f("ck_job_attempts_status")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_job_attempts_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "attempt", name=op.f("pk_job_attempts")),
    )
