"""Failures of environments."""

from __future__ import annotations

from jupyter_mlws.kit.errors import BadInput, Conflict, NotFound


class EnvironmentNotFound(NotFound):
    """The workspace has no environment of this name, or no such version of it."""

    code = "environment_not_found"


class UnknownEnvironment(BadInput):
    """A job names an environment that neither the workspace nor the alias table has."""

    code = "unknown_environment"


class UnusableDefinition(BadInput):
    """The definition cannot be kept: it names what lies outside of it, or is no such file."""

    code = "unusable_definition"


class UnusableEnvironment(BadInput):
    """The environment cannot run this job, or be built on this machine."""

    code = "unusable_environment"


class NothingCaptured(BadInput):
    """Of this run too little is known to make an environment of it."""

    code = "nothing_captured"


class NothingToBuild(Conflict):
    """The environment is there already, or nothing of it is being built."""

    code = "nothing_to_build"
