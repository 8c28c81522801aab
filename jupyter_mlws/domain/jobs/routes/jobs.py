"""Routes of jobs and their logs."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from jupyter_mlws.domain.environments.errors import UnknownEnvironment, UnusableEnvironment
from jupyter_mlws.domain.jobs import files, service, submit
from jupyter_mlws.domain.jobs.errors import (
    ComputeMissing,
    FileNotThere,
    IdempotencyConflict,
    JobStarted,
    KernelMissing,
    NotAJob,
    NotANotebook,
    NotebookNotFound,
    ParameterType,
    SnapshotUnconfirmed,
    TooMuchAsked,
    UnknownParameter,
)
from jupyter_mlws.domain.jobs.logs import LOG_LIMIT, read_log, read_log_before, search_log
from jupyter_mlws.domain.jobs.schemas import (
    BlobQuery,
    Job,
    JobCreate,
    JobList,
    JobParameters,
    JobUpdate,
    KeepFile,
    KernelList,
    LogMatches,
    LogSlice,
    MissingBlobs,
    NotebookInspect,
    NotebookInspection,
    ReRun,
)
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.errors import RunDeleted, RunNotFound
from jupyter_mlws.domain.runs.states import TERMINAL
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.storage.schemas import StoredFile
from jupyter_mlws.domain.workspaces.errors import StaleVersion
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.errors import BadInput, TooLarge
from jupyter_mlws.kit.http import ApiHandler, Route, endpoint, if_match
from jupyter_mlws.kit.streams import StoredBlob, UploadHandler

Offset = Annotated[int, Meta(ge=0, le=2**53)]
AttemptNumber = Annotated[int, Meta(ge=1, le=1000)]


class LogQuery(Struct):
    """From which byte, how many at most; or (tail) the last bytes, or those that end `before` one. `system` is the supervisor's log."""

    offset: Offset = 0
    limit: Annotated[int, Meta(ge=1024, le=4 * 1024 * 1024)] = LOG_LIMIT
    tail: Annotated[int, Meta(ge=0, le=4 * 1024 * 1024)] | None = None
    before: Offset | None = None
    stream: Literal["user", "system"] = "user"
    attempt: AttemptNumber | None = None
    """Of which attempt; the current one, if it is left out."""


class LogSearchQuery(Struct):
    """What to look for, and from which byte on."""

    q: Annotated[str, Meta(min_length=1, max_length=1000)]
    offset: Offset = 0
    stream: Literal["user", "system"] = "user"
    attempt: AttemptNumber | None = None


class JobsHandler(ApiHandler):
    """The jobs of a workspace."""

    @endpoint(Action.READ, summary="Jobs that wait or run", reply=JobList)
    async def get(self, workspace: str) -> None:
        """The running ones, then the queue in its order, each with why it waits."""
        self.reply(await self.db.read(lambda s: service.list_active(s, workspace)))

    @endpoint(
        Action.SUBMIT,
        summary="Submit a job",
        body=JobCreate,
        reply=Job,
        status=201,
        errors=[
            NotebookNotFound,
            NotANotebook,
            KernelMissing,
            UnknownParameter,
            ParameterType,
            SnapshotUnconfirmed,
            IdempotencyConflict,
            TooMuchAsked,
            TooLarge,
            UnknownEnvironment,
            UnusableEnvironment,
        ],
    )
    async def post(self, workspace: str) -> None:
        """Freezes the sources, queues the job and answers; why it waits, its run tells. With an `Idempotency-Key` it may be repeated."""
        self.reply(await submit.submit(self.services, self.db, self.actor, workspace, self.body, idempotency_key(self)))


class JobHandler(ApiHandler):
    """One job."""

    @endpoint(Action.READ, summary="Show a job", reply=Job, errors=[RunNotFound, NotAJob])
    async def get(self, run_id: str) -> None:
        """Its run, its spec, and what was not captured of its folder."""
        actor = self.actor
        self.reply(await self.db.read(lambda s: service.get_job(s, actor, run_id)))

    @endpoint(
        Action.EDIT, summary="Change a job", body=JobUpdate, reply=Job, errors=[NotAJob, JobStarted, RunDeleted, StaleVersion]
    )
    async def patch(self, run_id: str) -> None:
        """Name, note, tags and experiment of its run, and its priority while it waits: all that is given, or nothing."""
        actor, body, version = self.actor, self.body, if_match(self)
        job = await self.db.write(lambda s: service.update_job(s, actor, run_id, body, version))
        self.services.jobs.wake()  # its priority may have changed
        self.reply(job)


class CancelHandler(ApiHandler):
    """The end of a job, asked for."""

    @endpoint(Action.SUBMIT, summary="Cancel a job", reply=Job, errors=[NotAJob])
    async def post(self, run_id: str) -> None:
        """In whatever status it is. A running one gets an interrupt, and is killed with all its processes if it does not end."""
        actor = self.actor
        job, tell = await self.db.write(lambda s: service.cancel(s, actor, run_id))
        if tell:
            await asyncio.to_thread(self.services.jobs.tell_canceled, run_id)
        self.services.jobs.wake()  # the one behind it may be next
        self.reply(job)


class PauseHandler(ApiHandler):
    """A job on hold."""

    @endpoint(Action.SUBMIT, summary="Put a job on hold", reply=Job, errors=[NotAJob, JobStarted])
    async def post(self, run_id: str) -> None:
        """One that waits: it leaves the queue until it is resumed. Again is harmless."""
        actor = self.actor
        job = await self.db.write(lambda s: service.pause(s, actor, run_id))
        self.services.jobs.wake()  # the one behind it may be next
        self.reply(job)


class ResumeHandler(ApiHandler):
    """A job off hold."""

    @endpoint(Action.SUBMIT, summary="Resume a job", reply=Job, errors=[NotAJob, JobStarted])
    async def post(self, run_id: str) -> None:
        """One that is on hold waits for its turn again; one whose last attempt failed need not wait for the next any longer."""
        actor = self.actor
        job = await self.db.write(lambda s: service.resume(s, actor, run_id))
        self.services.jobs.wake()
        self.reply(job)


class RerunHandler(ApiHandler):
    """A job once more."""

    @endpoint(
        Action.SUBMIT,
        summary="Run a job again",
        body=ReRun,
        reply=Job,
        status=201,
        errors=[
            NotAJob,
            ComputeMissing,
            KernelMissing,
            UnknownParameter,
            ParameterType,
            TooMuchAsked,
            IdempotencyConflict,
            TooLarge,
            UnknownEnvironment,
            UnusableEnvironment,
        ],
    )
    async def post(self, run_id: str) -> None:
        """From its own snapshot, with what is given changed. With an `Idempotency-Key` the call may be repeated."""
        self.reply(await submit.rerun(self.services, self.db, self.actor, run_id, self.body, idempotency_key(self)))


class ParametersHandler(ApiHandler):
    """What a form for running a job again asks."""

    @endpoint(Action.READ, summary="Parameters of a job's notebook", reply=JobParameters, errors=[NotAJob, FileNotThere])
    async def get(self, run_id: str) -> None:
        """As the notebook in its snapshot declares them, which is what runs again; the file may be another one by now."""
        self.reply(await submit.parameters(self.services, self.db, self.actor, run_id))


class LogHandler(ApiHandler):
    """The log of a job."""

    @endpoint(Action.READ, summary="Log of a job", query=LogQuery, reply=LogSlice, errors=[NotAJob])
    async def get(self, run_id: str) -> None:
        """Whole lines from a byte offset on, and the unfinished last line apart; ask again from `next_offset`."""
        actor, q = self.actor, self.query
        ended = await self.db.read(lambda s: runs.open_run(s, actor, Action.READ, run_id).status in TERMINAL)
        path, over = await self.db.read(lambda s: files.log_path(s, self.services, run_id, q.stream, q.attempt))
        ended = ended or over
        if q.before is not None:
            self.reply(await asyncio.to_thread(read_log_before, path, q.before, q.limit))
            return
        self.reply(await asyncio.to_thread(read_log, path, q.offset, q.limit, ended=ended, tail=q.tail))


class LogSearchHandler(ApiHandler):
    """Search in the log of a job."""

    @endpoint(
        Action.READ, summary="Lines of a job's log that hold some words", query=LogSearchQuery, reply=LogMatches, errors=[NotAJob]
    )
    async def get(self, run_id: str) -> None:
        """In any case, colours left out. Searches about 32 MB; ask again from `next_offset` while there is `more`."""
        actor, q = self.actor, self.query
        await self.db.read(lambda s: runs.open_run(s, actor, Action.READ, run_id))
        path, _ = await self.db.read(lambda s: files.log_path(s, self.services, run_id, q.stream, q.attempt))
        self.reply(await asyncio.to_thread(search_log, path, q.q, q.offset))


class KeepHandler(ApiHandler):
    """A file worth keeping."""

    @endpoint(Action.SUBMIT, summary="Keep a file of the working folder", body=KeepFile, reply=StoredFile, status=201)
    async def post(self, run_id: str) -> None:
        """Stores a file that the job made outside `outputs/` as an artifact."""
        self.reply(await files.keep(self.services, self.db, self.actor, run_id, self.body.path))


class MissingBlobsHandler(ApiHandler):
    """Which files a client need not send."""

    @endpoint(Action.SUBMIT, summary="Which blobs the server lacks", body=BlobQuery, reply=MissingBlobs)
    async def post(self, workspace: str) -> None:
        """Before a submit with a manifest: only what is missing need travel."""
        asked = self.body.sha256
        await self.db.read(lambda s: service.check_workspace(s, workspace))
        self.reply(MissingBlobs(missing=await self.db.read(lambda s: storage.known_hashes(s, asked))))


class BlobHandler(UploadHandler):
    """A file that a client sends before it submits."""

    @endpoint(Action.SUBMIT, summary="Send a blob", raw_body=True, reply=StoredFile, status=201)
    async def put(self, workspace: str, sha256: str) -> None:
        """The body must have the hash in the address."""
        del workspace  # `admit` asked for it
        await self.receive(expected_sha256=sha256)

    async def admit(self) -> None:
        """Before the body is read: the address must be good."""
        workspace, sha256 = self.path_kwargs["workspace"], self.path_kwargs["sha256"]
        self.services.blobs.path(sha256)
        await self.db.read(lambda s: service.check_workspace(s, workspace))

    async def stored(self, blob: StoredBlob) -> None:
        """Note that the blob is there."""
        await self.db.write(lambda s: storage.add_blobs(s, [blob]))
        self.reply(StoredFile(path="", size=blob.size, sha256=blob.sha256))


class InspectHandler(ApiHandler):
    """What a submit dialog asks."""

    @endpoint(
        Action.READ,
        summary="Look at a notebook",
        body=NotebookInspect,
        reply=NotebookInspection,
        errors=[NotebookNotFound, NotANotebook],
    )
    async def post(self, workspace: str) -> None:
        """Its parameters with types, defaults and comments, its kernel, and what a snapshot of its folder would take."""
        await self.db.read(lambda s: service.check_workspace(s, workspace))
        self.reply(await submit.inspect(self.services, self.actor, self.body.path))


class KernelsHandler(ApiHandler):
    """Kernels."""

    @endpoint(Action.READ, summary="Installed kernels", reply=KernelList)
    async def get(self) -> None:
        """All kernels that a notebook job can choose."""
        self.reply(await asyncio.to_thread(submit.installed_kernels))


def idempotency_key(handler: Any) -> str | None:
    """The `Idempotency-Key` header, if the caller gave one."""
    key: str = handler.request.headers.get("Idempotency-Key", "")
    if len(key) > 255 or not key.isprintable():
        raise BadInput("An Idempotency-Key has at most 255 printable characters.", field="Idempotency-Key")
    return key or None


ROUTES = [
    Route("/workspaces/{workspace}/jobs", JobsHandler),
    Route("/jobs/{run_id}", JobHandler),
    Route("/jobs/{run_id}/cancel", CancelHandler),
    Route("/jobs/{run_id}/pause", PauseHandler),
    Route("/jobs/{run_id}/resume", ResumeHandler),
    Route("/jobs/{run_id}/rerun", RerunHandler),
    Route("/jobs/{run_id}/parameters", ParametersHandler),
    Route("/jobs/{run_id}/log", LogHandler),
    Route("/jobs/{run_id}/log/search", LogSearchHandler),
    Route("/jobs/{run_id}/keep", KeepHandler),
    Route("/workspaces/{workspace}/blobs/missing", MissingBlobsHandler),
    Route("/workspaces/{workspace}/blobs/{sha256}", BlobHandler),
    Route("/workspaces/{workspace}/notebooks/inspect", InspectHandler),
    Route("/kernels", KernelsHandler),
]
