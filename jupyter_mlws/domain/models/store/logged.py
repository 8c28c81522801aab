"""SQL of logged models, their points of metrics, and of the runs that read and made them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, delete, exists, func, or_, select, true

from jupyter_mlws.db import driver
from jupyter_mlws.domain.models.states import Direction, LoggedModelStatus
from jupyter_mlws.domain.models.store import batches
from jupyter_mlws.domain.models.tables import (
    LoggedModelMetricRow,
    LoggedModelParamRow,
    LoggedModelRow,
    LoggedModelTagRow,
    RunModelRow,
)
from jupyter_mlws.domain.search import service as search

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import FromClause, Select
    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.models.schemas import DatasetChoice, ModelOrder
    from jupyter_mlws.domain.search.service import CompiledOrder, Found, Records, SortKey

Row, Tag, Param, Point, Link = LoggedModelRow, LoggedModelTagRow, LoggedModelParamRow, LoggedModelMetricRow, RunModelRow


def by_id(session: Session, model_id: str) -> LoggedModelRow | None:
    """The logged model with this id, deleted or not."""
    return session.get(Row, model_id)


_OWNER = """
SELECT m.workspace_id, w.name, m.source_run_id FROM logged_models AS m JOIN workspaces AS w ON w.id = m.workspace_id WHERE m.id = ?
"""


class Owner(NamedTuple):
    """To whom a logged model belongs."""

    workspace_id: int
    workspace: str
    source_run_id: str | None


def owner(session: Session, model_id: str) -> Owner | None:
    """To whom a logged model belongs: a prepared statement, for it runs twice with every file."""
    session.flush()
    rows = driver.fetch(session, _OWNER, (model_id,))
    return Owner._make(rows[0]) if rows else None


def known(session: Session, workspace_id: int, ids: Collection[str]) -> set[str]:
    """Those of the ids that logged models of a workspace have."""
    return {
        found
        for some in batches(ids)
        for found in session.execute(select(Row.id).where(Row.id.in_(some), Row.workspace_id == workspace_id)).scalars()
    }


def number_of_models(session: Session, experiment_id: int) -> int:
    """How many an experiment has had."""
    return session.execute(select(func.count()).where(Row.experiment_id == experiment_id)).scalar_one()


def ids_of_experiment(session: Session, experiment_id: int) -> list[str]:
    """Ids of all logged models of an experiment."""
    return list(session.execute(select(Row.id).where(Row.experiment_id == experiment_id)).scalars())


def add(session: Session, row: LoggedModelRow) -> None:
    """Store a new logged model."""
    session.add(row)
    session.flush()


def remove(session: Session, ids: Collection[str]) -> None:
    """Remove logged models with all they have but their files; that runs read or made them is no longer told."""
    session.flush()
    for some in batches(ids):
        session.execute(delete(Link).where(Link.model_id.in_(some)))
        session.execute(delete(Row).where(Row.id.in_(some)))


# Tags, params, points


def tags_of(session: Session, ids: Collection[str]) -> dict[str, dict[str, str]]:
    """Tags by id."""
    return _pairs(session, Tag, ids)


def params_of(session: Session, ids: Collection[str]) -> dict[str, dict[str, str]]:
    """Params by id."""
    return _pairs(session, Param, ids)


def _pairs(
    session: Session, row: type[LoggedModelTagRow | LoggedModelParamRow], ids: Collection[str]
) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for some in batches(ids):
        query = select(row.model_id, row.key, row.value).where(row.model_id.in_(some)).order_by(row.key)
        for owner, key, value in session.execute(query):
            found.setdefault(owner, {})[key] = value
    return found


def set_tags(session: Session, owner: str, tags: Mapping[str, str]) -> None:
    """Set tags."""
    rows = [{"model_id": owner, "key": key, "value": value} for key, value in tags.items()]
    driver.put(session, Tag.__tablename__, rows, ["model_id", "key"], ["value"])


def delete_tag(session: Session, owner: str, key: str) -> bool:
    """Remove a tag; whether it was there."""
    gone = session.execute(delete(Tag).where(Tag.model_id == owner, Tag.key == key).returning(Tag.key))
    return gone.scalar_one_or_none() is not None


def add_params(session: Session, owner: str, params: Mapping[str, str]) -> None:
    """Store params, none of which may be there yet."""
    session.add_all(Param(model_id=owner, key=key, value=value) for key, value in params.items())
    session.flush()


def points_of(session: Session, ids: Collection[str]) -> dict[str, list[LoggedModelMetricRow]]:
    """All points of metrics by id."""
    found: dict[str, list[LoggedModelMetricRow]] = {}
    for some in batches(ids):
        query = select(Point).where(Point.model_id.in_(some)).order_by(Point.key, Point.time, Point.step, Point.run_id)
        for row in session.execute(query.execution_options(populate_existing=True)).scalars():
            found.setdefault(row.model_id, []).append(row)
    return found


def points_of_run(session: Session, run_id: str, ids: Collection[str], keys: Collection[str]) -> dict[Any, float | None]:
    """Values by (model, key, time, step) of what a run has measured of models."""
    found: dict[Any, float | None] = {}
    for some in batches(keys):
        columns = (Point.model_id, Point.key, Point.time, Point.step, Point.value)
        query = select(*columns).where(Point.model_id.in_(ids), Point.run_id == run_id, Point.key.in_(some))
        found.update({(owner, key, time, step): value for owner, key, time, step, value in session.execute(query)})
    return found


def add_points(session: Session, rows: list[dict[str, Any]]) -> None:
    """Store points."""
    driver.put(session, Point.__tablename__, rows, ["model_id", "key", "time", "step", "run_id"], ["value"])


# What runs read and made


class RunModel(NamedTuple):
    """A row of `run_models`."""

    run_id: str
    direction: Direction
    model_id: str
    step: int
    n: int


_LINKS = "SELECT run_id, direction, model_id, step, n FROM run_models WHERE run_id {among} ORDER BY run_id, n"


def links_of(session: Session, run_ids: Collection[str]) -> list[RunModel]:
    """What runs read and made, in the order in which they told of it."""
    found = driver.fetch_among(session, _LINKS, run_ids)
    return [RunModel(run_id, Direction(direction), *rest) for run_id, direction, *rest in found]


def add_link(session: Session, row: RunModelRow) -> None:
    """Note a model that a run read or made."""
    session.add(row)
    session.flush()


def unlink_runs(session: Session, run_ids: Collection[str]) -> None:
    """Forget what runs read and made."""
    for some in batches(run_ids):
        session.execute(delete(Link).where(Link.run_id.in_(some)))


# Searches


def records(datasets: Sequence[DatasetChoice] = ()) -> Records:
    """What filters over logged models speak of; of metrics only points on these datasets, if any are named."""
    row, tag, param, point = (table.__table__.c for table in (Row, Tag, Param, Point))
    numbers = case({status.value: n for n, status in enumerate(LoggedModelStatus)}, value=row["status"], else_=0)
    attributes = {
        "name": row["name"],
        "model_id": row["id"],
        "model_type": row["model_type"],
        "source_run_id": row["source_run_id"],
        "experiment_id": row["experiment_id"],
        "status": numbers,
        "artifact_location": row["location"],
        "creation_timestamp": row["created_at"],
        "last_updated_timestamp": row["updated_at"],
    }
    return search.Records(
        search.LOGGED_MODELS,
        [row["id"]],
        attributes,
        tags=search.KeyedColumns(tag["model_id"], tag["key"], tag["value"]),
        params=search.KeyedColumns(param["model_id"], param["key"], param["value"]),
        metrics=search.KeyedColumns(point["model_id"], point["key"], point["value"]),
        metric_test=on_datasets(datasets) if datasets else None,
    )


def on_datasets(datasets: Sequence[DatasetChoice]) -> ColumnElement[bool]:
    """True of points on one of these datasets."""
    point = Point.__table__.c
    return or_(
        *(
            and_(point["dataset_name"] == name, true() if digest is None else point["dataset_digest"] == digest)
            for name, digest in datasets
        )
    )


def has_metric(datasets: Sequence[DatasetChoice]) -> ColumnElement[bool]:
    """True of models that have some point on one of these datasets."""
    return exists(select(Point.key).where(Point.model_id == Row.id, on_datasets(datasets)).correlate(Row))


def order_of(given: Sequence[ModelOrder]) -> CompiledOrder:
    """SQL of an order: a metric by its latest point, then the newest, then by id."""
    attributes = records().attributes
    keys: list[SortKey] = []
    joins: list[tuple[FromClause, ColumnElement[bool]]] = []
    named = {item.attribute for item in given}
    for item in given:
        if item.attribute is not None:
            keys.append(search.sort_key(attributes[item.attribute], descending=item.descending))
            continue
        latest = _latest(item)
        joins.append((latest, and_(latest.c.model_id == Row.id, latest.c.place == 1)))
        rank = case((latest.c.model_id.is_(None), 2), (latest.c.value.is_(None), 1), else_=0)
        keys.append(search.SortKey(latest.c.value, rank, item.descending))
    for name, descending in (("creation_timestamp", True), ("model_id", False)):
        if name not in named:
            keys.append(search.sort_key(attributes[name], descending=descending))
    return search.CompiledOrder(tuple(joins), tuple(keys))


def _latest(item: ModelOrder) -> FromClause:
    """The points of a metric, each with its place among those of its model; the latest has 1."""
    place = func.row_number().over(partition_by=Point.model_id, order_by=(Point.time.desc(), Point.step.desc(), Point.run_id))
    query = select(Point.model_id, Point.value, place.label("place")).where(Point.key == item.metric)
    if item.dataset_name is not None:
        query = query.where(Point.dataset_name == item.dataset_name)
    if item.dataset_digest is not None:
        query = query.where(Point.dataset_digest == item.dataset_digest)
    return query.subquery()


def page(
    session: Session, experiment_ids: Sequence[int], *, condition: Any, order: CompiledOrder, after: Any, limit: int
) -> Found[LoggedModelRow]:
    """Logged models of experiments that match, in their order, after a sort key; no deleted ones."""

    def statement(*keys: Any) -> Select[Any]:
        mine = (Row.experiment_id.in_(experiment_ids), Row.deleted_at.is_(None), condition)
        return select(Row, *keys).select_from(Row).where(*mine)

    return search.page(session, statement, order, after, limit)
