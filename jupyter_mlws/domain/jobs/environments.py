"""The environments that jobs name: chosen at submit, seen to while a job waits, put before its processes when it begins."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from jupyter_mlws.domain.environments import service as environments
from jupyter_mlws.domain.environments.errors import UnusableEnvironment
from jupyter_mlws.domain.environments.schemas import KernelDefinition, PythonDefinition
from jupyter_mlws.domain.environments.states import BuildStatus
from jupyter_mlws.domain.jobs import queue, remote, service, store
from jupyter_mlws.domain.jobs.schemas import NotebookSpec
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.errors import StatusConflict
from jupyter_mlws.domain.runs.schemas import RunError
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.kit.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.environments.service import Chosen, Place
    from jupyter_mlws.domain.jobs.engine import JobEngine
    from jupyter_mlws.domain.jobs.kinds import Launch
    from jupyter_mlws.domain.jobs.schemas import Spec
    from jupyter_mlws.domain.jobs.tables import JobRow
    from jupyter_mlws.kit.transactions import Transactions

log = logging.getLogger(__name__)

REASON = "environment"


# --- at submit


async def choose(services: Any, db: Transactions, workspace: str, reference: str, spec: Spec) -> Chosen:
    """What a job means by the environment that it names, once it is known that it could run there."""
    aliases = await asyncio.to_thread(services.aliases.table)
    chosen = await db.read(lambda s: environments.choose(s, workspace, reference, aliases))
    await asyncio.to_thread(check, services, chosen, spec)
    return chosen


def check(services: Any, chosen: Chosen, spec: Spec) -> None:
    """Raise `UnusableEnvironment` if a job cannot run in an environment. Blocks."""
    kind = str(spec.__struct_config__.tag)
    environments.usable(chosen, kind)
    if isinstance(spec, NotebookSpec):
        services.environments.check_notebooks(chosen)
    if isinstance(chosen.definition, (KernelDefinition, PythonDefinition)):
        found = services.environments.tell(chosen.definition)
        if found.status is not BuildStatus.READY:
            raise UnusableEnvironment(f"The environment {chosen.shown} cannot be used: {found.message}", field="environment")


def with_kernel(spec: Any, chosen: Chosen | None) -> Any:
    """The spec with the kernel that its environment is. Raises `UnusableEnvironment` where it names another one."""
    if chosen is None or not isinstance(spec, NotebookSpec):
        return spec
    if isinstance(chosen.definition, KernelDefinition):
        if spec.kernel not in (UNSET, chosen.definition.kernel):
            words = f"The environment {chosen.shown} is the kernel {chosen.definition.kernel!r}; leave `kernel` out."
            raise UnusableEnvironment(words, field="spec.kernel")
        return msgspec.structs.replace(spec, kernel=chosen.definition.kernel)
    if spec.kernel is not UNSET:
        words = f"The environment {chosen.shown} has a kernel of its own; leave `kernel` out, or the environment."
        raise UnusableEnvironment(words, field="spec.kernel")
    return spec


def begin_build(services: Any, chosen: Chosen) -> None:
    """What a new job needs is built, even if that failed before. Raises `UnusableEnvironment` where it cannot be. Blocks."""
    if services.environments.tell(chosen.definition).status in (BuildStatus.NOT_BUILT, BuildStatus.FAILED):
        services.environments.build(chosen.definition, environments.Whose(chosen.workspace, chosen.name))


# --- while it waits


def see_to(engine: JobEngine, wanted: Iterable[int]) -> None:
    """Look at the environments that queued jobs wait for: begin builds, note why jobs wait, end those that wait in vain."""
    for environment_id in wanted:
        words, vain = _look(engine, environment_id)
        if vain:
            engine.db.write_sync(lambda s, i=environment_id, w=words: _fail(s, i, w))  # type: ignore[misc]
        queue.Queues.environments[environment_id] = words


def _look(engine: JobEngine, environment_id: int) -> tuple[str, bool]:
    """(why jobs wait for it, whether they wait in vain)."""
    chosen = engine.db.read_sync(lambda s: environments.chosen_of(s, environment_id))
    if chosen is None or engine.environments is None:
        return "The environment that this job named is not there any more.", True
    whose = environments.Whose(chosen.workspace, chosen.name)
    try:
        found = engine.environments.ready(chosen, whose)
    except UnusableEnvironment as error:
        return error.message, True
    if found.status is BuildStatus.READY:
        return "", False
    if found.status is BuildStatus.FAILED:
        log_words = f" `mlws environment log {chosen.shown}` shows the log of the build." if found.hash is not None else ""
        return f"The environment {chosen.shown} cannot be used. {found.message}{log_words}", True
    more = f" {found.message}" if found.message else ""
    return f"The environment {chosen.shown} is being built.{more}", False


def _fail(session: Session, environment_id: int, words: str) -> None:
    for run_id in store.queued_with(session, environment_id):
        store.hold(session, run_id)
        if not store.is_queued(session, run_id):
            continue  # it left the queue of another server meanwhile
        try:
            runs.change_status(
                session, run_id, RunStatus.FAILED, actor="mlws", reason=REASON, error=RunError(message=words, kind="Environment")
            )
        except StatusConflict:
            log.debug("Run %s went on by itself", run_id)


def hashes_in_use(session: Session) -> set[str]:
    """Hashes of the definitions whose builds are needed here: of jobs that have not ended, and of environments that are not archived."""
    return environments.hashes_in_use(session, store.environments_in_use(session))


# --- when it begins


def place_of(engine: JobEngine, row: JobRow, *, begins: bool = True) -> Place | None:
    """Where the interpreter of a job's environment lies; None if it named none, or a kernel.

    Raises `UnusableEnvironment` if it was taken away; for a job that `begins` it is then built anew, and meanwhile `Unavailable` is raised.
    """
    if row.environment_id is None or engine.environments is None:
        return None
    chosen = engine.db.read_sync(lambda s: environments.chosen_of(s, int(row.environment_id or 0)))
    if chosen is None:
        raise UnusableEnvironment(f"The environment {row.environment} is not there any more.")
    whose = environments.Whose(chosen.workspace, chosen.name)
    if begins and engine.environments.ready(chosen, whose).status is BuildStatus.BUILDING:
        raise Unavailable(f"The environment {chosen.shown} is being built again, for what was built is no longer there.")
    return engine.environments.place(chosen)


def put_before(launch: Launch, place: Place | None) -> Launch:
    """A notebook's kernel runs with the environment's interpreter; the runner stays with the server's."""
    section = launch.sections.get("notebook")
    if place is None or section is None:
        return launch
    return launch._replace(sections={**launch.sections, "notebook": {**section, "python": place.interpreter}})


def note_capture(engine: JobEngine, row: JobRow) -> None:
    """What a job runs in, where that was not noted yet: by the submit, which could not wait for a build. Blocks."""
    known = engine.db.read_sync(lambda s: environments.of_run(s, row.run_id))
    if environments.is_whole(known):
        return
    target = engine.target(row.target)
    if remote.has_other_kernels(target):
        found = remote.environment(target, known.git)
    else:
        try:
            place = place_of(engine, row, begins=False)
        except UnusableEnvironment as error:
            log.info("What job %s ran in is not noted: %s", row.run_id, error)
            return
        kernel = service.kernel_of(service.spec_of(row))
        found = environments.capture_environment(
            kernel, known.git, interpreter=None if place is None else place.interpreter, environment=row.environment
        )
    engine.db.write_sync(lambda s: store.by_id(s, row.run_id) and environments.store_capture(s, row.run_id, found))
