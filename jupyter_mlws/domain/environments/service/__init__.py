"""Rules of environments: those of a workspace, what jobs name, and what runs ran in."""

from __future__ import annotations

from jupyter_mlws.domain.environments.aliases import Aliases
from jupyter_mlws.domain.environments.builds import TIMEOUT_S, Builds, Whose
from jupyter_mlws.domain.environments.capture import capture as capture_environment
from jupyter_mlws.domain.environments.capture import capture_at_once, git_state
from jupyter_mlws.domain.environments.service.captures import delete_of_runs, is_known, is_whole, of_run, store_capture
from jupyter_mlws.domain.environments.service.choosing import Chosen, choose, chosen_of, usable
from jupyter_mlws.domain.environments.service.registry import (
    create,
    from_run,
    get_version,
    hashes_in_use,
    list_environments,
    list_versions,
    set_archived,
)
from jupyter_mlws.domain.environments.service.using import Environments, Place

__all__ = [
    "TIMEOUT_S",
    "Aliases",
    "Builds",
    "Chosen",
    "Environments",
    "Place",
    "Whose",
    "capture_at_once",
    "capture_environment",
    "choose",
    "chosen_of",
    "create",
    "delete_of_runs",
    "from_run",
    "get_version",
    "git_state",
    "hashes_in_use",
    "is_known",
    "is_whole",
    "list_environments",
    "list_versions",
    "of_run",
    "set_archived",
    "store_capture",
    "usable",
]
