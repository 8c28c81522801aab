"""Logged models and runs: what runs read, made, and measured of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from jupyter_mlws.db.outbox import record_change
from jupyter_mlws.domain.models.errors import OutputExists, PointConflict, UnknownLoggedModel
from jupyter_mlws.domain.models.schemas import RunModels
from jupyter_mlws.domain.models.service.logged import ID
from jupyter_mlws.domain.models.states import Direction
from jupyter_mlws.domain.models.store import logged as store
from jupyter_mlws.domain.models.tables import RunModelRow
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Any

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.runs.service import RunRef
    from jupyter_mlws.kit.actors import Actor

LONGEST_ID = 255


class Measured(Protocol):
    """A point of a metric as clients log it."""

    key: str | None
    value: float | None
    timestamp: int | None
    step: int | None
    model_id: str | None
    dataset_name: str | None
    dataset_digest: str | None


class _Place(NamedTuple):
    model_id: str
    key: str
    time: int
    step: int


def log_points(session: Session, _actor: Actor, ref: RunRef, metrics: Sequence[Measured]) -> None:
    """Keep those points of metrics that are of a logged model. `ref`: the run that measured them, which the caller has opened.

    The same point again changes nothing. Raises `UnknownLoggedModel`, and `PointConflict` for another value at the same place.
    """
    given = [metric for metric in metrics if metric.model_id]
    if not given:
        return
    places = [_Place(m.model_id or "", m.key or "", m.timestamp or 0, m.step or 0) for m in given]
    ids = {place.model_id for place in places}
    known = store.known(session, ref.workspace_id, [model_id for model_id in ids if ID.fullmatch(model_id)])
    for model_id in sorted(ids - known):
        raise UnknownLoggedModel(f"There is no logged model with ID '{model_id[:80]}'.", field="model_id")
    there = store.points_of_run(session, ref.id, ids, {place.key for place in places})
    rows: list[dict[str, Any]] = []
    for place, metric in zip(places, given, strict=True):
        value = metric.value if metric.value == metric.value else None
        if place not in there:
            there[place] = value
            rows.append(
                {
                    **place._asdict(),
                    "run_id": ref.id,
                    "value": value,
                    "dataset_name": metric.dataset_name,
                    "dataset_digest": metric.dataset_digest,
                }
            )
        elif there[place] != value:
            raise PointConflict(
                f"The metric '{place.key}' of logged model {place.model_id} has another value at step {place.step} and time "
                f"{place.time} of this run already.",
                field="value",
            )
    store.add_points(session, rows)


def add_inputs(session: Session, actor: Actor, run_id: str, model_ids: Sequence[str]) -> None:
    """Note logged models that a run reads. One that is noted already stays as it is."""
    _add(session, actor, run_id, Direction.INPUT, [(model_id, 0) for model_id in model_ids])


def add_outputs(session: Session, actor: Actor, run_id: str, models: Sequence[tuple[str, int]]) -> None:
    """Note logged models that a run makes. Raises `OutputExists` for one that is noted already."""
    _add(session, actor, run_id, Direction.OUTPUT, models)


def _add(session: Session, actor: Actor, run_id: str, direction: Direction, models: Sequence[tuple[str, int]]) -> None:
    if not models:
        return
    ref = runs.open_run(session, actor, Action.LOG, run_id)
    links = store.links_of(session, [run_id])
    n = max((link.n for link in links), default=0)
    noted = {link.model_id for link in links if link.direction is direction}
    for model_id, step in models:
        if len(model_id) > LONGEST_ID:
            raise BadInput(f"The id of a logged model has at most {LONGEST_ID} characters.", field="models")
        if model_id in noted:
            if direction is Direction.OUTPUT:
                raise OutputExists(f"The run has logged model '{model_id}' among its outputs already.", field="models")
            continue
        n += 1
        noted.add(model_id)
        store.add_link(session, RunModelRow(run_id=run_id, direction=direction, model_id=model_id, step=step, n=n))
    record_change(session, ref.workspace, "run", ref.id, str(ref.experiment_id))


def io_of_runs(session: Session, ids: Collection[str]) -> dict[str, RunModels]:
    """What runs read and made, by run id; nothing for runs that did neither."""
    inputs: dict[str, list[str]] = {}
    outputs: dict[str, list[tuple[str, int]]] = {}
    for link in store.links_of(session, ids):
        if link.direction is Direction.INPUT:
            inputs.setdefault(link.run_id, []).append(link.model_id)
        else:
            outputs.setdefault(link.run_id, []).append((link.model_id, link.step))
    return {run_id: RunModels(inputs.get(run_id, []), outputs.get(run_id, [])) for run_id in {**inputs, **outputs}}
