"""What the server writes into a job's folder before it starts, and reads from it at its end. The folder's form: `mlws.jobdir`."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from jupyter_mlws.domain.jobs import batch_ends
from jupyter_mlws.domain.jobs.errors import NotNow
from jupyter_mlws.domain.jobs.memory import REASON, out_of_memory
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.schemas import Progress, RunError
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.kit.child_env import inherited
from jupyter_mlws.kit.mlflow_env import mlflow_variables
from jupyter_mlws.kit.surrogates import whole_text
from mlws import jobdir

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jupyter_mlws.domain.environments.service import Place
    from jupyter_mlws.domain.jobs.kinds import Launch
    from jupyter_mlws.domain.jobs.tables import JobRow

SERVERS = str(Path(sys.executable).parent) if sys.prefix != sys.base_prefix else None
"""Where the programs of the server's own virtual environment lie, if it has one."""
GRACE_S = 10
HEARTBEAT_S = 5
CAPTURED = ("outputs", "logs")


class Address(NamedTuple):
    """How a job reaches the server that started it, and as whom."""

    url: str
    token: str
    workspace: str
    experiment: str
    name: str | None
    """Of the run, if somebody gave it one."""


class Outcome(NamedTuple):
    """What became of a job, as its folder tells."""

    status: RunStatus
    reason: str | None
    error: RunError | None
    started_at: int | None
    ended_at: int | None


def base_environment(place: Place | None = None) -> dict[str, str]:
    """What is in the environment of each job here: the server's, that of its own environment, and how our programs are found."""
    env = inherited()
    # Of another environment than the server's nothing that is missing there is to be found in the server's.
    own = {"PATH": str(Path(sys.executable).parent)}
    if place is not None:
        for name in ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONHOME"):
            env.pop(name, None)
        own = place.variables()
        env["PATH"] = os.pathsep.join(one for one in env.get("PATH", os.defpath).split(os.pathsep) if one != SERVERS)
    env = {**env, **own, "PATH": os.pathsep.join([own["PATH"], env.get("PATH", os.defpath)])}
    entries = [entry for entry in env.get("PYTHONPATH", "").split(os.pathsep) if entry and entry != jobdir.KERNEL_PATH]
    env["PYTHONPATH"] = os.pathsep.join([*entries, jobdir.KERNEL_PATH])
    env["PYTHONUNBUFFERED"] = "1"
    return env


def environment_of(
    row: JobRow,
    job_dir: Path,
    address: Address,
    place: Place | None = None,
    *,
    here: bool = True,
    fetched: bool = False,
    passed: Sequence[str] = (),
) -> dict[str, str]:
    """Environment variables of a job: the server's and those of its environment (if it runs `here`), ours, and last the user's own.

    `fetched`: what it logs stays in its folder, from where it is taken. `passed`: how the names of variables begin whose values are those
    of the node, not of this server, which may itself run in a job of a batch system.
    """
    env = base_environment(place) if here else {"PYTHONUNBUFFERED": "1"}
    env = {name: value for name, value in env.items() if not name.startswith(tuple(passed))}
    env.update({"MLWS_SPOOL_ONLY": "1"} if fetched else _of_server(address))
    env.update(
        MLWS_WORKSPACE=address.workspace,
        MLWS_EXPERIMENT=address.experiment,
        MLWS_RUN_ID=row.run_id,
        MLWS_JOB_DIR=str(job_dir),
        MLWS_SPOOL_DIR=str(job_dir / "spool"),
        MLWS_ATTEMPT=str(row.attempt),
        AZUREML_RUN_ID=row.run_id,
        AZUREML_ARM_WORKSPACE_NAME=address.workspace,
        AZUREML_ARM_PROJECT_NAME=address.experiment,
    )
    if row.gpu_ids:
        env.update(CUDA_DEVICE_ORDER="PCI_BUS_ID", CUDA_VISIBLE_DEVICES=",".join(map(str, row.gpu_ids)))
    if address.name is not None:
        env["MLWS_RUN_NAME"] = address.name
    env.update(row.env)
    if fetched:
        return env
    of_mlflow = mlflow_variables(
        url=address.url, workspace=address.workspace, token=address.token, experiment=address.experiment, given=env
    )
    return {**env, **of_mlflow}


def _of_server(address: Address) -> dict[str, str]:
    return {"MLWS_URL": address.url, "MLWS_TOKEN": address.token}


def write_job(
    row: JobRow,
    launch: Launch,
    job_dir: Path,
    cwd: Path,
    address: Address,
    variables: Mapping[str, str] = MappingProxyType({}),
    place: Place | None = None,
    *,
    here: bool = True,
    fetched: bool = False,
    passed: Sequence[str] = (),
) -> None:
    """Write `job.json`, readable by this user alone. The user's own environment variables win over `variables`.

    `passed`: how the names of variables begin that the job has from who starts its supervisor.
    """
    job: dict[str, Any] = {
        "version": 1,
        "run_id": row.run_id,
        "attempt": row.attempt,
        "kind": row.kind,
        "cwd": str(cwd),
        "env": {
            **environment_of(row, job_dir, address, place, here=here, fetched=fetched, passed=passed),
            **{k: v for k, v in variables.items() if k not in row.env},
        },
        "timeout_s": row.timeout_s,
        "memory_limit_bytes": row.spec.get("memory_limit"),
        "resources": {"cpus": row.cpus, "memory_bytes": row.memory_bytes, "gpus": row.gpus},
        "grace_s": GRACE_S,
        "heartbeat_s": HEARTBEAT_S,
        "log_limit_bytes": None,
        "pass_env": list(passed),
        "argv": launch.argv,
        **launch.sections,
    }
    (job_dir / "spool").mkdir(exist_ok=True)
    for name in launch.folders:
        (cwd / name).mkdir(exist_ok=True)
    jobdir.write_atomic(str(job_dir / jobdir.JOB), json.dumps(job).encode(), durable=True)


def folder_of(row: JobRow, job_dir: Path) -> Path:
    """The folder in which a job runs: its own, or below its working folder where the notebook or the code lies."""
    if row.in_place and row.source_dir is not None:
        return Path(row.source_dir)
    if row.source_dir is None and row.kind == "notebook":  # files that a client sent keep their paths
        return job_dir / "work" / Path(str(row.spec["notebook"])).parent
    return job_dir / "work" / row.work_subdir


def fresh(job_dir: Path) -> None:
    """An empty folder for an attempt that has not begun (what an interrupted preparation left goes).

    Raises `NotNow` where a supervisor has just begun with it: one that a killed server started as its last deed.
    """
    if job_dir.exists():
        lock = os.open(job_dir / jobdir.LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(job_dir)
        except BlockingIOError:
            raise NotNow("A supervisor has this job already.") from None
        finally:
            os.close(lock)
    job_dir.mkdir(mode=0o700, parents=True)
    (job_dir / "user_logs").mkdir()
    (job_dir / "system_logs").mkdir()


def progress_of(job_dir: Path) -> Progress | None:
    """How far the job is, as its runner says."""
    found = jobdir.read_json(str(job_dir / jobdir.PROGRESS))
    if found is None:
        return None
    current = found.get("current")
    try:
        return Progress(
            done=int(found.get("done") or 0),
            total=int(found.get("total") or 0),
            label=whole_text(str(found.get("label") or "")[:500]),
            current=int(current) if current is not None else None,
        )
    except (TypeError, ValueError, OverflowError):  # the folder is the user's, too: anything may stand there
        return None


def outcome_of(job_dir: Path, *, canceled: bool = False) -> Outcome:
    """What became of a job whose supervisor is gone. Without an exit record it is lost, or canceled if that was asked for."""
    record = jobdir.read_exit(str(job_dir))
    if record is None and canceled:
        return Outcome(RunStatus.CANCELED, "canceled", None, None, None)
    if record is None:
        message = (
            "The job's supervisor on the other host ended without a record, or the target was deleted while the job ran there."
            if (job_dir / jobdir.SENT).exists()
            else "The job's supervisor ended without a record: it was killed, or the machine restarted."
            if job_dir.is_dir()
            else "The job's folder is not there: it was removed while the job ran, or the server that ran it is gone."
        )
        return Outcome(RunStatus.FAILED, "lost", RunError(message=message), None, None)
    started, ended, reason = _time(record.get("started_at")), _time(record.get("ended_at")), record.get("reason")
    if (end := batch_ends.end_of(job_dir, record)) is not None:
        return Outcome(*end, started, ended)
    if reason == "canceled":
        return Outcome(RunStatus.CANCELED, "canceled", None, started, ended)
    if reason == "timeout":
        job = jobdir.read_json(str(job_dir / jobdir.JOB)) or {}
        words = f"The job ran longer than its limit of {job.get('timeout_s')} s and was ended."
        return Outcome(RunStatus.FAILED, "timeout", RunError(message=words), started, ended)
    if reason == "spawn_failed":
        words = whole_text(f"The job could not be started: {record.get('message')}")
        return Outcome(RunStatus.FAILED, "spawn_failed", RunError(message=words), started, ended)
    result = jobdir.read_json(str(job_dir / jobdir.RESULT)) or {}
    memory = out_of_memory(record, result, jobdir.read_json(str(job_dir / jobdir.PROGRESS)))
    if memory is not None:
        return Outcome(RunStatus.FAILED, REASON, runs.shortened(memory), started, ended)
    if record.get("exit_code") == 0:
        return Outcome(RunStatus.COMPLETED, None, None, started, ended)
    return Outcome(RunStatus.FAILED, "error", _error(result, record), started, ended)


def began_at(job_dir: Path) -> int | None:
    """When (ms) the job's process began, as its supervisor noted; None where that cannot be read. The folder is the user's, too."""
    return _time((jobdir.read_pid(str(job_dir)) or {}).get("started_at"))


def _time(value: Any) -> int | None:
    return value if isinstance(value, int) and 0 <= value < 2**53 else None


def _error(result: dict[str, Any], record: dict[str, Any]) -> RunError:
    told = result.get("error")
    if isinstance(told, dict) and told.get("message"):
        return _told_error(told)
    number = record.get("signal")
    if number and isinstance(number, int):
        name = signal.Signals(number).name if number in {s.value for s in signal.Signals} else str(number)
        more = " Often that means the machine ran out of memory." if name == "SIGKILL" else ""
        return RunError(message=f"The job's process was ended by the signal {name}.{more}")
    return RunError(message=f"The job's process ended with exit code {record.get('exit_code')}.")


def _told_error(told: dict[str, Any]) -> RunError:
    """What the runner says of the failure; where a field has another form (the folder is the user's, too) the message alone."""
    texts = {name: whole_text(value) if isinstance(value, str) else value for name, value in told.items() if value != ""}
    try:
        error = msgspec.convert(texts, RunError)
    except msgspec.ValidationError:
        error = RunError(message=whole_text(str(told["message"])))
    return runs.shortened(error)


def files_below(root: Path) -> Iterator[tuple[str, Path, os.stat_result]]:
    """(relative path, path, stat) of regular files below `root`; links are not followed."""
    stack = [root]
    while stack:
        folder = stack.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                stack.append(path)
            elif entry.is_file(follow_symlinks=False):
                yield path.relative_to(root).as_posix(), path, entry.stat(follow_symlinks=False)
