"""The functions of `import mlws`: which run is active, and logging on it.

Each thread has its own stack of open runs; a thread without one logs on the innermost run of the main thread. Logging without
any run starts one, which ends with the process. In a job the job's own run takes that place, and the first `start_run`
of a process continues it.
"""

from __future__ import annotations

import os
import sys
import threading
import uuid
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Union

from mlws import exits, process, values
from mlws import sender as sending
from mlws.run import Run, labels

if TYPE_CHECKING:
    from datetime import datetime

Path = Union[str, "os.PathLike[str]"]
Time = Union[int, "datetime", None]


class _Stacks:
    """The open runs of this process, by thread, outermost first."""

    def __init__(self) -> None:
        self._of_thread = threading.local()  # not by number: those are used again
        self.main: List[Run] = []
        self.filled: List[List[Run]] = []
        """The stacks with runs in them, those of threads that are gone as well."""
        self.implicit: Run | None = None
        """The run of what is logged without one. Made at the first call, it begins with the first thing that can be logged."""
        self.lock = threading.RLock()  # an RLock: a signal handler may start a run while its own thread holds it
        self.job: Run | None = None
        self.job_continued = False

    def mine(self) -> List[Run]:
        found: List[Run] | None = getattr(self._of_thread, "runs", None)
        if found is None:
            found = self._of_thread.runs = []
            if threading.current_thread() is threading.main_thread():
                self.main = found
        return found

    def push(self, run: Run) -> None:
        mine = self.mine()
        mine.append(run)
        with self.lock:
            if not any(stack is mine for stack in self.filled):
                self.filled.append(mine)

    def remove(self, run: Run) -> None:
        with self.lock:
            for stack in self.filled:
                if run in stack:
                    stack.remove(run)
            self.filled = [stack for stack in self.filled if stack]

    def top(self) -> Run | None:
        stack = self.mine() or self.main
        if stack:
            return stack[-1]
        return self.implicit if self.implicit is not None and self.implicit.begun else None


_stacks = _Stacks()


def start_run(
    name: str | None = None,
    experiment: str | None = None,
    params: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    note: str | None = None,
    nested: bool = False,
    run_id: str | None = None,
    workspace: str | None = None,
) -> Run:
    """Start a run, and give it back as a context manager: `with mlws.start_run() as run: …`.

    A block that ends well makes it Completed, an exception Failed (with message, class and traceback), Ctrl-C Canceled.
    Returns at once, also while the server is away.

    - name: the run's name; the server makes one if it is left out.
    - experiment: its experiment, made if it is new. By default `MLWS_EXPERIMENT`, else the name of the notebook or script;
      a child goes to its parent's.
    - params, tags, note (Markdown): what to log at the start.
    - nested: start a child of the active run.
    - run_id: continue the run with this id; leaving the block does not end it, `end_run` does.
    - workspace: where the run goes (or is, with `run_id`). By default `MLWS_WORKSPACE`, else `default`; a child goes to its parent's.
      One that does not exist is told on stderr as soon as the server has answered.

    In a job, the first run of a process that is neither nested nor continued is the job's own: it keeps its experiment, and the
    name if one was given at the submit, and its supervisor ends it. Later ones are its children.

    Raises `RuntimeError` when a run is active in this thread already and `nested` is false; `ValueError` for bad names or keys,
    and for a child that is to go to another workspace than its parent.
    """
    for given, what in ((name, "run name"), (experiment, "experiment"), (workspace, "workspace")):
        if given is not None:
            values.name(given, what)
    first = labels(params or {}, tags or {}), None if note is None else values.text(note, values.MAX_NOTE)
    mine = _stacks.mine()
    if run_id is not None:
        run = _continued(values.run_id(run_id), name, workspace)
    else:
        if mine and not nested:
            active = mine[-1].name or mine[-1].id
            raise RuntimeError(
                f"Run {active} is active. End it with mlws.end_run(), or start this one as its child with nested=True."
            )
        jobs = _job_run(name, experiment, workspace) if not nested else None
        run = jobs or _new_run(name, experiment, active_run() if nested else _job_parent(), workspace)
    if not nested and _stacks.implicit is not None:
        _end_implicit()
    _stacks.push(run)
    (checked_params, checked_tags), checked_note = first
    run.log_params(checked_params)
    run.set_tags(checked_tags)
    if checked_note is not None:
        run.set_note(checked_note)
    return run


def _continued(run_id: str, name: str | None, workspace: str | None) -> Run:
    job_id = os.environ.get("MLWS_RUN_ID")
    run = _own_job_run(run_id) if run_id == job_id else Run(run_id, owned=False, workspace_name=workspace)
    if name is not None:
        run.rename(name)
    return run


def _job_run(name: str | None, experiment: str | None, workspace: str | None) -> Run | None:
    """The job's own run, for the first top-level run of this process; None outside of jobs and for later ones."""
    job_id = os.environ.get("MLWS_RUN_ID")
    if not job_id or _stacks.job_continued:
        return None
    _stacks.job_continued = True
    run = _own_job_run(job_id)
    given = os.environ.get("MLWS_RUN_NAME")
    if name is not None and given is None:
        run.rename(name)
    elif name not in (None, given):
        process.say(f"this run belongs to a job and keeps the name it was submitted with, {given!r}, not {name!r}")
    if experiment is not None and experiment != os.environ.get("MLWS_EXPERIMENT"):
        process.say(f"this run belongs to a job and stays in the job's experiment, not {experiment!r}")
    if workspace is not None and workspace != run.workspace:
        process.say(f"this run belongs to a job and stays in the job's workspace {run.workspace!r}, not {workspace!r}")
    return run


def _own_job_run(job_id: str) -> Run:
    if _stacks.job is None or _stacks.job.id != job_id:
        _stacks.job = Run(values.run_id(job_id))
    _stacks.job.status = "Running"
    return _stacks.job


def _job_parent() -> Run | None:
    job_id = os.environ.get("MLWS_RUN_ID")
    return _own_job_run(job_id) if job_id else None


def _new_run(name: str | None, experiment: str | None, parent: Run | None, workspace: str | None) -> Run:
    if parent is not None and workspace not in (None, parent.workspace):
        raise ValueError(
            f"This run is a child of {parent.name or parent.id} and goes to its workspace {parent.workspace!r}, not to {workspace!r}."
        )
    run = _made(name, experiment, parent, workspace)
    if parent is not None:
        parent._ready()
        run.experiment = run.experiment or parent.experiment
    run._ready()
    return run


def _made(name: str | None, experiment: str | None, parent: Run | None, workspace: str | None) -> Run:
    """A run that begins with the first thing that is sent for it."""
    if process.ipython() is None:
        exits.watch()
    create: Dict[str, Any] = {"id": uuid.uuid4().hex, "process": process.identity()}
    if experiment is not None or parent is None:
        create["experiment"] = values.text(experiment or process.default_experiment(), values.MAX_NAME)
    if name is not None:
        create["name"] = values.name(name, "run name")
    if parent is not None:
        create["parent_id"] = parent.id
    source = process.source()
    if source:
        create["source"] = values.text(source, 4000)
    run = Run(create["id"], create, name, workspace_name=parent.workspace if parent is not None else workspace)
    run._first = _capture
    return run


def _capture(run: Run) -> None:
    from mlws import snapshot

    snapshot.begin(run)


def active_run() -> Run | None:
    """The run that logging goes to now, or None: this thread's innermost, else the main thread's, else the job's."""
    job_id = os.environ.get("MLWS_RUN_ID")
    return _stacks.top() or (_own_job_run(job_id) if job_id else None)


def open_here() -> Run | None:
    """The innermost run that was started in this thread and is still open."""
    mine = _stacks.mine()
    return mine[-1] if mine else None


def end_run(status: str = "Completed") -> None:
    """End the active run as `Completed`, `Failed` or `Canceled`, and wait up to 5 s for the server to have all of it.

    Nothing happens where no run is active. A job's own run is only left, not ended. Raises `ValueError` for another status.
    """
    run = _stacks.top()
    if run is not None:
        run.end(status)


def closed(run: Run) -> None:
    """`run` is not active any more, in whichever thread it was."""
    _stacks.remove(run)
    if _stacks.implicit is run:
        _stacks.implicit = None


def current() -> Run:
    """The active run; where there is none, one that begins with what is logged now (if it can be), and ends with the process."""
    run = _stacks.top() or active_run()
    if run is None:
        with _stacks.lock:
            if _stacks.implicit is None:
                _stacks.implicit = _made(None, None, None, None)
            run = _stacks.implicit
    return run


def _end_implicit() -> None:
    run = _stacks.implicit
    if run is not None and run.begun:
        run.end()
    _stacks.implicit = None


def _end_open_runs() -> None:
    """At the process's end: as the uncaught exception of a script says, or the last cell of a kernel; without one, Completed."""
    error = _last_error()
    status = "Completed" if error is None else "Canceled" if isinstance(error, KeyboardInterrupt) else "Failed"
    open_runs = [run for stack in _stacks.filled for run in reversed(stack)]
    for run in [*open_runs, *([_stacks.implicit] if _stacks.implicit else [])]:
        if run.owned and run.begun:
            run.end(status, error if status == "Failed" else None)


def _last_error() -> BaseException | None:
    shell = process.ipython()
    if shell is None:
        return getattr(sys, "last_value", None) or exits.failure()
    error = getattr(getattr(shell, "last_execution_result", None), "error_in_exec", None)
    ended_well = isinstance(error, SystemExit) and error.code in (None, 0)
    return None if ended_well or not isinstance(error, BaseException) else error


sending.exit_hooks.append(_end_open_runs)


def _after_fork() -> None:
    _stacks.lock = threading.RLock()  # another thread may have held it
    _stacks.main = _stacks.mine()  # the thread that forked is the child's main thread


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


# ---- logging on the active run


def log_metric(key: str, value: Any, step: int | None = None, time: Time = None) -> None:
    """Log one value of a metric on the active run; costs some microseconds.

    - key: 1 to 250 characters.
    - value: a number, bool, Decimal, numpy scalar or tensor with one element; NaN and infinities are kept.
    - step: a whole number; left out, each key counts for itself from 0 (after an explicit step, on from there).
    - time: milliseconds since the epoch, or a datetime; by default now.

    Raises `TypeError` or `ValueError` for what is none of these.
    """
    current().log_metric(key, value, step, time)


def log_metrics(metrics: Mapping[str, Any], step: int | None = None) -> None:
    """Log several metrics, `{key: value}`, with one step and one time; see `log_metric`. With one bad value none is logged."""
    current().log_metrics(metrics, step)


def log_param(key: str, value: Any) -> None:
    """Log one param. The value is kept as text (`str(value)`, at most 6,000 characters); a param is written once per run."""
    current().log_param(key, value)


def log_params(params: Mapping[str, Any]) -> None:
    """Log several params, `{key: value}`; see `log_param`."""
    current().log_params(params)


def set_tag(key: str, value: Any) -> None:
    """Set one tag. The value is kept as text of at most 8,000 characters; setting it again replaces it."""
    current().set_tag(key, value)


def set_tags(tags: Mapping[str, Any]) -> None:
    """Set several tags, `{key: value}`; see `set_tag`."""
    current().set_tags(tags)


def set_note(note: str) -> None:
    """Set the run's note: Markdown of at most 100,000 characters; replaces the one before."""
    current().set_note(note)


def log_artifact(local_path: Path, artifact_path: str | None = None) -> None:
    """Keep a file, as it is now, as an artifact; a folder is kept whole.

    It is copied beside the spool and uploaded in the background. artifact_path: the folder in the run that it goes to.
    Raises `FileNotFoundError`, and `ValueError` for a path that leaves the run's folder.
    """
    current().log_artifact(local_path, artifact_path)


def log_artifacts(folder: Path, artifact_path: str | None = None) -> None:
    """Keep all files below a folder, with their relative paths; see `log_artifact`. Raises `NotADirectoryError`.

    Links to folders are not followed; that is told on stderr.
    """
    current().log_artifacts(folder, artifact_path)


def log_figure(figure: Any, name: str) -> None:
    """Keep a figure as an artifact, drawn now: matplotlib (`savefig`), plotly (`.html`, or an image), PIL (`save`).

    name: its path in the run; the ending says the format. Raises `TypeError` for what cannot be drawn.
    """
    current().log_figure(figure, name)


def log_table(data: Any, name: str) -> None:
    """Keep a table as CSV (`.tsv`: with tabs): a DataFrame, a dict of columns of equal length, or a list of dicts.

    Raises `TypeError` for other data, `ValueError` for columns of different lengths.
    """
    current().log_table(data, name)


def log_dict(data: Any, name: str) -> None:
    """Keep data as JSON; numpy arrays become lists, what JSON does not know, keys as well, becomes text."""
    current().log_dict(data, name)


def log_text(text: str, name: str) -> None:
    """Keep a text as a file in UTF-8."""
    current().log_text(text, name)


def log_input(name: str, uri: Any = "", type: str | None = None, digest: str | None = None) -> None:
    """Note what the run reads. type: `uri_file`, `uri_folder`, `mltable`, `model` or `literal`; by default what the path is."""
    current().log_input(name, uri, type, digest)


def log_output(name: str, uri: Any = "", type: str | None = None, digest: str | None = None) -> None:
    """Note what the run makes; see `log_input`."""
    current().log_output(name, uri, type, digest)


def flush(timeout: float | None = 10.0) -> bool:
    """Wait until the server has all that this process logged: True if it has.

    False after `timeout` seconds (None: no limit while it answers), or when it is away; all of it then lies in the spool. False
    also once the server refused something, which was told on stderr with the file that keeps it; `run.flush()` is about one run.
    """
    return sending.flush(timeout)
