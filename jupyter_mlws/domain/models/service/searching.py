"""Searches of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, true

from jupyter_mlws.domain.access.service import require
from jupyter_mlws.domain.models.service.logged import tell
from jupyter_mlws.domain.models.service.rows import tell_models, tell_versions
from jupyter_mlws.domain.models.store import logged, registry
from jupyter_mlws.domain.search import service as search
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.domain.workspaces.errors import WorkspaceNotFound
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.errors import no_workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.models.schemas import DatasetChoice, LoggedModel, ModelOrder, ModelVersion, RegisteredModel
    from jupyter_mlws.domain.search.service import Records
    from jupyter_mlws.domain.workspaces.service import WorkspaceRef
    from jupyter_mlws.kit.actors import Actor

MODEL_TIES = (("name", False),)
MODEL_ORDERS = ("name", "last_updated_timestamp")
VERSION_TIES = (("name", False), ("version_number", True))
VERSION_ORDERS = ("name", "version_number", "creation_timestamp", "last_updated_timestamp")


def search_models(
    session: Session,
    actor: Actor,
    workspace: str,
    *,
    filter_text: str | None,
    order_by: Sequence[str],
    cursor: str | None,
    limit: int,
) -> tuple[list[RegisteredModel], str | None]:
    """One page of registered models, and the cursor of the next one. Prompts are left out, or are all, where the filter says so."""
    ref = _open(session, actor, workspace)
    described = registry.model_records()
    condition, prompts = _condition(filter_text, described)
    order = search.order_records(order_by, described, MODEL_TIES, {name: described.attributes[name] for name in MODEL_ORDERS})
    after = search.read_cursor(search.key_parts(order), cursor)
    found = registry.model_page(session, ref.id, condition=condition, prompts=prompts, order=order, after=after, limit=limit)
    return tell_models(session, found.rows), search.write_cursor(found.last_key)


def search_versions(
    session: Session,
    actor: Actor,
    workspace: str,
    *,
    filter_text: str | None,
    order_by: Sequence[str],
    cursor: str | None,
    limit: int,
) -> tuple[list[ModelVersion], str | None]:
    """One page of versions without their aliases, and the cursor of the next one; the latest changed first by itself."""
    ref = _open(session, actor, workspace)
    described = registry.version_records()
    condition, prompts = _condition(filter_text, described)
    orders = {name: described.attributes[name] for name in VERSION_ORDERS}
    order = search.order_records(order_by or ["last_updated_timestamp DESC"], described, VERSION_TIES, orders)
    after = search.read_cursor(search.key_parts(order), cursor)
    found = registry.version_page(session, ref.id, condition=condition, prompts=prompts, order=order, after=after, limit=limit)
    return tell_versions(session, found.rows, aliased=False), search.write_cursor(found.last_key)


def search_logged_models(
    session: Session,
    actor: Actor,
    workspace: str,
    *,
    experiment_ids: Sequence[int],
    filter_text: str | None,
    datasets: Sequence[DatasetChoice],
    order: Sequence[ModelOrder],
    cursor: str | None,
    limit: int,
) -> tuple[list[LoggedModel], str | None]:
    """One page of logged models of experiments of a workspace, and the cursor of the next one; the newest first by itself.

    `datasets` confines what the filter says of metrics to points on them; where it says nothing of metrics, there must be some point.
    """
    ref = _open(session, actor, workspace)
    described = logged.records(datasets)
    tree = search.parse_filter(filter_text, search.LOGGED_MODELS)
    condition: ColumnElement[bool] = search.compile_tree(tree, described)
    if datasets and search.Entity.METRIC not in search.entities_of(tree):
        condition = and_(condition, logged.has_metric(datasets))
    compiled = logged.order_of(order)
    after = search.read_cursor(search.key_parts(compiled), cursor)
    found = logged.page(session, experiment_ids, condition=condition, order=compiled, after=after, limit=limit)
    return tell(session, found.rows, ref.name), search.write_cursor(found.last_key)


def _open(session: Session, actor: Actor, workspace: str) -> WorkspaceRef:
    ref = workspaces.find(session, workspace)
    missing = WorkspaceNotFound(no_workspace(workspace), field="workspace")
    require(actor, Action.READ, ref.name, missing, workspace_id=ref.id)
    return ref


def _condition(text: str | None, records: Records) -> tuple[ColumnElement[bool], bool]:
    """SQL of a filter, and whether it asks for prompts: what it says of them in so many words is no matter of the tag.

    `= 'false'` and `!= 'true'` mean all that are no prompts, which have no such tag at all.
    """
    tree = search.parse_filter(text, records.vocabulary)
    if tree is None:
        return true(), False
    prompts, rest = False, []
    for term in tree.terms if isinstance(tree, search.And) else (tree,):
        says = _of_prompts(term)
        if says is None:
            rest.append(search.compile_tree(term, records))
        else:
            prompts = prompts or says
    return and_(true(), *rest), prompts


def _of_prompts(term: Any) -> bool | None:
    if not isinstance(term, search.Comparison) or term.field != search.Field(search.Entity.TAG, registry.PROMPT):
        return None
    value = str(term.value).lower()
    if term.operator not in (search.Operator.EQ, search.Operator.NE) or value not in ("true", "false"):
        return None
    return (value == "true") is (term.operator is search.Operator.EQ)
