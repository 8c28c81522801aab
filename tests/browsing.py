"""A JupyterLab with the pages of this checkout in a real Chromium, and what benches look at in it."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.chromium import Page, chromium_page
from tests.live import LiveServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

PAGES = Path(__file__).resolve().parents[1] / "jupyter_mlws" / "labextension"
START_S = 90.0
QUIET_S = 2.0

WATCH_TASKS = """
    window.tasks = [];
    new PerformanceObserver(list => list.getEntries().forEach(task => window.tasks.push(task.duration))).observe({type: 'longtask'});
"""
OPEN = """
    const start = performance.now();
    jupyterapp.commands.execute('jupyter-mlws:open-page', {address: `runs/${run}/${tab}`});
    for (;;) {
        await new Promise(go => requestAnimationFrame(go));
        const found = document.querySelector(`#jp-mlws-runs-${run} ${selector}`);
        if (found && found.getBoundingClientRect().height > 0) return performance.now() - start;
        if (performance.now() - start > 60000) throw new Error('waited in vain');
    }
"""
# Drawn is what has pixels of the curve's colour; they are read once, when all canvases are there.
CURVES = """
    const coloured = canvas => {
        const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let found = 0;
        for (let i = 0; i < data.length; i += 4) {
            const [r, g, b] = data.subarray(i, i + 3);
            found += data[i + 3] > 128 && Math.max(r, g, b) - Math.min(r, g, b) > 15;
        }
        return found > 100;
    };
    const start = performance.now();
    jupyterapp.commands.execute('jupyter-mlws:open-page', {address: `runs/${run}/metrics`});
    for (;;) {
        await new Promise(go => requestAnimationFrame(go));
        const page = document.querySelector(`#jp-mlws-runs-${run}`);
        const box = page?.getBoundingClientRect();
        const inSight = [...(page?.querySelectorAll('.jp-mlws-metric') ?? [])].filter(card => {
            const {top, bottom} = card.getBoundingClientRect();
            return top < box.bottom && bottom > box.top;
        });
        const canvases = inSight.map(card => card.querySelector('canvas'));
        const took = performance.now() - start;
        if (canvases.length && canvases.every(canvas => canvas?.width) && canvases.every(coloured)) return took;
        if (took > 30000) throw new Error('no curves');
    }
"""
SEARCH = """
    const page = document.querySelector(`#jp-mlws-runs-${run}`);
    const input = page.querySelector('.jp-mlws-search');
    input.focus();
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, words);
    const start = performance.now();
    input.dispatchEvent(new Event('input', {bubbles: true}));
    for (;;) {
        await new Promise(go => requestAnimationFrame(go));
        const found = page.querySelector('.jp-mlws-search-count').textContent;
        if (/^[0-9].*[0-9]$|^none$/.test(found)) return [performance.now() - start, found];
        if (performance.now() - start > 60000) throw new Error('nothing found: ' + found);
    }
"""
# A line is seen in the frame after it came into the page.
DELAYS = """
    const page = document.querySelector(`#jp-mlws-runs-${run}`);
    const delays = new Map();
    const look = () => {
        for (const line of page.querySelectorAll('.jp-mlws-text-line')) {
            const printed = Number(/^seen[?] ([0-9.]+)$/.exec(line.textContent)?.[1]);
            if (printed && !delays.has(printed)) {
                delays.set(printed, null);
                requestAnimationFrame(() => setTimeout(() => delays.set(printed, Date.now() - printed)));
            }
        }
    };
    const observer = new MutationObserver(look);
    observer.observe(page, {childList: true, subtree: true, characterData: true});
    const start = performance.now();
    for (;;) {
        await new Promise(go => setTimeout(go, 50));
        const known = [...delays.values()].filter(delay => delay !== null);
        if (known.length > lines) return known.slice(-lines);
        if (performance.now() - start > 60000) throw new Error(`only ${known.length} lines were seen`);
    }
"""
HOLD_PLACE = """
    const list = document.querySelector(`#jp-mlws-runs-${run} .jp-WindowedPanel-outer`);
    list.scrollTop = 1200;
    await new Promise(go => setTimeout(go, 1000));
    const {x, y, width, height} = list.getBoundingClientRect();
    const cell = document.elementFromPoint(x + width / 2, y + height / 2).closest('.jp-Cell');
    const first = cell.getBoundingClientRect().top;
    let before = 0;
    window.moved = 0;
    window.watching = true;
    // Seen in two frames, one after the other: what is put right before a frame is painted has not moved.
    const look = () => {
        const now = Math.abs(cell.getBoundingClientRect().top - first);
        window.moved = Math.max(window.moved, Math.min(before, now));
        before = now;
        if (window.watching) requestAnimationFrame(look);
    };
    look();
"""


class Lab:
    """One server and one tab."""

    def __init__(self, server: LiveServer, page: Page) -> None:
        self.server = server
        self.page = page

    @property
    def headers(self) -> dict[str, str]:
        """What signs a request in."""
        return {"Authorization": f"Bearer {self.server.token}"}

    def submit(self, spec: dict[str, Any]) -> str:
        """A job that runs; its id."""
        run = self.server.submit(spec)
        self.server.wait(run, "Running", "Completed", "Failed")
        return run

    def finished(self, command: str) -> str:
        """A command that has run."""
        run = self.server.submit({"kind": "command", "command": command})
        assert self.server.wait(run, timeout=300)["status"] == "Completed"
        return run

    async def open(self, run: str, tab: str, selector: str) -> float:
        """Open a tab of a run's page; ms until the first thing of it is there."""
        await self.page.run("window.tasks.length = 0")
        return float(await self.page.run(OPEN, run=run, tab=tab, selector=selector))

    async def close(self, run: str) -> None:
        """Close a run's page."""
        await self.page.run(
            "[...jupyterapp.shell.widgets('main')].find(widget => widget.id === `jp-mlws-runs-${run}`).dispose()", run=run
        )

    async def time_to_curves(self, run: str) -> float:
        """Open the page of a run at its metrics; ms until all curves in sight are drawn."""
        took = float(await self.page.run(CURVES, run=run))
        await self.close(run)
        return took

    async def longest_task(self, settle: float) -> float:
        """The longest task since the page was opened or asked for it, in ms; tasks are told some time after their end."""
        await asyncio.sleep(settle)
        return float(await self.page.run("return Math.max(0, ...window.tasks.splice(0))"))

    async def count(self, run: str, selector: str) -> int:
        """How many of something a run's page shows."""
        return int(
            await self.page.run("return document.querySelectorAll(`#jp-mlws-runs-${run} ${what}`).length", run=run, what=selector)
        )

    async def search_log(self, run: str, words: str) -> tuple[float, str]:
        """(ms, "current/all") of a search."""
        took, found = await self.page.run(SEARCH, run=run, words=words)
        return float(took), str(found)

    async def print_delays(self, run: str, lines: int) -> list[float]:
        """ms from the printing of a line to its being seen."""
        return [float(delay) for delay in await self.page.run(DELAYS, run=run, lines=lines)]

    async def wheel(self, run: str, selector: str, delta: float, turns: int) -> None:
        """Turn the wheel over a part of a run's page."""
        place = "const box = document.querySelector(`#jp-mlws-runs-${run} ${what}`).getBoundingClientRect();"
        x, y = await self.page.run(place + "return [box.x + box.width / 2, box.y + box.height / 2]", run=run, what=selector)
        for _ in range(turns):
            await self.page.wheel(x, y, delta)
            await asyncio.sleep(0.05)

    async def until_drawn(self, run: str) -> float:
        """Wait until no more cells of the notebook are drawn; the longest task meanwhile."""
        cells, since = -1, time.monotonic()
        while time.monotonic() - since < QUIET_S:
            await asyncio.sleep(0.25)
            found = await self.count(run, ".jp-Cell")
            if found != cells:
                cells, since = found, time.monotonic()
        return await self.longest_task(0)

    async def watch_place(self, run: str, *, until: Callable[[], object]) -> float:
        """Scroll into the notebook, and see by how many px a cell moves until something is done."""
        await self.page.run(HOLD_PLACE, run=run)
        await asyncio.to_thread(until)
        await asyncio.sleep(1)
        return float(await self.page.run("window.watching = false; return window.moved"))


@asynccontextmanager
async def open_lab(folder: Path, chromium: str) -> AsyncIterator[Lab]:
    """A Lab that has settled."""
    if not (PAGES / "package.json").is_file():
        raise SystemExit("The pages are not built: `make pages`.")
    extensions = folder / "labextensions"
    extensions.mkdir()
    (extensions / "jupyter-mlws").symlink_to(PAGES)
    options = [f"--LabApp.extra_labextensions_path={extensions}", "--LabApp.expose_app_in_browser=True"]
    server = LiveServer(folder, options=options)
    server.extensions = {"jupyter_mlws": True, "jupyterlab": True}
    settings = folder / "config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    await asyncio.to_thread(server.start)
    try:
        async with chromium_page(chromium) as page:
            await page.open(f"{server.url}/lab?token={server.token}")
            await page.until("window.jupyterapp && document.querySelector('.jp-Launcher')", START_S)
            await page.run(f"await jupyterapp.restored; await new Promise(go => setTimeout(go, 2000)); {WATCH_TASKS}")
            yield Lab(server, page)
    finally:
        await asyncio.to_thread(server.stop)
