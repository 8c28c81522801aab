"""Words for what models are."""

from __future__ import annotations

from enum import Enum


class Stage(str, Enum):
    """How far a version has come."""

    NONE = "None"
    STAGING = "Staging"
    PRODUCTION = "Production"
    ARCHIVED = "Archived"


ACTIVE_STAGES = (Stage.STAGING, Stage.PRODUCTION)
"""Stages of versions that are in use."""


class LoggedModelStatus(str, Enum):
    """Whether the files of a logged model are there. In the order of MLflow's numbers, from 0."""

    UNSPECIFIED = "unspecified"
    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


class Direction(str, Enum):
    """What a run did with a logged model."""

    INPUT = "input"
    OUTPUT = "output"
