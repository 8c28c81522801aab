"""The management client: workspaces, experiments, runs and jobs over HTTP. Typed, synchronous; loads neither server nor database.

`workspace.py` READ FIRST. One module a concept (`jobs`, `runs`, …); `transport.py` asks over `connection.py`; `discovery.py` and
`launch.py` find or start the server; `results.py` are the wire types with what one does next; `table.py` is what every list is, and
`forms.py` says how the lists look; `errors.py` is the exception tree.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_mlws.sdk.errors import ApiError as ApiError
    from jupyter_mlws.sdk.errors import BadInput as BadInput
    from jupyter_mlws.sdk.errors import ClientError as ClientError
    from jupyter_mlws.sdk.errors import Conflict as Conflict
    from jupyter_mlws.sdk.errors import ConnectionFailed as ConnectionFailed
    from jupyter_mlws.sdk.errors import NotFound as NotFound
    from jupyter_mlws.sdk.errors import ServerNotFound as ServerNotFound
    from jupyter_mlws.sdk.table import Table as Table
    from jupyter_mlws.sdk.workspace import Workspace as Workspace
    from jupyter_mlws.sdk.workspace import connect as connect

__all__ = [
    "ApiError",
    "BadInput",
    "ClientError",
    "Conflict",
    "ConnectionFailed",
    "NotFound",
    "ServerNotFound",
    "Table",
    "Workspace",
    "connect",
]

_PLACES = {"Table": "table", "Workspace": "workspace", "connect": "workspace"}


def __getattr__(name: str) -> Any:
    """Load what is asked for: the command line needs a part of the client only."""
    if name not in __all__:
        raise AttributeError(f"module 'jupyter_mlws.sdk' has no attribute {name!r}")
    return getattr(importlib.import_module(f"jupyter_mlws.sdk.{_PLACES.get(name, 'errors')}"), name)
