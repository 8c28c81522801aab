"""How long `mlws run list` takes, Python's start included: median and worst of 15 calls, beside `mlws --help`, the completion of a run's
id and `python -c pass`.

Wall clock, which the budget is for; and CPU time, which says more on a busy machine. Bytecode is cached, as an installation has it.

    python bench/cli.py [calls]

A server of its own runs on a folder of its own with 200 runs. Exit code 1 when `run list` takes more than 400 ms or 250 ms of CPU time, or
the completion more than 300 ms of CPU time (medians).
"""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WALL_MS = 400.0
CPU_MS = 250.0
COMPLETION_CPU_MS = 300.0
RUNS = 200


def cpu_of_children() -> float:
    """CPU seconds of the processes that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(command: list[str], calls: int, **env: str) -> tuple[list[float], list[float]]:
    """Wall clock and CPU of each call, in ms; the first, which fills caches, is left out."""
    wall, cpu = [], []
    for _ in range(calls + 1):
        start, used = time.perf_counter(), cpu_of_children()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **env})
        wall.append((time.perf_counter() - start) * 1000)
        cpu.append((cpu_of_children() - used) * 1000)
    return wall[1:], cpu[1:]


def main() -> None:
    """Measure and judge."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    mlws = str(Path(sys.executable).with_name("mlws"))
    with tempfile.TemporaryDirectory(prefix="mlws-bench-") as folder:
        for name in [name for name in os.environ if name.startswith(("MLWS_", "JUPYTER", "PYTHONDONTWRITEBYTECODE"))]:
            del os.environ[name]
        os.environ["PYTHONPYCACHEPREFIX"] = f"{folder}/bytecode"
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
            bare = measure([sys.executable, "-c", "pass"], calls)
            listed = measure([mlws, "run", "list", "--order-by", "metrics.acc desc"], calls)
            helped = measure([mlws, "--help"], calls)
            line = {"_MLWS_COMPLETE": "bash_complete", "COMP_WORDS": "mlws run show ", "COMP_CWORD": "3"}
            completed = measure([mlws], calls, **line)
        finally:
            subprocess.run([mlws, "server", "stop"], check=False, stdout=subprocess.DEVNULL)
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, {RUNS} runs, {calls} calls each"
    )
    rows = (("python -c pass", bare), ("mlws --help", helped), ("mlws run list", listed), ("completion", completed))
    for name, (wall, cpu) in rows:
        medians = f"median {statistics.median(wall):5.0f} ms   worst {max(wall):5.0f} ms   CPU {statistics.median(cpu):5.0f} ms"
        print(f"{name:<16} {medians}")
    slow = statistics.median(listed[0]) > WALL_MS or statistics.median(listed[1]) > CPU_MS
    sys.exit(slow or statistics.median(completed[1]) > COMPLETION_CPU_MS)


if __name__ == "__main__":
    main()
