"""Rules of runs. The door of this slice: what upper slices and routes use."""

from __future__ import annotations

from jupyter_mlws.domain.runs.service.creation import NewRun, add_run, create_run, given_name, parent_of
from jupyter_mlws.domain.runs.service.deletion import delete_run, purging, restore_run
from jupyter_mlws.domain.runs.service.reading import decorating, get_run, wires, wires_by_id
from jupyter_mlws.domain.runs.service.rows import (
    RunRef,
    experiment_name,
    note_artifacts,
    open_for_files,
    open_run,
    ref_by_id,
    ref_of,
    source_of,
    user_of,
)
from jupyter_mlws.domain.runs.service.snapshots import Origin, add_file, finding_origin, snapshot_diff, working_copy
from jupyter_mlws.domain.runs.service.status import change_status, changed, end_run, history, interactive_running, set_progress
from jupyter_mlws.domain.runs.service.writing import (
    declare_io,
    forget_batches,
    log_batch,
    note_environment,
    store_tags,
    update_run,
    write_params,
)

__all__ = [
    "NewRun",
    "Origin",
    "RunRef",
    "add_file",
    "add_run",
    "change_status",
    "changed",
    "create_run",
    "declare_io",
    "decorating",
    "delete_run",
    "end_run",
    "experiment_name",
    "finding_origin",
    "forget_batches",
    "get_run",
    "given_name",
    "history",
    "interactive_running",
    "log_batch",
    "note_artifacts",
    "note_environment",
    "open_for_files",
    "open_run",
    "parent_of",
    "purging",
    "ref_by_id",
    "ref_of",
    "restore_run",
    "set_progress",
    "snapshot_diff",
    "source_of",
    "store_tags",
    "update_run",
    "user_of",
    "wires",
    "wires_by_id",
    "working_copy",
    "write_params",
]
