"""Identifiers: 32 lower-case hex digits, random (the form MLflow's clients expect of a run id)."""

from __future__ import annotations

import re
import uuid

ID_PATTERN = re.compile(r"[0-9a-f]{32}")


def new_id() -> str:
    """A new random id of 32 hex digits."""
    return uuid.uuid4().hex


def is_id(text: str) -> bool:
    """Whether `text` has the form of an id."""
    return ID_PATTERN.fullmatch(text) is not None
