"""SQL of runs. The door of this folder; `retention` has what the rules of retention ask."""

from __future__ import annotations

from jupyter_mlws.domain.runs.store.appending import (
    GivenPoint,
    Target,
    append_points,
    target,
    target_of,
)  # fmt: skip
from jupyter_mlws.domain.runs.store.runs import (
    add,
    add_dataset,
    add_params,
    busy_jobs,
    by_id,
    by_ids,
    children_counts,
    counts_by_status,
    counts_by_workspace,
    datasets_of,
    descendants,
    forget_batches,
    ids_of_experiments,
    jobs_made_since,
    named,
    names_of_active,
    number_of_runs,
    params_of,
    places,
    remove,
    running_processes,
    seen_batch,
    set_lifecycle,
    set_tags,
    snapshots_of_these_alone,
    tags_of,
    unfinished,
    with_lifecycle,
    with_snapshots,
)  # fmt: skip
from jupyter_mlws.domain.runs.store.status import (
    State,
    add_status,
    compare_and_set,
    state,
    status_history,
)  # fmt: skip

__all__ = [
    "GivenPoint", "State", "Target", "add", "add_dataset", "add_params", "add_status", "append_points", "busy_jobs", "by_id",
    "by_ids", "children_counts", "compare_and_set", "counts_by_status", "counts_by_workspace", "datasets_of", "descendants",
    "forget_batches", "ids_of_experiments", "jobs_made_since",
    "named", "names_of_active", "number_of_runs", "params_of", "places", "remove", "running_processes", "seen_batch",
    "set_lifecycle", "set_tags", "snapshots_of_these_alone", "state", "status_history", "tags_of", "target", "target_of",
    "unfinished", "with_lifecycle", "with_snapshots",
]  # fmt: skip
