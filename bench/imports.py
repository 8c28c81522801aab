"""What `import mlws` and `import jupyter_mlws` cost a script: milliseconds in a fresh interpreter, median and worst of 20.

    python -m bench.imports [times]

Measured within the process, so Python's own start is left out; `from jupyter_mlws import Workspace` (the whole client) and
`import jupyter_server` stand beside them. Bytecode is cached, as an installation has it. Exit code 1 over 60 ms for one of the first two.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT_MS = 60.0
KERNEL_PATH = Path(__file__).parents[1] / "jupyter_mlws" / "kernel_path"
TIMED = "import time; began = time.perf_counter(); {}; print((time.perf_counter() - began) * 1000)"
CASES = (
    ("import mlws", LIMIT_MS),
    ("import jupyter_mlws", LIMIT_MS),
    ("from jupyter_mlws import Workspace", None),
    ("import jupyter_server", None),
)


def measure(statement: str, times: int, bytecode: str) -> list[float]:
    """Milliseconds of each import; the first, which compiles, is left out."""
    env = {**os.environ, "PYTHONPATH": str(KERNEL_PATH), "PYTHONPYCACHEPREFIX": bytecode}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", TIMED.format(statement)]
    runs = [subprocess.run(command, env=env, check=True, capture_output=True, text=True) for _ in range(times + 1)]
    return [float(run.stdout) for run in runs[1:]]


def main() -> int:
    """Print a row a statement."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, {times} times each")
    print(f"{'':<38}{'median, ms':>12}{'worst, ms':>12}")
    over = False
    with tempfile.TemporaryDirectory(prefix="mlws-bench-") as bytecode:
        for statement, limit in CASES:
            took = measure(statement, times, bytecode)
            print(f"{statement:<38}{statistics.median(took):>12.1f}{max(took):>12.1f}")
            over = over or (limit is not None and statistics.median(took) > limit)
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
