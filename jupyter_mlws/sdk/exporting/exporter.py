"""One export from its beginning to its end."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlws.sdk.downloads import umask
from jupyter_mlws.sdk.errors import BadInput, NotFound
from jupyter_mlws.sdk.exporting.models import Registry, write_logged_model
from jupyter_mlws.sdk.exporting.runs import write_run
from jupyter_mlws.sdk.exporting.session import Export, ExportReport, pairs
from jupyter_mlws.sdk.mlflow_stores.places import PROXIED, TRASH, scheme_of
from jupyter_mlws.sdk.mlflow_stores.writing import write_meta, write_values
from jupyter_mlws.sdk.mlflow_wire import MlflowWire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jupyter_mlws.sdk.workspace import Workspace

DEFAULT, DEFAULT_ID = "Default", "0"
"""The experiment that MLflow's clients use when none is named; its id is fixed there."""


def export_mlflow(
    workspace: Workspace,
    folder: str | Path,
    *,
    experiments: Sequence[str] = (),
    tell: Callable[[ExportReport, str], None] = lambda _report, _where: None,
) -> ExportReport:
    """Write experiments, runs, models and the registry into a new folder that MLflow's clients read as a file store.

    experiments: only those of these names, and the models that come of them. The folder appears when it is whole; its files name their
    own places, so it stays where it is. Raises `BadInput` for a folder that is not empty, `NotFound` for an experiment.
    """
    target = Path(folder).expanduser().absolute()
    if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        raise BadInput(
            f"{target} is there already and is not an empty folder; name a new one.", status=400, code="not_empty", field="folder"
        )
    report = ExportReport(target, workspace.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    wire = MlflowWire(workspace)
    try:
        _write(Export(workspace, wire, report, work, target, lambda where: tell(report, where)), experiments)
        work.chmod(0o777 & ~umask())
        work.replace(target)
    finally:
        wire.close()
        shutil.rmtree(work, ignore_errors=True)
    return report


def _write(export: Export, names: Sequence[str]) -> None:
    found = list(export.wire.pages("experiments/search", "experiments", view_type="ALL"))
    there = {str(one["name"]) for one in found}
    if lacking := [name for name in names if name not in there]:
        raise NotFound(
            f"The workspace {export.workspace.name!r} has no experiment {lacking[0][:80]!r}.",
            status=404,
            code="experiment_not_found",
            field="experiment",
        )
    ids: dict[str, str] = {}
    for experiment in found:
        if not names or experiment["name"] in names:
            here = str(experiment["experiment_id"])
            ids[here] = DEFAULT_ID if experiment["name"] == DEFAULT else here
            _write_experiment(export, here, ids[here], experiment)
    Registry(export, ids, selected=bool(names)).write()


def _write_experiment(export: Export, here: str, there: str, experiment: dict[str, Any]) -> None:
    deleted = experiment["lifecycle_stage"] == "deleted"
    at = export.work / TRASH / there if deleted else export.work / there
    location = str(experiment.get("artifact_location", ""))
    own = scheme_of(location) in (PROXIED, "", "file")
    write_meta(
        at,
        {
            "artifact_location": (export.target / there).as_uri() if own else location,
            "creation_time": experiment.get("creation_time"),
            "experiment_id": there,
            "last_update_time": experiment.get("last_update_time"),
            "lifecycle_stage": experiment["lifecycle_stage"],
            "name": experiment["name"],
        },
    )
    write_values(at / "tags", pairs(experiment.get("tags")), export.report.renaming(f"experiment {experiment['name']}"))
    export.add("experiments")
    searched = {"experiment_ids": [here], "run_view_type": "ALL"}
    for run in export.wire.pages("runs/search", "runs", method="POST", **searched):
        export.tell(f"{experiment['name']}  {run['info']['run_name']}")
        whole = export.wire.get("runs/get", run_id=run["info"]["run_id"])["run"]
        write_run(export, at, there, whole)
    for model in export.wire.pages("logged-models/search", "models", method="POST", experiment_ids=[here]):
        write_logged_model(export, at, there, model)
