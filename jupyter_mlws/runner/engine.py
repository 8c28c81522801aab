"""The papermill engine of notebook jobs: runs the cells one by one and reports each to the job directory."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from nbclient.exceptions import CellExecutionError, DeadKernelError
from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines
from papermill.log import logger

from jupyter_mlws.runner.client import JobClient
from jupyter_mlws.runner.report import cell_name, run_error, runs

if TYPE_CHECKING:
    from jupyter_mlws.runner.session import Session

ENGINE = "mlws"
FLUSH_EVERY_S = 0.1
HARMLESS_EXITS = ("", "0", "None")
MAX_MESSAGE = 2000


class QuietManager(NotebookExecutionManager):  # type: ignore[misc]
    """Keeps papermill's metadata of cells, and leaves saving to the reporter (papermill saves twice a cell)."""

    def __init__(self, nb: Any) -> None:
        super().__init__(nb, output_path=None, progress_bar=False, autosave_cell_every=0)


class JobEngine(NBClientEngine):  # type: ignore[misc]
    """Registered with papermill as `mlws`."""

    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, **kwargs: Any) -> Any:
        """Run `nb` in the kernel of `session`; `session.error` tells how it failed."""
        manager = QuietManager(nb)
        manager.notebook_start()
        try:
            cls.execute_managed_notebook(manager, kernel_name, **kwargs)
        finally:
            manager.notebook_complete()
        return manager.nb

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, *, session: Session, **_: Any) -> None:
        """Run the cells on the session's event loop."""
        kernel = session.kernel
        how = {"km": kernel.manager, "kernel_name": kernel_name, "log": logger, "timeout": None}
        client = JobClient(nb_man, deltas=session.deltas, masker=session.reporter.masker, **how)
        client.kc = kernel.client
        client.reset_execution_trackers()
        nb_man.nb.metadata["language_info"] = kernel.info.get("language_info", {"name": kernel.spec.language})
        session.deltas.base(nb_man.nb)
        session.loop.run_until_complete(_run(client, nb_man, session))
        client.set_widgets_metadata()


async def _run(client: JobClient, nb_man: Any, session: Session) -> None:
    """Run all cells until one fails or the job is canceled."""
    background = asyncio.ensure_future(_flush_regularly(client, nb_man.nb, session))
    cells = nb_man.nb.cells
    total = sum(runs(cell) for cell in cells)
    done = 0
    try:
        for index, cell in enumerate(cells):
            if session.canceled:
                session.error = run_error("The job was canceled.", kind="Canceled", cell=index, cell_name=cell_name(cells, index))
                return
            if runs(cell):
                session.reporter.progress(done, total, cell_name(cells, index), index)
            if not await _run_cell(client, nb_man, index, session):
                return
            done += runs(cell)
        session.reporter.progress(done, total, "", None)
    finally:
        background.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await background
        session.reporter.tell_progress()


async def _run_cell(client: JobClient, nb_man: Any, index: int, session: Session) -> bool:
    """Run one cell; False if nothing may run after it."""
    cell = nb_man.nb.cells[index]
    nb_man.cell_start(cell, index)
    if not runs(cell):
        nb_man.cell_complete(cell, cell_index=index)
        return True
    session.deltas.start(index)
    failure: BaseException | None = None
    try:
        await client.async_execute_cell(cell, index)
    except (CellExecutionError, DeadKernelError) as error:
        failure = error
    client.settle()
    ended = isinstance(failure, CellExecutionError) and failure.ename == "SystemExit" and failure.evalue in HARMLESS_EXITS
    if failure is not None and not ended:
        nb_man.cell_exception(cell, cell_index=index, exception=failure)
        session.error = _cell_error(failure, nb_man.nb.cells, index, session)
    nb_man.cell_complete(cell, cell_index=index)
    session.deltas.end(index, ok=failure is None or ended, execution_count=cell.get("execution_count"))
    session.deltas.flush()
    return failure is None


async def _flush_regularly(client: JobClient, notebook: Any, session: Session) -> None:
    while True:
        await asyncio.sleep(FLUSH_EVERY_S)
        client.flush()
        session.reporter.tell_progress()
        if session.reporter.save_is_due():
            client.settle(ends=False)
            session.reporter.autosave(notebook)


def _cell_error(failure: BaseException, cells: Any, index: int, session: Session) -> dict[str, Any]:
    """Why the job failed, with the cell's place and name."""
    name = cell_name(cells, index)
    where = f"cell {index + 1} of {len(cells)}, “{name}”"
    if session.canceled:
        return run_error(f"The job was canceled in {where}.", kind="Canceled", cell=index, cell_name=name)
    if isinstance(failure, CellExecutionError):
        trace = next((o["traceback"] for o in reversed(cells[index].outputs) if o["output_type"] == "error"), None)
        message = f"{failure.ename}: {failure.evalue[:MAX_MESSAGE]} ({where})"
        return run_error(message, kind=failure.ename, cell=index, cell_name=name, traceback="\n".join(trace) if trace else None)
    session.kernel_signal = session.kernel.killed_by()
    last_words = session.kernel.last_words.decode("utf-8", "replace").strip() or None
    message = f"The kernel died in {where} ({session.kernel.ending()})."
    return run_error(message, kind="KernelDied", cell=index, cell_name=name, traceback=last_words)


papermill_engines.register(ENGINE, JobEngine)
