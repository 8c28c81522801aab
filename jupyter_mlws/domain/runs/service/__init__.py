"""Rules of runs. The door of this slice: what upper slices and routes use."""

from __future__ import annotations

from jupyter_mlws.domain.runs.service.appending import shortcut
from jupyter_mlws.domain.runs.service.creation import NewRun, RunNames, add_run, create_run, names_of, parent_of
from jupyter_mlws.domain.runs.service.deletion import deletion_plan, move_to_bin, purge_some, purging, restore_run
from jupyter_mlws.domain.runs.service.reading import decorating, get_run, jobs_made_since, wires, wires_by_id
from jupyter_mlws.domain.runs.service.records import (
    DatasetInput,
    RunHead,
    RunRecord,
    add_datasets,
    head,
    new_record,
    record,
    records,
    set_deleted,
    set_deleted_of_experiment,
)  # fmt: skip
from jupyter_mlws.domain.runs.service.retention import sparing
from jupyter_mlws.domain.runs.service.rows import (
    RunRef,
    active_among,
    note_artifacts,
    open_run,
    open_to_log,
    ref_by_id,
    ref_of,
    source_of,
    user_of,
)  # fmt: skip
from jupyter_mlws.domain.runs.service.snapshots import Origin, add_file, finding_origin, snapshot_diff, working_copy
from jupyter_mlws.domain.runs.service.status import (
    change_status,
    changed,
    end_run,
    history,
    interactive_running,
    set_end,
    set_progress,
    shortened,
)  # fmt: skip
from jupyter_mlws.domain.runs.service.unused import remove_unused, unused_snapshots
from jupyter_mlws.domain.runs.service.writing import (
    declare_io,
    forget_batches,
    log,
    log_batch,
    note_environment,
    store_tags,
    update_run,
    write_params,
)  # fmt: skip

__all__ = [
    "DatasetInput", "NewRun", "Origin", "RunHead", "RunNames", "RunRecord", "RunRef", "active_among", "add_datasets", "add_file", "add_run",
    "change_status",
    "changed", "create_run", "declare_io", "decorating", "deletion_plan", "end_run", "finding_origin",
    "forget_batches", "get_run", "head", "history", "interactive_running", "jobs_made_since", "log", "log_batch",
    "move_to_bin", "names_of", "new_record", "note_artifacts", "note_environment", "open_run", "open_to_log", "parent_of", "purge_some",
    "purging", "record", "records", "ref_by_id", "ref_of", "remove_unused", "restore_run", "set_deleted",
    "set_deleted_of_experiment", "set_end", "set_progress", "shortcut", "shortened", "snapshot_diff", "source_of", "sparing",
    "store_tags", "unused_snapshots", "update_run", "user_of", "wires", "wires_by_id", "working_copy", "write_params",
]  # fmt: skip
