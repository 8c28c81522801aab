"""What `mlws.log_metric` costs a training loop, in µs a call: median, p99 and mean, with a server and without.

    python bench/log_metric.py [calls]

The server is a process of its own that reads and acknowledges every batch. Exit code 1 when the median or the mean is over 50 µs.
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
import sys, time, mlws
calls, paced = int(sys.argv[1]), sys.argv[2] == "paced"
clock = time.perf_counter_ns
with mlws.start_run() as run:
    mlws.log_metric("loss", 1.0)
    time.sleep(1)
    for i in range(calls):
        started = clock()
        mlws.log_metric("loss", 0.5)
        took = clock() - started
        print(took)
        if paced and i % 10 == 9:
            time.sleep(0.001)  # ten metrics a step of a millisecond
"""


def measure(calls: int, pace: str, url: str) -> list[float]:
    """Microseconds of each call, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        places = {"MLWS_DATA_DIR": folder, "MLWS_SPOOL_DIR": folder + "/spool", "MLWS_URL": url}
        env = {**os.environ, "PYTHONPATH": str(KERNEL_PATH), **places}
        done = subprocess.run(
            [sys.executable, "-c", LOOP, str(calls), pace],
            env=env,
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    return [int(line) / 1000 for line in done.stdout.split()]


def main() -> int:
    """Print one row a case."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {calls} calls, {time.strftime('%Y-%m-%d')}")
    print(f"{'case':<28}{'median µs':>10}{'p99 µs':>10}{'mean µs':>10}{'max µs':>10}")
    over = False
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as server:
        try:
            port = server.stdout.readline().strip() if server.stdout else ""
            for title, pace, url in (
                ("tight loop, server", "tight", f"http://127.0.0.1:{port}/mlws"),
                ("10 a millisecond, server", "paced", f"http://127.0.0.1:{port}/mlws"),
                ("tight loop, server away", "tight", "http://127.0.0.1:9/mlws"),
            ):
                took = sorted(measure(calls, pace, url))
                median, mean = statistics.median(took), statistics.fmean(took)
                print(f"{title:<28}{median:>10.1f}{took[int(len(took) * 0.99)]:>10.1f}{mean:>10.1f}{took[-1]:>10.1f}")
                over = over or median > BUDGET_US or mean > BUDGET_US
        finally:
            server.terminate()
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
