"""How the client's objects look in a notebook: escaped HTML, and a live view of a job. `ipywidgets` is used where it is installed."""

from __future__ import annotations

from jupyter_mlws.notebook.live import watch
from jupyter_mlws.notebook.markup import html

__all__ = ["html", "watch"]
