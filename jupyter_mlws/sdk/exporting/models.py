"""Models in a folder of MLflow's: logged ones beside the runs of their experiment, registered ones for themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_mlws.kit.errors import MlwsError
from jupyter_mlws.kit.paths import inside
from jupyter_mlws.sdk.errors import NotFound
from jupyter_mlws.sdk.exporting.session import pairs
from jupyter_mlws.sdk.mlflow_stores.places import PROXIED, owner_of, path_of, plain_name, scheme_of
from jupyter_mlws.sdk.mlflow_stores.records import Skip
from jupyter_mlws.sdk.mlflow_stores.writing import Names, write_lines, write_meta, write_values

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_mlws.sdk.exporting.session import Export

STATUSES = ("LOGGED_MODEL_STATUS_UNSPECIFIED", "LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED")


def write_logged_model(export: Export, folder: Path, experiment_id: str, found: dict[str, Any]) -> None:
    """One logged model. `folder`: that of its experiment."""
    info, data = found["info"], found.get("data", {})
    model_id, uri = str(info["model_id"]), str(info.get("artifact_uri", ""))
    at, renamed = folder / "models" / model_id, export.report.renaming(f"logged model {model_id}")
    own = scheme_of(uri) == PROXIED
    write_meta(
        at,
        {
            "artifact_location": (export.target / experiment_id / "models" / model_id / "artifacts").as_uri() if own else uri,
            "creation_timestamp": info["creation_timestamp_ms"],
            "experiment_id": experiment_id,
            "last_updated_timestamp": info["last_updated_timestamp_ms"],
            "lifecycle_stage": "active",
            "model_id": model_id,
            "model_type": info.get("model_type") or None,
            "name": info["name"],
            "source_run_id": info.get("source_run_id") or None,
            "status": STATUSES.index(info["status"]),
            "status_message": None,
        },
    )
    write_values(at / "params", pairs(data.get("params")), renamed)
    write_values(at / "tags", pairs(info.get("tags")), renamed)
    (at / "metrics").mkdir(exist_ok=True)
    by_key: dict[str, list[str]] = {}
    for point in data.get("metrics", ()):
        by_key.setdefault(str(point["key"]), []).append(_line(point))
    names = Names(at / "metrics", renamed)
    for key, lines in by_key.items():
        write_lines(names.path(key), lines)
    (at / "artifacts").mkdir(exist_ok=True)
    if own:
        _save_files(export, model_id, str(path_of(uri) or "").strip("/"), at / "artifacts")
    export.add("logged models")


def _line(point: dict[str, Any]) -> str:
    """As MLflow writes it; it has no way to write a dataset whose name has blanks."""
    dataset = [str(point.get(name) or "") for name in ("dataset_name", "dataset_digest")]
    told = dataset if all(dataset) and not any(" " in word for word in dataset) else []
    line = [str(point["timestamp"]), repr(float(point["value"])), str(point.get("step", 0)), str(point["run_id"]), *told]
    return " ".join(line)


def _save_files(export: Export, model_id: str, place: str, to: Path) -> None:
    for path, _ in export.wire.files(place):
        try:
            target = inside(to, path)
        except MlwsError as error:
            export.report.skipped.append(Skip("file", f"{path[:200]} of {model_id}", error.message))
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            for piece in export.wire.download(export.wire.file_address(f"{place}/{path}"), {}):
                file.write(piece)
                export.report.bytes += len(piece)
        export.add("files")
        export.tell(path)


class Registry:
    """The registered models of a workspace."""

    def __init__(self, export: Export, experiments: dict[str, str], *, selected: bool) -> None:
        """experiments: ids in the folder by ids here. selected: only versions of runs and logged models that were written."""
        self._e = export
        self._experiments = experiments
        self._selected = selected

    def write(self) -> None:
        """All of them."""
        for model in self._e.wire.pages("registered-models/search", "registered_models"):
            name = str(model["name"])
            if not plain_name(name) or name.startswith("."):
                self._e.report.skipped.append(Skip("registered model", name[:200], "its name cannot be that of a folder"))
                continue
            query = "name='" + name.replace("'", "\\'") + "'" if "'" in name else f"name='{name}'"
            found = list(self._e.wire.pages("model-versions/search", "model_versions", filter=query))
            versions = [version for version in found if not self._selected or self._written(version)]
            if versions or not self._selected:
                self._write_model(name, model, versions)

    def _written(self, version: dict[str, Any]) -> bool:
        found = owner_of(self._location(version))
        return found is not None and self._experiment_of(found[0]) is not None

    def _location(self, version: dict[str, Any]) -> str:
        query = {"name": version["name"], "version": version["version"]}
        return str(self._e.wire.get("model-versions/get-download-uri", **query).get("artifact_uri", ""))

    def _experiment_of(self, owner: str) -> str | None:
        """The experiment in the folder that has an owner's files, if it was written."""
        if any((self._e.work / place / owner).is_dir() for place in self._experiments.values()):
            return next(place for place in self._experiments.values() if (self._e.work / place / owner).is_dir())
        trash = self._e.work / ".trash"
        return next((place for place in self._experiments.values() if (trash / place / owner).is_dir()), None)

    def _write_model(self, name: str, model: dict[str, Any], versions: list[dict[str, Any]]) -> None:
        at, renamed = self._e.work / "models" / name, self._e.report.renaming(f"model {name}")
        numbers = {str(version["version"]) for version in versions}
        told = {str(one["alias"]): str(one["version"]) for one in model.get("aliases", ())}
        aliases = {alias: number for alias, number in told.items() if number in numbers}
        write_meta(
            at,
            {
                "aliases": aliases,
                "creation_timestamp": model["creation_timestamp"],
                "description": model.get("description"),
                "last_updated_timestamp": model["last_updated_timestamp"],
                "name": name,
            },
        )
        write_values(at / "tags", pairs(model.get("tags")), renamed)
        write_values(at / "aliases", aliases, renamed)
        for version in versions:
            self._write_version(at, name, version)
        self._e.add("registered models")
        self._e.tell(f"registered model {name}")

    def _write_version(self, above: Path, name: str, version: dict[str, Any]) -> None:
        number, source = int(version["version"]), str(version.get("source", ""))
        model_id = source.removeprefix("models:/") if source.startswith("models:/m-") else self._model_of(version)
        folder = above / f"version-{number}"
        write_meta(
            folder,
            {
                "creation_timestamp": version["creation_timestamp"],
                "current_stage": version.get("current_stage", "None"),
                "description": version.get("description"),
                "last_updated_timestamp": version["last_updated_timestamp"],
                "model_id": model_id,
                "name": name,
                "run_id": version.get("run_id"),
                "run_link": version.get("run_link"),
                "source": self._e.address(source, self._experiment_of),
                "status": "READY",
                "status_message": None,
                "storage_location": self._e.address(self._location(version), self._experiment_of),
                "user_id": None,
                "version": number,
            },
        )
        write_values(folder / "tags", pairs(version.get("tags")), self._e.report.renaming(f"model {name} version {number}"))
        self._e.add("model versions")

    def _model_of(self, version: dict[str, Any]) -> str | None:
        """The logged model whose files a version has."""
        try:
            found = owner_of(self._location(version))
        except NotFound:
            return None
        return found[0].removeprefix("models/") if found is not None and found[0].startswith("models/") else None
