"""Rules of models. The door of this slice: what upper slices and routes use."""

from __future__ import annotations

from jupyter_mlws.domain.models.service.cleaning import purge_logged_model
from jupyter_mlws.domain.models.service.importing import (
    begin_logged_import,
    finish_logged_import,
    import_model,
    import_points,
    logged_states,
)
from jupyter_mlws.domain.models.service.links import add_inputs, add_outputs, io_of_runs, log_points
from jupyter_mlws.domain.models.service.logged import (
    add_params,
    create_logged_model,
    delete_logged_model,
    delete_logged_tag,
    find_logged_model,
    open_for_files,
    set_logged_tags,
    set_status,
)
from jupyter_mlws.domain.models.service.registry import (
    create_model,
    delete_alias,
    delete_model,
    delete_model_tag,
    describe_model,
    find_model,
    is_prompt,
    rename_model,
    set_alias,
    set_model_tag,
)
from jupyter_mlws.domain.models.service.searching import search_logged_models, search_models, search_versions
from jupyter_mlws.domain.models.service.versions import (
    create_version,
    delete_version,
    delete_version_tag,
    describe_version,
    find_by_alias,
    find_version,
    latest_version,
    latest_versions,
    move_version,
    set_version_tag,
)
from jupyter_mlws.domain.models.store.registry import PROMPT

__all__ = [
    "PROMPT", "add_inputs", "add_outputs", "add_params", "begin_logged_import", "create_logged_model", "create_model",
    "create_version", "delete_alias", "delete_logged_model", "delete_logged_tag", "delete_model", "delete_model_tag",
    "delete_version", "delete_version_tag", "describe_model", "describe_version", "find_by_alias", "find_logged_model",
    "find_model", "find_version", "finish_logged_import", "import_model", "import_points", "io_of_runs", "is_prompt",
    "latest_version", "latest_versions", "log_points", "logged_states", "move_version", "open_for_files",
    "purge_logged_model", "rename_model", "search_logged_models", "search_models", "search_versions", "set_alias",
    "set_logged_tags", "set_model_tag", "set_status", "set_version_tag",
]  # fmt: skip
