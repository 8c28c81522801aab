"""Sending models: logged ones with their files and points, registered ones with their versions."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec import UNSET

from jupyter_mlws.domain.models.schemas import (
    ImportedLoggedModel,
    ImportedModel,
    ImportedPoint,
    LoggedModelImport,
    LoggedModelImportEnd,
    LoggedModelPoints,
    ModelImport,
    VersionImport,
)
from jupyter_mlws.domain.runs.states import ImportState
from jupyter_mlws.kit.ids import is_id
from jupyter_mlws.sdk import text
from jupyter_mlws.sdk.errors import BadInput, NotFound
from jupyter_mlws.sdk.importing.files import count_files, place_of, send_model_files
from jupyter_mlws.sdk.importing.session import LOCATION, REFUSALS, TAKEN, chunks, plain
from jupyter_mlws.sdk.mlflow_stores.places import LOCAL, PROXIED, owner_of, scheme_of
from jupyter_mlws.sdk.mlflow_stores.records import Skip
from jupyter_mlws.sdk.results import Run

if TYPE_CHECKING:
    from jupyter_mlws.sdk.importing.runs import RunSender
    from jupyter_mlws.sdk.importing.session import Session
    from jupyter_mlws.sdk.mlflow_stores.records import SourceExperiment, SourceLoggedModel, SourceModel, SourceVersion

ASKED, POINTS, VERSIONS = 200, 5000, 200
ORIGINAL = "mlws.importedSource"
"""Tag of a version: the source that it had where it comes from."""
PLACEHOLDERS = ("dummy-source", "prompt-template")
PROMPT = "mlflow.prompt.is_prompt"


class ModelSender:
    """Brings logged models, experiment by experiment, then the registry."""

    def __init__(self, session: Session, runs: RunSender) -> None:
        self._s = session
        self._runs = runs
        self._seen: set[str] = set()

    def experiment(self, experiment: SourceExperiment, target: str | None) -> None:
        """All logged models of an experiment."""
        for some in chunks(self._s.source.logged_models(experiment), ASKED):
            states = self._s.states("logged-models", [model.id for model in some])
            for model in some:
                self._s.tell(f"{experiment.name}  model {model.name}")
                try:
                    self._bring(model, states[model.id], target)
                except REFUSALS as error:
                    self._s.failed("logged model", model.id, error)

    def _bring(self, model: SourceLoggedModel, state: ImportState, target: str | None) -> None:
        count = self._s.report["logged models"]
        if state is ImportState.TAKEN:
            self._s.report.skip(Skip("logged model", model.id, TAKEN))
            return
        self._seen.add(model.id)
        if state is ImportState.COMPLETE:
            count.present += 1
            return
        owner = f"models/{model.id}"
        place = place_of(self._s, model.artifact_uri, owner, model.experiment_id)
        if self._s.dry:
            if place.folder is not None:
                count_files(self._s, place.folder, model.id)
        else:
            self._begin(model, target or "", elsewhere=bool(place.remote or place.reason))
            self._send_points(model)
            if place.folder is not None:
                begun = state is not ImportState.MISSING
                send_model_files(self._s, place.folder, f"{target}/{owner}/artifacts", model.id, begun=begun)
            self._finish(model)
        count.imported += 1

    def _begin(self, model: SourceLoggedModel, target: str, *, elsewhere: bool) -> None:
        tags = {**model.tags, **({LOCATION: model.artifact_uri} if elsewhere else {})}
        body = LoggedModelImport(
            experiment_id=target,
            imported_from=self._s.source.identity,
            name=plain(model.name, 500) or model.id,
            model_type=plain(model.model_type, 500),
            source_run_id=plain(model.source_run_id, 255),
            created_at=model.created_at,
            params=self._s.cleaned(model.params, "param", model.id),
            tags=self._s.cleaned(tags, "tag", model.id),
        )
        self._s.workspace.transport.ask("PUT", self._s.path(f"logged-models/{model.id}"), ImportedLoggedModel, body=body)

    def _send_points(self, model: SourceLoggedModel) -> None:
        address = self._s.path(f"logged-models/{model.id}/points")
        for some in chunks(self._s.source.model_points(model), POINTS):
            points = [
                ImportedPoint(
                    key=one.point.key,
                    value=text.exact(one.point.value),  # type: ignore[arg-type] # words for NaN
                    time=one.point.time,
                    step=one.point.step,
                    run_id=one.run_id,
                    dataset_name=one.dataset_name,
                    dataset_digest=one.dataset_digest,
                )
                for one in some
            ]
            body = LoggedModelPoints(imported_from=self._s.source.identity, points=points)
            headers = {"Idempotency-Key": model.id}
            self._s.workspace.transport.ask("POST", address, ImportedLoggedModel, body=body, headers=headers)

    def _finish(self, model: SourceLoggedModel) -> None:
        end = LoggedModelImportEnd(
            imported_from=self._s.source.identity, status=model.status, updated_at=model.updated_at, deleted=model.deleted
        )
        address, headers = self._s.path(f"logged-models/{model.id}/finish"), {"Idempotency-Key": model.id}
        self._s.workspace.transport.ask("POST", address, ImportedLoggedModel, body=end, headers=headers)

    # The registry

    def registry(self, *, selected: bool) -> None:
        """All registered models; `selected`: only versions of the runs and logged models that were brought."""
        for model in self._s.source.registered_models():
            self._s.tell(f"registered model {model.name}")
            try:
                self._register(model, selected=selected)
            except REFUSALS as error:
                self._s.failed("registered model", model.name, error)

    def _register(self, model: SourceModel, *, selected: bool) -> None:
        report, sent = self._s.report, False
        for some in chunks(self._s.source.versions(model), VERSIONS):
            chosen = [version for version in some if not selected or self._brought(version)]
            if chosen:
                versions = [self._version(model, version) for version in chosen]
                made = self._put(model, versions)
                report["model versions"].imported += made.versions
                report["model versions"].present += len(versions) - made.versions
                report["registered models"].imported += made.created and not (self._s.dry and sent)
                report["registered models"].present += not made.created and not sent
                sent = True
        if not sent and selected:
            return
        made = self._put(model, [], with_aliases=True)
        count = report["registered models"]
        if not sent:
            count.imported, count.present = count.imported + made.created, count.present + (not made.created)
        aliases = made.aliases if not self._s.dry or not made.created else len(model.aliases)
        report["aliases"].imported += aliases
        report["aliases"].present += len(model.aliases) - aliases if not selected else 0

    def _brought(self, version: SourceVersion) -> bool:
        return version.run_id in self._runs.seen or (version.logged_model_id or "") in self._seen

    def _put(self, model: SourceModel, versions: list[VersionImport], *, with_aliases: bool = False) -> ImportedModel:
        body = ModelImport(
            name=model.name,
            imported_from=self._s.source.identity,
            description=model.description[:100_000].replace("\0", "") or UNSET,
            tags=self._s.cleaned(model.tags, "tag", model.name),
            created_at=model.created_at,
            updated_at=model.updated_at,
            versions=versions,
            aliases=model.aliases if with_aliases else UNSET,
            dry_run=self._s.dry,
        )
        return self._s.workspace.transport.ask("PUT", self._s.path("models"), ImportedModel, body=body)

    def _version(self, model: SourceModel, version: SourceVersion) -> VersionImport:
        location = self._placed(version.location, model, version)
        kept = scheme_of(version.source) not in (*LOCAL, PROXIED) or version.source in PLACEHOLDERS
        if kept:
            source = version.source
        else:
            source = location if version.source == version.location else self._placed(version.source, model, version)
        tags = {**version.tags, **({ORIGINAL: version.source} if source != version.source else {})}
        model_id = version.logged_model_id or ""
        return VersionImport(
            number=version.number,
            source=source,
            location=location,
            description=version.description[:100_000].replace("\0", ""),
            run_id=plain(version.run_id, 255),
            run_link=plain(version.run_link, 4000),
            logged_model_id=model_id if model_id.startswith("m-") and is_id(model_id[2:]) else None,
            stage=version.stage,
            created_at=version.created_at,
            updated_at=version.updated_at,
            tags=self._s.cleaned(tags, "tag", f"{model.name} {version.number}"),
        )

    def _placed(self, uri: str, model: SourceModel, version: SourceVersion) -> str:
        """Where the files of a version lie now that its run, or its logged model, is here."""
        if uri in PLACEHOLDERS:
            return uri
        scheme, found = scheme_of(uri), owner_of(uri)
        if scheme == "models" and is_id(uri.removeprefix("models:/m-")):
            found = (f"models/{uri.removeprefix('models:/')}", "")
        if found is not None:
            owner, path = found
            experiment_id = self._experiment_of(owner)
            if experiment_id is not None:
                return f"{PROXIED}:/{experiment_id}/{owner}/artifacts{f'/{path}' if path else ''}"
        elif scheme not in (*LOCAL, PROXIED):
            return uri
        reason = "its files were not brought along: they are those of no run that is here"
        self._s.report.skip(Skip("model file", f"{model.name} version {version.number} at {uri[:500]}", reason))
        return f"not-copied:{quote(uri[:1000], safe='/:@')}"

    def _experiment_of(self, owner: str) -> str | None:
        """The experiment of a run or logged model that is here; any, where it would be here."""
        model_id = owner.removeprefix("models/")
        if self._s.dry and (owner in self._runs.seen or model_id in self._seen):
            return "0"
        try:
            if model_id != owner:
                return str(self._s.wire.get(f"logged-models/{model_id}")["model"]["info"]["experiment_id"])
            if not is_id(owner):
                return None
            run = self._s.workspace.transport.ask("GET", f"/runs/{owner}", Run)
        except (NotFound, BadInput):
            return None
        return run.experiment_id if run.workspace == self._s.workspace.name else None
