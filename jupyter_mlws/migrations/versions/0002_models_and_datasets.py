"""Datasets that runs read, logged models, the registry of models; who holds a token; times and places that MLflow's clients ask for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _varchar(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    _registry()
    _versions()
    _logged_models()
    _inputs_and_outputs()
    _columns()


def _registry() -> None:
    """Registered models."""
    op.create_table(
        "registered_models",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("workspace_id", KEY, nullable=False),
        sa.Column("name", _varchar(256), nullable=False),
        sa.Column("description", WORDS, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_registered_models_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registered_models")),
        sa.UniqueConstraint("workspace_id", "name", name=op.f("uq_registered_models_workspace_id_name")),
    )
    op.create_table(
        "registered_model_tags",
        sa.Column("model_id", KEY, nullable=False),
        sa.Column("key", _varchar(250), nullable=False),
        sa.Column("value", WORDS, nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["registered_models.id"], name=op.f("fk_registered_model_tags_model_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("model_id", "key", name=op.f("pk_registered_model_tags")),
    )


def _versions() -> None:
    """Their versions and aliases."""
    op.create_table(
        "model_versions",
        sa.Column("model_id", KEY, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("workspace_id", KEY, nullable=False),
        sa.Column("description", WORDS, nullable=True),
        sa.Column("source", WORDS, nullable=False),
        sa.Column("location", WORDS, nullable=False),
        sa.Column("run_id", _varchar(255), nullable=False),
        sa.Column("run_link", WORDS, nullable=False),
        sa.Column("logged_model_id", _varchar(34), nullable=True),
        sa.Column("stage", _varchar(32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("stage IN ('None', 'Staging', 'Production', 'Archived')", name=op.f("ck_model_versions_stage")),
        sa.ForeignKeyConstraint(
            ["model_id"], ["registered_models.id"], name=op.f("fk_model_versions_model_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_model_versions_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("model_id", "number", name=op.f("pk_model_versions")),
    )
    op.create_index(op.f("ix_model_versions_run_id"), "model_versions", ["run_id"])
    op.create_index(op.f("ix_model_versions_workspace_id_updated_at"), "model_versions", ["workspace_id", "updated_at"])
    op.create_table(
        "model_aliases",
        sa.Column("model_id", sa.BigInteger(), nullable=False),
        sa.Column("alias", _varchar(255), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id", "number"],
            ["model_versions.model_id", "model_versions.number"],
            name=op.f("fk_model_aliases_model_id_number"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("model_id", "alias", name=op.f("pk_model_aliases")),
    )
    op.create_index(op.f("ix_model_aliases_model_id_number"), "model_aliases", ["model_id", "number"])
    op.create_table(
        "model_version_tags",
        sa.Column("model_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("key", _varchar(250), nullable=False),
        sa.Column("value", WORDS, nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id", "number"],
            ["model_versions.model_id", "model_versions.number"],
            name=op.f("fk_model_version_tags_model_id_number"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("model_id", "number", "key", name=op.f("pk_model_version_tags")),
    )


def _logged_models() -> None:
    """Models as training code logs them."""
    op.create_table(
        "logged_models",
        sa.Column("id", _varchar(34), nullable=False),
        sa.Column("workspace_id", KEY, nullable=False),
        sa.Column("experiment_id", KEY, nullable=False),
        sa.Column("name", _varchar(500), nullable=False),
        sa.Column("model_type", WORDS, nullable=False),
        sa.Column("source_run_id", _varchar(255), nullable=False),
        sa.Column("status", _varchar(32), nullable=False),
        sa.Column("location", WORDS, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("status IN ('unspecified', 'pending', 'ready', 'failed')", name=op.f("ck_logged_models_status")),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.id"], name=op.f("fk_logged_models_experiment_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_logged_models_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logged_models")),
    )
    op.create_index(op.f("ix_logged_models_experiment_id_created_at_id"), "logged_models", ["experiment_id", "created_at", "id"])
    op.create_index(op.f("ix_logged_models_source_run_id"), "logged_models", ["source_run_id"])
    op.create_index(op.f("ix_logged_models_workspace_id"), "logged_models", ["workspace_id"])
    op.create_table(
        "logged_model_metrics",
        sa.Column("model_id", _varchar(34), nullable=False),
        sa.Column("key", _varchar(250), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("run_id", _varchar(32), nullable=False),
        sa.Column("value", sa.Float(precision=53), nullable=True),
        sa.Column("dataset_name", WORDS, nullable=True),
        sa.Column("dataset_digest", WORDS, nullable=True),
        sa.ForeignKeyConstraint(
            ["model_id"], ["logged_models.id"], name=op.f("fk_logged_model_metrics_model_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("model_id", "key", "time", "step", "run_id", name=op.f("pk_logged_model_metrics")),
    )
    op.create_index(op.f("ix_logged_model_metrics_run_id"), "logged_model_metrics", ["run_id"])
    op.create_table(
        "logged_model_params",
        sa.Column("model_id", _varchar(34), nullable=False),
        sa.Column("key", _varchar(250), nullable=False),
        sa.Column("value", WORDS, nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["logged_models.id"], name=op.f("fk_logged_model_params_model_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("model_id", "key", name=op.f("pk_logged_model_params")),
    )
    op.create_table(
        "logged_model_tags",
        sa.Column("model_id", _varchar(34), nullable=False),
        sa.Column("key", _varchar(250), nullable=False),
        sa.Column("value", WORDS, nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["logged_models.id"], name=op.f("fk_logged_model_tags_model_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("model_id", "key", name=op.f("pk_logged_model_tags")),
    )


def _inputs_and_outputs() -> None:
    """What runs read and make."""
    op.create_table(
        "datasets",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("experiment_id", KEY, nullable=False),
        sa.Column("name", _varchar(500), nullable=False),
        sa.Column("digest", _varchar(36), nullable=False),
        sa.Column("source_type", WORDS, nullable=False),
        sa.Column("source", WORDS, nullable=False),
        sa.Column("schema", WORDS, nullable=True),
        sa.Column("profile", WORDS, nullable=True),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.id"], name=op.f("fk_datasets_experiment_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasets")),
        sa.UniqueConstraint("experiment_id", "name", "digest", name=op.f("uq_datasets_experiment_id_name_digest")),
    )
    op.create_table(
        "run_datasets",
        sa.Column("run_id", _varchar(32), nullable=False),
        sa.Column("dataset_id", KEY, nullable=False),
        sa.Column("name", _varchar(500), nullable=False),
        sa.Column("digest", _varchar(36), nullable=False),
        sa.Column("context", WORDS, nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_run_datasets_dataset_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_datasets_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "dataset_id", name=op.f("pk_run_datasets")),
    )
    op.create_index(op.f("ix_run_datasets_name_run_id"), "run_datasets", ["name", "run_id"])
    op.create_table(
        "run_models",
        sa.Column("run_id", _varchar(32), nullable=False),
        sa.Column("direction", _varchar(32), nullable=False),
        sa.Column("model_id", _varchar(255), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.CheckConstraint("direction IN ('input', 'output')", name=op.f("ck_run_models_direction")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_models_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "direction", "model_id", name=op.f("pk_run_models")),
    )
    op.create_index(op.f("ix_run_models_model_id"), "run_models", ["model_id"])


def _columns() -> None:
    """Further columns of what was there before."""
    op.add_column("experiments", sa.Column("updated_at", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("experiments", sa.Column("artifact_location", WORDS, nullable=True))
    op.add_column("runs", sa.Column("user_id", _varchar(255), nullable=True))
    op.add_column("tokens", sa.Column("holder", sa.Text(), nullable=True))
    op.execute("UPDATE experiments SET updated_at = coalesce(archived_at, created_at)")
