"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
STATUS = (
    "status IN ('NotStarted', 'Queued', 'Preparing', 'Running', 'Finalizing', 'CancelRequested', 'Paused', 'NotResponding', "
    "'Completed', 'Failed', 'Canceled')"
)
COMPACTION_DUE = "tail_count > 1000 OR untidy"


def _varchar(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    _workspaces_and_access()
    _storage()
    _snapshots()
    _environments()
    _experiments()
    _metrics()
    _points()
    _runs()
    _parts_of_runs()
    _jobs()


def _workspaces_and_access() -> None:
    """Workspaces, and tokens."""
    op.create_table(
        "workspaces",
        sa.Column("id", KEY, nullable=False, autoincrement=True),
        sa.Column("name", _varchar(63), nullable=False),
        sa.Column("display_name", WORDS, nullable=False),
        sa.Column("description", WORDS, nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", _varchar(255), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
        sa.UniqueConstraint("name", name="uq_workspaces_name"),
    )
    op.create_table(
        "tokens",
        sa.Column("id", _varchar(32), nullable=False),
        sa.Column("hash", _varchar(64), nullable=False),
        sa.Column("kind", _varchar(32), nullable=False),
        sa.Column("user", _varchar(255), nullable=False),
        sa.Column("workspace_id", KEY, nullable=True),
        sa.Column("run_id", _varchar(32), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.CheckConstraint("kind IN ('user', 'local', 'kernel', 'job')", name=op.f("ck_tokens_kind")),
        sa.UniqueConstraint("hash", name="uq_tokens_hash"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_tokens_workspace_id", ondelete="CASCADE"),
    )
    op.create_index("ix_tokens_run_id", "tokens", ["run_id"])
    op.create_table(
        "changes",
        sa.Column("kind", _varchar(32), nullable=False),
        sa.Column("object_id", _varchar(64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("workspace", _varchar(64), nullable=False),
        sa.Column("parent", _varchar(64), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "object_id", name="pk_changes"),
    )
    op.create_index("ix_changes_seq", "changes", ["seq"])


def _storage() -> None:
    """Blobs, the files of runs, and what is known of files outside."""
    op.create_table(
        "blobs",
        sa.Column("sha256", _varchar(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_blobs"),
    )
    op.create_table(
        "artifacts",
        sa.Column("run_id", _varchar(32), nullable=False),
        sa.Column("path", WORDS, nullable=False),
        sa.Column("sha256", _varchar(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "path", name="pk_artifacts"),
        sa.ForeignKeyConstraint(["sha256"], ["blobs.sha256"], name="fk_artifacts_sha256"),
    )
    op.create_index("ix_artifacts_sha256", "artifacts", ["sha256"])
    op.create_table(
        "file_stats",
        sa.Column("path", WORDS, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("inode", sa.BigInteger(), nullable=False),
        sa.Column("sha256", _varchar(64), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("path", name="pk_file_stats"),
    )


def _snapshots() -> None:
    """Snapshots."""
    op.create_table(
        "snapshots",
        sa.Column("id", _varchar(64), nullable=False),
        sa.Column("files", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_snapshots"),
    )
    op.create_table(
        "snapshot_files",
        sa.Column("snapshot_id", _varchar(64), nullable=False),
        sa.Column("path", WORDS, nullable=False),
        sa.Column("type", _varchar(4), nullable=False),
        sa.Column("sha256", _varchar(64), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("executable", sa.Boolean(), nullable=False),
        sa.Column("target", WORDS, nullable=True),
        sa.PrimaryKeyConstraint("snapshot_id", "path", name="pk_snapshot_files"),
        sa.CheckConstraint("type IN ('file', 'link')", name=op.f("ck_snapshot_files_type")),
        sa.CheckConstraint("(type = 'file') = (sha256 IS NOT NULL)", name=op.f("ck_snapshot_files_content")),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshots.id"], name="fk_snapshot_files_snapshot_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["sha256"], ["blobs.sha256"], name="fk_snapshot_files_sha256"),
    )
    op.create_index("ix_snapshot_files_sha256", "snapshot_files", ["sha256"])


def _environments() -> None:
    """Captured environments."""
    op.create_table(
        "package_sets",
        sa.Column("id", _varchar(64), nullable=False),
        sa.Column("packages", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_package_sets"),
    )
    op.create_table(
        "run_environments",
        sa.Column("run_id", _varchar(32), nullable=False),
        sa.Column("package_set_id", _varchar(64), nullable=False),
        sa.Column("capture", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_run_environments"),
    )
    op.create_index("ix_run_environments_package_set_id", "run_environments", ["package_set_id"])


def _experiments() -> None:
    """Experiments."""
    op.create_table(
        "experiments",
        sa.Column("id", KEY, nullable=False, autoincrement=True),
        sa.Column("workspace_id", KEY, nullable=False),
        sa.Column("name", _varchar(500), nullable=False),
        sa.Column("description", WORDS, nullable=False),
        sa.Column("goal_metric", _varchar(250), nullable=True),
        sa.Column("goal_direction", _varchar(8), nullable=True),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_experiments"),
        sa.CheckConstraint("goal_direction IN ('maximize', 'minimize')", name=op.f("ck_experiments_goal_direction")),
        sa.UniqueConstraint("workspace_id", "name", name="uq_experiments_workspace_id_name"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_experiments_workspace_id"),
    )
    op.create_index("ix_experiments_workspace_id_used_at_id", "experiments", ["workspace_id", "used_at", "id"])
    op.create_table(
        "experiment_tags",
        sa.Column("experiment_id", KEY, nullable=False),
        sa.Column("key", _varchar(250), nullable=False),
        sa.Column("value", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", "key", name="pk_experiment_tags"),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.id"], name="fk_experiment_tags_experiment_id", ondelete="CASCADE"
        ),
    )


def _metrics() -> None:
    """Metrics."""
    op.create_table(
        "metric_latest",
        sa.Column("id", KEY, nullable=False, autoincrement=True),
        sa.Column("run_id", _varchar(32), nullable=False),
        sa.Column("experiment_id", sa.BigInteger(), nullable=False),
        sa.Column("key", _varchar(250), nullable=False),
        sa.Column("value", sa.Float(53), nullable=True),
        sa.Column("is_nan", sa.Boolean(), nullable=False),
        sa.Column("min_value", sa.Float(53), nullable=True),
        sa.Column("max_value", sa.Float(53), nullable=True),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("tail_count", sa.BigInteger(), nullable=False),
        sa.Column("untidy", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_metric_latest"),
        sa.UniqueConstraint("run_id", "key", name="uq_metric_latest_run_id_key"),
    )
    op.create_index(
        "ix_metric_latest_compaction_due",
        "metric_latest",
        ["id"],
        sqlite_where=sa.text(COMPACTION_DUE),
        postgresql_where=sa.text(COMPACTION_DUE),
    )
    op.create_index("ix_metric_latest_experiment_id_key_value", "metric_latest", ["experiment_id", "key", "value"])


def _points() -> None:
    """The points of metrics."""
    op.create_table(
        "metric_tail",
        sa.Column("id", KEY, nullable=False, autoincrement=True),
        sa.Column("series_id", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Float(53), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_metric_tail"),
    )
    op.create_index("ix_metric_tail_series_id_step_time", "metric_tail", ["series_id", "step", "time"])
    op.create_table(
        "metric_chunk",
        sa.Column("id", KEY, nullable=False, autoincrement=True),
        sa.Column("series_id", sa.BigInteger(), nullable=False),
        sa.Column("first_step", sa.BigInteger(), nullable=False),
        sa.Column("first_time", sa.BigInteger(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("last_time", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("not_finite", sa.BigInteger(), nullable=False),
        sa.Column("min_value", sa.Float(53), nullable=True),
        sa.Column("max_value", sa.Float(53), nullable=True),
        sa.Column("pieces", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_metric_chunk"),
    )
    op.create_index(
        "ix_metric_chunk_series_id_span", "metric_chunk", ["series_id", "first_step", "first_time", "last_step", "last_time"]
    )


def _runs() -> None:
    """Runs."""
    op.create_table(
        "runs",
        sa.Column("id", _varchar(32), nullable=False),
        sa.Column("workspace_id", KEY, nullable=False),
        sa.Column("experiment_id", KEY, nullable=False),
        sa.Column("name", _varchar(500), nullable=False),
        sa.Column("kind", _varchar(32), nullable=False),
        sa.Column("status", _varchar(32), nullable=False),
        sa.Column("reason", _varchar(64), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("lifecycle", _varchar(32), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("parent_id", _varchar(32), nullable=True),
        sa.Column("user", _varchar(255), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("source", WORDS, nullable=False),
        sa.Column("target", _varchar(255), nullable=True),
        sa.Column("progress", sa.Text(), nullable=True),
        sa.Column("note", WORDS, nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("outputs", sa.Text(), nullable=False),
        sa.Column("snapshot_id", _varchar(64), nullable=True),
        sa.Column("process", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.CheckConstraint(STATUS, name=op.f("ck_runs_status")),
        sa.CheckConstraint("lifecycle IN ('active', 'deleted')", name=op.f("ck_runs_lifecycle")),
        sa.CheckConstraint("kind IN ('interactive', 'notebook', 'command', 'extension')", name=op.f("ck_runs_kind")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_runs_workspace_id"),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], name="fk_runs_experiment_id"),
        sa.ForeignKeyConstraint(["parent_id"], ["runs.id"], name="fk_runs_parent_id"),
    )
    op.create_index("ix_runs_experiment_id_lifecycle_created_at_id", "runs", ["experiment_id", "lifecycle", "created_at", "id"])
    op.create_index("ix_runs_experiment_id_lifecycle_status", "runs", ["experiment_id", "lifecycle", "status"])
    op.create_index("ix_runs_parent_id_lifecycle", "runs", ["parent_id", "lifecycle"])
    op.create_index("ix_runs_snapshot_id", "runs", ["snapshot_id"])
    op.create_index("ix_runs_status", "runs", ["status"])
    op.create_index("ix_runs_workspace_id_lifecycle_created_at_id", "runs", ["workspace_id", "lifecycle", "created_at", "id"])


def _parts_of_runs() -> None:
    """What a run has any number of."""
    op.create_table(
        "run_params",
        sa.Column("run_id", _varchar(32), nullable=False),
        sa.Column("key", _varchar(250), nullable=False),
        sa.Column("value", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "key", name="pk_run_params"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_params_run_id", ondelete="CASCADE"),
    )
    op.create_index("ix_run_params_key_run_id", "run_params", ["key", "run_id"])
    op.create_table(
        "run_tags",
        sa.Column("run_id", _varchar(32), nullable=False),
        sa.Column("key", _varchar(250), nullable=False),
        sa.Column("value", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "key", name="pk_run_tags"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_tags_run_id", ondelete="CASCADE"),
    )
    op.create_index("ix_run_tags_key_run_id", "run_tags", ["key", "run_id"])
    op.create_table(
        "run_status_changes",
        sa.Column("run_id", _varchar(32), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("status", _varchar(32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("reason", _varchar(64), nullable=True),
        sa.Column("actor", _varchar(255), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "n", name="pk_run_status_changes"),
        sa.CheckConstraint(STATUS, name=op.f("ck_run_status_changes_status")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_status_changes_run_id", ondelete="CASCADE"),
    )
    op.create_table(
        "run_batches",
        sa.Column("run_id", _varchar(32), nullable=False),
        sa.Column("batch_id", _varchar(64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "batch_id", name="pk_run_batches"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_batches_run_id", ondelete="CASCADE"),
    )
    op.create_index("ix_run_batches_at", "run_batches", ["at"])


def _jobs() -> None:
    """Jobs."""
    op.create_table(
        "jobs",
        sa.Column("run_id", _varchar(32), nullable=False),
        sa.Column("workspace_id", KEY, nullable=False),
        sa.Column("kind", _varchar(32), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("target", _varchar(255), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("submitted_at", sa.BigInteger(), nullable=False),
        sa.Column("timeout_s", sa.Integer(), nullable=True),
        sa.Column("env", sa.Text(), nullable=False),
        sa.Column("phase", _varchar(32), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("source_dir", WORDS, nullable=True),
        sa.Column("work_subdir", WORDS, nullable=False),
        sa.Column("in_place", sa.Boolean(), nullable=False),
        sa.Column("links", sa.Text(), nullable=False),
        sa.Column("not_captured", sa.Text(), nullable=False),
        sa.Column("new_files", sa.Text(), nullable=False),
        sa.Column("notebook_artifact", WORDS, nullable=True),
        sa.Column("idempotency_key", _varchar(255), nullable=True),
        sa.Column("body_hash", _varchar(64), nullable=True),
        sa.Column("cancel_requested_at", sa.BigInteger(), nullable=True),
        sa.Column("captured", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_jobs"),
        sa.CheckConstraint("phase IN ('queued', 'paused', 'live', 'ended')", name=op.f("ck_jobs_phase")),
        sa.UniqueConstraint("workspace_id", "idempotency_key", name="uq_jobs_workspace_id_idempotency_key"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_jobs_run_id"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_jobs_workspace_id"),
    )
    op.create_index("ix_jobs_target_phase_priority_submitted_at", "jobs", ["target", "phase", "priority", "submitted_at"])
    op.create_index("ix_jobs_workspace_id_phase", "jobs", ["workspace_id", "phase"])
