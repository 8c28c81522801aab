"""`python -m jupyter_mlws.runner.gateway -f <connection file> --settings <JSON>`; the token is in `MLWS_GATEWAY_TOKEN`."""

from __future__ import annotations

from jupyter_mlws.runner import notebook  # noqa: F401 - first: from then on our imports are looked for where ours are

# isort: split
import argparse
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from jupyter_mlws.runner.gateway.bridge import Settings, main

TOKEN = "MLWS_GATEWAY_TOKEN"  # noqa: S105 - the name of a variable


def _on_signal(loop: Any, end: Any) -> None:
    """SIGTERM ends it, and the kernel over there; who wants to interrupt sends a message."""
    loop.add_signal_handler(signal.SIGTERM, end, "")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parser = argparse.ArgumentParser(prog="jupyter_mlws.runner.gateway")
    parser.add_argument("-f", dest="connection_file", type=Path, required=True)
    parser.add_argument("--settings", required=True)
    given = parser.parse_args()
    code = main(given.connection_file, Settings(**json.loads(given.settings)), os.environ.pop(TOKEN, ""), _on_signal)
    sys.stdout.flush()
    os._exit(code)
