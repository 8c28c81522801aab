"""Failures of experiments."""

from __future__ import annotations

from jupyter_mlws.kit.errors import Conflict, NotFound


class ExperimentNotFound(NotFound):
    """No experiment has this id or name."""

    code = "experiment_not_found"


class ExperimentExists(Conflict):
    """The workspace has an experiment of this name already."""

    code = "experiment_exists"


class ExperimentArchived(Conflict):
    """The experiment is archived, so it takes no new runs."""

    code = "experiment_archived"


class ExperimentInUse(Conflict):
    """The experiment is not archived, or runs of it still run."""

    code = "experiment_in_use"
