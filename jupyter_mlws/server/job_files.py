"""Routes of job files: what `specs` reads, jobs submit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET

from jupyter_mlws.domain.environments.errors import UnknownEnvironment, UnusableEnvironment
from jupyter_mlws.domain.jobs import export, submit
from jupyter_mlws.domain.jobs.errors import (
    ComputeMissing,
    DataMissing,
    IdempotencyConflict,
    KernelMissing,
    MirrorMissing,
    NotAJob,
    NotANotebook,
    NotebookNotFound,
    ParameterType,
    SnapshotUnconfirmed,
    SourceMissing,
    TooMuchAsked,
    UnknownParameter,
)
from jupyter_mlws.domain.jobs.routes.jobs import idempotency_key
from jupyter_mlws.domain.jobs.schemas import (
    JobFile,
    JobFileSchema,
    JobFileSubmission,
    JobFileSubmit,
    JobFileText,
    JobFileValidation,
)
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.errors import MlwsError, TooLarge
from jupyter_mlws.kit.http import ApiHandler, Route, endpoint
from jupyter_mlws.specs.errors import JobFileInvalid
from jupyter_mlws.specs.job_files import read_job_file
from jupyter_mlws.specs.schema import json_schema
from jupyter_mlws.specs.writing import NoJobFile, write_job_file

if TYPE_CHECKING:
    from jupyter_mlws.specs.job_files import ParsedJobFile

WRONG = [
    JobFileInvalid,
    ComputeMissing,
    NotebookNotFound,
    NotANotebook,
    KernelMissing,
    UnknownParameter,
    ParameterType,
    SourceMissing,
    DataMissing,
    MirrorMissing,
    TooLarge,
    TooMuchAsked,
    UnknownEnvironment,
    UnusableEnvironment,
]


class JobFilesHandler(ApiHandler):
    """Job files to submit."""

    @endpoint(
        Action.SUBMIT,
        summary="Submit a job file",
        body=JobFileSubmit,
        reply=JobFileSubmission,
        status=201,
        errors=[*WRONG, SnapshotUnconfirmed, IdempotencyConflict],
    )
    async def post(self, workspace: str) -> None:
        """As any job, from its file's text. What is wrong names file, line and field; what is not honoured is told in `warnings`."""
        body, key = self.body, idempotency_key(self)
        read = await reading(body)
        job = msgspec.structs.replace(
            read.placed(body.folder, body.manifest),
            priority=body.priority,
            in_place=body.in_place,
            confirm_large=body.confirm_large,
            parent_id=body.parent_id,
        )
        try:
            submitted = await submit.submit(self.services, self.db, self.actor, workspace, job, key)
        except MlwsError as error:
            raise read.located(error) from None
        self.reply(JobFileSubmission(job=submitted, warnings=read.warnings))


class ValidateHandler(ApiHandler):
    """Job files to look at."""

    @endpoint(Action.READ, summary="Validate a job file", body=JobFile, reply=JobFileValidation, errors=WRONG)
    async def post(self, workspace: str) -> None:
        """Whether it could be submitted, and what it asks for; nothing is stored. Sources are looked at if `folder` says where."""
        read, here = await reading(self.body), self.body.folder is not UNSET
        job = read.placed(self.body.folder) if here else read.seen(UNSET)
        try:
            await submit.check(self.services, self.db, self.actor, workspace, job, sources_here=here)
        except MlwsError as error:
            raise read.located(error) from None
        self.reply(JobFileValidation(job=read.job, source=read.source, warnings=read.warnings))


class ExportHandler(ApiHandler):
    """A job as a file."""

    @endpoint(Action.READ, summary="A job as a job file", reply=JobFileText, errors=[NotAJob, NoJobFile])
    async def get(self, run_id: str) -> None:
        """The file that asks for the same job; what it cannot say stands in comments and in `warnings`."""
        actor = self.actor
        job, left = await self.db.read(lambda s: export.asked_again(s, actor, run_id))
        self.reply(await asyncio.to_thread(write_job_file, job, left))


class SchemaHandler(ApiHandler):
    """What editors know of job files."""

    @endpoint(Action.READ, summary="JSON schema of job files", reply=JobFileSchema)
    async def get(self) -> None:
        """Made from the table by which job files are read."""
        self.reply(JobFileSchema(schema=json_schema()))


async def reading(body: JobFile) -> ParsedJobFile:
    """The file of a request, read off the event loop."""
    changes = body.set if body.set is not UNSET else {}
    return await asyncio.to_thread(read_job_file, body.text, file=body.file_name, changes=changes)


ROUTES = [
    Route("/workspaces/{workspace}/jobs/file", JobFilesHandler),
    Route("/workspaces/{workspace}/jobs/file/validate", ValidateHandler),
    Route("/jobs/{run_id}/file", ExportHandler),
    Route("/job-file-schema", SchemaHandler),
]
