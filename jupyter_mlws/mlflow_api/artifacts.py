"""MLflow's routes of a run's artifacts: lists, and the signed URLs that a store like ours has none of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.models import service as models
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.storage.errors import ArtifactNotFound
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.paths import BadPath
from jupyter_mlws.mlflow_api.convert import artifact_uri, filled
from jupyter_mlws.mlflow_api.errors import InvalidParameter, missing
from jupyter_mlws.mlflow_api.runs import active, run_id_of
from jupyter_mlws.mlflow_api.validation import fully_decoded

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.storage.schemas import FileEntry
    from jupyter_mlws.mlflow_api import requests as r
    from jupyter_mlws.mlflow_api.http import Context

SCHEME = "mlflow-artifacts"
MAX_EXPIRATION = 604_800
ELSEWHERE = re.compile(r"[A-Za-z]:[\\/]|file:|[A-Za-z][\w+.-]*://", re.IGNORECASE)
"""A drive of Windows or a URL."""


def list_of_run(session: Session, context: Context, request: r.ListArtifacts) -> dict[str, Any]:
    """What lies in a folder of a run's artifacts, by paths from the run's root."""
    run_id = run_id_of(request)
    with active(run_id):
        found = runs.head(session, context.actor, run_id)
    path = check_path(request.path or "")
    root = artifact_uri(found.experiment_id, found.artifact_location, found.id)
    return filled(root_uri=root, files=[wire(entry, entry.path) for entry in folder(session, found.id, path)])


def folder(session: Session, owner: str, path: str) -> list[FileEntry]:
    """The entries of a folder by name; none where there is no folder. `owner`: a run, or a logged model by its digits."""
    try:
        entries = storage.list_artifacts(session, owner, path).entries
    except (ArtifactNotFound, BadPath):
        return []
    return sorted(entries, key=lambda entry: entry.path)


def wire(entry: FileEntry, path: str) -> dict[str, Any]:
    """A file or folder as clients read it; MLflow leaves out the size of an empty file."""
    is_dir = entry.type == "folder"
    return filled(path=path, is_dir=is_dir, file_size=entry.size if not is_dir and entry.size else None)


def check_path(path: str) -> str:
    """A path that stays below its root, however often it is decoded."""
    decoded = fully_decoded(path)
    parts = decoded.replace("\\", "/").split("/")
    if "#" in decoded or "\0" in decoded or ".." in parts or decoded.startswith(("/", "\\")) or ELSEWHERE.match(decoded):
        raise InvalidParameter("Invalid path", field="path")
    return path.strip("/")


def presigned_upload(session: Session, context: Context, request: r.Presigned) -> dict[str, Any]:
    """A signed URL to send a file to: refused, for files come to this server itself."""
    if bool(request.run_id) == bool(request.model_id):
        raise InvalidParameter("Exactly one of run_id and model_id must be provided.")
    _check_expiration(request.expiration)
    check_path(request.path or "")
    if request.run_id:
        with active(request.run_id):
            runs.open_run(session, context.actor, Action.READ, request.run_id)
    else:
        models.open_for_files(session, context.actor, request.model_id or "", Action.LOG)
    raise InvalidParameter(
        f"Presigned upload is not supported for proxied artifact storage (artifact URI scheme: {SCHEME}). This endpoint requires a "
        "direct cloud storage artifact URI."
    )


def presigned_download(session: Session, context: Context, request: r.Presigned) -> dict[str, Any]:
    """A signed URL to fetch a file from: refused, for files come from this server itself."""
    if not request.run_id:
        raise missing("run_id")
    _check_expiration(request.expiration)
    check_path(request.path or "")
    with active(request.run_id):
        runs.open_run(session, context.actor, Action.READ, request.run_id)
    raise InvalidParameter(
        f"Presigned download is not supported for runs with proxied artifact storage (artifact URI scheme: {SCHEME}). This endpoint "
        "requires a run with a direct cloud storage artifact URI."
    )


def _check_expiration(seconds: int | None) -> None:
    if seconds is not None and not 1 <= seconds <= MAX_EXPIRATION:
        raise InvalidParameter(f"expiration must be between 1 and {MAX_EXPIRATION} seconds (got {seconds}).", field="expiration")
