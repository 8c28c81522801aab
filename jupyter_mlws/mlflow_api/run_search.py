"""MLflow's search of runs: the language of our own searches, with MLflow's tags for what we keep elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.search import service as search
from jupyter_mlws.mlflow_api import experiments
from jupyter_mlws.mlflow_api.convert import filled, view_of
from jupyter_mlws.mlflow_api.errors import DoesNotExist
from jupyter_mlws.mlflow_api.run_wires import NAME, NOTE, PARENT, SOURCE, USER, with_io
from jupyter_mlws.mlflow_api.validation import page_size

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.search.service import Field, Filter, Term
    from jupyter_mlws.mlflow_api import requests as r
    from jupyter_mlws.mlflow_api.http import Context

MAX_PAGE = 50_000
KEPT_AS = {NAME: "run_name", NOTE: "note"}
"""Tags that are attributes of ours."""
SHOWN_FOR = {PARENT: "parent_id", SOURCE: "source", USER: "user_id"}
"""Tags that a run without them is shown with, made of an attribute."""


def search_runs(session: Session, context: Context, request: r.SearchRuns) -> dict[str, Any]:
    """One page of runs of some experiments."""
    ids = []
    for experiment_id in dict.fromkeys(request.experiment_ids or ()):
        try:
            ids.append(experiments.find(session, context, experiment_id).id)
        except DoesNotExist:
            continue
    tree = search.parse_filter(request.filter)
    found, cursor = search.search_records(
        session,
        context.workspace,
        experiment_ids=ids,
        tree=None if tree is None else search.map_terms(tree, as_kept),
        order=[
            replace(term, field=_kept(term.field, {**KEPT_AS, **SHOWN_FOR})) for term in search.parse_order_by(request.order_by)
        ],
        view=view_of(request.run_view_type, "run_view_type"),
        cursor=request.page_token,
        limit=page_size(request.max_results, 1000, MAX_PAGE),
    )
    return filled(runs=with_io(session, found, inputs=False), next_page_token=cursor)


def as_kept(term: Term) -> Filter:
    """The same about the field that holds what a tag of MLflow says; where the tag itself is missing, about what is shown for it."""
    kept = _kept(term.field, KEPT_AS)
    shown = _kept(term.field, SHOWN_FOR)
    if shown is term.field:
        return replace(term, field=kept)
    filled = search.Comparison(shown, search.Operator.NE, "")
    lacks = search.IsNull(term.field)
    if isinstance(term, search.IsNull):
        there = search.Or((replace(lacks, negated=True), filled))
        return there if term.negated else search.Not(there)
    return search.Or((term, search.And((lacks, filled, replace(term, field=shown)))))


def _kept(field: Field, names: dict[str, str]) -> Field:
    if field.entity is search.Entity.TAG and field.key in names:
        return search.Field(search.Entity.ATTRIBUTE, names[field.key])
    return field
