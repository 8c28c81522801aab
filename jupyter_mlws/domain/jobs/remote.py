"""Jobs on other machines, as far as they differ: they may be out of reach, and what they log is taken from the copy of their spool."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from jupyter_mlws.domain.compute.errors import TargetRefuses
from jupyter_mlws.domain.compute.service import parts_of
from jupyter_mlws.domain.environments.schemas import EnvironmentCapture
from jupyter_mlws.domain.jobs import ingest, queue
from jupyter_mlws.domain.jobs.errors import NotNow
from jupyter_mlws.domain.jobs.followed import begun
from jupyter_mlws.domain.jobs.schemas import NotebookSpec
from jupyter_mlws.domain.jobs.secret_values import masker_of
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.kit.errors import Unavailable
from mlws import jobdir, spool
from mlws.errors import Rejected, ServerAway

if TYPE_CHECKING:
    from collections.abc import Collection

    from jupyter_mlws.domain.compute.service import BatchSystem, Compute, KernelsElsewhere, RemoteCompute
    from jupyter_mlws.domain.environments.schemas import GitState
    from jupyter_mlws.domain.environments.service import Chosen
    from jupyter_mlws.domain.jobs.engine import JobEngine
    from jupyter_mlws.domain.jobs.followed import Followed
    from jupyter_mlws.domain.jobs.kinds import Launch
    from jupyter_mlws.domain.jobs.schemas import JobCreate

EVERY_S = 1.0
PATIENCE_S = 10.0
"""So long a submit waits for a host to say what it has."""


def is_remote(compute: Compute) -> bool:
    """Whether jobs of this target run on another machine."""
    return bool(getattr(compute, "remote", False))


def is_here(compute: Compute) -> bool:
    """Whether jobs of this target run in their folders on this server, and with what is installed here, be it on another machine."""
    return not is_remote(compute) or bool(getattr(compute, "shared", False))


def has_other_kernels(compute: Compute) -> bool:
    """Whether the kernels of notebooks on this target are none of those that are installed here."""
    return not is_here(compute) or bool(getattr(compute, "kernels_elsewhere", False))


def is_fetched(compute: Compute, url: str) -> bool:
    """Whether what jobs of this target log is taken from their folders; `url`: how they reach this server, if they do."""
    return hasattr(compute, "address_for_jobs") and not url


def passed(compute: Compute) -> tuple[str, ...]:
    """How the variables begin that a job has from who starts its supervisor."""
    return tuple(getattr(compute, "passed", ()))


def problem(compute: Compute) -> str:
    """Why nothing starts on a target now; empty while it does."""
    return compute.problem or str(getattr(compute, "unreachable", ""))


def tell_waiting(engine: JobEngine, compute: Compute, followed: Followed) -> None:
    """Say why the batch system has not begun a job yet."""
    if not hasattr(compute, "waits"):
        return
    words = cast("BatchSystem", compute).waits(followed.folder) if followed.status is RunStatus.PREPARING else ""
    if words != queue.Queues.outside.get(followed.run_id, ""):
        if words:
            queue.Queues.outside[followed.run_id] = words
        else:
            queue.Queues.outside.pop(followed.run_id, None)
        engine.hint(followed)


def note_end(compute: Compute, folder: Path) -> None:
    """Keep how a batch system says that it ended a job. Raises `NotNow` while it does not say that yet."""
    if hasattr(compute, "note_end") and not cast("BatchSystem", compute).note_end(folder):
        raise NotNow("The batch system has not said yet how the job ended.")


def check(compute: Compute, body: JobCreate) -> None:
    """Raise `TargetRefuses` for what cannot be done on another machine. Asks a host that is to run a notebook; may block."""
    if getattr(compute, "kernels_elsewhere", False):
        _check_kernels(cast("KernelsElsewhere", compute), body)
    if not is_remote(compute):
        return
    kind = str(body.spec.__struct_config__.tag)
    asks = isinstance(body.spec, NotebookSpec) and not is_here(compute)
    found = cast("RemoteCompute", compute).notebooks(PATIENCE_S) if asks else None
    kinds = cast("RemoteCompute", compute).kinds
    if isinstance(body.spec, NotebookSpec) and found is None:  # what it said before may have changed: it finds out when it begins
        kinds |= {kind}
    if kind not in kinds:
        why = f", for {found.missing}. `mlws compute test {compute.name}` says what to do" if found is not None else ""
        raise TargetRefuses(
            f"{compute.name} runs jobs of the kind {' and '.join(sorted(kinds))}; this one is of the kind {kind}{why}. `--target local` "
            "runs it here.",
            field="target",
        )
    if isinstance(body.spec, NotebookSpec) and body.spec.keep_kernel_on_failure is True:
        raise TargetRefuses(
            f"The kernel of a job on {compute.name} cannot be kept: nobody here could open it. Leave `keep_kernel_on_failure` out.",
            field="spec.keep_kernel_on_failure",
        )
    if body.in_place is True and not is_here(compute):
        raise TargetRefuses(
            f"A job on {compute.name} cannot run in the folder itself: that lies on this machine. Leave `in_place` out.",
            field="in_place",
        )


def _check_kernels(compute: KernelsElsewhere, body: JobCreate) -> None:
    """Raise `TargetRefuses` for what a kernel on another server cannot do."""
    kind = str(body.spec.__struct_config__.tag)
    if not isinstance(body.spec, NotebookSpec):
        raise TargetRefuses(
            f"{compute.name} has kernels of another Jupyter server, which run notebooks; this job is of the kind {kind}, and a kernel runs "
            "no programs for it. `--target local` runs it here.",
            field="target",
        )
    if body.spec.keep_kernel_on_failure is True:
        raise TargetRefuses(
            f"The kernel of a job on {compute.name} cannot be kept: it is on another server, and ends with the job. Leave "
            "`keep_kernel_on_failure` out.",
            field="spec.keep_kernel_on_failure",
        )
    if body.in_place is True:
        raise TargetRefuses(
            f"A job on {compute.name} cannot run in the folder itself: its kernel does not see that. Leave `in_place` out.",
            field="in_place",
        )


def check_environment(compute: Compute, chosen: Chosen | None) -> None:
    """Raise `TargetRefuses` for a job with an environment on another machine: they are built, and known, on this one."""
    if chosen is not None and getattr(compute, "kernels_elsewhere", False):
        raise TargetRefuses(
            f"A job on {compute.name} cannot have the environment {chosen.shown}: that is built on this machine, and its kernel runs on "
            f"another. Leave `environment` out, and name a kernel of that server: `mlws compute test {compute.name}` lists them.",
            field="environment",
        )
    if chosen is not None and not is_here(compute):
        raise TargetRefuses(
            f"A job on {compute.name} cannot have the environment {chosen.shown}: environments are built on this machine. Leave "
            "`environment` out; the job finds what is on the PATH there.",
            field="environment",
        )


def kernels(compute: Compute, wanted: str | None) -> Collection[str] | None:
    """The kernels of another machine; None where it is away, and the job finds out when it begins. May block."""
    found = cast("RemoteCompute", compute).notebooks(PATIENCE_S, kernel=wanted)
    return None if found is None else [kernel.name for kernel in found.kernels]


def usual_kernel(compute: Compute) -> str | None:
    """The kernel of notebooks whose own one the target has not, if it says one."""
    return cast("KernelsElsewhere", compute).usual_kernel if getattr(compute, "kernels_elsewhere", False) else None


def kernel_there(compute: Compute, name: str | None) -> str | None:
    """What a kernel is called on the target: a notebook that was worked on in one of its kernels names it as this server does."""
    parts = parts_of(name) if name is not None and getattr(compute, "kernels_elsewhere", False) else None
    return parts[1] if parts is not None and parts[0] == compute.name.lower() else name


def launched(compute: Compute, launch: Launch, job_dir: Path, variables: Collection[str]) -> Launch:
    """What is started on another machine, where a notebook has the Python of the target and the runner that travelled there; and where
    its kernel alone is elsewhere, how the runner finds that."""
    if getattr(compute, "kernels_elsewhere", False):
        notebook = launch.sections["notebook"]
        told = cast("KernelsElsewhere", compute).bridge(str(notebook["kernel"]), job_dir, Path(notebook["cwd"]))
        given = {**notebook, "bridge": {**told, "variables": sorted(variables)}}
        return launch._replace(sections={**launch.sections, "notebook": given})
    if is_here(compute) or "notebook" not in launch.sections:
        return launch
    return launch._replace(argv=["{python}", "{runner}", "notebook", str(job_dir)])


def environment(compute: Compute, git: GitState | None) -> EnvironmentCapture:
    """What is known of where a job on another machine runs: its packages are that machine's, and nobody looked at them."""
    facts = cast("RemoteCompute", compute).facts
    system = "-".join(str(facts[name]) for name in ("system", "machine") if facts.get(name))
    return EnvironmentCapture(platform=system or compute.name, git=git)


def url_for_jobs(engine: JobEngine, compute: Compute) -> str:
    """How jobs of a target reach this server; empty where they do not. Asks the host."""
    return cast("RemoteCompute", compute).address_for_jobs() if hasattr(compute, "address_for_jobs") else engine.url


def words_of_away(compute: Compute, folder: Path) -> str:
    """Why the target cannot be asked for the job of a folder now; empty while it can be."""
    return cast("RemoteCompute", compute).away(folder) if is_remote(compute) else ""


def away(compute: Compute, followed: Followed) -> str:
    """Why the target cannot be asked for the job now; such a job is not lost."""
    words = words_of_away(compute, followed.folder)
    if words:
        queue.Queues.held_up[followed.run_id] = f"It is not known how the job does: {words}"
    else:
        queue.Queues.held_up.pop(followed.run_id, None)
    return words


def given_up(compute: Compute, followed: Followed) -> bool:
    """Whether the job was sent to a host whose target was deleted since: nobody asks for it any more."""
    return not is_remote(compute) and (followed.folder / jobdir.SENT).exists()


def taken_back(compute: Compute, followed: Followed) -> bool:
    """Whether the host never began with a job that was sent to it: then it is prepared again, or ends there if it was canceled."""
    if not is_remote(compute) or followed.status not in (RunStatus.PREPARING, RunStatus.CANCEL_REQUESTED):
        return False
    if not cast("RemoteCompute", compute).take_back(followed.folder) or begun(followed.folder):
        return False
    followed.unprepared = True
    return True


def follow_spool(engine: JobEngine, followed: Followed) -> None:
    """Take in what a running job has logged since the last look, where it cannot send it."""
    now = time.monotonic()
    if now - followed.spool_at < EVERY_S:
        return
    followed.spool_at = now
    mark = jobdir.read_json(str(followed.folder / jobdir.SENT))
    comes = mark is not None and mark.get("fetched") is not False
    if not comes and not getattr(engine.target(followed.target), "pulls", False):
        return
    paths = spool.waiting(str(followed.folder / "spool"))
    if not paths:
        return
    with contextlib.suppress(ServerAway, Unavailable, OSError):  # the next look tries again
        masker = masker_of(engine.db, engine.secrets, followed.run_id)
        taker = ingest.of_job(engine.db, engine.blobs, followed.run_id, engine.stopping, masker)
        for path in paths:
            _take(path, taker)


def _take(path: str, taker: Any) -> None:
    """Hand on the records of a file that are new. It stays, for more comes to its end."""
    for record, end in spool.scan(path):
        try:
            spool.send_record(path, record, taker)
        except Rejected as why:
            spool.reject(path, record, why)
        spool.acknowledge(path, end)
