"""What a notebook job tells the outside: progress, result, output notebook. Also the names of cells."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from jupyter_mlws.runner.encoding import encode
from mlws import jobdir
from mlws.masking import Masker

if TYPE_CHECKING:
    from pathlib import Path

MAX_TRACEBACK = 64_000
SAVE_EVERY_S = 20.0
PROGRESS_EVERY_S = 0.1


class Refused(Exception):
    """The notebook cannot be run as asked; the message says why."""

    def __init__(self, message: str, *, kind: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind


def cell_name(cells: list[Any], index: int) -> str:
    """The nearest heading above cell `index`, else its first line."""
    for cell in reversed(cells[:index]):
        if cell["cell_type"] != "markdown":
            continue
        for line in reversed(_text(cell).splitlines()):
            if line.startswith("#") and line.lstrip("#").startswith(" "):
                return line.lstrip("#").strip().rstrip("#").strip()[:120]
    for line in _text(cells[index]).splitlines():
        if line.strip():
            return line.strip()[:120]
    return f"cell {index + 1}"


def _text(cell: Any) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def runs(cell: Any) -> bool:
    """Whether there is anything to run in this cell."""
    return bool(cell["cell_type"] == "code" and _text(cell).strip())


class Reporter:
    """Progress, result and output notebook of one job."""

    def __init__(self, job_dir: Path, masker: Masker | None = None) -> None:
        self.dir = job_dir
        self.masker = masker or Masker([])
        """Hides what the job was given as secrets."""
        self.ended = False
        """The result is told."""
        self._progress: dict[str, Any] | None = None
        self._told_at = 0.0
        self._saved_at = time.monotonic()
        self._save_every = SAVE_EVERY_S

    def progress(self, done: int, total: int, label: str, current: int | None) -> None:
        """How far it is; written at most every 100 ms (`tell_progress` writes what is left)."""
        self._progress = {"done": done, "total": total, "label": label, "current": current}
        if time.monotonic() - self._told_at >= PROGRESS_EVERY_S:
            self.tell_progress()

    def tell_progress(self) -> None:
        """Write the progress, if it changed."""
        if self._progress is not None:
            self._told_at = time.monotonic()
            jobdir.write_atomic(str(self.dir / jobdir.PROGRESS), json.dumps(self._progress).encode())
            self._progress = None

    def save(self, notebook: Any) -> None:
        """Write the output notebook, replacing it in one step."""
        import nbformat as untyped_nbformat

        nbformat: Any = untyped_nbformat  # it ships no types
        writer = nbformat.v4.nbjson  # without validation
        # Outputs came without secrets; what widgets gathered of them piece by piece is looked through once more.
        text = writer.writes(nbformat.from_dict(self.masker.value(notebook)) if self.masker else notebook)
        jobdir.write_atomic(str(self.dir / jobdir.OUTPUT_NOTEBOOK), text.encode("utf-8", "replace"))

    def save_is_due(self) -> bool:
        """Whether the output notebook should be written again."""
        return time.monotonic() - self._saved_at >= self._save_every

    def autosave(self, notebook: Any) -> None:
        """Write the output notebook; the longer that takes, the later it is due again."""
        started = time.monotonic()
        self.save(notebook)
        self._saved_at = time.monotonic()
        self._save_every = max(SAVE_EVERY_S, min(300.0, (self._saved_at - started) * 20))

    def result(self, error: dict[str, Any] | None, kernel_signal: int | None = None) -> None:
        """Write how it ended; `error` has the fields of `RunError`, `kernel_signal` is what the kernel was killed by."""
        data = encode({"ok": error is None, "error": self.masker.value(error), "kernel_signal": kernel_signal})
        jobdir.write_atomic(str(self.dir / jobdir.RESULT), data)
        self.ended = True


def run_error(message: str, **fields: Any) -> dict[str, Any]:
    """The JSON of a `RunError`; fields that are None are left out."""
    trace = fields.get("traceback")
    if trace is not None and len(trace) > MAX_TRACEBACK:
        half = MAX_TRACEBACK // 2
        fields["traceback"] = f"{trace[: half - 20]}\n[… cut …]\n{trace[-(half - 20) :]}"
    return {"message": message[:4000], **{key: value for key, value in fields.items() if value is not None}}
