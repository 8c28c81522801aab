"""MLflow's tracking database, as its clients of version 1.x to 3.x write it. Tables and columns that older ones lack are done without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_mlws.kit.ids import is_id
from jupyter_mlws.sdk.mlflow_stores.places import Places
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
    time_of,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import Any

    from jupyter_mlws.sdk.mlflow_stores.databases import Database

NEEDED = {
    "experiments": {"experiment_id", "name"},
    "runs": {"run_uuid", "experiment_id", "status", "start_time"},
    "metrics": {"key", "value", "timestamp", "run_uuid"},
    "params": {"key", "value", "run_uuid"},
    "tags": {"key", "value", "run_uuid"},
}
"""Without these it is none."""
INFINITE = 1.7976931348623157e308
"""How MLflow writes infinity into a database."""
PAGE = 500
DELETED_VERSION = "Deleted_Internal"
LOCAL_WORKSPACE = "default"


class SqlStore:
    """A database that MLflow's server, or its clients, wrote runs into."""

    def __init__(self, database: Database, folder: Path | None, artifacts: Path | None, skip: Callable[[Skip], None]) -> None:
        """`folder`: where the file of the database lies."""
        self._db = database
        self.identity = database.identity
        self.skip = skip
        self.places = Places([root for root in (folder, artifacts) if root is not None])
        self._columns = database.columns()
        self._check()

    def _check(self) -> None:
        for table, columns in NEEDED.items():
            if table not in self._columns:
                raise bad_source(f"{self.identity} is no MLflow database: it has no table `{table}`.")
            if lacking := sorted(columns - self._columns[table]):
                raise bad_source(
                    f"{self.identity} is no MLflow database that this version can read: the table `{table}` has no column "
                    f"{', '.join(f'`{name}`' for name in lacking)}."
                )

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def _select(
        self, table: str, columns: Sequence[str], where: str = "", values: Sequence[Any] = (), order: str = ""
    ) -> Iterator[tuple[Any, ...]]:
        """Rows of a table with these columns; those that it lacks are None. No rows of a table that is not there."""
        known = self._columns.get(table)
        if known is None:
            return
        shown = ", ".join(f'"{name}"' if name in known else "NULL" for name in columns)
        query = f'SELECT {shown} FROM "{table}"'  # noqa: S608 - names are our own
        query += f" WHERE {where}" if where else ""
        yield from self._db.rows(query + (f" ORDER BY {order}" if order else ""), values)

    def _pairs(self, table: str, key: str, value: str, where: str, values: Sequence[Any]) -> dict[str, str]:
        return {text_of(name): text_of(one) for name, one in self._select(table, (key, value), where, values, f'"{key}"')}

    def _here(self, table: str) -> tuple[str, list[Any]]:
        """MLflow's own workspaces, which came with 3.10: only the one that it calls default is read."""
        return ('"workspace" = ?', [LOCAL_WORKSPACE]) if "workspace" in self._columns.get(table, ()) else ("1 = 1", [])

    def experiments(self) -> Iterator[SourceExperiment]:
        """All experiments."""
        columns = ("experiment_id", "name", "lifecycle_stage", "creation_time", "last_update_time", "workspace")
        for key, name, stage, created, updated, workspace in self._select("experiments", columns, order="experiment_id"):
            if workspace not in (None, LOCAL_WORKSPACE):
                self.skip(Skip("experiment", text_of(name), f"it lies in MLflow's workspace {workspace!r}"))
                continue
            yield SourceExperiment(
                id=str(key),
                name=text_of(name),
                deleted=stage == "deleted",
                created_at=time_of(created),
                updated_at=time_of(updated),
                tags=self._pairs("experiment_tags", "key", "value", "experiment_id = ?", [key]),
            )

    def runs(self, experiment: SourceExperiment) -> Iterator[SourceRun]:
        """All runs of an experiment, page by page: in between nobody is kept from writing."""
        columns = ("run_uuid", "name", "status", "start_time", "end_time", "lifecycle_stage", "user_id", "artifact_uri")
        last = ""
        while True:
            where, values = "experiment_id = ? AND run_uuid > ?", [int(experiment.id), last]
            page = list(self._select("runs", columns, where, values, f"run_uuid LIMIT {PAGE}"))
            for row in page:
                last = text_of(row[0])
                if is_id(last):
                    yield self._run(experiment, row)
                else:
                    self.skip(Skip("run", last, "its id is none of MLflow's"))
            if len(page) < PAGE:
                return

    def _run(self, experiment: SourceExperiment, row: tuple[Any, ...]) -> SourceRun:
        run_id, name, status, started, ended, stage, user, uri = row
        tags = self._pairs("tags", "key", "value", "run_uuid = ?", [run_id])
        return SourceRun(
            id=run_id,
            experiment_id=experiment.id,
            name=tags.get(NAME) or text_of(name),
            status=status_of(status),
            started_at=time_of(started),
            ended_at=time_of(ended),
            deleted=stage == "deleted",
            user=text_of(user),
            artifact_uri=text_of(uri),
            tags=tags,
        )

    def params(self, run: SourceRun) -> dict[str, str]:
        """A row each."""
        return self._pairs("params", "key", "value", "run_uuid = ?", [run.id])

    def points(self, run: SourceRun) -> Iterator[Point]:
        """A row each."""
        known = self._columns["metrics"]
        order = ["key", "timestamp", *(name for name in ("step", "is_nan") if name in known), "value"]
        columns = ("key", "value", "timestamp", "step", "is_nan")
        quoted = ", ".join(f'"{name}"' for name in order)
        for key, value, at, step, is_nan in self._select("metrics", columns, "run_uuid = ?", [run.id], quoted):
            yield Point(text_of(key), number_of(value, is_nan), whole(step) or 0, whole(at) or 0)

    def datasets(self, run: SourceRun) -> Iterator[DatasetRead]:
        """The rows that its inputs name."""
        columns = ("name", "digest", "dataset_source_type", "dataset_source", "dataset_schema", "dataset_profile")
        where = "destination_type = 'RUN' AND destination_id = ? AND source_type = 'DATASET'"
        for input_id, dataset_id in list(self._select("inputs", ("input_uuid", "source_id"), where, [run.id], "input_uuid")):
            tags = self._pairs("input_tags", "name", "value", "input_uuid = ?", [input_id])
            for name, digest, kind, source, schema, profile in self._select(
                "datasets", columns, "dataset_uuid = ?", [dataset_id]
            ):
                yield DatasetRead(text_of(name), text_of(digest), text_of(kind), text_of(source), schema, profile, tags)

    def model_inputs(self, run: SourceRun) -> list[str]:
        """Rows of its inputs."""
        where = "source_type = 'RUN_INPUT' AND source_id = ? AND destination_type = 'MODEL_INPUT'"
        found = self._select("inputs", ("destination_id",), where, [run.id], "destination_id")
        return [text_of(model_id) for (model_id,) in found]

    def model_outputs(self, run: SourceRun) -> list[tuple[str, int]]:
        """Rows of its outputs."""
        where = "source_type = 'RUN_OUTPUT' AND source_id = ? AND destination_type = 'MODEL_OUTPUT'"
        found = self._select("inputs", ("destination_id", "step"), where, [run.id], "destination_id")
        return [(text_of(model_id), whole(step) or 0) for model_id, step in found]

    def logged_models(self, experiment: SourceExperiment) -> Iterator[SourceLoggedModel]:
        """A row each."""
        columns = ["model_id", "name", "artifact_location", "creation_timestamp_ms", "last_updated_timestamp_ms", "status"]
        columns += ["lifecycle_stage", "model_type", "source_run_id"]
        where = "experiment_id = ?"
        for row in list(self._select("logged_models", columns, where, [int(experiment.id)], "model_id")):
            model_id, name, location, created, updated, status, stage, kind, run_id = row
            if not (text_of(model_id).startswith("m-") and is_id(text_of(model_id)[2:])):
                self.skip(Skip("logged model", text_of(model_id), "its id is none of MLflow's"))
                continue
            yield SourceLoggedModel(
                id=model_id,
                experiment_id=experiment.id,
                name=text_of(name),
                model_type=text_of(kind),
                source_run_id=text_of(run_id),
                status=model_status(status),
                created_at=time_of(created) or 0,
                updated_at=time_of(updated) or time_of(created) or 0,
                deleted=stage == "deleted",
                artifact_uri=text_of(location),
                tags=self._pairs("logged_model_tags", "tag_key", "tag_value", "model_id = ?", [model_id]),
                params=self._pairs("logged_model_params", "param_key", "param_value", "model_id = ?", [model_id]),
            )

    def model_points(self, model: SourceLoggedModel) -> Iterator[ModelPoint]:
        """A row each."""
        columns = (
            "metric_name",
            "metric_value",
            "metric_timestamp_ms",
            "metric_step",
            "run_id",
            "dataset_name",
            "dataset_digest",
        )
        order = "metric_name, metric_timestamp_ms, metric_step, run_id"
        for key, value, at, step, run_id, name, digest in self._select(
            "logged_model_metrics", columns, "model_id = ?", [model.id], order
        ):
            yield ModelPoint(
                Point(text_of(key), number_of(value, value is None), whole(step) or 0, whole(at) or 0),
                text_of(run_id),
                name,
                digest,
            )

    def registered_models(self) -> Iterator[SourceModel]:
        """A row each."""
        where, values = self._here("registered_models")
        columns = ("name", "description", "creation_time", "last_updated_time")
        for name, description, created, updated in list(self._select("registered_models", columns, where, values, "name")):
            aliases = self._of_model("registered_model_aliases", "alias", "version", name)
            yield SourceModel(
                name=text_of(name),
                description=text_of(description),
                created_at=time_of(created) or 0,
                updated_at=time_of(updated) or time_of(created) or 0,
                tags=self._of_model("registered_model_tags", "key", "value", name),
                aliases={alias: number for alias, text in aliases.items() if (number := whole(text)) is not None},
            )

    def _of_model(self, table: str, key: str, value: str, name: str) -> dict[str, str]:
        where, values = self._here(table)
        return self._pairs(table, key, value, f"{where} AND name = ?", [*values, name])

    def versions(self, model: SourceModel) -> Iterator[SourceVersion]:
        """A row each; one that was deleted is none."""
        where, values = self._here("model_versions")
        columns = ["version", "creation_time", "last_updated_time", "description", "current_stage", "source", "run_id"]
        columns += ["run_link", "storage_location"]
        for row in list(self._select("model_versions", columns, f"{where} AND name = ?", [*values, model.name], "version")):
            number, created, updated, description, stage, source, run_id, link, location = row
            if stage == DELETED_VERSION:
                continue
            tag_where, tag_values = self._here("model_version_tags")
            tag_where += " AND name = ? AND version = ?"
            yield SourceVersion(
                number=int(number),
                description=text_of(description),
                source=text_of(source),
                location=text_of(location) or text_of(source),
                run_id=text_of(run_id),
                run_link=text_of(link),
                logged_model_id=model_of(text_of(source)),
                stage=stage_of(stage),
                created_at=time_of(created) or 0,
                updated_at=time_of(updated) or time_of(created) or 0,
                tags=self._pairs("model_version_tags", "key", "value", tag_where, [*tag_values, model.name, number]),
            )

    def traces(self, experiment: SourceExperiment) -> int:
        """Rows of the table of traces."""
        if "trace_info" not in self._columns:
            return 0
        query = "SELECT count(*) FROM trace_info WHERE experiment_id = ?"
        return int(next(self._db.rows(query, [int(experiment.id)]))[0])


def number_of(value: Any, is_nan: Any) -> float:
    """A value of a metric as it was logged."""
    if is_nan or value is None:
        return float("nan")
    number = float(value)
    return number if abs(number) < INFINITE else float("inf") if number > 0 else float("-inf")


def model_of(source: str) -> str | None:
    """The logged model that a version was made of."""
    model_id = source.removeprefix("models:/")
    return model_id if source.startswith("models:/m-") and is_id(model_id[2:]) else None
