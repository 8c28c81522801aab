"""One import from its beginning to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from jupyter_mlws.domain.experiments.schemas import ExperimentImport, ImportedExperiment
from jupyter_mlws.sdk.errors import NotFound
from jupyter_mlws.sdk.importing.models import ModelSender
from jupyter_mlws.sdk.importing.report import Report
from jupyter_mlws.sdk.importing.runs import RunSender
from jupyter_mlws.sdk.importing.session import Session, plain
from jupyter_mlws.sdk.mlflow_stores.opening import open_source
from jupyter_mlws.sdk.mlflow_stores.records import NOTE, Skip, bad_source
from jupyter_mlws.sdk.mlflow_wire import MlflowWire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from jupyter_mlws.sdk.mlflow_stores.records import Source, SourceExperiment
    from jupyter_mlws.sdk.workspace import Workspace


def import_mlflow(
    workspace: Workspace,
    source: str,
    *,
    artifacts: Path | None = None,
    experiments: Sequence[str] = (),
    dry_run: bool = False,
    tell: Callable[[Report, str], None] = lambda _report, _where: None,
) -> Report:
    """Bring experiments, runs, models and the registry of an MLflow store into a workspace, with their ids. Nothing there is changed.

    source: an `mlruns` folder, an SQLite file or its `sqlite:///` URI, a `postgresql://` URL. artifacts: the folder of the artifact
    store where the source names one, or where files were moved to. experiments: only those of these names. dry_run: only count.
    tell: is called often, with the report as it grows and the thing that is sent now.

    May be stopped at any moment and asked again; what is here already is left as it is. Raises `BadInput` for a source that is none.
    """
    report = Report(source, workspace.name, dry_run=dry_run)
    store = open_source(source, artifacts, report.skip)
    report.source = store.identity
    wire = MlflowWire(workspace)
    try:
        _check_names(store, experiments)
        _Import(Session(workspace, wire, store, report, lambda where: tell(report, where))).run(experiments)
    finally:
        store.close()
        wire.close()
    return report


def _check_names(store: Source, names: Sequence[str]) -> None:
    if not names:
        return
    skip, store.skip = store.skip, lambda _skip: None  # told once, when they are read in earnest
    try:
        there = {experiment.name for experiment in store.experiments()}
    finally:
        store.skip = skip
    if lacking := [name for name in names if name not in there]:
        near = ", ".join(repr(name[:80]) for name in sorted(there)[:10]) or "none"
        raise bad_source(f"The source has no experiment {lacking[0][:80]!r}; there are: {near}.", "no_such_experiment")


class _Import:
    def __init__(self, session: Session) -> None:
        self._s = session
        self._runs = RunSender(session)
        self._models = ModelSender(session, self._runs)

    def run(self, names: Sequence[str]) -> None:
        for experiment in self._s.source.experiments():
            if names and experiment.name not in names:
                continue
            self._s.tell(experiment.name)
            target = self._experiment(experiment)
            self._runs.experiment(experiment, target)
            self._models.experiment(experiment, target)
            if traces := self._s.source.traces(experiment):
                self._s.report.skip(Skip("trace", f"{traces:,} of experiment {experiment.name}", "traces are not kept here"))
        self._runs.link_parents()
        self._models.registry(selected=bool(names))

    def _experiment(self, experiment: SourceExperiment) -> str | None:
        """The id of the experiment that the runs go into; None if it would be made."""
        name = plain(experiment.name, 500) or f"experiment {experiment.id}"
        count = self._s.report["experiments"]
        if self._s.dry:
            try:
                found = self._s.wire.get("experiments/get-by-name", experiment_name=name)
            except NotFound:
                count.imported += 1
                return None
            count.present += 1
            return str(found["experiment"]["experiment_id"])
        body = ExperimentImport(
            name=name,
            description=experiment.tags.get(NOTE, "")[:100_000].replace("\0", ""),
            tags=self._s.cleaned(experiment.tags, "tag", f"experiment {experiment.name}"),
            archived=experiment.deleted,
            created_at=experiment.created_at if experiment.created_at is not None else UNSET,
            updated_at=experiment.updated_at if experiment.updated_at is not None else UNSET,
        )
        made = self._s.workspace.transport.ask("PUT", self._s.path("experiments"), ImportedExperiment, body=body)
        count.imported, count.present = count.imported + made.created, count.present + (not made.created)
        return made.id
