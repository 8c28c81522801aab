"""PSI/J, which writes submit scripts, submits and cancels. It is asked for nothing else: what it says of states it keeps in memory."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import logging
import math
import re
import shlex
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from jupyter_mlws.domain.compute.errors import ExtraMissing, HostUnfit, HostUnreachable, QueueFull

if TYPE_CHECKING:
    from pathlib import Path

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
    """PSI/J's executor, whose jobs are never begun a second time by Slurm itself."""
    psij = library()

    class Executor(psij.executors.batch.slurm.SlurmJobExecutor):  # type: ignore[misc,name-defined]
        _NAME_ = "slurm"

        def _start_queue_poll_thread(self) -> Any:
            return _NoPolling()  # its own thread would sleep to the end of the process, and keep each job

        def get_submit_command(self, job: Any, submit_file_path: Path) -> list[str]:
            job.asked = True  # this is called last before it is run
            return ["sbatch", "--no-requeue", "--parsable", str(submit_file_path.absolute())]

        def job_id_from_submit_output(self, out: str) -> str:
            return out.strip().splitlines()[-1].split(";")[0]

    return Executor


class Submitter:
    """One batch system. Its scripts are written below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
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

    def submit(self, name: str, argv: list[str], env: dict[str, str], log: Path, wanted: Wanted) -> str:
        """Submit a job; the id that the batch system gave to it. Blocks.

        Raises `HostUnreachable` where it cannot be asked now, `Unknown` where that was seen too late, `QueueFull` where it takes no more
        jobs now, and `HostUnfit` with its own words where it does not take this one.
        """
        psij, executor = library(), self._executor()
        for folder in (self._folder, log.parent):
            if shlex.quote(str(folder)) != str(folder):
                raise HostUnfit(
                    f"PSI/J cannot name the folder {str(folder)!r} in a script for Slurm: it puts quotes into quotes. Use a data folder "
                    "(MLWS_DATA_DIR) whose path has only ASCII letters, digits and `/ . _ -`."
                )
        job = psij.Job(self._spec(psij, name, argv, env, log, wanted))
        script = self._folder / "slurm" / f"{job.id}.job"
        try:
            executor.submit(job)
        except psij.SubmitException as error:
            words = said(str(error.message if hasattr(error, "message") else error))
            if NOT_KNOWN.search(words):
                raise Unknown(words) from None
            raise _refusal(words) from None
        except FileNotFoundError as error:
            raise HostUnfit(f"There is no program {error.filename} on the PATH of the server.") from None
        except (OSError, ValueError) as error:
            if getattr(job, "asked", False):
                raise  # it may have been submitted: it is looked for by its name
            raise _unwritten(error) from error
        finally:
            script.unlink(missing_ok=True)
        return str(job.native_id)

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

    def cancel(self, native_id: str) -> None:
        """End a job, or take it out of the queue. Raises `HostUnreachable` where the batch system cannot be asked."""
        psij = library()
        job = psij.Job()
        job._native_id = native_id  # as `attach` does, which also starts to follow it
        try:
            self._executor().cancel(job)
        except psij.SubmitException as error:
            raise HostUnreachable(f"Slurm cannot be reached: {said(str(error))}.") from None
        except FileNotFoundError as error:
            raise HostUnreachable(f"There is no program {error.filename} on the PATH of the server.") from None

    def clean(self, native_id: str) -> None:
        """Remove what the script of a job that has ended left."""
        for ending in ("out", "ec", "nodefile"):
            with contextlib.suppress(OSError):
                (self._folder / "slurm" / f"{native_id}.{ending}").unlink()


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
