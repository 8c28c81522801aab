"""Writes `notebook.jsonl`: the growing output notebook as changes (`CellDelta` in the jobs' wire types), one a line."""

from __future__ import annotations

import os
import time
from typing import Any

from jupyter_mlws.runner.encoding import encode

MAX_STREAM = 1_000_000
BIG = 10_000_000
Delta = dict[str, Any]


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class DeltaWriter:
    """Collects changes and writes them when `flush` is called (every 100 ms, and at the ends of cells).

    Between two flushes text of one stream is merged, outputs that are cleared again are left out, and of several updates of one
    display only the last is kept. So a cell costs what it shows, not what it did to show it.
    """

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._pending: list[Delta] = []
        self._held: dict[str, Delta] = {}

    def base(self, notebook: dict[str, Any]) -> None:
        """The whole notebook before its first cell runs."""
        self._pending.append({"op": "base", "at": now_ms(), "notebook": notebook})
        self.flush()

    def start(self, cell: int) -> None:
        """Cell `cell` runs."""
        self._pending.append({"op": "start", "cell": cell, "at": now_ms()})

    def stream(self, cell: int, name: str, text: str, *, back: int = 0) -> None:
        """Text of a stream of the cell, after its last `back` lines are taken away (the unfinished one counts)."""
        last = self._pending[-1] if self._pending else None
        joins = last is not None and last["op"] == "output" and last["cell"] == cell and last["output"].get("name") == name
        if joins and back == 0:
            self._pending[-1]["output"]["text"] += text
            return
        delta: Delta = {"op": "output", "cell": cell, "output": {"output_type": "stream", "name": name, "text": text}}
        if back:
            delta["back"] = back
        self._pending.append(delta)

    def output(self, cell: int, output: dict[str, Any], display_id: str | None) -> None:
        """Any other output of the cell."""
        delta: Delta = {"op": "output", "cell": cell, "output": output}
        if display_id:
            delta["display_id"] = display_id
        self._pending.append(delta)

    def clear(self, cell: int) -> None:
        """The outputs of the cell go."""
        kept = [d for d in self._pending if not (d["op"] in ("output", "clear") and d["cell"] == cell)]
        self._pending = [*kept, {"op": "clear", "cell": cell}]

    def update(self, display_id: str, output: dict[str, Any]) -> None:
        """Every output shown with `display_id` becomes `output`. One over 10 MB waits for the end of the cell, the last wins."""
        delta: Delta = {"op": "update", "display_id": display_id, "output": output}
        self._held.pop(display_id, None)
        if _size(output) > BIG:
            self._held[display_id] = delta
            return
        self._pending = [d for d in self._pending if not (d["op"] == "update" and d["display_id"] == display_id)]
        self._pending.append(delta)

    def end(self, cell: int, *, ok: bool, execution_count: int | None) -> None:
        """The cell ended."""
        self._pending.extend(self._held.values())
        self._held.clear()
        delta: Delta = {"op": "end", "cell": cell, "at": now_ms(), "ok": ok}
        if execution_count is not None:
            delta["execution_count"] = execution_count
        self._pending.append(delta)

    def done(self) -> None:
        """No more changes come."""
        self._pending.append({"op": "done", "at": now_ms()})
        self.flush()

    def flush(self) -> None:
        """Write what is pending, a write() a line."""
        pending, self._pending = self._pending, []
        for delta in pending:
            for piece in _pieces(delta):
                line = encode(piece) + b"\n"
                view = memoryview(line)
                while view:
                    view = view[os.write(self._fd, view) :]


def _pieces(delta: Delta) -> list[Delta]:
    """`delta`, its stream text cut into pieces of at most 1 MB; the first takes lines away, if any are to go."""
    output = delta.get("output")
    if output is None or output.get("output_type") != "stream" or len(output["text"]) <= MAX_STREAM:
        return [delta]
    text = output["text"]
    texts = [text[start : start + MAX_STREAM] for start in range(0, len(text), MAX_STREAM)]
    return [
        {**delta, "back": 0 if n else delta.get("back", 0), "output": {**output, "text": some}} for n, some in enumerate(texts)
    ]


def _size(output: dict[str, Any]) -> int:
    return sum(len(value) for value in output.get("data", {}).values() if isinstance(value, str))
