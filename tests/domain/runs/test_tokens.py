"""Tokens of jobs end with them, whatever ended them, and are forgotten in time."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from jupyter_mlws.db.database import Database
from jupyter_mlws.domain.access import service as access
from jupyter_mlws.domain.access.tables import TokenRow
from jupyter_mlws.domain.jobs import service as jobs
from jupyter_mlws.domain.jobs.schemas import CommandSpec, JobCreate
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.kit.actors import ActorKind
from tests.domain.runs.rows import ADA


def prepared(db: Database) -> tuple[str, str]:
    """A job that has its token, and the token."""
    spec = CommandSpec(command="true")
    found = jobs.Prepared(spec, "true", "Default", None, None, "", [], [], {})
    body = JobCreate(spec=spec, target="local")
    job = db.write_sync(lambda s: jobs.add_job(s, ADA, "default", body, found, key=None, body_hash=""))
    db.write_sync(lambda s: runs.change_status(s, job.run.id, RunStatus.PREPARING, actor="mlws"))
    token = db.write_sync(lambda s: access.issue_token(s, kind=ActorKind.JOB, user="ada", run_id=job.run.id))
    return job.run.id, token.secret


@pytest.mark.parametrize(
    ("status", "reason"),
    [(RunStatus.FAILED, "spawn_failed"), (RunStatus.CANCELED, "canceled"), (RunStatus.FAILED, "lost")],
)
def test_whatever_ends_a_job_ends_its_token(db: Database, status: RunStatus, reason: str):
    run_id, secret = prepared(db)
    assert db.read_sync(lambda s: access.actor_of_token(s, secret)) is not None
    db.write_sync(lambda s: runs.change_status(s, run_id, status, actor="mlws", reason=reason))
    assert db.read_sync(lambda s: access.actor_of_token(s, secret)) is None


def test_tokens_that_are_long_dead_are_forgotten(db: Database):
    ids = {}
    for name, ended_at in (("revoked", 1_000), ("expired", 1_000), ("just now", 3_000), ("living", None)):
        column = TokenRow.expires_at if name == "expired" else TokenRow.revoked_at
        made = db.write_sync(lambda s: access.issue_token(s, kind=ActorKind.KERNEL, user="ada"))
        changed = update(TokenRow).where(TokenRow.id == made.id).values({column: ended_at})
        db.write_sync(lambda s, changed=changed: s.execute(changed))  # type: ignore[misc]
        ids[made.id] = name
    db.write_sync(lambda s: access.forget_old_tokens(s, 2_000))
    left = db.read_sync(lambda s: list(s.execute(select(TokenRow.id)).scalars()))
    assert sorted(ids[token] for token in left) == ["just now", "living"]
