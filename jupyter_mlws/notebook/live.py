"""`job.watch()`: a live view of a job below the cell.

With `ipywidgets` the view is filled by a thread, and the cell is free at once. Without, the log is printed and the cell waits.
"""

from __future__ import annotations

import re
import threading
from html import escape
from typing import TYPE_CHECKING, Any

from jupyter_mlws.notebook.markup import run_html
from jupyter_mlws.sdk.errors import ClientError

if TYPE_CHECKING:
    from jupyter_mlws.sdk.jobs import JobUpdate
    from jupyter_mlws.sdk.results import Job

TAIL_LINES = 12
TAIL_CHARS = 8000
EVERY_S = 0.5
COLOR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
LOG_STYLE = "margin:4px 0;max-height:16em;overflow:auto;white-space:pre-wrap;font-family:var(--jp-code-font-family,monospace)"


class Live:
    """The widgets of one job, and the thread that fills them."""

    def __init__(self, job: Job, widgets: Any) -> None:
        self._job = job
        self.bar = widgets.IntProgress(value=0, min=0, max=1, layout={"width": "20em"})
        self.where = widgets.Label("")
        self.about = widgets.HTML(run_html(job.run))
        self.log = widgets.HTML("")
        self.cancel = widgets.Button(description="Cancel", tooltip="Cancel the job")
        self.cancel.on_click(self._cancel)
        self.box = widgets.VBox([widgets.HBox([self.bar, self.where, self.cancel]), self.about, self.log])
        self._tail = ""
        self.thread = threading.Thread(target=self._fill, name=f"mlws-watch-{job.id[:8]}", daemon=True)

    def start(self) -> None:
        """Begin to fill."""
        self.thread.start()

    def _fill(self) -> None:
        workspace = self._job._workspace().copy()
        try:
            for update in workspace.jobs.follow(self._job.id, every=EVERY_S):
                self.show(update)
        except ClientError as error:
            self.where.value = f"Not followed any more: {error}"
        finally:
            workspace.close()

    def show(self, update: JobUpdate) -> None:
        """Bring the widgets up to date."""
        run = update.run
        if run.progress is not None:
            self.bar.max = max(run.progress.total, 1)
            self.bar.value = run.progress.done
            self.where.value = f"cell {min(run.progress.done + 1, run.progress.total)} of {run.progress.total}"
        else:
            self.where.value = run.status.value
        if run.ended:
            self.where.value = run.status.value
            self.bar.bar_style = {"Completed": "success", "Failed": "danger"}.get(run.status.value, "")
            if run.progress is None:  # a command does not tell how far it is: its bar is full once it is over
                self.bar.value = self.bar.max
            self.cancel.layout.display = "none"
        self.about.value = run_html(run)
        self._tail = (self._tail + update.text)[-TAIL_CHARS:]
        lines = COLOR.sub("", self._tail + update.partial).splitlines()[-TAIL_LINES:]
        self.log.value = f'<pre style="{LOG_STYLE}">{escape(chr(10).join(lines))}</pre>' if lines else ""

    def _cancel(self, _button: Any) -> None:
        self.cancel.disabled = True
        try:
            self._job.cancel()
        except ClientError as error:
            self.where.value = f"Not canceled: {error}"


def watch(job: Job) -> Live | None:
    """Show a job live. Without `ipywidgets`, or outside of a notebook, its log is printed until it ends."""
    try:
        import ipywidgets  # noqa: PLC0415 - optional
        from IPython import get_ipython  # noqa: PLC0415 - there where ipywidgets is
        from IPython.display import display  # noqa: PLC0415
    except ImportError:
        job.stream()
        return None
    if get_ipython() is None or not hasattr(get_ipython(), "kernel"):
        job.stream()
        return None
    live = Live(job, ipywidgets)
    display(live.box)  # type: ignore[no-untyped-call] # IPython ships no types for it
    live.start()
    return live
