"""How the client's objects look in a notebook: escaped, and live."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ipywidgets
import msgspec
import pytest

from jupyter_mlws.notebook import html, watch
from jupyter_mlws.notebook.live import Live
from jupyter_mlws.sdk import Workspace
from jupyter_mlws.sdk.comparison import Comparison
from jupyter_mlws.sdk.jobs import JobUpdate
from jupyter_mlws.sdk.results import Run, bound
from jupyter_mlws.sdk.runs import RunList, RunPage
from tests.notebook.handmade import job_with, run_with

ATTACK = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def test_what_people_write_stays_text() -> None:
    run = run_with(ATTACK)
    shown: list[Any] = [run, job_with(run), Comparison([run, run_with("x")]), RunList(lambda *_: RunPage([run], None, 1), None)]
    for one in shown:
        text = one._repr_html_()
        assert text == html(one)
        assert "<script" not in text
        assert "<img" not in text
        assert "<b>" not in text
        assert "&lt;script&gt;" in text
        assert f'href="/&lt;b&gt;/mlws/open/runs/{run.id}"' in text  # no host: it holds behind a hub, a proxy, a tunnel


def test_a_link_to_a_server_elsewhere_names_it() -> None:
    run = run_with("plain")
    there = bound(msgspec.convert(run.to_dict(), Run), Workspace(url="https://hub.example.org/user/me"))
    assert f'href="https://hub.example.org/user/me/mlws/open/runs/{run.id}"' in there._repr_html_()
    assert there.url == f"https://hub.example.org/user/me/mlws/open/runs/{run.id}"
    assert (run.url or "").startswith("http://127.0.0.1:1/")


def test_numbers_that_are_not_finite() -> None:
    metrics = {
        key: {"key": key, "last": value, "min": 0.0, "max": 0.0, "step": 1, "time": 1, "count": 1}
        for key, value in (("a", "NaN"), ("b", "Infinity"), ("c", "-Infinity"), ("d", 0.12345))
    }
    text = run_with("plain", metrics=metrics)._repr_html_()
    for key, shown in (("a", "NaN"), ("b", "∞"), ("c", "−∞"), ("d", "0.1235")):
        assert f"<code>{key}</code> = {shown}" in text


def test_live_view_follows_updates() -> None:
    run = run_with("plain", status="Running", error=None, waiting=None)
    live = Live(job_with(run), ipywidgets)
    live.show(JobUpdate(run, "line 1\n\x1b[31mred\x1b[0m <b>\n", "50%"))
    assert (live.bar.value, live.bar.max, live.where.value) == (1, 3, "cell 2 of 3")
    assert "line 1\nred &lt;b&gt;\n50%" in live.log.value
    live.show(JobUpdate(run_with("plain"), "".join(f"{n}\n" for n in range(100)), ""))
    assert live.where.value == "Failed"
    assert live.bar.bar_style == "danger"
    assert "line 1" not in live.log.value
    assert "99" in live.log.value


@pytest.mark.parametrize(("status", "style"), [("Completed", "success"), ("Failed", "danger"), ("Canceled", "")])
def test_the_bar_of_a_command_is_full_at_its_end(status: str, style: str) -> None:
    running = run_with("plain", status="Running", error=None, waiting=None, progress=None)
    live = Live(job_with(running), ipywidgets)
    live.show(JobUpdate(running, "", ""))
    assert (live.bar.value, live.bar.max, live.where.value) == (0, 1, "Running")
    live.show(JobUpdate(run_with("plain", status=status, error=None, waiting=None, progress=None), "", ""))
    assert (live.bar.value, live.bar.max, live.bar.bar_style, live.where.value) == (1, 1, style, status)


@pytest.mark.slow
def test_outside_of_a_notebook_it_prints(
    server: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLWS_DATA_DIR", str(server.data_dir))
    monkeypatch.delenv("MLWS_URL", raising=False)
    with Workspace() as ws:
        assert watch(ws.jobs.create(command="echo seen")) is None
    assert "seen" in capsys.readouterr().out
