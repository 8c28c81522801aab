"""How objects of this client look in a notebook. That is told by `jupyter_mlws.notebook`, found by its name: nothing here depends on it."""

from __future__ import annotations

import importlib
from typing import Any, Protocol, cast

VIEWS = "jupyter_mlws.notebook"


class Views(Protocol):
    """What the notebook side gives."""

    def html(self, shown: Any) -> str:
        """A run, a job, a list of runs, a comparison as HTML, escaped."""

    def watch(self, job: Any) -> None:
        """A live view of a job below the cell."""


def views() -> Views:
    """The notebook side, loaded when something is shown."""
    return cast("Views", importlib.import_module(VIEWS))
