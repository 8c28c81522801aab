"""What a run was made from: its notebook or script as on disk, the cells as they were executed, and its environment."""

from __future__ import annotations

import hashlib
import os
import threading
from typing import TYPE_CHECKING, Any, Dict, Tuple

from mlws import process
from mlws import sender as sending

if TYPE_CHECKING:
    from mlws.run import Run

MAX_BYTES = 200 << 20
END_WAIT_S = 2.0

_threads: Dict[str, threading.Thread] = {}
_seen: Dict[Tuple[str, str], bytes] = {}


def begin(run: Run) -> None:
    """Capture in the background what a run starts with; a child's is its parent's."""
    if run.parent_id is not None:
        return
    thread = threading.Thread(target=_capture, args=(run, executed_source()), name="mlws-capture", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # in an exit handler
        return
    _threads[run.id] = thread


def finish(run: Run) -> None:
    """At the run's end: its sources once more, as they are now."""
    thread = _threads.pop(run.id, None)
    if thread is not None and thread is not threading.current_thread():
        thread.join(END_WAIT_S)
    if run.parent_id is None:
        _send_sources(run, executed_source())
    for key in [key for key in _seen if key[0] == run.id]:
        del _seen[key]


def executed_source() -> str:
    """The cells of this IPython session as they were typed and executed, in order; empty outside of IPython."""
    history = getattr(process.ipython(), "history_manager", None)
    cells = list(getattr(history, "input_hist_raw", None) or [])
    return "\n".join(f"# In [{number}]\n{cell.rstrip()}\n" for number, cell in enumerate(cells) if cell.strip())


def _capture(run: Run, executed: str) -> None:
    from mlws import environment

    _send_sources(run, executed)
    path = process.source()
    folder = os.path.dirname(path) if path else None
    run._send("environment", body=environment.capture(folder if folder and os.path.isdir(folder) else None))


def _send_sources(run: Run, executed: str) -> None:
    path = process.source()
    content = _read(path) if path else None
    if content is not None:
        _send_file(run, os.path.basename(path), content)
    if executed:
        _send_file(run, "executed.py", executed.encode("utf-8", "replace"))


def send_cell(run: Run, cell: str) -> None:
    """The cell that `%%mlws_run` tracks."""
    _send_file(run, "cell.py", cell.encode("utf-8", "replace"))


def _send_file(run: Run, name: str, content: bytes) -> None:
    from mlws import files

    digest = hashlib.sha256(content).digest()
    if _seen.get((run.id, name)) != digest:
        _seen[run.id, name] = digest
        try:
            files.log_content(run, content, name, op="snapshot")
        except ValueError:  # a file name that no artifact may have
            return


def _read(path: str) -> bytes | None:
    try:
        if os.path.getsize(path) > MAX_BYTES:
            return None
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def _wait_at_exit() -> None:
    for thread in list(_threads.values()):
        thread.join(END_WAIT_S)


def _after_fork(*_: Any) -> None:
    _threads.clear()


sending.exit_hooks.append(_wait_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
