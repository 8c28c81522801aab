"""Tables of runs, and a dozen of them with all that a filter can ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Connection, Float, ForeignKey, Index, MetaData, Table, select

from jupyter_mlws.db.base import Words, varchar
from jupyter_mlws.domain.search.columns import (
    DatasetColumns,
    ExperimentColumns,
    KeyedColumns,
    MetricColumns,
    RunColumns,
    SearchColumns,
)
from jupyter_mlws.domain.search.filters import compile_filter
from jupyter_mlws.domain.search.grammar import parse_filter
from jupyter_mlws.domain.search.nodes import Filter
from jupyter_mlws.domain.search.order import compile_order, parse_order_by

NAN, INF = float("nan"), float("inf")
NOW = 1_800_000_000_000
DAY = 86_400_000
START = 1_767_225_600_000
"""2026-01-01T00:00Z."""

metadata = MetaData()
experiments = Table(
    "experiments",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("name", varchar(500), nullable=False),
    Column("goal_metric", varchar(250)),
    Column("goal_direction", varchar(8)),
)
runs = Table(
    "runs",
    metadata,
    Column("id", varchar(32), primary_key=True),
    Column("experiment_id", ForeignKey("experiments.id"), nullable=False),
    Column("name", varchar(500), nullable=False),
    Column("status", varchar(32), nullable=False),
    Column("user", varchar(255), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("kind", varchar(32), nullable=False),
    Column("source", Words, nullable=False),
    Column("note", Words, nullable=False),
    Column("target", varchar(255)),
    Column("parent_id", varchar(32)),
    Column("lifecycle", varchar(32), nullable=False),
    Index("ix_runs_by_time", "experiment_id", "lifecycle", "created_at", "id"),
)


def _keyed(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("run_id", ForeignKey("runs.id"), primary_key=True),
        Column("key", varchar(250), primary_key=True),
        Column("value", Words, nullable=False),
    )


params, tags = _keyed("run_params"), _keyed("run_tags")
metric_latest = Table(
    "metric_latest",
    metadata,
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    Column("experiment_id", BigInteger, nullable=False),
    Column("key", varchar(250), primary_key=True),
    Column("value", Float(53)),
    Column("is_nan", Boolean, nullable=False),
    Column("min_value", Float(53)),
    Column("max_value", Float(53)),
    Index("ix_metric_latest_value", "experiment_id", "key", "value"),
)
datasets = Table(
    "run_datasets",
    metadata,
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    Column("name", varchar(500), primary_key=True),
    Column("digest", varchar(64), nullable=False),
    Column("context", varchar(64)),
)

COLUMNS = SearchColumns(
    runs=RunColumns(
        **dict(runs.c.items()),
        artifact_uri=("mlflow-artifacts:/" + runs.c.id + "/artifacts"),
    ),
    params=KeyedColumns(**dict(params.c.items())),
    tags=KeyedColumns(**dict(tags.c.items())),
    metrics=MetricColumns(**{name: column for name, column in metric_latest.c.items() if name != "is_nan"}),
    experiments=ExperimentColumns(**dict(experiments.c.items())),
    datasets=DatasetColumns(**dict(datasets.c.items())),
)


@dataclass
class Sample:
    """A run; its metrics are lists of values, the last one last, and its datasets (name, digest, context)."""

    id: str
    experiment_id: int = 1
    name: str = "run"
    status: str = "Completed"
    user: str = "ada"
    created_at: int = START
    started_at: int | None = START
    ended_at: int | None = START + 60_000
    kind: str = "notebook"
    source: str = "train.ipynb"
    note: str = ""
    target: str | None = None
    parent_id: str | None = None
    lifecycle: str = "active"
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, list[float]] = field(default_factory=dict)
    datasets: list[tuple[str, str, str | None]] = field(default_factory=list)


SAMPLES = [
    Sample("a", name="Forest 100%", params={"lr": "0.1", "model": "forest"}, metrics={"acc": [0.5, 0.9], "loss": [0.7, 0.2]}),
    Sample("b", name="forest_2", status="Failed", params={"lr": "0.01", "model": "Forest"}, metrics={"acc": [0.95, 0.8]}),
    Sample("c", status="Running", ended_at=None, started_at=NOW - 5_000, params={"model": "svm"}, metrics={"acc": [NAN]}),
    Sample("d", status="Queued", started_at=None, ended_at=None, created_at=START + DAY, tags={"team": "red"}),
    Sample("e", status="Finalizing", ended_at=None, tags={"team": "blue", "mlflow.source.name": "x.py"}, parent_id="a"),
    Sample("f", status="Canceled", user="bob", target="local", note="a*b?c[d]", metrics={"acc": [INF], "loss": [NAN, 3.0]}),
    Sample("g", experiment_id=2, kind="command", metrics={"acc": [0.3, 0.1], "loss.min": [7.0], "loss": [0.1, 0.4, 0.3]}),
    Sample("h", experiment_id=2, lifecycle="deleted", name="École", params={'odd `key"': "it's", "lr": ""}),
    Sample("i", started_at=START + 31 * DAY, ended_at=START + 33 * DAY, datasets=[("iris", "d1", "train"), ("wine", "d2", None)]),
    Sample("j", source="C:\\data\\x_1.py", tags={"team": "Red", "x": "100%"}, datasets=[("iris", "d9", "test")]),
    Sample("k", status="Paused", metrics={"acc": [-INF], "a b": [1.0], "val/loss": [2.0]}),
    Sample("l", status="CancelRequested", target="gpu", metrics={"acc": [0.9]}),
]
EXPERIMENTS = [{"id": 1, "name": "Digits"}, {"id": 2, "name": "Odd", "goal_metric": "acc", "goal_direction": "minimize"}]


def fill(connection: Connection) -> None:
    """Makes the tables and the runs."""
    metadata.create_all(connection)
    for row in EXPERIMENTS:
        connection.execute(experiments.insert(), row)
    for sample in SAMPLES:
        connection.execute(runs.insert(), {name: getattr(sample, name) for name in dict(runs.c.items())})
        for table, pairs in ((params, sample.params), (tags, sample.tags)):
            for key, value in pairs.items():
                connection.execute(table.insert(), {"run_id": sample.id, "key": key, "value": value})
        for name, digest, context in sample.datasets:
            connection.execute(datasets.insert(), {"run_id": sample.id, "name": name, "digest": digest, "context": context})
        for key, values in sample.metrics.items():
            connection.execute(metric_latest.insert(), metric_row(sample, key, values))


def metric_row(sample: Sample, key: str, values: list[float]) -> dict[str, Any]:
    """The row of a metric whose values came in this order."""
    numbers = [value for value in values if value == value]
    return {
        "run_id": sample.id,
        "experiment_id": sample.experiment_id,
        "key": key,
        "value": values[-1] if values[-1] == values[-1] else None,
        "is_nan": values[-1] != values[-1],
        "min_value": min(numbers, default=None),
        "max_value": max(numbers, default=None),
    }


def search(connection: Connection, text: str) -> str:
    """The ids of the runs that match, in the order of the alphabet, as one word."""
    return search_tree(connection, parse_filter(text))


def search_tree(connection: Connection, tree: Filter | None, *, experiment_ids: Sequence[int] = ()) -> str:
    """The same, of a tree."""
    statement = select(runs.c.id).where(compile_filter(tree, COLUMNS, now=NOW, experiment_ids=experiment_ids))
    return "".join(sorted(connection.execute(statement).scalars()))


def ordered(connection: Connection, order_by: str | list[str]) -> str:
    """The ids of all runs in this order, as one word."""
    order = compile_order(parse_order_by(order_by), COLUMNS, now=NOW)
    return "".join(connection.execute(order.apply(select(runs.c.id))).scalars())
