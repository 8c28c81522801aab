"""Jupyter ML Workspace: an ML studio inside JupyterLab.

The public door, lazy: `Workspace` and `connect` manage a workspace from Python, `mlws` logs to it from a training script.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import mlws as mlws
    from jupyter_mlws.sdk import Workspace as Workspace
    from jupyter_mlws.sdk import connect as connect

__all__ = ["Workspace", "__version__", "connect", "mlws"]


def __getattr__(name: str) -> Any:
    if name in ("Workspace", "connect"):
        return getattr(importlib.import_module("jupyter_mlws.sdk"), name)
    if name == "mlws":
        return importlib.import_module("mlws")
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("jupyter_mlws")
    raise AttributeError(f"module 'jupyter_mlws' has no attribute {name!r}")


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "jupyter-mlws"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from jupyter_mlws.server.app import MlwsApp  # noqa: PLC0415 - only a Jupyter server needs it

    return [{"module": "jupyter_mlws", "app": MlwsApp}]


def load_ipython_extension(ipython: Any) -> None:
    """`%load_ext jupyter_mlws` is `%load_ext mlws`."""
    importlib.import_module("mlws").load_ipython_extension(ipython)
