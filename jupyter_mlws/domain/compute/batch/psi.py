"""PSI/J, which writes the scripts of jobs, and says how they are canceled. It is asked for nothing else: what it says of states it keeps
in memory, and its programs run where the batch system is (`site`)."""

from __future__ import annotations

import importlib.util
import io
import logging
import shlex
import threading
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from jupyter_mlws.domain.compute.batch.system import ran, said, silent
from jupyter_mlws.domain.compute.errors import ExtraMissing, HostUnfit, HostUnreachable

if TYPE_CHECKING:
    from jupyter_mlws.domain.compute.batch.site import Laid, Site
    from jupyter_mlws.domain.compute.batch.system import System, Wanted
    from jupyter_mlws.domain.compute.schemas import BatchPlace
    from jupyter_mlws.kit.errors import MlwsError

MISSING = (
    "Targets of the kinds slurm, pbs and lsf need the package psij-python, which is not installed here. Install the extra: "
    "`pip install 'jupyter_mlws[slurm]'`, and restart the server."
)
CANCEL_S = 30.0


class Script(NamedTuple):
    """What the batch system is given for a job, and the files that it needs beside it."""

    text: str
    files: dict[str, str]


def check_installed() -> None:
    """Raise `ExtraMissing` where PSI/J is not. Does not import it."""
    if importlib.util.find_spec("psij") is None:
        raise ExtraMissing(MISSING)


def library() -> Any:
    """psij. Raises `ExtraMissing`."""
    logging.getLogger("psij").setLevel(logging.ERROR)  # it warns of threads that are not the main one
    try:
        import psij  # noqa: PLC0415 - an extra, and 200 ms
        import psij.executors.batch.lsf  # noqa: PLC0415
        import psij.executors.batch.pbs_classic  # noqa: PLC0415
        import psij.executors.batch.slurm  # noqa: PLC0415
    except ImportError:
        raise ExtraMissing(MISSING) from None
    return psij


class _NoPolling:
    """In place of PSI/J's thread that follows jobs."""

    def register_job(self, job: Any) -> None:
        """Nobody follows it there."""


def _without_polling(kind: str, executor: type) -> type:
    """PSI/J's executor, which follows no jobs: its own thread would sleep to the end of the process, and keep each job."""
    return type("Executor", (executor,), {"_NAME_": kind, "_start_queue_poll_thread": lambda _: _NoPolling()})


class Submitter:
    """One batch system. What PSI/J writes by itself is below `folder`."""

    def __init__(self, folder: Path, site: Site, system: System) -> None:
        self._folder = folder
        self._site = site
        self._system = system
        self._made: Any = None
        self._lock = threading.Lock()

    def _executor(self) -> Any:
        with self._lock:
            if self._made is None:
                executor, config = self._system.executor(library())
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                of_ours = _without_polling(self._system.kind, executor)
                self._made = of_ours(url=None, config=config(launcher_log_file=None, work_directory=self._folder))
            return self._made

    def script(self, name: str, argv: list[str], laid: Laid, place: BatchPlace, wanted: Wanted, log: str) -> Script:
        """The script of a job; `log`, below its folder, takes what its start prints.

        Raises `HostUnfit` for a folder that no script can name, and `HostUnreachable` where the disk is full.
        """
        psij = library()
        for folder in (str(self._folder) if laid.scripts is None else laid.scripts, laid.folder):
            if shlex.quote(folder) != folder:
                raise HostUnfit(
                    f"PSI/J cannot name the folder {folder!r} in a script for {self._system.name}: it puts quotes into quotes. Use "
                    f"{self._site.todo} whose path has only ASCII letters, digits and `/ . _ -`."
                )
        try:
            executor = self._executor()
            job = psij.Job(_spec(psij, argv, {"PYTHONPATH": laid.code}, Path(laid.folder) / log))
            executor._check_job(job)
            self._system.ask_for(self._site, psij, job.spec, name, place, wanted)
            executor._ensure_work_dir()
            context, files = executor._create_script_context(job), {}
            if laid.scripts is not None:
                launcher = Path(context["psij"]["launch_command"][1])
                files = {one.name: one.read_text() for one in launcher.parent.iterdir()}
                context["psij"]["launch_command"][1] = str(PurePosixPath(laid.scripts) / launcher.name)
                context["psij"]["script_dir"] = laid.scripts
            text = io.StringIO()
            executor.generate_submit_script(job, context, text)
        except (OSError, ValueError) as error:
            raise self._unwritten(error) from error
        return Script(text.getvalue(), files)

    def cancel(self, native_id: str) -> None:
        """End a job, or take it out of the queue. Raises `HostUnreachable` where the batch system does not do that now."""
        done = ran(self._system, self._site, self._executor().get_cancel_command(native_id), CANCEL_S)
        if done.code != 0:
            raise silent(self._system, said(done.out + done.err))

    def _unwritten(self, error: OSError | ValueError) -> MlwsError:
        """Of a job that was not even asked for: a full disk passes, a path that cannot be written in this locale does not."""
        words = f"The script for {self._system.name} cannot be written: {error}."
        return HostUnreachable(words) if isinstance(error, OSError) else HostUnfit(words)


def _spec(psij: Any, argv: list[str], env: dict[str, str], log: Path) -> Any:
    attributes = psij.JobAttributes(custom_attributes={})
    attributes.duration = None
    return psij.JobSpec(
        executable=argv[0],
        arguments=argv[1:],
        directory=log.parent,
        inherit_environment=False,
        environment=env,
        stderr_path=log,
        attributes=attributes,
        launcher="single",
    )
