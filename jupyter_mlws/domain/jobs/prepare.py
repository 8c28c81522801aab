"""The beginning of a job: its working folder is laid from the snapshot, its token made, `job.json` written."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from jupyter_mlws.domain.access import service as access
from jupyter_mlws.domain.jobs import data, environments, kept, queue, remote, service, store
from jupyter_mlws.domain.jobs.errors import NotNow
from jupyter_mlws.domain.jobs.folder import Address, folder_of, fresh, write_job
from jupyter_mlws.domain.jobs.kinds import kind_of
from jupyter_mlws.domain.jobs.layout import materialize
from jupyter_mlws.domain.jobs.schemas import CommandSpec
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.secrets import service as secrets
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.kit.actors import ActorKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.jobs.engine import JobEngine
    from jupyter_mlws.domain.jobs.leases import Leases
    from jupyter_mlws.domain.jobs.store import Ask
    from jupyter_mlws.domain.jobs.tables import JobRow


T = TypeVar("T")


class Plan(NamedTuple):
    """What preparing needs to know."""

    row: JobRow
    ref: runs.RunRef
    names: runs.RunNames
    has_secrets: bool
    token: str | None = None
    """Made with the claim; a job that is prepared again gets another one."""


def prepare(engine: JobEngine, plan: Plan, folder: Path) -> bool:
    """Make the folder of a job ready to start. False if the job was canceled meanwhile."""
    run_id = plan.ref.id
    if plan.row.cancel_requested_at is not None:
        return False
    target = engine.target_to_begin(plan.row.target)  # a job of a target that was deleted does not run on this machine instead
    url = remote.url_for_jobs(engine, target)  # where a host is away that is found out before anything is laid
    fresh(folder)
    if plan.row.attempt > 1:  # what the attempt before left in it is stored
        for name in ("work", data.FOLDER):
            shutil.rmtree(engine.folders.job(run_id, plan.row.attempt - 1) / name, ignore_errors=True)
    if not plan.row.in_place or plan.row.source_dir is None:
        links = [(path, target) for path, target in plan.row.links]
        files = _while_wanted(engine, run_id, _files_of(engine, plan))
        materialize(folder / "work", plan.row.work_subdir, files, engine.blobs.path, links)
    token = plan.token or engine.db.write_sync(lambda s: _token_of(s, plan))
    address = Address(url, token, plan.ref.workspace, plan.names.experiment, plan.names.given)
    spec, cwd = service.spec_of(plan.row), folder_of(plan.row, folder)
    variables: dict[str, str] = {}
    if isinstance(spec, CommandSpec):
        places = data.lay(spec, folder, cwd, engine.mirrors, lambda files: _while_wanted(engine, run_id, files))
        spec, variables = msgspec.structs.replace(spec, command=places.put_into(spec.command)), places.variables()
    place = environments.place_of(engine, plan.row)
    launch = environments.put_before(kind_of(spec).launch(spec, cwd, folder), place)
    launch = remote.launched(target, launch, folder, plan.row.env)
    last = plan.row.attempt > plan.row.max_retries  # the others are followed by one
    if last and not remote.has_other_kernels(target):
        launch = kept.with_kernel_kept(launch, spec, engine.kept_kernel_s)
    write_job(
        plan.row,
        launch,
        folder,
        cwd,
        address,
        variables,
        place,
        here=remote.is_here(target),
        fetched=remote.is_fetched(target, url),
        passed=remote.passed(target),
    )
    return True


def _while_wanted(engine: JobEngine, run_id: str, files: Iterable[T]) -> Iterator[T]:
    """The files, until the server stops or the job is canceled: laying many takes its time."""
    for file in files:
        if not engine.wanted(run_id):
            raise NotNow("This job was canceled, or the server stops.")
        yield file


def _files_of(engine: JobEngine, plan: Plan) -> list[storage.SnapshotFile]:
    snapshot_id = plan.ref.snapshot_id
    return [] if snapshot_id is None else engine.db.read_sync(lambda s: storage.snapshot_files(s, snapshot_id))


def claim(session: Session, picks: Sequence[tuple[Ask, tuple[int, ...]]], target: str, leases: Leases) -> list[Plan]:
    """Move jobs out of the queue; what begins now, each with its token: one transaction for all of it."""
    plans = [plan_of(session, run_id) for run_id in queue.claim(session, picks, target, leases)]
    return [plan._replace(token=_token_of(session, plan)) for plan in plans]


def plan_of(session: Session, run_id: str) -> Plan:
    """What preparing a job needs to know."""
    row = store.by_id(session, run_id)
    if row is None:
        raise LookupError(run_id)
    has_secrets = bool(secrets.names_of_run(session, run_id))
    return Plan(row, runs.ref_by_id(session, run_id), runs.names_of(session, run_id), has_secrets)


def _token_of(session: Session, plan: Plan) -> str:
    """A token for a job, which speaks for who submitted it."""
    job, user, space = ActorKind.JOB, plan.names.user, plan.ref.workspace_id
    return access.issue_token(session, kind=job, user=user, workspace_id=space, run_id=plan.ref.id).secret
