"""When a job ended, and what it used, beside the job: the history of a compute target. What the last test of a target found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Of a job of before there were attempts its run tells how long it ran. A job may have logged under these names what was never measured
# (infinity, 1e300), which PostgreSQL makes no BIGINT of.
FILL = """
UPDATE jobs SET
  ended_at = (SELECT r.ended_at FROM runs r WHERE r.id = jobs.run_id),
  ran_ms = COALESCE(
    (SELECT SUM(CASE WHEN a.ended_at > a.started_at THEN a.ended_at - a.started_at ELSE 0 END)
       FROM job_attempts a WHERE a.run_id = jobs.run_id),
    (SELECT CASE WHEN r.ended_at > r.started_at THEN r.ended_at - r.started_at ELSE 0 END FROM runs r WHERE r.id = jobs.run_id)),
  cpu_time_s = (SELECT CASE WHEN m.value BETWEEN 0 AND 9e15 THEN m.value END FROM metric_latest m
    WHERE m.run_id = jobs.run_id AND m.key = 'system/job_cpu_time_seconds' AND NOT m.is_nan),
  peak_memory_bytes = (SELECT CASE WHEN m.max_value BETWEEN 0 AND 9e9 THEN CAST(m.max_value * 1000000 AS BIGINT) END FROM metric_latest m
    WHERE m.run_id = jobs.run_id AND m.key = 'system/job_memory_usage_megabytes')
WHERE phase = 'ended'
"""


def upgrade() -> None:
    op.add_column("jobs", sa.Column("ended_at", sa.BigInteger(), nullable=True))
    op.add_column("jobs", sa.Column("ran_ms", sa.BigInteger(), nullable=True))
    op.add_column("jobs", sa.Column("cpu_time_s", sa.Float(53), nullable=True))
    op.add_column("jobs", sa.Column("peak_memory_bytes", sa.BigInteger(), nullable=True))
    op.add_column("compute_targets", sa.Column("checked", sa.Text(), nullable=True))
    op.execute(FILL)
    op.create_index(op.f("ix_jobs_target_ended_at_run_id"), "jobs", ["target", "ended_at", "run_id"])
