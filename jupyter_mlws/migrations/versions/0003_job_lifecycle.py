"""Secrets of workspaces, and which jobs are given them; rules of retention."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _varchar(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    _secrets()
    _retention()


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
