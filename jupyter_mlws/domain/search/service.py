"""Rules of searching runs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from jupyter_mlws.domain.experiments import service as experiments
from jupyter_mlws.domain.experiments.errors import ExperimentNotFound
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.schemas import Lifecycle, RunPage
from jupyter_mlws.domain.search import store
from jupyter_mlws.domain.search.grammar import parse_filter
from jupyter_mlws.domain.search.order import RANKS, parse_order_by
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.errors import BadInput
from jupyter_mlws.kit.pagination import decode_cursor, encode_cursor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

View = Literal["active", "deleted", "all"]
LIFECYCLES: dict[View, Lifecycle | None] = {"active": Lifecycle.ACTIVE, "deleted": Lifecycle.DELETED, "all": None}


def search_runs(
    session: Session,
    workspace: str,
    *,
    experiment_ids: Sequence[str] = (),
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
        tree=parse_filter(filter_text or None),
        order=parse_order_by(list(order_by)),
        now=now_ms(),
    )
    found = store.page(session, criteria, _after(criteria, cursor), limit)
    return RunPage(
        runs=runs.wires(session, found.rows),
        next_cursor=encode_cursor(*map(_to_json, found.last_key)) if found.last_key is not None else None,
        total=store.count(session, criteria) if cursor is None else None,
    )


def _after(criteria: store.Criteria, cursor: str | None) -> list[Any] | None:
    if not cursor:
        return None
    parts = store.key_parts(criteria)
    key = [_from_json(value) for value in decode_cursor(cursor, len(parts))]
    if not all(map(_fits, key, parts)):
        raise BadInput("This cursor was made for another order; ask for the first page again.", field="cursor")
    return key


def _fits(value: Any, part: store.KeyPart) -> bool:
    if value is None:
        return part.nullable
    if part.is_rank:
        return type(value) is int and value in RANKS
    return type(value) is part.type or (part.type is float and type(value) is int)


def _to_json(value: Any) -> Any:
    """JSON has no infinity; in a cursor it stands as a list of its sign."""
    return [1 if value > 0 else -1] if isinstance(value, float) and math.isinf(value) else value


def _from_json(value: Any) -> Any:
    if value in ([1], [-1]):
        return math.inf * value[0]
    if isinstance(value, (list, dict)):
        raise BadInput("This cursor was not made by this server for this list; ask for the first page again.", field="cursor")
    return value


def _experiment(session: Session, workspace_id: int, experiment_id: str) -> int:
    ref = experiments.find(session, experiment_id)
    if ref.workspace.id != workspace_id:
        raise ExperimentNotFound(f"This workspace has no experiment with id {experiment_id[:80]!r}.", field="experiment_id")
    return ref.id
