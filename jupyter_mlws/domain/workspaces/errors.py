"""Failures of workspaces."""

from __future__ import annotations

from jupyter_mlws.kit.errors import Conflict, NotFound


class WorkspaceNotFound(NotFound):
    """No workspace has this name."""

    code = "workspace_not_found"


class WorkspaceExists(Conflict):
    """A workspace has this name already."""

    code = "workspace_exists"


class DefaultWorkspace(Conflict):
    """The default workspace keeps its name, and can be neither archived nor deleted."""

    code = "default_workspace"


class NotArchived(Conflict):
    """Only what is archived can be deleted for good."""

    code = "not_archived"


class StaleVersion(Conflict):
    """Somebody else changed it meanwhile."""

    code = "stale_version"


class WorkspaceArchived(Conflict):
    """The workspace is archived, so it takes nothing new."""

    code = "workspace_archived"
