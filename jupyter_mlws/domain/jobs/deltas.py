"""Reading a notebook with outputs piece by piece: that of a job as it grows, and that of a file, in one and the same form."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_mlws.domain.jobs.held import hold, text_of
from jupyter_mlws.domain.jobs.notebooks import parse_notebook
from jupyter_mlws.domain.jobs.schemas import CellDelta, NotebookDeltas
from jupyter_mlws.kit import surrogates
from jupyter_mlws.kit.paths import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REPLY_LIMIT = 1024 * 1024
"""An answer ends with the delta that brings it over this size."""
READ_LIMIT = 32 * 1024 * 1024
"""So much of a file is read for one answer, however little of it is sent."""
LINE_LIMIT = 256 * 1024 * 1024
CACHED_BYTES = 32 * 1024 * 1024
"""Files that notebooks are kept of, together; in memory one takes a few times as much."""
KEPT_OF_HELD = 4_000
"""What a held output takes of an answer, at most."""
_decoder = msgspec.json.Decoder(CellDelta)


def read_deltas(
    path: Path, offset: int, *, ended: bool, hold_over: int | None = None, limit: int = REPLY_LIMIT
) -> NotebookDeltas:
    """Changes of the output notebook from byte `offset` on: at least one if there is one. Outputs over `hold_over` are held."""
    deltas: list[CellDelta] = []
    position, taken = offset, 0
    finished = False
    try:
        file = open_regular(path, follow=False)
    except OSError:
        return NotebookDeltas(deltas=[], next_offset=offset, more=False, done=ended)
    with file:
        size = file.seek(0, 2)
        file.seek(min(offset, size))
        line = b"\n"
        while taken < limit and position - offset < READ_LIMIT:
            line = file.readline(LINE_LIMIT)
            if not line.endswith(b"\n"):
                break
            place, position = position, position + len(line)
            delta = _decoded(line)
            if delta is None:
                continue  # a line torn by a crash of the runner
            _untrust(delta)
            delta.place = place
            if hold_over is not None:
                hold(delta, len(line), hold_over)
            taken += len(line) if delta.held is None else min(len(line), KEPT_OF_HELD)
            deltas.append(delta)
            finished = finished or delta.op == "done"
    more = line.endswith(b"\n") and position < size
    return NotebookDeltas(deltas=deltas, next_offset=position, more=more, done=finished or (ended and position >= size))


def delta_at(path: Path, place: int) -> CellDelta | None:
    """The delta at a place that an answer named; None if there is none."""
    deltas = read_deltas(path, place, ended=False, limit=1).deltas
    return deltas[0] if deltas and deltas[0].place == place else None


def _decoded(line: bytes) -> CellDelta | None:
    try:
        return _decoder.decode(line)
    except msgspec.MsgspecError:
        pass
    # Slower, but it takes what msgspec refuses and kernels send (NaN, half an emoji).
    try:
        return msgspec.convert(surrogates.loads(line), CellDelta)
    except (ValueError, msgspec.ValidationError):
        return None


def _untrust(delta: CellDelta) -> None:
    """Notebook outputs are shown untrusted: whatever the notebook says of itself."""
    if delta.notebook is None:
        return
    for part in [delta.notebook, *[cell for cell in delta.notebook.get("cells", []) if isinstance(cell, dict)]]:
        metadata = part.get("metadata")
        if isinstance(metadata, dict):
            metadata.pop("trusted", None)


# --- files -------------------------------------------------------------------------------------------------------------


class NotebookFile:
    """A notebook as stored. Its place 0 is the notebook without outputs, place n the n-th output."""

    def __init__(self, data: bytes, *, shown: str) -> None:
        """Raises `NotANotebook`."""
        self.notebook = parse_notebook(data, shown=shown)
        self._outputs = list(_take_outputs(self.notebook))

    def read(self, place: int, *, hold_over: int | None = None, limit: int = REPLY_LIMIT) -> NotebookDeltas:
        """As `read_deltas`; the last delta is `done`."""
        deltas: list[CellDelta] = []
        taken, last = 0, len(self._outputs)
        at = place
        while at <= last and taken < limit:
            delta, size = self._at(at)
            if hold_over is not None:
                hold(delta, size, hold_over)
            taken += size if delta.held is None else min(size, KEPT_OF_HELD)
            deltas.append(delta)
            at += 1
        done = at > last
        if done:
            deltas.append(CellDelta(op="done"))
        return NotebookDeltas(deltas=deltas, next_offset=at, more=not done, done=done)

    def at(self, place: int) -> CellDelta | None:
        """The delta at a place; None if there is none."""
        return self._at(place)[0] if place <= len(self._outputs) else None

    def _at(self, place: int) -> tuple[CellDelta, int]:
        """The delta, and the size of its output as JSON."""
        if place == 0:
            delta = CellDelta(op="base", notebook=self.notebook, place=0)
            _untrust(delta)
            return delta, 0
        cell, output = self._outputs[place - 1]
        return CellDelta(op="output", cell=cell, output=output, place=place), len(msgspec.json.encode(output))


class NotebookCache:
    """Notebooks that were read just now: a page asks for one slice after another, and for each image. Thread-safe."""

    def __init__(self, limit: int = CACHED_BYTES) -> None:
        self._limit = limit
        self._known: OrderedDict[str, tuple[NotebookFile, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, sha256: str, path: Path, *, shown: str) -> NotebookFile:
        """The notebook with this hash, whose bytes lie at `path`. Raises `NotANotebook`."""
        with self._lock:
            if sha256 in self._known:
                self._known.move_to_end(sha256)
                return self._known[sha256][0]
        data = path.read_bytes()
        file = NotebookFile(data, shown=shown)
        with self._lock:
            self._known[sha256] = file, len(data)
            while sum(size for _, size in self._known.values()) > self._limit:
                self._known.popitem(last=False)
        return file


def _take_outputs(notebook: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(index of the cell, output) of all outputs; they are taken out of the notebook."""
    for index, cell in enumerate(notebook["cells"]):
        outputs = cell.get("outputs")
        if isinstance(outputs, list):
            cell["outputs"] = []
            yield from ((index, _joined(output)) for output in outputs if isinstance(output, dict))


def _joined(output: dict[str, Any]) -> dict[str, Any]:
    """An output whose texts are texts: files keep them as lists of lines, kernels send none."""
    if isinstance(output.get("text"), list):
        output["text"] = text_of(output["text"])
    data = output.get("data")
    if isinstance(data, dict):
        for kind, value in data.items():
            if isinstance(value, list) and not (kind == "application/json" or kind.endswith("+json")):
                data[kind] = text_of(value)
    return output
