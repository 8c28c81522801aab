"""What the extension adds to a Jupyter server: time to the first 200 on `/api`, and memory once it has settled.

Median of 10 starts each, in turn, after one of each that is not counted: a start takes seconds, and on a shared machine varies by one.

    python -m bench.startup [starts]

Both servers are started in turn by this command, from nothing, in folders of their own. Exit code 1 over 300 ms or 60 MB.
"""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import httpx

from tests.live import free_port

LIMIT_MS = 300.0
LIMIT_MB = 60.0
SETTLE_S = 3.0


def start_once(folder: Path, *, extension: bool) -> tuple[float, float]:
    """(milliseconds to the first 200 on /api, MB of resident memory three seconds later)."""
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MLWS_", "JUPYTER"))}
    env |= {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("DATA", "RUNTIME", "CONFIG")}
    command = [
        sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", f"--port={port}",
        "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}",
        f"--ServerApp.jpserver_extensions={{'jupyter_mlws': {extension}}}",
    ]  # fmt: skip
    began = time.perf_counter()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        with httpx.Client() as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if client.get(f"http://127.0.0.1:{port}/api").status_code == 200:
                        break
                if process.poll() is not None:
                    raise SystemExit((folder / "log").read_text())
                time.sleep(0.005)
        took = (time.perf_counter() - began) * 1000
        time.sleep(SETTLE_S)
        status = Path(f"/proc/{process.pid}/status").read_text()
        kilobytes = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        return took, kilobytes / 1024
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def main() -> int:
    """Print the table."""
    starts = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    found: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    for n in range(starts + 1):
        for extension in (False, True) if n % 2 else (True, False):
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                found[extension].append(start_once(Path(folder), extension=extension))
    medians = {on: [statistics.median(column) for column in zip(*rows[1:], strict=True)] for on, rows in found.items()}
    added = [medians[True][n] - medians[False][n] for n in range(2)]
    print(f"jupyter_server {version('jupyter_server')}, Python {platform.python_version()}, {starts} starts each, median")
    print(f"{'':<22}{'first 200, ms':>15}{'memory, MB':>12}")
    for name, row in (("without", medians[False]), ("with jupyter_mlws", medians[True]), ("added", added)):
        print(f"{name:<22}{row[0]:>15.0f}{row[1]:>12.1f}")
    return int(added[0] > LIMIT_MS or added[1] > LIMIT_MB)


if __name__ == "__main__":
    sys.exit(main())
