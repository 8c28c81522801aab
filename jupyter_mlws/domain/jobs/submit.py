"""What the routes of jobs do beyond one database call: submitting, running again, keeping files, finding logs."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

from jupyter_mlws.domain.compute.schemas import JobResources
from jupyter_mlws.domain.compute.service import LOCAL
from jupyter_mlws.domain.environments import service as environments
from jupyter_mlws.domain.environments.errors import UnknownEnvironment
from jupyter_mlws.domain.environments.schemas import KernelDefinition
from jupyter_mlws.domain.jobs import data, queue, remote, secret_values, service, sources, store
from jupyter_mlws.domain.jobs import environments as job_environments
from jupyter_mlws.domain.jobs.errors import ComputeMissing, FileNotThere, UnknownParameter
from jupyter_mlws.domain.jobs.kinds import ExtensionKind, kind_of
from jupyter_mlws.domain.jobs.notebooks import inspect_notebook
from jupyter_mlws.domain.jobs.schemas import (
    CommandSpec,
    ExtensionSpec,
    Job,
    JobCreate,
    JobParameters,
    NotebookInspection,
    NotebookSpec,
    ReRun,
    Spec,
)
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.secrets import service as secrets
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.decoding import check_values
from jupyter_mlws.kit.errors import BadInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.compute.service import Compute
    from jupyter_mlws.domain.jobs.notebooks import Inspected
    from jupyter_mlws.domain.jobs.service import Prepared
    from jupyter_mlws.domain.jobs.tables import JobRow
    from jupyter_mlws.kit.actors import Actor
    from jupyter_mlws.kit.transactions import Transactions

log = logging.getLogger(__name__)

ARGUMENT_BYTES = 128 * 1024 - 1
"""Linux gives a program no longer argument or variable, its closing NUL aside."""

installed_kernels = sources.installed_kernels
_background: set[asyncio.Task[None]] = set()


async def submit(services: Any, db: Transactions, actor: Actor, workspace: str, body: JobCreate, key: str | None) -> Job:
    """Freeze the sources, queue the job, answer."""
    digest = await asyncio.to_thread(_checked, body)
    if key is not None:
        known = await db.read(lambda s: service.find_by_key(s, workspace, key, digest))
        if known is not None:
            return await db.read(lambda s: service.get_job(s, actor, known))
    await _check_places(services, db, workspace, body)
    chosen, body = await _in_environment(services, db, workspace, body)
    prepared = await asyncio.to_thread(_frozen, db, services, actor, body)
    return await _add(services, db, actor, workspace, body, prepared._replace(environment=chosen), key, digest)


async def _add(
    services: Any,
    db: Transactions,
    actor: Actor,
    workspace: str,
    body: JobCreate,
    prepared: Prepared,
    key: str | None,
    digest: str,
) -> Job:
    """Queue a job whose sources are frozen."""
    prepared = await asyncio.to_thread(_noted, services, prepared, body.target)
    job = await db.write(lambda s: service.add_job(s, actor, workspace, body, prepared, key=key, body_hash=digest))
    services.jobs.wake()
    if prepared.capture is None:
        _later(_capture(db, job.run.id, prepared, services.jobs.target(job.run.target or LOCAL)))
    return job


def _noted(services: Any, prepared: Prepared, target: str) -> Prepared:
    """The same with what it reads and writes, and, where that is known at once, with what it runs in."""
    chosen = prepared.environment
    if chosen is not None:
        job_environments.begin_build(services, chosen)
    prepared = prepared._replace(used=data.noted(prepared.spec, services.settings.mirror_map))
    if remote.has_other_kernels(services.jobs.target(target)) or _is_noted_later(chosen):
        return prepared
    shown = None if chosen is None else chosen.shown
    known = environments.capture_at_once(service.kernel_of(prepared.spec), prepared.git, environment=shown)
    return prepared._replace(capture=known)


def _is_noted_later(chosen: environments.Chosen | None) -> bool:
    """Whether what an environment has is noted when the job begins: until then it may have to be built."""
    return chosen is not None and not isinstance(chosen.definition, KernelDefinition)


async def _in_environment(
    services: Any, db: Transactions, workspace: str, body: JobCreate
) -> tuple[environments.Chosen | None, JobCreate]:
    """The environment that a job names, and the job with the kernel that this is."""
    if body.environment is UNSET:
        return None, body
    chosen = await job_environments.choose(services, db, workspace, body.environment, body.spec)
    remote.check_environment(services.jobs.target(body.target), chosen)
    return chosen, msgspec.structs.replace(body, spec=job_environments.with_kernel(body.spec, chosen))


def _frozen(db: Transactions, services: Any, actor: Actor, body: JobCreate) -> Prepared:
    """The sources, and the state of their repository: both of this moment."""
    prepared = kind_of(body.spec).freeze(db, services, actor, body)
    prepared = prepared._replace(spec=_with_limits(services, prepared.spec))
    return prepared._replace(git=environments.git_state(Path(prepared.source_dir))) if prepared.source_dir else prepared


def _with_limits(services: Any, spec: Spec) -> Spec:
    """A job that says nothing of its memory has the limit of this server, if it has one."""
    usual = services.settings.job_memory_limit
    return spec if usual is None or spec.memory_limit is not UNSET else msgspec.structs.replace(spec, memory_limit=usual)


async def check(
    services: Any, db: Transactions, actor: Actor, workspace: str, body: JobCreate, *, sources_here: bool = True
) -> None:
    """What `submit` would refuse, as far as it can be known without storing anything. `sources_here`: the server sees the sources."""
    await asyncio.to_thread(_checked, body)
    await _check_places(services, db, workspace, body)
    _, body = await _in_environment(services, db, workspace, body)
    if sources_here:
        await asyncio.to_thread(sources.check, services, actor, body)


def _checked(body: JobCreate) -> str:
    """SHA-256 of a job whose free values can be kept. In a thread: there may be megabytes of it."""
    if isinstance(body.spec, NotebookSpec) and body.spec.parameters is not UNSET:
        check_values(body.spec.parameters, "spec.parameters")
    if isinstance(body.spec, ExtensionSpec) and body.spec.settings is not UNSET:
        check_values(body.spec.settings, "spec.settings")
    if isinstance(body.spec, CommandSpec):
        _check_length(body.spec.command, "The command", "spec.command")
    _check_env(body.env or {})
    return hashlib.sha256(msgspec.json.encode(body)).hexdigest()


def _check_env(env: Mapping[str, str | None]) -> None:
    for name, value in env.items():
        _check_length(f"{name}={value or ''}", f"The environment variable {name}", f"env.{name}")


def _check_length(text: str, what: str, field: str) -> None:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > ARGUMENT_BYTES:
        raise TooLarge(
            f"{what} has {size:,} bytes; a program can be given {ARGUMENT_BYTES:,} at most. Put it into a file.", field=field
        )


async def _check_places(services: Any, db: Transactions, workspace: str, body: JobCreate) -> None:
    if body.target not in services.jobs.computes:
        there = ", ".join(sorted(services.jobs.computes))
        raise ComputeMissing(f"There is no compute target {body.target[:80]!r}; there are: {there}.", field="target")
    if services.jobs.computes[body.target].problem:
        raise ComputeMissing(services.jobs.computes[body.target].problem, field="target")
    await _check_target(services.jobs.computes[body.target], body)
    if body.resources is not UNSET:
        queue.check_resources(body.resources, body.target)
    await db.read(lambda s: service.check_workspace(s, workspace))
    await _check_secrets(services, db, workspace, body)


async def _check_target(compute: Compute, body: JobCreate) -> None:
    if remote.has_other_kernels(compute) or remote.is_remote(compute):  # they may have to be asked
        await asyncio.to_thread(remote.check, compute, body)


async def _check_secrets(services: Any, db: Transactions, workspace: str, body: JobCreate) -> None:
    named = body.secrets or {}
    secret_values.check(services.jobs.computes[body.target], named, body.env or {})
    if named:
        await db.read(lambda s: secrets.check_known(s, workspace, named.values()))


def _later(work: Any) -> None:
    task = asyncio.ensure_future(work)
    _background.add(task)
    task.add_done_callback(_background.discard)


async def _capture(db: Transactions, run_id: str, prepared: Prepared, target: Compute) -> None:
    """Note interpreter and packages; the submit does not wait for it. Where it fails they are noted at the job's end."""
    chosen = prepared.environment
    if _is_noted_later(chosen):
        return
    shown = None if chosen is None else chosen.shown
    capture = partial(environments.capture_environment, service.kernel_of(prepared.spec), prepared.git, environment=shown)
    try:
        found = (
            await asyncio.to_thread(capture) if not remote.has_other_kernels(target) else remote.environment(target, prepared.git)
        )
        await db.write(lambda s: environments.store_capture(s, run_id, found))
    except Exception:
        log.exception("The environment of job %s could not be captured", run_id)


async def rerun(services: Any, db: Transactions, actor: Actor, run_id: str, body: ReRun, key: str | None) -> Job:
    """Submit a job again from its own snapshot."""
    digest = await asyncio.to_thread(_checked_rerun, run_id, body)
    row, ref, experiment = await db.read(lambda s: _original(s, actor, Action.SUBMIT, run_id))
    chosen = await _environment_again(services, db, row, ref.workspace, body)
    spec, params = await _changed(services, db, row, ref, body, chosen)
    if body.memory_limit is not UNSET:
        spec = msgspec.structs.replace(spec, memory_limit=UNSET if body.memory_limit is None else body.memory_limit)
    new = JobCreate(
        spec=spec,
        experiment=body.experiment if body.experiment is not UNSET else experiment,
        name=body.name,
        target=body.target if body.target is not UNSET else row.target,
        priority=body.priority if body.priority is not UNSET else row.priority,
        timeout_s=(body.timeout_s if body.timeout_s is not UNSET else row.timeout_s) or UNSET,
        max_retries=body.max_retries if body.max_retries is not UNSET else row.max_retries,
        resources=(body.resources if body.resources is not UNSET else _asked(row)) or UNSET,
        tags={**(body.tags or {}), "mlws.rerun_of": run_id},
        note=body.note,
        env=_merged(row.env, body.env),
        secrets=_merged(await db.read(lambda s: secrets.names_of_run(s, run_id)), body.secrets),
        in_place=row.in_place,
    )
    if body.target is not UNSET or body.resources is not UNSET:
        await _check_places(services, db, ref.workspace, new)
    else:
        await _check_target(services.jobs.target(new.target), new)
        if new.secrets is not UNSET:
            await _check_secrets(services, db, ref.workspace, new)
    remote.check_environment(services.jobs.target(new.target), chosen)
    source = spec.command if isinstance(spec, CommandSpec) else await db.read(lambda s: runs.source_of(s, run_id))
    prepared = service.Prepared(
        spec, source, experiment, ref.snapshot_id, row.source_dir, row.work_subdir,
        row.links, row.not_captured, params, (await db.read(lambda s: environments.of_run(s, run_id))).git, chosen,
    )  # fmt: skip
    return await _add(services, db, actor, ref.workspace, new, prepared, key, digest)


async def _environment_again(
    services: Any, db: Transactions, row: JobRow, workspace: str, body: ReRun
) -> environments.Chosen | None:
    """The environment of a job that runs again: another one that is named, else the very version that it had."""
    if body.environment is None or (body.environment is UNSET and row.environment_id is None):
        return None
    spec = service.spec_of(row)
    if isinstance(body.environment, str):
        return await job_environments.choose(services, db, workspace, body.environment, spec)
    chosen = await db.read(lambda s: environments.chosen_of(s, int(row.environment_id or 0)))
    if chosen is None:
        raise UnknownEnvironment(
            f"The environment {row.environment} is not there any more; name another one.", field="environment"
        )
    await asyncio.to_thread(job_environments.check, services, chosen, spec)
    return chosen


def _merged(had: Mapping[str, str], given: Mapping[str, str | None] | UnsetType) -> dict[str, str] | UnsetType:
    """What a job had by name, with what is given changed; None takes one away."""
    return {name: value for name, value in {**had, **(given or {})}.items() if value is not None} or UNSET


def _asked(row: JobRow) -> JobResources:
    return JobResources(cpus=row.cpus or UNSET, memory_bytes=row.memory_bytes or UNSET, gpus=row.gpus or UNSET)


def _checked_rerun(run_id: str, body: ReRun) -> str:
    """SHA-256 of a job that runs again with changes that can be kept, as `_checked` has it of one that is submitted."""
    if body.parameters is not UNSET:
        check_values(body.parameters, "parameters")
    if body.command is not UNSET:
        _check_length(body.command, "The command", "command")
    _check_env(body.env or {})
    return hashlib.sha256(run_id.encode() + msgspec.json.encode(body)).hexdigest()


async def _changed(
    services: Any, db: Transactions, row: JobRow, ref: runs.RunRef, body: ReRun, chosen: environments.Chosen | None
) -> tuple[Spec, dict[str, str]]:
    """What runs again, with what is given changed, and the params of its run."""
    spec = service.spec_of(row)
    if isinstance(spec, NotebookSpec):
        if body.command is not UNSET:
            raise BadInput("A notebook has no command line; this is for command jobs.", field="command")
        inspected = await _snapshot_notebook(services, db, row, ref, spec)
        parameters = {**(spec.parameters or {}), **(body.parameters or {})}
        keep = spec.keep_kernel_on_failure if body.keep_kernel_on_failure is UNSET else body.keep_kernel_on_failure
        # That of an environment which it has no longer, or that of the notebook, is not meant any more.
        kept = spec.kernel if body.environment is UNSET else UNSET
        kernel = body.kernel if body.kernel is not UNSET else kept
        spec = msgspec.structs.replace(spec, kernel=kernel, parameters=parameters or UNSET, keep_kernel_on_failure=keep)
        name = spec.notebook.rsplit("/", 1)[-1].removesuffix(".ipynb")
        spec = job_environments.with_kernel(spec, chosen)
        target = services.jobs.computes.get(row.target if body.target is UNSET else body.target)
        checked = partial(sources.checked_spec, in_environment=chosen is not None)
        spec = await asyncio.to_thread(checked, spec, inspected._replace(name=name), target)
        return spec, sources.params_of(inspected.parameters, spec)
    if body.parameters is not UNSET:
        raise UnknownParameter("A command takes no parameters; they are for notebooks.", field="parameters")
    if body.kernel is not UNSET:
        raise BadInput("A command runs without a kernel; kernels are for notebooks.", field="kernel")
    if body.keep_kernel_on_failure is not UNSET:
        raise BadInput("A command runs without a kernel; there is none to keep.", field="keep_kernel_on_failure")
    if isinstance(spec, CommandSpec):
        spec = msgspec.structs.replace(spec, command=body.command if body.command is not UNSET else spec.command)
        data.check_expressions(spec, "command")
        return spec, {}
    if body.command is not UNSET:
        raise BadInput("This job has no command line; this is for command jobs.", field="command")
    kind = kind_of(spec)
    return spec, kind.params(dict(spec.settings or {})) if isinstance(kind, ExtensionKind) else {}


async def parameters(services: Any, db: Transactions, actor: Actor, run_id: str) -> JobParameters:
    """What may be given when the job is run again: the parameters of its snapshot's notebook, not of the file as it is now."""
    row, ref, _ = await db.read(lambda s: _original(s, actor, Action.READ, run_id))
    spec = service.spec_of(row)
    if not isinstance(spec, NotebookSpec):
        return JobParameters(parameters=[])
    return JobParameters(parameters=(await _snapshot_notebook(services, db, row, ref, spec)).parameters)


async def _snapshot_notebook(services: Any, db: Transactions, row: JobRow, ref: runs.RunRef, spec: NotebookSpec) -> Inspected:
    """What the notebook in a job's snapshot says of itself."""
    blob = await db.read(lambda s: _notebook_blob(s, row, ref))
    return await asyncio.to_thread(inspect_notebook, services.blobs.path(blob), shown=spec.notebook)


def _original(session: Session, actor: Actor, action: Action, run_id: str) -> tuple[JobRow, runs.RunRef, str]:
    ref = runs.open_run(session, actor, action, run_id)
    return service.job_row(session, run_id), ref, runs.names_of(session, run_id).experiment


def _notebook_blob(session: Session, row: JobRow, ref: runs.RunRef) -> str:
    """Hash of the notebook in a job's snapshot."""
    name = str(row.spec["notebook"]).replace("\\", "/")
    paths = {file.path: file.sha256 for file in storage.snapshot_files(session, ref.snapshot_id or "")}
    found = paths.get(name) if row.source_dir is None else paths.get(name.rsplit("/", 1)[-1])
    if found is None:
        raise FileNotThere("The snapshot of this job no longer has its notebook.")
    return found


async def inspect(services: Any, actor: Actor, path: str) -> NotebookInspection:
    """What the submit dialog needs to know of a notebook."""
    return await asyncio.to_thread(sources.inspection, services, actor, path)


@runs.finding_origin.register
def _origin_of_jobs(session: Session, origin: runs.Origin) -> None:
    row = store.by_id(session, origin.run_id)
    if row is not None and row.source_dir is not None:
        origin.folder = Path(row.source_dir)
