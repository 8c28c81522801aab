"""How long `mlws run list` takes, wall clock, Python's start included: median and worst of 15 calls, beside `python -c pass`.

    python bench/cli.py [calls]

A server of its own runs on a folder of its own with 200 runs. Exit code 1 when the median is over 400 ms.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BUDGET_MS = 400.0
RUNS = 200


def milliseconds(command: list[str], calls: int) -> list[float]:
    """The duration of each call; the first, which fills caches, is left out."""
    taken = []
    for _ in range(calls + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        taken.append((time.perf_counter() - start) * 1000)
    return taken[1:]


def main() -> None:
    """Measure and judge."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    mlws = str(Path(sys.executable).with_name("mlws"))
    with tempfile.TemporaryDirectory(prefix="mlws-bench-") as folder:
        for name in [name for name in os.environ if name.startswith(("MLWS_", "JUPYTER"))]:
            del os.environ[name]
        os.environ.update({"MLWS_DATA_DIR": f"{folder}/data", "JUPYTER_CONFIG_DIR": folder, "JUPYTER_RUNTIME_DIR": folder})
        from jupyter_mlws import Workspace  # noqa: PLC0415 - after the environment is set
        from jupyter_mlws.kit.ids import new_id  # noqa: PLC0415

        ws = Workspace.start_or_connect()
        for n in range(RUNS):
            run = ws.transport.ask("POST", f"{ws.path}/runs", dict, body={"experiment": "bench", "name": f"run-{n}"})
            points = [{"key": "acc", "value": n / RUNS, "step": 0, "time": 0}]
            ws.transport.ask("POST", f"/runs/{run['id']}/log", dict, body={"batch_id": new_id(), "metrics": points})
            ws.transport.ask("POST", f"/runs/{run['id']}/end", dict, body={"status": "Completed"})
        try:
            bare = milliseconds([sys.executable, "-c", "pass"], calls)
            listed = milliseconds([mlws, "run", "list", "--order-by", "metrics.acc desc"], calls)
            helped = milliseconds([mlws, "--help"], calls)
        finally:
            subprocess.run([mlws, "server", "stop"], check=False, stdout=subprocess.DEVNULL)
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, {RUNS} runs, {calls} calls each"
    )
    for name, taken in (("python -c pass", bare), ("mlws --help", helped), ("mlws run list", listed)):
        print(f"{name:<16} median {statistics.median(taken):6.0f} ms   worst {max(taken):6.0f} ms")
    sys.exit(statistics.median(listed) > BUDGET_MS)


if __name__ == "__main__":
    main()
