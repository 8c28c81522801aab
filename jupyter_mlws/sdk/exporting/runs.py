"""Runs in a folder of MLflow's: what they are, what they logged, and their files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.metrics.schemas import MetricHistory
from jupyter_mlws.sdk.downloads import save
from jupyter_mlws.sdk.exporting.session import pairs
from jupyter_mlws.sdk.mlflow_stores.places import PROXIED, scheme_of
from jupyter_mlws.sdk.mlflow_stores.records import WORDS
from jupyter_mlws.sdk.mlflow_stores.writing import Names, dataset_id, input_id, write_lines, write_meta, write_values

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jupyter_mlws.sdk.exporting.session import Export

POINTS = 25_000
LOCAL = 4
"""MLflow's number for a run that was started by hand: what it writes for all of them."""


def write_run(export: Export, folder: Path, experiment_id: str, found: dict[str, Any]) -> None:
    """One run. `folder`: that of its experiment."""
    info, data = found["info"], found.get("data", {})
    run_id = str(info["run_id"])
    at, renamed = folder / run_id, export.report.renaming(f"run {run_id}")
    uri = str(info.get("artifact_uri", ""))
    own = scheme_of(uri) == PROXIED
    write_meta(
        at,
        {
            "artifact_uri": (export.target / experiment_id / run_id / "artifacts").as_uri() if own else uri,
            "end_time": info.get("end_time"),
            "entry_point_name": "",
            "experiment_id": experiment_id,
            "lifecycle_stage": info["lifecycle_stage"],
            "run_id": run_id,
            "run_name": info["run_name"],
            "run_uuid": run_id,
            "source_name": "",
            "source_type": LOCAL,
            "source_version": "",
            "start_time": info.get("start_time"),
            "status": WORDS.index(info["status"]) + 1,
            "tags": [],
            "user_id": info.get("user_id", ""),
        },
    )
    write_values(at / "params", pairs(data.get("params")), renamed)
    write_values(at / "tags", pairs(data.get("tags")), renamed)
    (at / "metrics").mkdir(exist_ok=True)
    names = Names(at / "metrics", renamed)
    for key in [str(metric["key"]) for metric in data.get("metrics", ())]:
        export.add("metric points", write_lines(names.path(key), _lines(export, run_id, key)))
    (at / "artifacts").mkdir(exist_ok=True)
    if own:
        _save_files(export, run_id, at / "artifacts")
    _write_io(folder, at, run_id, found)
    export.add("runs")


def _lines(export: Export, run_id: str, key: str) -> Iterator[str]:
    cursor: str | None = None
    while True:
        query = {"key": key, "limit": POINTS, "cursor": cursor}
        page = export.workspace.transport.ask("GET", f"/runs/{run_id}/metrics/history", MetricHistory, query=query)
        for step, time, value in zip(page.steps, page.times, page.values, strict=True):
            yield f"{time} {float(value)!r} {step}"
        export.tell(f"{key} of {run_id}")
        cursor = page.next_cursor
        if cursor is None:
            return


def _save_files(export: Export, run_id: str, to: Path) -> None:
    for path in save(export.workspace.transport, f"/runs/{run_id}/artifacts", "", to):
        export.add("files")
        export.report.bytes += path.stat().st_size
    export.tell(f"files of {run_id}")


def _write_io(folder: Path, at: Path, run_id: str, found: dict[str, Any]) -> None:
    inputs = found.get("inputs", {})
    for one in inputs.get("dataset_inputs", ()):
        described, tags = one["dataset"], pairs(one.get("tags"))
        known = dataset_id(described.get("name", ""), described.get("digest", ""))
        fields = ("digest", "name", "profile", "schema", "source", "source_type")
        write_meta(folder / "datasets" / known, {name: described.get(name) for name in fields})
        link: dict[str, Any] = {
            "source_type": "DATASET",
            "source_id": known,
            "destination_type": "RUN",
            "destination_id": run_id,
            "tags": tags,
        }
        write_meta(at / "inputs" / input_id(known, run_id), link)
    for one in inputs.get("model_inputs", ()):
        model_id = str(one["model_id"])
        link = {"source_type": "MODEL", "source_id": model_id, "destination_type": "RUN", "destination_id": run_id, "tags": {}}
        write_meta(at / "inputs" / input_id(model_id, run_id), link)
    for one in found.get("outputs", {}).get("model_outputs", ()):
        model_id = str(one["model_id"])
        made = {
            "source_type": "RUN_OUTPUT",
            "source_id": run_id,
            "destination_type": "MODEL_OUTPUT",
            "destination_id": model_id,
            "tags": {},
            "step": int(one.get("step", 0)),
        }
        write_meta(at / "outputs" / model_id, made)
