"""Jobs: submit, follow, cancel, run again."""

from __future__ import annotations

import sys
import time
import warnings
from typing import IO, TYPE_CHECKING, Any, Literal, NamedTuple

from msgspec import UNSET, Struct

from jupyter_mlws.domain.jobs.schemas import (
    JobCreate,
    JobFileSchema,
    JobFileText,
    JobFileValidation,
    KeptKernel,
    LogSlice,
    NotebookInspect,
    NotebookInspection,
    ReRun,
)
from jupyter_mlws.domain.jobs.schemas import JobUpdate as JobUpdateBody
from jupyter_mlws.domain.runs.schemas import DeletePlan, Lifecycle
from jupyter_mlws.kit.ids import new_id
from jupyter_mlws.sdk import forms, job_files
from jupyter_mlws.sdk.errors import BadInput, WaitTimeout
from jupyter_mlws.sdk.job_requests import by_variable, check_words, resources_of, size_of, spec_of
from jupyter_mlws.sdk.plain import plain_values
from jupyter_mlws.sdk.results import Job, Run, bound
from jupyter_mlws.sdk.sources import Source
from jupyter_mlws.sdk.table import Table
from jupyter_mlws.sdk.transport import SUBMIT_TIMEOUT_S, segment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from jupyter_mlws.sdk.runs import RunList, View
    from jupyter_mlws.sdk.workspace import Workspace

POLL_S = 0.3
LOG_BYTES = 1 << 20

LogStream = Literal["user", "system"]


class JobUpdate(NamedTuple):
    """What is new of a job that is being followed."""

    run: Run
    text: str
    """Whole log lines since the last update."""
    partial: str
    """The last line while it is unfinished (a progress bar, say)."""


class JobRuns(Struct):
    """Jobs that wait or run, as the server gives them."""

    jobs: list[Run]


class Jobs:
    """`ws.jobs`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._ask = workspace.transport.ask

    def create(
        self,
        *,
        file: str | Path | None = None,
        set: Mapping[str, Any] | None = None,
        notebook: str | Path | None = None,
        command: str | None = None,
        code: str | Path | None = None,
        parameters: Mapping[str, Any] | None = None,
        kernel: str | None = None,
        environment: str | None = None,
        name: str | None = None,
        experiment: str | None = None,
        target: str = "local",
        priority: int = 0,
        timeout: int | None = None,
        memory_limit: str | int | None = None,
        keep_kernel_on_failure: bool = False,
        max_retries: int = 0,
        cpus: float | None = None,
        memory: int | str | None = None,
        gpus: int | None = None,
        tags: Mapping[str, str] | None = None,
        note: str | None = None,
        env: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | Sequence[str] | None = None,
        in_place: bool = False,
        confirm_large: bool = False,
        parent: str | None = None,
    ) -> Job:
        """Submit a notebook, a shell line with the folder `code`, or a job file. Answers once the sources are frozen and the job is queued.

        With `keep_kernel_on_failure` the kernel of a notebook is kept for a time when a cell fails: the job's page opens a console on it.

        A job `file` says the rest itself; `set` changes fields of it by path (`{"inputs.lr": 0.1}`). What of it is not honoured
        is a `JobFileNotice`, a Python warning.

        With `max_retries` a job that fails is tried again, after a pause that doubles. One that asks for `cpus`, `memory`
        (`"4GiB"`, or bytes) or `gpus` starts once so much of its target is free.
        `environment` names what the job runs in (`ws.environments`); one that is not built yet is built first, and the job waits.
        `secrets` names secrets of the workspace by variable, or those whose variable is called as they are; the job finds their values in
        its environment, and what it prints and logs has `***` in their place.

        Paths are those of this machine; one that is not here is looked for on the server, below its root. `timeout` is in
        seconds, of each attempt; `memory_limit` in bytes or a text as `"4GiB"`; `parameters` may be numpy's numbers and arrays, but
        neither NaN nor infinite. Raises `BadInput` (a parameter, a kernel, more than the target has), `NotFound` (the notebook),
        `Conflict` (a folder that is very large).
        """
        if file is not None or set is not None:
            options = (name, experiment, timeout, memory_limit, tags, note, env, secrets, cpus, memory, gpus)
            other = (notebook, command, code, parameters, kernel, environment, *options)
            beside = target != "local" or bool(max_retries or keep_kernel_on_failure) or any(one is not None for one in other)
            more = {"priority": priority, "in_place": in_place, "confirm_large": confirm_large, "parent": parent}
            return self._from_file(file, set, beside=beside, **more)
        check_words(notebook, command, code, notebook_only=bool(parameters or kernel or keep_kernel_on_failure))
        source = Source(self._workspace, in_place=in_place)
        body = JobCreate(
            spec=spec_of(
                source, notebook, kernel, parameters, command, code, size_of(memory_limit, "memory_limit"), keep_kernel_on_failure
            ),
            experiment=UNSET if experiment is None else experiment,
            name=UNSET if name is None else name,
            target=target,
            priority=priority,
            timeout_s=UNSET if timeout is None else timeout,
            max_retries=max_retries,
            resources=resources_of(cpus, memory, gpus),
            tags=dict(tags) if tags else UNSET,
            note=UNSET if note is None else note,
            env=dict(env) if env else UNSET,
            environment=UNSET if environment is None else environment,
            secrets=by_variable(secrets) or UNSET,
            manifest=source.manifest or UNSET,
            in_place=in_place,
            confirm_large=confirm_large,
            parent_id=UNSET if parent is None else parent,
        )
        path = f"{self._workspace.path}/jobs"
        return self._job("POST", path, body=body, headers={"Idempotency-Key": new_id()}, timeout=SUBMIT_TIMEOUT_S)

    def _from_file(self, file: str | Path | None, set: Mapping[str, Any] | None, *, beside: bool, **more: Any) -> Job:
        if file is None or beside:
            words = "A job `file` says it all; `set` changes its fields, and goes with nothing else."
            raise BadInput(words, status=400, code="bad_input", field="file")
        made = job_files.submit(self._workspace, file, set, **more)
        for warning in made.warnings:
            warnings.warn(warning.message, job_files.JobFileNotice, stacklevel=3)
        return made.job

    def validate(self, file: str | Path, *, set: Mapping[str, Any] | None = None) -> JobFileValidation:
        """Whether a job file could be submitted, what it asks for, and what of it is not honoured. Nothing is stored.

        Raises `BadInput`, whose message has a line for each thing that is wrong.
        """
        return job_files.validate(self._workspace, file, set)

    def export(self, job: str) -> JobFileText:
        """A job as a job file: `text`, and in `warnings` what the file cannot say. Raises `BadInput` for kinds that have no files."""
        return self._ask("GET", f"/jobs/{segment(job)}/file", JobFileText)

    def file_schema(self) -> dict[str, Any]:
        """The JSON schema of job files, for editors."""
        return self._ask("GET", "/job-file-schema", JobFileSchema).schema

    def show(self, job: str) -> Job:
        """A job by its id. Raises `NotFound`, with code `not_a_job` for a run that was not submitted."""
        return self._job("GET", f"/jobs/{segment(job)}")

    def update(
        self,
        job: str,
        *,
        name: str | None = None,
        note: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        experiment: str | None = None,
        priority: int | None = None,
        if_version: int | None = None,
    ) -> Job:
        """Change what is given, all or nothing; a tag that is None is removed. A `priority` counts only while the job waits.

        With `if_version` (the run's `version` when you read it) somebody else's change is not overwritten: `Conflict`.
        """
        body = JobUpdateBody(
            name=UNSET if name is None else name,
            note=UNSET if note is None else note,
            tags=UNSET if tags is None else dict(tags),
            experiment_id=UNSET if experiment is None else self._workspace.experiments.show(experiment).id,
            priority=UNSET if priority is None else priority,
        )
        headers = {} if if_version is None else {"If-Match": str(if_version)}
        return self._job("PATCH", f"/jobs/{segment(job)}", body=body, headers=headers)

    def archive(self, job: str) -> Job:
        """Move the run of a job that has ended to the bin; nothing is lost until it is purged (`ws.runs.purge`)."""
        self.show(job)
        self._workspace.runs.delete(job)
        return self.show(job)

    def restore(self, job: str) -> Job:
        """Bring the run of a job back from the bin."""
        self.show(job)
        self._workspace.runs.restore(job)
        return self.show(job)

    def delete(self, job: str, *, purge: bool = False, dry_run: bool = False) -> DeletePlan:
        """Move the run of a job to the bin, or remove it for good: from the bin, or at once. `dry_run` only tells what would go."""
        found, runs = self.show(job), self._workspace.runs
        if dry_run or not purge:
            return runs.delete(job, dry_run=dry_run)
        if found.run.lifecycle is Lifecycle.ACTIVE:
            runs.delete(job)
        return runs.purge(job)

    def cancel(self, job: str) -> Job:
        """Cancel a job, whatever its status. One that has ended stays as it is."""
        return self._job("POST", f"/jobs/{segment(job)}/cancel")

    def kept_kernel(self, job: str) -> KeptKernel:
        """The kernel of a failed notebook that is kept now. Raises `NotFound`, with code `no_kernel_kept`."""
        return self._ask("GET", f"/jobs/{segment(job)}/kernel", KeptKernel)

    def end_kernel(self, job: str) -> None:
        """End the kernel that is kept of a job; its run stays as it is."""
        self._ask("DELETE", f"/jobs/{segment(job)}/kernel", type(None))

    def pause(self, job: str) -> Job:
        """Hold a job that waits: it starts no sooner than it is resumed. Raises `Conflict` for one that waits no longer."""
        return self._job("POST", f"/jobs/{segment(job)}/pause")

    def resume(self, job: str) -> Job:
        """Let a job that is on hold wait for its turn again; one whose last attempt failed need not wait for the next any longer."""
        return self._job("POST", f"/jobs/{segment(job)}/resume")

    def rerun(
        self,
        job: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        kernel: str | None = None,
        environment: str | None = None,
        command: str | None = None,
        name: str | None = None,
        experiment: str | None = None,
        target: str | None = None,
        priority: int | None = None,
        timeout: int | None = None,
        memory_limit: str | int | None = None,
        keep_kernel_on_failure: bool | None = None,
        max_retries: int | None = None,
        cpus: float | None = None,
        memory: int | str | None = None,
        gpus: int | None = None,
        tags: Mapping[str, str] | None = None,
        note: str | None = None,
        env: Mapping[str, str | None] | None = None,
        secrets: Mapping[str, str | None] | None = None,
    ) -> Job:
        """Submit a job again from its own snapshot; what is given wins over what it had.

        What it asks for is changed as a whole: with one of `cpus`, `memory` and `gpus` those that are left out are none.
        It runs in the very version of its environment, unless another is named; `environment=""` takes it out of any.
        A `timeout` or `memory_limit` of 0 takes the limit away, and None in `env` or `secrets` a variable; those that they do not name
        stay. The new run has only the tags and the note that are given here.
        """
        body = ReRun(
            name=UNSET if name is None else name,
            experiment=UNSET if experiment is None else experiment,
            parameters=plain_values(parameters, "parameter") or UNSET,
            kernel=UNSET if kernel is None else kernel,
            environment=UNSET if environment is None else environment or None,
            command=UNSET if command is None else command,
            target=UNSET if target is None else target,
            priority=UNSET if priority is None else priority,
            timeout_s=UNSET if timeout is None else timeout or None,
            keep_kernel_on_failure=UNSET if keep_kernel_on_failure is None else keep_kernel_on_failure,
            memory_limit=UNSET if memory_limit is None else size_of(memory_limit, "memory_limit") or None,
            max_retries=UNSET if max_retries is None else max_retries,
            resources=resources_of(cpus, memory, gpus),
            tags=dict(tags) if tags else UNSET,
            note=UNSET if note is None else note,
            env=dict(env) if env else UNSET,
            secrets=dict(secrets) if secrets else UNSET,
        )
        return self._job("POST", f"/jobs/{segment(job)}/rerun", body=body)

    def log(
        self,
        job: str,
        *,
        offset: int = 0,
        limit: int = LOG_BYTES,
        tail: int | None = None,
        stream: LogStream = "user",
        attempt: int | None = None,
    ) -> LogSlice:
        """A piece of the log from a byte offset on, or its last `tail` bytes. `stream="system"` is the supervisor's own log.

        Each attempt has a log of its own: that of the current one, unless another is named.
        """
        query = {"offset": offset, "limit": limit, "tail": tail, "stream": stream, "attempt": attempt}
        return self._ask("GET", f"/jobs/{segment(job)}/log", LogSlice, query=query)

    def full_log(self, job: str, *, stream: LogStream = "user", attempt: int | None = None) -> str:
        """The whole log as it is now, of the current attempt or of another."""
        pieces: list[str] = []
        offset = 0
        while True:
            piece = self.log(job, offset=offset, stream=stream, attempt=attempt)
            pieces.append(piece.text)
            if piece.next_offset == offset or piece.done:
                return "".join([*pieces, piece.partial])
            offset = piece.next_offset

    def follow(self, job: str, *, every: float = POLL_S) -> Iterator[JobUpdate]:
        """Updates of a job until it has ended and all of its log was given; the last one has the final status.

        Of a job that is tried again the logs of all attempts, from the one on that is the current one now, each but the first
        under a line that names it.
        """
        offset, attempt, heading = 0, 0, ""
        while True:
            found = self.show(job)
            run, attempt = found.run, attempt or found.attempt
            piece = self.log(job, offset=offset, attempt=attempt)
            caught_up, offset = piece.next_offset == offset, piece.next_offset
            over = attempt < found.attempt and (piece.done or caught_up)
            done = run.ended and attempt == found.attempt and (piece.done or caught_up)
            # What is still unfinished at the end is a line all the same.
            text = piece.text + piece.partial if done or over else piece.text
            yield JobUpdate(run, heading + text if text else "", "" if done or over else piece.partial)
            heading = "" if text else heading
            if done:
                return
            if over:
                offset, attempt = 0, attempt + 1
                heading = f"----- attempt {attempt} -----\n"
            elif caught_up:
                time.sleep(every)

    def stream(self, job: str, *, to: IO[str] | None = None) -> Job:
        """Print the log as it grows, until the job ends; the job as it is then."""
        out = to or sys.stdout
        for update in self.follow(job):
            out.write(update.text)
            out.flush()
        return self.show(job)

    def wait(self, job: str, *, timeout: float | None = None, every: float = POLL_S) -> Job:
        """Wait until the job ends; the job as it is then. Raises `WaitTimeout` after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            found = self.show(job)
            if found.run.ended:
                return found
            if deadline is not None and time.monotonic() >= deadline:
                raise WaitTimeout(f"The job {job} is {found.status.value} after {timeout} s; it goes on.")
            time.sleep(every)

    def download(self, job: str, path: str = "", *, to: str | Path = ".") -> list[Path]:
        """The job's artifacts, or those below `path`, into a folder."""
        return self._workspace.runs.download(job, path, to=to)

    def inspect(self, notebook: str | Path) -> NotebookInspection:
        """What a notebook takes: its parameters with types and defaults, its kernel, and the size of its snapshot."""
        body = NotebookInspect(path=Source(self._workspace, in_place=True).notebook(str(notebook)))
        return self._ask("POST", f"{self._workspace.path}/notebooks/inspect", NotebookInspection, body=body)

    def _job(self, method: str, path: str, **options: Any) -> Job:
        return bound(self._ask(method, path, Job, **options), self._workspace)

    def list(
        self,
        *,
        status: str | Sequence[str] = (),
        experiment: str | None = None,
        view: View = "active",
        parent: str | None = None,
        limit: int | None = 1000,
    ) -> RunList:
        """Runs of jobs, ended ones as well, the newest first; of these statuses (`Running`, `Failed`, …) alone where some are given."""
        return self._workspace.runs.search(
            filter="attributes.kind != 'interactive'", status=status, experiment=experiment, view=view, parent=parent, limit=limit
        )

    def queue(self) -> Table[Run]:
        """Runs of the jobs that run or wait: the running ones, then the queue in its order."""
        found = self._ask("GET", f"{self._workspace.path}/jobs", JobRuns).jobs
        return Table([bound(run, self._workspace) for run in found], forms.runs())
