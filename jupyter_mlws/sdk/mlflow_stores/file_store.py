"""MLflow's file store: an `mlruns` folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_mlws.kit.ids import is_id
from jupyter_mlws.sdk.mlflow_stores import folders
from jupyter_mlws.sdk.mlflow_stores.folders import META, Unreadable
from jupyter_mlws.sdk.mlflow_stores.places import TRASH, Places, plain_name
from jupyter_mlws.sdk.mlflow_stores.records import (
    NAME,
    DatasetRead,
    ModelPoint,
    Point,
    Skip,
    SourceExperiment,
    SourceLoggedModel,
    SourceModel,
    SourceRun,
    SourceVersion,
    bad_source,
    model_status,
    stage_of,
    status_of,
    text_of,
    texts,
    time_of,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

MODELS, TRACES, DATASETS = "models", "traces", "datasets"
NOT_RUNS = frozenset({"tags", DATASETS, TRACES, MODELS, TRASH})
MAX_LINE = 1000


class FileStore:
    """A folder that MLflow's clients wrote runs into."""

    def __init__(self, root: Path, artifacts: Path | None, skip: Callable[[Skip], None]) -> None:
        self._root = root.resolve()
        self.identity = self._root.as_uri()
        self.skip = skip
        self.places = Places([self._root, *([artifacts] if artifacts is not None else [])])
        if not self._is_store():
            inner = self._root / "mlruns"
            hint = f" There is one in it: {inner}." if inner.is_dir() else ""
            raise bad_source(f"The folder {root} is no MLflow store: no experiment and no model lies in it.{hint}")

    def _is_store(self) -> bool:
        return any((folder / META).is_file() for folder, _ in self._folders()) or any(
            (self._root / MODELS / name / META).is_file() for name in folders.subfolders(self._root / MODELS)
        )

    def close(self) -> None:
        """Nothing is open."""

    def _folders(self) -> Iterator[tuple[Path, str]]:
        """Folders of experiments, with their ids."""
        for above in (self._root, self._root / TRASH):
            for name in folders.subfolders(above) if folders.is_folder(above) else ():
                if name not in (MODELS, TRASH):
                    yield above / name, name

    def _folder(self, experiment_id: str) -> Path:
        live = self._root / experiment_id
        return live if folders.is_folder(live) else self._root / TRASH / experiment_id

    def _meta(self, folder: Path, kind: str) -> dict[str, Any] | None:
        try:
            return folders.yaml_of(folder / META)
        except Unreadable as error:
            self.skip(Skip(kind, folder.name, f"its {META} cannot be read: {error}"))
            return None

    def _values(self, folder: Path, kind: str, owner: str) -> dict[str, str]:
        """Tags or params: a file each, whose path is the key."""
        found: dict[str, str] = {}
        for file in folders.tree(folder) if folders.is_folder(folder) else ():
            try:
                found[file.relative] = folders.text(file.checked())
            except Unreadable as error:
                self.skip(Skip(kind, f"{file.relative} of {owner}", str(error)))
        return found

    def experiments(self) -> Iterator[SourceExperiment]:
        """All experiments, those in the trash too."""
        for folder, experiment_id in self._folders():
            if not (folder / META).exists() or (meta := self._meta(folder, "experiment")) is None:
                continue
            yield SourceExperiment(
                id=experiment_id,
                name=text_of(meta.get("name")) or f"experiment {experiment_id}",
                deleted=folder.parent.name == TRASH or meta.get("lifecycle_stage") == "deleted",
                created_at=time_of(meta.get("creation_time")),
                updated_at=time_of(meta.get("last_update_time")),
                tags=self._values(folder / "tags", "tag", f"experiment {experiment_id}"),
            )

    def runs(self, experiment: SourceExperiment) -> Iterator[SourceRun]:
        """All runs of an experiment."""
        folder = self._folder(experiment.id)
        for name in folders.subfolders(folder):
            if name in NOT_RUNS or not (folder / name / META).exists():
                continue
            if (meta := self._meta(folder / name, "run")) is None:
                continue
            told = text_of(meta.get("run_id") or meta.get("run_uuid") or name)
            if not is_id(name) or told != name:
                why = "its id is none of MLflow's" if not is_id(name) else f"its {META} is that of run {told[:80]}"
                self.skip(Skip("run", name, why))
                continue
            yield self._run(folder / name, experiment.id, meta)

    def _run(self, folder: Path, experiment_id: str, meta: dict[str, Any]) -> SourceRun:
        tags = self._values(folder / "tags", "tag", folder.name)
        return SourceRun(
            id=folder.name,
            experiment_id=experiment_id,
            name=tags.get(NAME) or text_of(meta.get("run_name") or meta.get("name")),
            status=status_of(meta.get("status")),
            started_at=time_of(meta.get("start_time")),
            ended_at=time_of(meta.get("end_time")),
            deleted=meta.get("lifecycle_stage") == "deleted",
            user=text_of(meta.get("user_id")),
            artifact_uri=text_of(meta.get("artifact_uri")) or (folder / "artifacts").as_uri(),
            tags=tags,
        )

    def _of_run(self, run: SourceRun, part: str) -> Path:
        return self._folder(run.experiment_id) / run.id / part

    def params(self, run: SourceRun) -> dict[str, str]:
        """A file each."""
        return self._values(self._of_run(run, "params"), "param", run.id)

    def points(self, run: SourceRun) -> Iterator[Point]:
        """A file each metric, a line each point."""
        for key, words in self._lines(self._of_run(run, "metrics"), run.id):
            point = _point(key, words[:3]) if len(words) >= 2 else None
            if point is None:
                self.skip(Skip("metric point", f"{key} of {run.id}", "its line is none that MLflow writes"))
            else:
                yield point

    def _lines(self, folder: Path, owner: str) -> Iterator[tuple[str, list[str]]]:
        for file in folders.tree(folder) if folders.is_folder(folder) else ():
            try:
                with folders.opened(file.checked()) as lines:
                    while line := lines.readline(MAX_LINE):
                        words = line.decode("utf-8", "replace").split()
                        if words:
                            yield file.relative, words
            except Unreadable as error:
                self.skip(Skip("metric", f"{file.relative} of {owner}", str(error)))

    def _io(self, run: SourceRun, part: str) -> Iterator[dict[str, Any]]:
        folder = self._of_run(run, part)
        for name in folders.subfolders(folder) if folders.is_folder(folder) else ():
            if (meta := self._meta(folder / name, part.removesuffix("s"))) is not None:
                yield meta

    def datasets(self, run: SourceRun) -> Iterator[DatasetRead]:
        """Those that its inputs name."""
        for meta in self._io(run, "inputs"):
            name = text_of(meta.get("source_id"))
            if text_of(meta.get("source_type")) != "DATASET" or not plain_name(name):
                continue
            folder = self._folder(run.experiment_id) / DATASETS / name
            described = self._meta(folder, "dataset") if folders.is_folder(folder) else None
            if described is None:
                self.skip(Skip("dataset", f"{name} of {run.id}", "it is not described in its experiment"))
                continue
            schema, profile = described.get("schema"), described.get("profile")
            yield DatasetRead(
                name=text_of(described.get("name")),
                digest=text_of(described.get("digest")),
                source_type=text_of(described.get("source_type")),
                source=text_of(described.get("source")),
                schema=None if schema is None else text_of(schema),
                profile=None if profile is None else text_of(profile),
                tags=texts(meta.get("tags")),
            )

    def model_inputs(self, run: SourceRun) -> list[str]:
        """Those of its inputs that are models."""
        return [text_of(meta.get("source_id")) for meta in self._io(run, "inputs") if meta.get("source_type") == "MODEL"]

    def model_outputs(self, run: SourceRun) -> list[tuple[str, int]]:
        """A folder each."""
        return [(text_of(meta.get("destination_id")), whole(meta.get("step")) or 0) for meta in self._io(run, "outputs")]

    def logged_models(self, experiment: SourceExperiment) -> Iterator[SourceLoggedModel]:
        """A folder each."""
        above = self._folder(experiment.id) / MODELS
        for name in folders.subfolders(above) if folders.is_folder(above) else ():
            folder = above / name
            if (meta := self._meta(folder, "logged model")) is None:
                continue
            if not is_id(name.removeprefix("m-")) or text_of(meta.get("model_id") or name) != name:
                self.skip(Skip("logged model", name, "its id is none of MLflow's, or not that of its folder"))
                continue
            created = time_of(meta.get("creation_timestamp")) or 0
            yield SourceLoggedModel(
                id=name,
                experiment_id=experiment.id,
                name=text_of(meta.get("name")),
                model_type=text_of(meta.get("model_type")),
                source_run_id=text_of(meta.get("source_run_id")),
                status=model_status(meta.get("status")),
                created_at=created,
                updated_at=time_of(meta.get("last_updated_timestamp")) or created,
                deleted=meta.get("lifecycle_stage") == "deleted",
                artifact_uri=text_of(meta.get("artifact_location")) or (folder / "artifacts").as_uri(),
                tags=self._values(folder / "tags", "tag", name),
                params=self._values(folder / "params", "param", name),
            )

    def model_points(self, model: SourceLoggedModel) -> Iterator[ModelPoint]:
        """Lines that name the run, and the dataset where there is one."""
        for key, words in self._lines(self._folder(model.experiment_id) / MODELS / model.id / "metrics", model.id):
            point = _point(key, words[:3]) if len(words) in (4, 6) else None
            if point is None:
                self.skip(Skip("metric point", f"{key} of {model.id}", "its line is none that MLflow writes"))
            else:
                yield ModelPoint(point, words[3], *(words[4:6] if len(words) == 6 else (None, None)))

    def registered_models(self) -> Iterator[SourceModel]:
        """A folder each."""
        above = self._root / MODELS
        for name in folders.subfolders(above) if folders.is_folder(above) else ():
            folder = above / name
            if not (folder / META).exists() or (meta := self._meta(folder, "registered model")) is None:
                continue
            created = time_of(meta.get("creation_timestamp")) or 0
            aliases = {alias: whole(number) for alias, number in self._values(folder / "aliases", "alias", name).items()}
            yield SourceModel(
                name=name,
                description=text_of(meta.get("description")),
                created_at=created,
                updated_at=time_of(meta.get("last_updated_timestamp")) or created,
                tags=self._values(folder / "tags", "tag", f"model {name}"),
                aliases={alias: number for alias, number in aliases.items() if number is not None},
            )

    def versions(self, model: SourceModel) -> Iterator[SourceVersion]:
        """A folder each."""
        above = self._root / MODELS / model.name
        numbers = (whole(name.removeprefix("version-")) for name in folders.subfolders(above) if name.startswith("version-"))
        for number in sorted(number for number in numbers if number is not None and number > 0):
            folder = above / f"version-{number}"
            if (meta := self._meta(folder, "model version")) is None:
                continue
            created, source = time_of(meta.get("creation_timestamp")) or 0, text_of(meta.get("source"))
            yield SourceVersion(
                number=number,
                description=text_of(meta.get("description")),
                source=source,
                location=text_of(meta.get("storage_location")) or source,
                run_id=text_of(meta.get("run_id")),
                run_link=text_of(meta.get("run_link")),
                logged_model_id=text_of(meta.get("model_id")) or None,
                stage=stage_of(meta.get("current_stage")),
                created_at=created,
                updated_at=time_of(meta.get("last_updated_timestamp")) or created,
                tags=self._values(folder / "tags", "tag", f"{model.name} {number}"),
            )

    def traces(self, experiment: SourceExperiment) -> int:
        """A folder each."""
        above = self._folder(experiment.id) / TRACES
        return sum(1 for _ in folders.subfolders(above)) if folders.is_folder(above) else 0


def _point(key: str, words: list[str]) -> Point | None:
    """`time value [step]`."""
    try:
        return Point(key, float(words[1]), int(words[2]) if len(words) > 2 else 0, int(words[0]))
    except ValueError:
        return None
