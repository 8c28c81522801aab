"""What processes that the server starts inherit of its environment."""

from __future__ import annotations

import os

PRIVATE = (
    "JUPYTER_TOKEN",
    "JUPYTERHUB_API_TOKEN",
    "JPY_API_TOKEN",
    "CONFIGPROXY_AUTH_TOKEN",
    "JPY_PARENT_PID",
    "JPY_SESSION_NAME",
)
"""Variables that are the server's alone."""


def inherited() -> dict[str, str]:
    """The server's variables without its own tokens and without ours."""
    return {name: value for name, value in os.environ.items() if name not in PRIVATE and not name.startswith("MLWS_")}
