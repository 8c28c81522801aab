"""Failures of models."""

from __future__ import annotations

from jupyter_mlws.kit.errors import BadInput, Conflict, NotFound


class ModelNotFound(NotFound):
    """No registered model has this name."""

    code = "model_not_found"


class ModelExists(Conflict):
    """The workspace has a registered model of this name already."""

    code = "model_exists"


class VersionNotFound(NotFound):
    """The model has no such version."""

    code = "model_version_not_found"


class AliasNotFound(NotFound):
    """No version of the model has this alias."""

    code = "model_alias_not_found"


class LoggedModelNotFound(NotFound):
    """No logged model has this id."""

    code = "logged_model_not_found"


class LoggedModelInUse(Conflict):
    """The logged model is not deleted, so it cannot be removed for good."""

    code = "logged_model_in_use"


class UnknownLoggedModel(BadInput):
    """A point of a metric names a logged model that is not there."""

    code = "unknown_logged_model"


class PointConflict(BadInput):
    """A logged model has another value of a metric at this step and time of this run."""

    code = "model_point_conflict"


class ModelParamExists(BadInput):
    """A param of a logged model is written once."""

    code = "model_param_exists"


class OutputExists(BadInput):
    """The run has noted this logged model as its own already."""

    code = "model_output_exists"


class ModelTaken(Conflict):
    """Another logged or registered model has this id or name: it was made here, or imported from elsewhere."""

    code = "model_taken"


class BadSource(BadInput):
    """A version's files cannot lie there: it is a path of one machine, or no address at all."""

    code = "bad_source"
