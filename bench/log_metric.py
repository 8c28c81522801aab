"""What `mlws.log_metric` costs a training loop, in µs a call: median, p99, mean and the longest.

    python -m bench.log_metric [calls]

In a plain Python beside a server that only reads and acknowledges every batch, and with no server there; and in a cell of a real
kernel, which logs to a real server with nothing set. Exit code 1 when a median or a mean is over 50 µs.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from tests.live import WITH_LAB, LiveServer
from tests.live_kernel import Kernel

KERNEL_PATH = Path(__file__).parents[1] / "jupyter_mlws" / "kernel_path"
BUDGET_US = 50.0

SERVER = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = do_PUT = do_PATCH = answer

    def log_message(self, *args):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""

LOOP = """
import json, time, mlws
clock, times = time.perf_counter_ns, []
with mlws.start_run() as run:
    mlws.log_metric("loss", 1.0)
    time.sleep(1)
    for i in range({calls}):
        started = clock()
        mlws.log_metric("loss", 0.5)
        times.append(clock() - started)
        if {paced} and i % 10 == 9:
            time.sleep(0.001)  # ten metrics a step of a millisecond
print("TIMES", json.dumps(times))
"""


def in_python(calls: int, url: str, *, paced: bool = False) -> list[float]:
    """Microseconds of each call, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        places = {"MLWS_DATA_DIR": folder, "MLWS_SPOOL_DIR": folder + "/spool", "MLWS_URL": url}
        done = subprocess.run(
            [sys.executable, "-c", LOOP.format(calls=calls, paced=paced)],
            env={**os.environ, "PYTHONPATH": str(KERNEL_PATH), **places},
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    return _read(done.stdout)


def in_a_cell(calls: int, *, paced: bool) -> list[float]:
    """Microseconds of each call, in a cell of a kernel that a server started; the points are all there afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        server = LiveServer(Path(folder), extensions=WITH_LAB).start()
        try:
            with Kernel(server) as kernel:
                took = _read(kernel.run(LOOP.format(calls=calls, paced=paced), timeout=300).text)
            run = server.ok("GET", "/workspaces/default/runs")["runs"][0]
            metric = server.ok("GET", f"/runs/{run['id']}/metrics")["metrics"][0]
            if metric["count"] != calls + 1:
                sys.exit(f"{calls + 1} points were logged, {metric['count']} are there")
        finally:
            server.stop()
    return took


def _read(text: str) -> list[float]:
    line = next(line for line in text.splitlines() if line.startswith("TIMES "))
    return [took / 1000 for took in json.loads(line.removeprefix("TIMES "))]


def main() -> int:
    """Print one row a case."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {calls} calls, {time.strftime('%Y-%m-%d')}")
    print(f"{'case':<32}{'median µs':>10}{'p99 µs':>10}{'mean µs':>10}{'max µs':>10}")
    over = False
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as server:
        try:
            port = server.stdout.readline().strip() if server.stdout else ""
            url = f"http://127.0.0.1:{port}/mlws"
            for title, measure in (
                ("tight loop, server", partial(in_python, calls, url)),
                ("10 a millisecond, server", partial(in_python, calls, url, paced=True)),
                ("tight loop, server away", partial(in_python, calls, "http://127.0.0.1:9/mlws")),
                ("a cell, tight loop", partial(in_a_cell, calls, paced=False)),
                ("a cell, 10 a millisecond", partial(in_a_cell, calls, paced=True)),
            ):
                took = sorted(measure())
                median, mean = statistics.median(took), statistics.fmean(took)
                print(f"{title:<32}{median:>10.1f}{took[int(len(took) * 0.99)]:>10.1f}{mean:>10.1f}{took[-1]:>10.1f}", flush=True)
                over = over or median > BUDGET_US or mean > BUDGET_US
        finally:
            server.terminate()
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
