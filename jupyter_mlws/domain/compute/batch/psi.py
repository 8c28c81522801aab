"""PSI/J, which writes the scripts of jobs, and says how they are canceled. It is asked for nothing else: what it says of states it keeps
in memory, and its programs run where Slurm is (`site`)."""

from __future__ import annotations

import functools
import importlib.util
import io
import logging
import math
import re
import shlex
import threading
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from jupyter_mlws.domain.compute.batch.site import NoAnswer, NotThere
from jupyter_mlws.domain.compute.errors import ExtraMissing, HostUnfit, HostUnreachable, QueueFull

if TYPE_CHECKING:
    from jupyter_mlws.domain.compute.batch.site import Done, Laid, Site
    from jupyter_mlws.kit.errors import MlwsError

MISSING = (
    "Targets of the kind slurm need the package psij-python, which is not installed here. Install the extra: "
    "`pip install 'jupyter_mlws[slurm]'`, and restart the server."
)
NOT_THERE = re.compile(
    r"Unable to contact slurm controller|Connection refused|munge|Protocol authentication error|Slurm backup controller in standby"
    r"|Zero Bytes were transmitted|Resource temporarily unavailable|Slurm temporarily unable to accept job|Transport endpoint",
    re.IGNORECASE,
)
"""What `sbatch` says where it did not submit for a reason that passes."""
FULL = re.compile(r"MaxSubmit|maximum number of jobs|submit limit", re.IGNORECASE)
"""What it says where as many jobs were submitted as may be."""
NOT_KNOWN = re.compile(r"Socket timed out|timed out on send/recv|Unexpected message received", re.IGNORECASE)
"""What it says where the job may have been taken all the same."""


CANCEL_S = 30.0


class Script(NamedTuple):
    """What Slurm is given for a job, and the files that it needs beside it."""

    text: str
    files: dict[str, str]


class Unknown(Exception):
    """Whether the job was submitted is not known."""


class Wanted(NamedTuple):
    """What a job asks for, and on whose account."""

    partition: str | None
    account: str | None
    qos: str | None
    reservation: str | None
    cpus: float | None
    memory_bytes: int | None
    gpus: int
    time_s: int | None
    """How long it may take; None: as long as the partition lets it."""


def check_installed() -> None:
    """Raise `ExtraMissing` where PSI/J is not. Does not import it."""
    if importlib.util.find_spec("psij") is None:
        raise ExtraMissing(MISSING)


def library() -> Any:
    """psij. Raises `ExtraMissing`."""
    logging.getLogger("psij").setLevel(logging.ERROR)  # it warns of threads that are not the main one
    try:
        import psij  # noqa: PLC0415 - an extra, and 200 ms
        import psij.executors.batch.slurm  # noqa: PLC0415
    except ImportError:
        raise ExtraMissing(MISSING) from None
    return psij


class _NoPolling:
    """In place of PSI/J's thread that follows jobs."""

    def register_job(self, job: Any) -> None:
        """Nobody follows it there."""


@functools.cache
def _class() -> type:
    """PSI/J's executor, which follows no jobs."""
    psij = library()

    class Executor(psij.executors.batch.slurm.SlurmJobExecutor):  # type: ignore[misc,name-defined]
        _NAME_ = "slurm"

        def _start_queue_poll_thread(self) -> Any:
            return _NoPolling()  # its own thread would sleep to the end of the process, and keep each job

    return Executor


class Submitter:
    """One batch system. What PSI/J writes by itself is below `folder`."""

    def __init__(self, folder: Path, site: Site) -> None:
        self._folder = folder
        self._site = site
        self._made: Any = None
        self._lock = threading.Lock()

    def _executor(self) -> Any:
        with self._lock:
            if self._made is None:
                psij = library()
                config = psij.executors.batch.slurm.SlurmExecutorConfig(launcher_log_file=None, work_directory=self._folder)
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._made = _class()(config=config)
            return self._made

    def script(self, name: str, argv: list[str], laid: Laid, wanted: Wanted, log: str) -> Script:
        """The script of a job; `log`, below its folder, takes what its start prints.

        Raises `HostUnfit` for a folder that no script can name, and `HostUnreachable` where the disk is full.
        """
        psij = library()
        for folder in (str(self._folder) if laid.scripts is None else laid.scripts, laid.folder):
            if shlex.quote(folder) != folder:
                raise HostUnfit(
                    f"PSI/J cannot name the folder {folder!r} in a script for Slurm: it puts quotes into quotes. Use {self._site.todo} "
                    "whose path has only ASCII letters, digits and `/ . _ -`."
                )
        try:
            executor = self._executor()
            job = psij.Job(self._spec(psij, name, argv, {"PYTHONPATH": laid.code}, Path(laid.folder) / log, wanted))
            executor._check_job(job)
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
            raise _unwritten(error) from error
        return Script(text.getvalue(), files)

    def cancel(self, native_id: str) -> None:
        """End a job, or take it out of the queue. Raises `HostUnreachable` where the batch system cannot be asked."""
        try:
            done = self._site.run(self._executor().get_cancel_command(native_id), CANCEL_S)
        except NotThere as error:
            raise HostUnreachable(f"There is no program {error} on the PATH of {self._site.where}.") from None
        except NoAnswer as error:
            raise HostUnreachable(f"Slurm does not answer: {error}.") from None
        if done.code != 0:
            raise HostUnreachable(f"Slurm cannot be reached: {said(done.out + done.err)}.")

    def _spec(self, psij: Any, name: str, argv: list[str], env: dict[str, str], log: Path, wanted: Wanted) -> Any:
        attributes = psij.JobAttributes(
            queue_name=wanted.partition, account=wanted.account, reservation_id=wanted.reservation, custom_attributes={}
        )
        attributes.duration = None if wanted.time_s is None else timedelta(minutes=math.ceil(wanted.time_s / 60))
        if wanted.qos:
            attributes.set_custom_attribute("slurm.qos", wanted.qos)
        attributes.set_custom_attribute("slurm.job-name", name)  # the name of a specification is not passed on
        resources = psij.ResourceSpecV1(
            node_count=1,
            processes_per_node=1,
            cpu_cores_per_process=math.ceil(wanted.cpus) if wanted.cpus else None,
            gpu_cores_per_process=wanted.gpus or None,
            memory=wanted.memory_bytes,
        )
        return psij.JobSpec(
            executable=argv[0],
            arguments=argv[1:],
            directory=log.parent,
            name=name,
            inherit_environment=False,
            environment=env,
            stderr_path=log,
            resources=resources,
            attributes=attributes,
            launcher="single",
        )


def number_of(submitted: Done) -> str:
    """The number of a job that `sbatch` took.

    Raises `HostUnreachable` where Slurm cannot be asked now, `Unknown` where that was seen too late, `QueueFull` where it takes no more
    jobs now, and `HostUnfit` with its own words where it does not take this one.
    """
    if submitted.code == 0 and submitted.out.strip():
        return submitted.out.strip().splitlines()[-1].split(";")[0]
    words = said(f"{submitted.out}\n{submitted.err}")
    if submitted.code == 0 or NOT_KNOWN.search(words):
        raise Unknown(words)
    raise _refusal(words)


def _unwritten(error: OSError | ValueError) -> MlwsError:
    """Of a job that was not even asked for: a full disk passes, a path that cannot be written in this locale does not."""
    words = f"The script for Slurm cannot be written: {error}."
    return HostUnreachable(words) if isinstance(error, OSError) else HostUnfit(words)


def _refusal(words: str) -> MlwsError:
    if NOT_THERE.search(words):
        return HostUnreachable(f"Slurm cannot be reached: {words}.")
    if FULL.search(words):
        return QueueFull(f"Slurm takes no more jobs now: {words}.")
    return HostUnfit(f"Slurm does not take the job: {words}.")


def said(words: str) -> str:
    """What a program of Slurm's printed, in one line."""
    lines = [re.sub(r"^\w+: (error|fatal): ", "", line.strip()) for line in words.splitlines() if line.strip()]
    return "; ".join(lines)[:1000].rstrip(".") or "it said nothing"
