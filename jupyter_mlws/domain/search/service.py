"""Rules of searching runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from jupyter_mlws.domain.experiments import service as experiments
from jupyter_mlws.domain.experiments.errors import ExperimentNotFound
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.schemas import Lifecycle, RunPage
from jupyter_mlws.domain.search import store
from jupyter_mlws.domain.search.attributes import LOGGED_MODELS, MODEL_VERSIONS, REGISTERED_MODELS
from jupyter_mlws.domain.search.columns import KeyedColumns
from jupyter_mlws.domain.search.grammar import parse_filter
from jupyter_mlws.domain.search.nodes import (
    And,
    Comparison,
    Entity,
    Field,
    Filter,
    IsNull,
    Not,
    Operator,
    Or,
    Term,
    entities_of,
    map_terms,
)
from jupyter_mlws.domain.search.order import CompiledOrder, SortKey, parse_order_by
from jupyter_mlws.domain.search.paging import Found, key_parts, page, read_cursor, write_cursor
from jupyter_mlws.domain.search.records import Records, compile_records, compile_tree, order_records, sort_key
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.clock import now_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.experiments.service import ExperimentRecord
    from jupyter_mlws.domain.runs.service import RunRecord
    from jupyter_mlws.domain.runs.states import RunStatus
    from jupyter_mlws.domain.search.nodes import OrderTerm

__all__ = [
    "LOGGED_MODELS",
    "MODEL_VERSIONS",
    "REGISTERED_MODELS",
    "And",
    "Comparison",
    "CompiledOrder",
    "Entity",
    "Field",
    "Filter",
    "Found",
    "IsNull",
    "KeyedColumns",
    "Not",
    "Operator",
    "Or",
    "Records",
    "SortKey",
    "Term",
    "View",
    "compile_records",
    "compile_tree",
    "entities_of",
    "key_parts",
    "map_terms",
    "order_records",
    "page",
    "parse_filter",
    "parse_order_by",
    "read_cursor",
    "search_experiments",
    "search_records",
    "search_runs",
    "sort_key",
    "write_cursor",
]

View = Literal["active", "deleted", "all"]
LIFECYCLES: dict[View, Lifecycle | None] = {"active": Lifecycle.ACTIVE, "deleted": Lifecycle.DELETED, "all": None}


def search_runs(
    session: Session,
    workspace: str,
    *,
    experiment_ids: Sequence[str] = (),
    statuses: Sequence[RunStatus] = (),
    text: str = "",
    filter_text: str = "",
    order_by: Sequence[str] = (),
    view: View = "active",
    parent_id: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> RunPage:
    """One page of runs; the newest first where no order is given. `total` is counted for the first page only."""
    space = workspaces.find(session, workspace)
    ids = [_experiment(session, space.id, experiment_id) for experiment_id in experiment_ids]
    criteria = store.Criteria(
        workspace_id=space.id,
        experiment_ids=ids,
        lifecycle=LIFECYCLES[view],
        parent_id=parent_id,
        text=text.strip(),
        statuses=statuses,
        tree=parse_filter(filter_text or None),
        order=parse_order_by(list(order_by)),
        now=now_ms(),
    )
    found = store.page(session, criteria, read_cursor(store.key_parts(criteria), cursor), limit)
    return RunPage(
        runs=runs.wires(session, found.rows),
        next_cursor=write_cursor(found.last_key),
        total=store.count(session, criteria) if cursor is None else None,
    )


def search_records(
    session: Session,
    workspace: str,
    *,
    experiment_ids: Sequence[int],
    tree: Filter | None,
    order: Sequence[OrderTerm],
    view: View,
    cursor: str | None,
    limit: int,
) -> tuple[list[RunRecord], str | None]:
    """One page of runs by themselves, and the cursor of the next one. Ties, and runs without an order, go by the latest creation."""
    if not experiment_ids:
        return [], None
    criteria = store.Criteria(
        workspace_id=workspaces.find(session, workspace).id,
        experiment_ids=experiment_ids,
        lifecycle=LIFECYCLES[view],
        parent_id=None,
        text="",
        tree=tree,
        order=order,
        now=now_ms(),
    )
    found = store.plain_page(session, criteria, read_cursor(store.key_parts(criteria), cursor), limit)
    return runs.records(session, found.rows), write_cursor(found.last_key)


def search_experiments(
    session: Session,
    workspace: str,
    *,
    filter_text: str | None,
    order_by: Sequence[str],
    view: View,
    cursor: str | None,
    limit: int,
) -> tuple[list[ExperimentRecord], str | None]:
    """One page of experiments and the cursor of the next one; the newest first where no order is given."""
    space = workspaces.find(session, workspace)
    described = store.experiment_records()
    # Ties, as MLflow breaks them: by the id, upwards by itself and downwards behind another order.
    ties = [("experiment_id", True)] if order_by else [("creation_time", True), ("experiment_id", False)]
    order = order_records(order_by, described, ties)
    found = store.experiment_page(
        session,
        space.id,
        archived={"active": False, "deleted": True, "all": None}[view],
        condition=compile_records(filter_text, described),
        order=order,
        after=read_cursor(key_parts(order), cursor),
        limit=limit,
    )
    return experiments.records(session, found.rows, space.name), write_cursor(found.last_key)


def _experiment(session: Session, workspace_id: int, experiment_id: str) -> int:
    ref = experiments.find(session, experiment_id)
    if ref.workspace.id != workspace_id:
        raise ExperimentNotFound(f"This workspace has no experiment with id {experiment_id[:80]!r}.", field="experiment_id")
    return ref.id
