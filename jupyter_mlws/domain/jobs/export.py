"""A job that was submitted, as one that could be submitted again: what its file is written from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

from jupyter_mlws.domain.compute.schemas import JobResources
from jupyter_mlws.domain.jobs import service
from jupyter_mlws.domain.jobs.schemas import JobCreate, NotebookSpec
from jupyter_mlws.domain.runs import service as runs

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.jobs.tables import JobRow
    from jupyter_mlws.kit.actors import Actor

OURS = ("mlws.", "mlflow.")
"""Tags that programs set; they are no part of what was asked for."""


def asked_again(session: Session, actor: Actor, run_id: str) -> tuple[JobCreate, list[str]]:
    """The job, with whole paths, and sentences about what it cannot tell."""
    job, row = service.get_job(session, actor, run_id), service.job_row(session, run_id)
    spec, left = _with_paths(job.spec, row)
    if job.env_names:
        left.append(f"Values of environment variables are not told; add environment_variables for {', '.join(job.env_names)}.")
    tags = {name: value for name, value in job.run.tags.items() if not name.startswith(OURS)}
    return (
        JobCreate(
            spec=spec,
            experiment=job.run.experiment_name,
            name=runs.names_of(session, run_id).given or UNSET,
            target=row.target,
            priority=row.priority,
            timeout_s=row.timeout_s or UNSET,
            max_retries=row.max_retries,
            resources=_asked(row),
            tags=tags or UNSET,
            environment=row.environment or UNSET,
            secrets=job.secrets or UNSET,
            note=job.run.note or UNSET,
            in_place=row.in_place,
            parent_id=job.run.parent_id or UNSET,
        ),
        left,
    )


def _asked(row: JobRow) -> JobResources | UnsetType:
    if not (row.cpus or row.memory_bytes or row.gpus):
        return UNSET
    return JobResources(cpus=row.cpus or UNSET, memory_bytes=row.memory_bytes or UNSET, gpus=row.gpus or UNSET)


def _with_paths(spec: Any, row: JobRow) -> tuple[Any, list[str]]:
    field = "notebook" if isinstance(spec, NotebookSpec) else "code"
    path = getattr(spec, field, UNSET)
    if path is UNSET:
        return spec, []
    if row.source_dir is None:
        words = f"Its files were sent from another disk; put them beside this file: mlws job download {row.run_id} --snapshot"
        return spec, [words]
    whole = f"{row.source_dir}/{str(path).rsplit('/', 1)[-1]}" if field == "notebook" else row.source_dir
    return msgspec.structs.replace(spec, **{field: whole}), []
