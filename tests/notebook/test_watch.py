"""`job.watch()`: what appears below the cell, follows the job, and cancels it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from jupyter_mlws.notebook import watch
from jupyter_mlws.notebook.live import Live
from jupyter_mlws.sdk.errors import ServerAway
from jupyter_mlws.sdk.jobs import Jobs, JobUpdate
from jupyter_mlws.sdk.results import Job
from tests.live import LiveServer
from tests.live_kernel import Kernel
from tests.notebook.handmade import job_with, run_with
from tests.servers import until

WIDGET = "application/vnd.jupyter.widget-view+json"
SUBMIT = """
from jupyter_mlws import Workspace
from jupyter_mlws.notebook import watch
job = Workspace().jobs.create(command="echo started; sleep 600", name="watched")
live = watch(job)
"""


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is displayed, as if in a kernel."""
    found: list[Any] = []
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setattr("IPython.display.display", found.append)
    return found


def watched(job: Job) -> Live:
    """The live view of a job."""
    live = watch(job)
    assert live is not None
    return live


def running() -> Job:
    """A job that runs, of no server."""
    return job_with(run_with("plain", status="Running", error=None, waiting=None))


def test_the_view_is_shown_and_filled_until_the_job_ends(shown: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    job, go_on = running(), threading.Event()

    def follow(_jobs: Jobs, asked: str, *, every: float) -> Iterator[JobUpdate]:
        assert asked == job.id
        assert every > 0
        yield JobUpdate(job.run, "first\n", "")
        assert go_on.wait(10)
        yield JobUpdate(run_with("plain"), "last\n", "")

    monkeypatch.setattr(Jobs, "follow", follow)
    live = watched(job)
    assert shown == [live.box]
    parts = {part for row in live.box.children for part in (row, *getattr(row, "children", ()))}
    assert parts >= {live.bar, live.where, live.cancel, live.about, live.log}
    until(lambda: "first" in live.log.value, 10)
    assert (live.where.value, live.cancel.layout.display) == ("cell 2 of 3", None)
    go_on.set()
    live.thread.join(10)
    assert (live.where.value, live.cancel.layout.display) == ("Failed", "none")
    assert "first\nlast" in live.log.value


def test_a_server_that_goes_away_is_told_of(shown: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_words: Any, **_options: Any) -> Any:
        raise ServerAway("nobody there")

    monkeypatch.setattr(Jobs, "follow", gone)
    monkeypatch.setattr(Jobs, "cancel", gone)
    live = watched(running())
    live.thread.join(10)
    assert live.where.value == "Not followed any more: nobody there"
    live.cancel.click()
    assert live.where.value == "Not canceled: nobody there"
    assert shown == [live.box]


def test_the_button_cancels(shown: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    canceled: list[str] = []
    monkeypatch.setattr(Jobs, "follow", lambda *_words, **_options: iter(()))
    monkeypatch.setattr(Jobs, "cancel", lambda _jobs, job: canceled.append(job))
    job = running()
    live = watched(job)
    live.thread.join(10)
    assert (len(shown), live.cancel.disabled, canceled) == (1, False, [])
    live.cancel.click()
    assert (live.cancel.disabled, canceled) == (True, [job.id])


@pytest.mark.slow
def test_in_a_kernel(server: LiveServer) -> None:
    with Kernel(server) as kernel:
        out = kernel.run(SUBMIT)
        job_id, box, button = kernel.value("[job.id, live.box.model_id, live.cancel.model_id]")
        assert [one[WIDGET]["model_id"] for one in out.shown] == [box]

        until(lambda: "started" in kernel.value("live.log.value"), 60)
        # A line may be there before the status that belongs to it.
        until(lambda: kernel.value("[live.where.value, live.cancel.disabled]") == ["Running", False], 30)
        link = f'<a href="/mlws/open/runs/{job_id}" target="_blank" rel="noopener" style="color:var(--jp-content-link-color,'
        assert link in kernel.value("live.about.value")
        kernel.press(button)
        server.wait(job_id, "Canceled")
        until(lambda: kernel.value("live.where.value") == "Canceled", 30)
        kernel.run("live.thread.join(30); assert not live.thread.is_alive()")
        assert kernel.value("[live.cancel.disabled, live.cancel.layout.display]") == [True, "none"]

        (again,) = kernel.run("job.watch()").shown
        assert again[WIDGET]["model_id"] != box
