"""`python -m jupyter_mlws.runner.notebook <job dir>`: runs the notebook of a job, under the job's supervisor.

Reads the section `notebook` of job.json: `input` (absolute path), `kernel` (name, or null for the notebook's own),
`python` (an interpreter whose ipykernel is the kernel, instead of an installed one), `bridge` (its kernel on another server), `parameters`,
`cwd` (the kernel's working folder), and optionally `declared` (names of the declared parameters; else papermill infers them).

The kernel starts first, our imports go on beside it. SIGINT or SIGTERM interrupts the kernel; a second one, or five seconds,
kill it.
Exit codes: 0 ran through, 1 failed or refused, 130 canceled.
"""

from __future__ import annotations

import os
import signal
import sys

CANCELED = 130
OWN = "python3"
"""What the kernel of an environment is called in the notebook: opened elsewhere, it has the Python kernel of that place."""
PACKAGE = __file__.rpartition("/runner/")[0]


def _own_path_first() -> None:
    """Look into the user's folder and PYTHONPATH last: a `json.py` beside the notebook must not become ours."""
    theirs = {os.path.realpath(path or ".") for path in ("", *os.environ.get("PYTHONPATH", "").split(os.pathsep))}
    sys.path.sort(key=lambda path: os.path.realpath(path or ".") in theirs)
    # `mlws` is part of the package: this copy, however else it may be reachable.
    sys.path.insert(0, f"{PACKAGE}/kernel_path")


def _end_at_once(*_: object) -> None:
    """Canceled before there is a kernel: nothing to clean up, and nothing to tell but the exit code."""
    os._exit(CANCELED)


_own_path_first()
if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end_at_once)

import asyncio  # noqa: E402 - only now are the imports ours
import json  # noqa: E402
import logging  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from jupyter_mlws.runner.deltas import DeltaWriter  # noqa: E402
from jupyter_mlws.runner.far import FarKernel  # noqa: E402
from jupyter_mlws.runner.keeping import keep, may_keep  # noqa: E402
from jupyter_mlws.runner.kernel import JobKernel, KernelDied  # noqa: E402
from jupyter_mlws.runner.lean import lean_imports  # noqa: E402
from jupyter_mlws.runner.report import Refused, Reporter, run_error  # noqa: E402
from jupyter_mlws.runner.session import Session  # noqa: E402
from mlws import jobdir, masking  # noqa: E402


class MaskingFormatter(logging.Formatter):
    """Lines of the runner's own log, without the job's secrets."""

    def __init__(self, masker: masking.Masker) -> None:
        super().__init__("%(asctime)s %(name)s %(message)s")
        self._masker = masker

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the traceback if there is one."""
        return self._masker.text(super().format(record))


def main(job_dir: Path, ready: tuple[asyncio.AbstractEventLoop, JobKernel] | None = None) -> int:
    """Run the job's notebook; the exit code. `ready`: the kernel that waits for it, and its event loop."""
    (job_dir / "system_logs").mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = logging.FileHandler(job_dir / jobdir.RUNNER_LOG, delay=True)
    masker = masking.of_environment()
    handler.setFormatter(MaskingFormatter(masker))
    logging.basicConfig(handlers=[handler])
    reporter = Reporter(job_dir, masker)
    deltas = DeltaWriter(str(job_dir / jobdir.NOTEBOOK))
    canceled, killed_by = False, None
    try:
        section = (jobdir.read_json(str(job_dir / jobdir.JOB)) or {}).get("notebook") or {}
        error, canceled, killed_by = _run(section, reporter, deltas, ready)
    except (Refused, KernelDied) as failure:
        words = failure.last_words.decode("utf-8", "replace").strip() if isinstance(failure, KernelDied) else ""
        error = run_error(str(failure), kind=failure.kind, traceback=words or None)
    except Exception as failure:
        logging.getLogger("mlws").exception("the runner failed")
        error = run_error(f"The notebook runner failed: {type(failure).__name__}: {failure}", kind=type(failure).__name__)
    _tell(reporter, deltas, error, killed_by)
    return CANCELED if canceled else int(error is not None)


def _tell(reporter: Reporter, deltas: DeltaWriter, error: dict[str, Any] | None, killed_by: int | None) -> None:
    """Tell how it ended, once: where the kernel is kept that was before it."""
    if reporter.ended:
        return
    if error is not None:
        words = f"{error['traceback']}\n" if error.get("kind") == "KernelDied" and error.get("traceback") else ""
        os.write(2, f"{words}{error['message']}\n".encode("utf-8", "replace"))
    reporter.result(error, killed_by)
    deltas.done()


def _run(
    section: dict[str, Any],
    reporter: Reporter,
    deltas: DeltaWriter,
    ready: tuple[asyncio.AbstractEventLoop, JobKernel] | None,
) -> tuple[dict[str, Any] | None, bool, int | None]:
    """Run the notebook; its error, whether it was canceled, and the signal that killed the kernel, if one did."""
    source = Path(section.get("input") or "")
    loop, kernel = ready or (asyncio.new_event_loop(), None)
    python = section.get("python")
    asyncio.set_event_loop(loop)
    try:
        raw = _read(source)
        name = OWN if python else _kernel_name(raw, section.get("kernel"))
        kernel = kernel or (FarKernel(name, section["bridge"]) if section.get("bridge") else JobKernel(name, python))
    except Refused:
        if kernel is not None:
            loop.run_until_complete(kernel.kill())
            loop.run_until_complete(kernel.finish())
        raise
    session = Session(loop, kernel, deltas, reporter)
    try:
        session.catch_signals()
        if ready is None:
            loop.run_until_complete(kernel.start(section.get("cwd") or str(source.parent)))
        try:
            notebook = _execute(raw, section, session)
        except KernelDied as died:
            if not session.canceled:
                raise KernelDied(str(died), last_words=kernel.last_words) from None
            session.error, notebook = run_error("The job was canceled while its kernel started.", kind="Canceled"), None
        session.running = False
        if may_keep(session, section):
            reporter.save(notebook)
            _tell(reporter, deltas, session.error, None)
            loop.run_until_complete(keep(session, float(section["keep_kernel_s"])))
        loop.run_until_complete(kernel.ask_to_end())
        if notebook is not None:
            reporter.save(notebook)
    except BaseException:
        # Nothing ran in it, or something is badly wrong: no reason to wait for a polite end.
        loop.run_until_complete(kernel.kill())
        raise
    finally:
        loop.run_until_complete(kernel.finish())
    if kernel.trouble and session.error is None:
        session.error = run_error(kernel.trouble, kind="NotFetched")
    return session.error, session.canceled and session.error is not None, session.kernel_signal


def import_all() -> None:
    """What takes long to import."""
    with lean_imports():
        import jupyter_mlws.runner.engine
        import jupyter_mlws.runner.prepare  # noqa: F401 - it is only to be there


def _execute(raw: dict[str, Any], section: dict[str, Any], session: Session) -> Any:
    """Prepare the notebook while the kernel starts, then run its cells; the notebook with its outputs."""
    import_all()
    from papermill.engines import papermill_engines

    from jupyter_mlws.runner import engine
    from jupyter_mlws.runner.prepare import prepared

    if session.canceled:
        raise KernelDied("canceled")
    notebook = prepared(raw, section, session.kernel.name, session.kernel.spec.language)
    if not session.kernel.info:
        session.loop.run_until_complete(session.kernel.ready())
    if session.canceled:
        raise KernelDied("canceled")
    session.running = True
    return papermill_engines.execute_notebook_with_engine(engine.ENGINE, notebook, session.kernel.name, session=session)


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = json.loads(path.read_bytes())
    except OSError as error:
        raise Refused(f"The notebook {str(path)!r} cannot be read: {error.strerror}.", kind="NotebookNotFound") from None
    except ValueError as error:
        raise Refused(f"{path.name} is not a notebook: {error}.", kind="NotANotebook") from None
    if not isinstance(raw, dict) or not isinstance(raw.get("nbformat"), int):
        raise Refused(f"{path.name} is not a notebook: it has no nbformat.", kind="NotANotebook")
    return raw


def _kernel_name(raw: dict[str, Any], wanted: str | None) -> str:
    metadata = raw.get("metadata")
    kernelspec = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    name = wanted or (kernelspec.get("name") if isinstance(kernelspec, dict) else None)
    if not name:
        raise Refused("The notebook names no kernel; choose one.", kind="KernelMissing")
    return str(name)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m jupyter_mlws.runner.notebook <job dir>\n")
        sys.exit(2)
    code = main(Path(sys.argv[1]).absolute())
    # All files are written: a collection of the whole heap on the way out would only cost time.
    os._exit(code)
