"""What a model version may be made of: where its files lie is checked, for clients will load and run them from there."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import SplitResult, urlsplit

from jupyter_mlws.domain.models import service as models
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.errors import RunNotFound
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.mlflow_api.errors import DoesNotExist, InvalidParameter
from jupyter_mlws.mlflow_api.experiments import FOREIGN
from jupyter_mlws.mlflow_api.places import place_of
from jupyter_mlws.mlflow_api.registered_models import LATEST, known_alias, stage_of
from jupyter_mlws.mlflow_api.validation import fully_decoded

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.models.schemas import LoggedModel, ModelVersion
    from jupyter_mlws.mlflow_api import model_requests as r
    from jupyter_mlws.mlflow_api.http import Context

PLACEHOLDERS = frozenset({"dummy-source", "prompt-template"})
"""What clients of now and of old call the source of a prompt, which has no files."""
OURS = frozenset({"runs", "models", "mlflow-artifacts"})
MAX_ID = 255


class Source(NamedTuple):
    """Where a version comes from, checked."""

    source: str
    location: str
    """Where its files lie."""
    run_id: str
    logged_model_id: str | None


def resolve(session: Session, context: Context, request: r.CreateVersion, *, is_prompt: bool) -> Source:
    """The source of a new version. Raises `InvalidParameter` for one that its run or logged model does not hold."""
    source = request.source or ""
    run_id, model_id = request.run_id or "", request.model_id or None
    if len(run_id) > MAX_ID:
        raise InvalidParameter(f"'run_id' exceeds the maximum length of {MAX_ID} characters", field="run_id")
    if is_prompt:
        if source not in PLACEHOLDERS:
            raise InvalidParameter(
                f"Invalid prompt source: '{source}'. Prompt sources must use an MLflow placeholder.", field="source"
            )
        return Source(source, source, run_id, model_id and _logged(session, context, model_id).id)
    uri = _split(source)
    _check_tail(source, uri)
    if uri.scheme in FOREIGN or (uri.scheme == "mlflow-artifacts" and uri.netloc):
        raise InvalidParameter(
            f"'source' cannot use the '{uri.scheme}' scheme: the '{uri.scheme}' scheme addresses a host other than this server's own "
            "artifact store.",
            field="source",
        )
    if uri.scheme == "models":
        if uri.netloc:
            raise _invalid(source, "Registered model sources must use the active model registry.")
        name = uri.path.lstrip("/")
        if "/" in name or "@" in name:
            return _of_version(session, context, request, name)
    logged = None if model_id is None else _logged(session, context, model_id)
    _check_place(session, context, source, uri, run_id, logged)
    location = logged.location if logged is not None and uri.scheme == "models" else source
    return Source(source, location, run_id or (logged.source_run_id if logged else ""), model_id)


def _of_version(session: Session, context: Context, request: r.CreateVersion, place: str) -> Source:
    """Another version as the source: `<name>/<version, stage or latest>` or `<name>@<alias>`."""
    source = request.source or ""
    found = _find_version(session, context, place)
    if models.is_prompt(found.tags):
        raise _invalid(source, "Prompt versions cannot be used as model version sources.")
    if request.run_id not in (None, "", found.run_id) or request.model_id:
        raise _invalid(source, "The run_id and model_id request parameters must match the referenced model version.")
    return Source(f"models:/{found.name}/{found.number}", found.location, found.run_id, None)


def _find_version(session: Session, context: Context, place: str) -> ModelVersion:
    actor, workspace = context
    name, at, alias = place.rpartition("@")
    if at and "/" not in alias:
        with known_alias():
            return models.find_by_alias(session, actor, workspace, name, alias)
    name, _, word = place.partition("/")
    models.find_model(session, actor, workspace, name)
    if word.isascii() and word.isdigit():
        return models.find_version(session, actor, workspace, name, int(word[:20]))
    if word.lower() == LATEST:
        latest = models.latest_version(session, actor, workspace, name)
        found = [] if latest is None else [latest]
    else:
        found = models.latest_versions(session, actor, workspace, name, {stage_of(word)})
    if not found:
        raise DoesNotExist(f"No versions of model with name '{name}' and stage '{word}' found", field="source")
    return found[0]


def _check_place(
    session: Session, context: Context, source: str, uri: SplitResult, run_id: str, logged: LoggedModel | None
) -> None:
    """Raise unless the run, or else the logged model, that is named holds the source. Other stores than ours cannot be asked."""
    given = "run_id" if logged is None else "model_id"
    if len(uri.scheme) < 2 or uri.scheme == "file":  # a single letter is a drive of Windows
        raise _invalid(
            uri.path if uri.scheme == "file" else source,
            f"To use a local path as a model version source, the {given} request parameter has to be specified and the local path has "
            f"to be contained within the artifact directory of the run specified by the {given}.",
        )
    _check_absolute(source, uri)
    if uri.scheme == "runs":
        owner = uri.path.strip("/").partition("/")[0]
        holds = logged is None and not uri.netloc and bool(owner) and owner == run_id
    elif uri.scheme == "models":
        given = "model_id"
        holds = logged is not None and uri.path.strip("/") == logged.id
    elif uri.scheme == "mlflow-artifacts":
        holder = _owner(uri.path)
        holds = holder == logged.id if logged is not None else holder == run_id and _has_run(session, context, run_id)
    else:
        return
    if not holds:
        raise _invalid(source, f"The {given} request parameter must identify the resource that contains the source.")


def _check_tail(source: str, uri: SplitResult) -> None:
    """A URI of ours is a path alone; other stores may have options behind it."""
    if "#" in fully_decoded(source):
        raise _invalid(source, "A source can't include fragments.")
    if uri.scheme in OURS and "?" in source:
        raise _invalid(source, "A source in this server's own store can't include a query.")
    if ".." in fully_decoded(uri.query):
        raise _invalid(source, "Invalid query string.")


def _check_absolute(source: str, uri: SplitResult) -> None:
    """No way out of the place that a URI names, however often it is decoded."""
    path = fully_decoded(uri.path)
    plain = posixpath.normpath("/" + path.lstrip("/"))
    same = re.sub("/+", "/", "/" + path).rstrip("/") == plain.rstrip("/")
    if not same or not uri.path.startswith("/") or plain == "/" or "\0" in path or ".." in path.replace("\\", "/").split("/"):
        raise _invalid(
            source,
            "If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, an absolute path must "
            "be provided without relative path references present. Please provide an absolute path.",
        )


def _owner(path: str) -> str | None:
    """The run or logged model that has a place in our store; it may lie in a place that an experiment chose."""
    try:
        return place_of(path.strip("/")).owner
    except (DoesNotExist, InvalidParameter):
        return None


def _has_run(session: Session, context: Context, run_id: str) -> bool:
    try:
        return runs.open_run(session, context.actor, Action.READ, run_id).workspace == context.workspace
    except RunNotFound:
        return False


def _logged(session: Session, context: Context, model_id: str) -> LoggedModel:
    found = models.find_logged_model(session, context.actor, model_id)
    if found.workspace != context.workspace:
        raise DoesNotExist(f"Logged model with ID '{model_id[:80]}' not found.", field="model_id")
    return found


def _split(source: str) -> SplitResult:
    try:
        return urlsplit(source)
    except ValueError:
        raise _invalid(source, "It is no URI.") from None


def _invalid(source: str, words: str) -> InvalidParameter:
    return InvalidParameter(f"Invalid model version source: '{source[:500]}'. {words}", field="source")
