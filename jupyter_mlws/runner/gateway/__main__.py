"""`python -m jupyter_mlws.runner.gateway -f <connection file> --settings <JSON>`; the token is in `MLWS_GATEWAY_TOKEN`, and the
hash of the address that it is for in `MLWS_GATEWAY_FOR`."""

from __future__ import annotations

from jupyter_mlws.runner import notebook  # noqa: F401 - first: from then on our imports are looked for where ours are

# isort: split
import argparse
import hashlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from jupyter_mlws.runner.gateway.bridge import Settings, main

TOKEN = "MLWS_GATEWAY_TOKEN"  # noqa: S105 - the name of a variable
ADDRESS = "MLWS_GATEWAY_FOR"


def _token_for(url: str) -> str:
    """The token. A target that moved after this was prepared has one for its new address, which the old one is not told."""
    token, meant = os.environ.pop(TOKEN, ""), os.environ.pop(ADDRESS, "")
    if meant and meant != hashlib.sha256(url.encode()).hexdigest():
        sys.exit(f"The compute target is not at {url} any more: begin again, and its kernels of the new address are used.")
    return token


def _on_signal(loop: Any, end: Any) -> None:
    """SIGTERM ends it, and the kernel over there; who wants to interrupt sends a message."""
    loop.add_signal_handler(signal.SIGTERM, end, "")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parser = argparse.ArgumentParser(prog="jupyter_mlws.runner.gateway")
    parser.add_argument("-f", dest="connection_file", type=Path, required=True)
    parser.add_argument("--settings", required=True)
    given = parser.parse_args()
    settings = Settings(**json.loads(given.settings))
    code = main(given.connection_file, settings, _token_for(settings.url), _on_signal)
    sys.stdout.flush()
    os._exit(code)
