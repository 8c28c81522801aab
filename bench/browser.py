"""The run page under heavy content, in a real Chromium: what a person waits for, and how long the page stands still.

    python -m bench.browser [metrics|log|notebook ...]

A real server with JupyterLab and the pages of this checkout, in folders of its own; one headless Chromium over its DevTools
protocol. Times are taken in the page, from the command that a click gives until the frame in which the thing is there. "longest
task" is the longest time without a breath of the page's main thread (PerformanceObserver), "heap" what the page's scripts hold
after a collection, above what the Lab alone held. Without Chromium or built pages it exits 1, as it does over a limit.

| what | limit |
|---|---|
| a run with 100,000 metric points, from the click to its curves, in a warm Lab | 500 ms |
| a line of a log, from its printing until it is seen | 500 ms |
| first lines of a log of 100 MB (1,000,000 lines, or a single one) | 1,000 ms |
| 1,000,000 updates of a progress bar: lines in the tab, bytes stored | 1 line, 100 kB |
| first cells of a notebook with 50 MB of outputs | 2,000 ms |
| longest task while a log or a notebook opens, grows, is searched or scrolled | 500 ms |
| what is read moves while the notebook grows | 2 px |
"""

from __future__ import annotations

import asyncio
import os
import platform
import statistics
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from bench.run_page import make_run
from tests.browsing import Lab, open_lab
from tests.chromium import find_chromium
from tests.live import write_notebook

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

RUNS = 5
LINES = 20
TASK_MS = 500.0
PRINT = r"""python -u -c "
import time
for n in range(%d): time.sleep(0.37); print('seen?', time.time() * 1000)
" """
MANY = r"""python -c "
import sys
for i in range(1000000):
    sys.stdout.write(f'epoch {i} loss=\x1b[31m{1 / (i + 1):.6f}\x1b[0m and more text, so that the line has a hundred bytes ........\n')
" """
LONG = "head -c 100000000 /dev/zero | tr '\\0' x; echo; echo after"
BAR = r"""python -c "
import sys
for i in range(1000000): sys.stdout.write(f'\r{i / 1e4:.1f}%|#####     | {i}/1000000 [00:01<00:00, 12345 it/s]')
print()
" """
NESTED = r"""python -c "
import sys
for i in range(1000000):
    sys.stdout.write(f'\router {i // 1000}\n\r  inner {i}\x1b[A')
" """
OUTPUTS = r"""
import random, struct, time, zlib
from IPython.display import HTML, Image, display
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
def picture(kilobytes, seed=0):
    side, noise = int((kilobytes * 1024 / 3) ** 0.5), random.Random(seed)
    rows = b"".join(b"\0" + noise.randbytes(3 * side) for _ in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    display(Image(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")))
def text(lines):
    for i in range(lines):
        print(f"line {i:06} loss={1 / (i + 1):.6f} lr=0.001 gradient=\x1b[32m{i % 97 / 97:.4f}\x1b[0m")
def table(rows, columns):
    head = "".join(f"<th>column {c}</th>" for c in range(columns))
    body = "".join("<tr>" + "".join(f"<td>{r * c % 977 / 7:.4f}</td>" for c in range(columns)) + "</tr>" for r in range(rows))
    display(HTML(f'<table border="1" class="dataframe"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'))
"""
over: list[str] = []


def row(what: str, value: float, unit: str, limit: float | None = None, *, worst: float | None = None) -> None:
    """Print one line of the table; `worst` is what the limit is for, if it is not the value."""
    held = value if worst is None else worst
    note = "" if limit is None else f"  limit {limit:,.0f}"
    if limit is not None and held > limit:
        over.append(what)
        note += "  OVER"
    slowest = "" if worst is None else f" (worst {worst:,.0f})"
    print(f"{what:<66} {value:>9,.0f} {unit:<5}{slowest:<15}{note}", flush=True)


def check(holds: bool, what: str) -> None:
    """A number means nothing where the page shows something else."""
    if not holds:
        raise SystemExit(f"expected: {what}")


async def metrics(lab: Lab) -> None:
    """From the click to the curves."""
    with httpx.Client(base_url=f"{lab.server.url}/mlws/api/v1", headers=lab.headers, timeout=120) as client:
        for keys in (10, 1):
            runs = [make_run(client, keys) for _ in range(RUNS + 1)]
            times = [await lab.time_to_curves(run) for run in runs][1:]  # the first brings the page's own code
            what = f"click to curves: {keys} metric{'s' * (keys > 1)} of {100_000 // keys:,} points"
            row(what, statistics.median(times), "ms", 500, worst=max(times))


async def log(lab: Lab) -> None:
    """Logs that are large, long, rewritten, or just now printed."""
    for what, command in (("1,000,000 lines, 100 MB", MANY), ("one line of 100 MB", LONG)):
        run = lab.finished(command)
        before = await lab.page.heap_mb()
        took = await lab.open(run, "logs", ".jp-mlws-text-line")
        row(f"log of {what}: first lines", took, "ms", 1000)
        row(f"log of {what}: longest task", await lab.longest_task(1), "ms", TASK_MS)
        row(f"log of {what}: heap", await lab.page.heap_mb() - before, "MB")
        if command is MANY:
            took, found = await lab.search_log(run, "epoch 99999")
            check(found.endswith("/11"), f"11 lines hold the words, not {found}")
            row("search in it, all matches counted", took, "ms")
            row("search in it: longest task", await lab.longest_task(1), "ms", TASK_MS)
            await lab.wheel(run, ".jp-mlws-lines", -6000, 60)
            row("scrolling up in it: longest task", await lab.longest_task(1), "ms", TASK_MS)
    for what, command, lines in (("a bar", BAR, 1), ("nested bars", NESTED, 2)):
        run = lab.finished(command)
        await lab.open(run, "logs", ".jp-mlws-text-line")
        row(f"1,000,000 updates of {what}: lines in the tab", await lab.count(run, ".jp-mlws-text-line"), "", lines)
        size = lab.server.ok("GET", f"/jobs/{run}/log")["size"]
        row(f"1,000,000 updates of {what}: stored", size, "bytes", 100_000)
    run = lab.submit({"kind": "command", "command": PRINT % (LINES + 2)})
    await lab.open(run, "logs", ".jp-mlws-log")
    delays = await lab.print_delays(run, LINES)
    row("a printed line is seen", statistics.median(delays), "ms", 500, worst=max(delays))


async def notebook(lab: Lab) -> None:
    """50 MB of outputs, at rest and growing."""
    calls = ("picture(760)", "text(15_500)", "table(220, 100)") * 20
    cells = [f"time.sleep(pause); {call}" for call in calls]
    cells += [f"picture(16, seed={n})" for n in range(160)]
    cells += ["for n in range(500): display(HTML(f'<b>item</b> {n}'))"]
    write_notebook(lab.server.root / "heavy.ipynb", OUTPUTS, *cells, parameters="pause = 0.0")
    spec = {"kind": "notebook", "notebook": "heavy.ipynb"}
    run = lab.submit(spec)
    check(lab.server.wait(run, timeout=300)["status"] == "Completed", "the notebook runs")
    size = (lab.server.data_dir / "jobs" / run / "notebook.jsonl").stat().st_size
    row("notebook at rest: outputs", size / 2**20, "MB")
    before = await lab.page.heap_mb()
    took = await lab.open(run, "notebook", ".jp-mlws-notebook-host .jp-InputArea")
    row("notebook at rest: first cells", took, "ms", 2000)
    row("notebook at rest: longest task while it is drawn", await lab.until_drawn(run), "ms", TASK_MS)
    await lab.wheel(run, ".jp-WindowedPanel-outer", 500, 60)
    row("notebook at rest: longest task while it is scrolled", await lab.longest_task(1), "ms", TASK_MS)
    row("notebook at rest: heap", await lab.page.heap_mb() - before, "MB")
    await lab.close(run)

    before = await lab.page.heap_mb()
    run = lab.submit({**spec, "parameters": {"pause": 0.2}})
    await lab.open(run, "notebook", ".jp-mlws-notebook-host img")
    moved = await lab.watch_place(run, until=lambda: lab.server.wait(run, timeout=300))
    row("notebook that grows: what is read moves", moved, "px", 2)
    row("notebook that grows: longest task", await lab.longest_task(2), "ms", TASK_MS)
    row("notebook that grows: heap", await lab.page.heap_mb() - before, "MB")


PARTS: dict[str, Callable[[Lab], Awaitable[None]]] = {"metrics": metrics, "log": log, "notebook": notebook}


async def measure(names: list[str], command: str) -> None:
    """Measure some parts, each in a Lab of its own."""
    for name in names:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            async with open_lab(Path(folder), command) as lab:
                await PARTS[name](lab)


def main() -> int:
    """Print the table."""
    command = find_chromium()
    if command is None:
        print("There is no Chromium: install it (Debian: apt install chromium), or name one in MLWS_CHROMIUM.")
        return 1
    names = [name for name in PARTS if name in sys.argv[1:] or len(sys.argv) == 1]
    print(
        f"JupyterLab {version('jupyterlab')}, Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    asyncio.run(measure(names, command))
    print(f"load {os.getloadavg()[0]:.1f}; over the limit: {', '.join(over) or 'nothing'}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
