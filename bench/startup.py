"""What the extension adds to a Jupyter server: time to the first 200 on `/api`, and memory once it has settled.

Ten starts each in turn, after one of each that is not counted. A start takes seconds, and on a shared machine it varies by a second:
the fastest of ten says what the work costs, the median what a person waits for, and the limit is held to that.

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
    print(f"jupyter_server {version('jupyter_server')}, Python {platform.python_version()}, {starts} starts each")
    print(f"{'':<22}{'fastest, ms':>13}{'median, ms':>13}{'memory, MB':>12}")
    table = []
    for extension, name in ((False, "without"), (True, "with jupyter_mlws")):
        times, memory = zip(*found[extension][1:], strict=True)
        table.append((name, min(times), statistics.median(times), statistics.median(memory)))
    table.append(("added", *(b - a for a, b in zip(table[0][1:], table[1][1:], strict=True))))
    for name, fastest, median, megabytes in table:
        print(f"{name:<22}{fastest:>13.0f}{median:>13.0f}{megabytes:>12.1f}")
    return int(table[2][2] > LIMIT_MS or table[2][3] > LIMIT_MB)


if __name__ == "__main__":
    sys.exit(main())
