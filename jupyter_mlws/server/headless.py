"""`python -m jupyter_mlws.server.headless`: the server that the command line starts where none runs.

On loopback, on a free port, with a token of its own and with our extension alone. The user's Jupyter configuration holds (where the
data lies, which database), but not for what makes a server reachable. It ends when it is idle, or when a JupyterLab starts on the
same data folder (`idle.py`).
"""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

from jupyter_server.serverapp import ServerApp


class HeadlessServer(ServerApp):
    """A Jupyter server that finds no extensions by itself: only the one named below is loaded."""

    def find_server_extensions(self) -> None:
        """None."""


def main() -> None:
    """Run until idle."""
    HeadlessServer.launch_instance(
        [
            "--no-browser",
            "--allow-root",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={_free_port()}",
            "--ServerApp.port_retries=50",
            "--ServerApp.sock=",
            "--ServerApp.certfile=",
            "--ServerApp.keyfile=",
            "--ServerApp.base_url=/",
            f"--ServerApp.root_dir={Path.home()}",
            "--ServerApp.allow_remote_access=False",
            "--ServerApp.jpserver_extensions={'jupyter_mlws': True}",
            f"--IdentityProvider.token={secrets.token_urlsafe(32)}",
            "--MlwsApp.headless=True",
            "--Application.log_level=WARN",
        ]
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
