"""The management client: workspaces, experiments, runs and jobs over HTTP. Typed, synchronous; loads neither server nor database.

`workspace.py` READ FIRST. One module a concept (`jobs`, `runs`, …); `transport.py` asks; `discovery.py` and `launch.py` find or start
the server; `results.py` are the wire types with what one does next; `errors.py` is the exception tree.
"""

from __future__ import annotations

from jupyter_mlws.sdk.errors import ApiError, BadInput, ClientError, Conflict, ConnectionFailed, NotFound, ServerNotFound
from jupyter_mlws.sdk.workspace import Workspace, connect

__all__ = [
    "ApiError",
    "BadInput",
    "ClientError",
    "Conflict",
    "ConnectionFailed",
    "NotFound",
    "ServerNotFound",
    "Workspace",
    "connect",
]
