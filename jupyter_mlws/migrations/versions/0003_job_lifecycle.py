"""Attempts of jobs, what jobs ask of their target, and which server minds them; secrets; rules of retention."""

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

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _varchar(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    _queue()
    _attempts()
    _secrets()
    _retention()


def _queue() -> None:
    """What the queue goes by."""
    op.add_column("jobs", sa.Column("max_retries", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("not_before", sa.BigInteger(), nullable=True))
    op.add_column("jobs", sa.Column("submitted_by", _varchar(255), nullable=False, server_default=sa.text("''")))
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


def _secrets() -> None:
    op.create_table(
        "secrets",
        sa.Column("workspace_id", KEY, nullable=False),
        sa.Column("name", _varchar(100), nullable=False),
        sa.Column("key_id", _varchar(16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", _varchar(255), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_by", _varchar(255), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_secrets_workspace_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("workspace_id", "name", name=op.f("pk_secrets")),
    )
    op.create_table(
        "secret_uses",
        sa.Column("run_id", _varchar(32), nullable=False),
        sa.Column("variable", _varchar(255), nullable=False),
        sa.Column("workspace_id", KEY, nullable=False),
        sa.Column("secret", _varchar(100), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("key_id", _varchar(16), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_secret_uses_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "variable", name=op.f("pk_secret_uses")),
    )
    op.create_index(op.f("ix_secret_uses_workspace_id_secret"), "secret_uses", ["workspace_id", "secret"])


def _retention() -> None:
    op.create_table(
        "retention",
        sa.Column("workspace_id", KEY, nullable=False),
        sa.Column("experiment_id", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.Column("last_runs", sa.BigInteger(), nullable=False),
        sa.Column("last_bytes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_retention_workspace_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("workspace_id", "experiment_id", name=op.f("pk_retention")),
    )
