"""The beginning of a job: its working folder is laid from the snapshot, its token made, `job.json` written."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from jupyter_mlws.domain.access import service as access
from jupyter_mlws.domain.jobs import data, environments, kept, remote, service, store
from jupyter_mlws.domain.jobs.errors import NotNow
from jupyter_mlws.domain.jobs.folder import Address, folder_of, fresh, write_job
from jupyter_mlws.domain.jobs.kinds import kind_of
from jupyter_mlws.domain.jobs.layout import materialize
from jupyter_mlws.domain.jobs.schemas import CommandSpec
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.kit.actors import ActorKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.jobs.engine import JobEngine
    from jupyter_mlws.domain.jobs.tables import JobRow


T = TypeVar("T")


class Plan(NamedTuple):
    """What preparing needs to know."""

    row: JobRow
    ref: runs.RunRef
    experiment: str
    name: str | None
    user: str
    files: list[storage.SnapshotFile]


def prepare(engine: JobEngine, run_id: str, folder: Path) -> bool:
    """Make the folder of a job ready to start. False if the job was canceled meanwhile."""
    plan = engine.db.read_sync(lambda s: _plan(s, run_id))
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
        files = _while_wanted(engine, run_id, plan.files)
        materialize(folder / "work", plan.row.work_subdir, files, engine.blobs.path, links)
    token = engine.db.write_sync(
        lambda s: access.issue_token(s, kind=ActorKind.JOB, user=plan.user, workspace_id=plan.ref.workspace_id, run_id=run_id)
    )
    address = Address(url, token.secret, plan.ref.workspace, plan.experiment, plan.name)
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


def _plan(session: Session, run_id: str) -> Plan:
    row = store.by_id(session, run_id)
    if row is None:
        raise LookupError(run_id)
    ref = runs.ref_by_id(session, run_id)
    files = [] if ref.snapshot_id is None else storage.snapshot_files(session, ref.snapshot_id)
    return Plan(
        row,
        ref,
        runs.experiment_name(session, run_id),
        runs.given_name(session, run_id),
        runs.user_of(session, run_id),
        files,
    )
