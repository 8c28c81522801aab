"""`mlws open`: the address of a page, and the browser that is sent there."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import Mlws, on_terminal
from tests.live import LiveServer


def leads_to(url: str, server: LiveServer) -> str:
    """Where JupyterLab is sent by an address."""
    answer = httpx.get(url, headers={"Authorization": f"Bearer {server.token}"})
    assert answer.status_code == 302
    return answer.headers["Location"]


def test_the_address_of_each_page(mlws: Mlws, server: LiveServer) -> None:
    run = server.ok("POST", "/workspaces/default/runs", {"experiment": "opened"})
    run_id, experiment_id = run["id"], run["experiment_id"]
    assert mlws("workspace", "create", "opened").code == 0
    pages = {
        (run_id[:12],): f"runs/{run_id}",
        ("-n", run_id, "--print"): f"runs/{run_id}",
        ("--experiment", "opened"): f"experiments/{experiment_id}",
        (): "workspaces/default",
        ("-w", "opened"): "workspaces/opened",
    }
    for words, page in pages.items():
        said = mlws("open", *words)
        assert (said.code, said.out, said.err) == (0, f"{server.url}/mlws/open/{page}\n", "")
        assert leads_to(said.out.strip(), server) == f"/lab?mlws={page.replace('/', '%2F')}"
    assert json.loads(mlws("open", run_id, "-o", "json").out) == {"url": f"{server.url}/mlws/open/runs/{run_id}"}
    server.ok("POST", f"/runs/{run_id}/end", {"status": "Completed"})


def test_what_has_no_page_is_refused(mlws: Mlws) -> None:
    for words, code in (
        (["0" * 32], 3),
        (["--experiment", "never made"], 3),
        (["-w", "never-made"], 3),
        (["0" * 32, "--experiment", "Default"], 2),
    ):
        said = mlws("open", *words)
        assert (said.code, said.out) == (code, ""), words


def test_the_browser_opens_on_a_terminal(server: LiveServer, tmp_path: Path) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" >> "{opened}"\n')
    browser.chmod(0o755)
    env = {"BROWSER": f"{browser} %s"}
    url = f"{server.url}/mlws/open/workspaces/default"
    assert on_terminal(["open", "--print"], server, tmp_path, env).split() == [url]
    assert not opened.exists()
    assert on_terminal(["open"], server, tmp_path, env).split() == [url]
    assert opened.read_text() == f"{url}\n"


@pytest.mark.slow
def test_a_server_without_pages_opens_none(mlws: Mlws, tmp_path: Path) -> None:
    env = {"MLWS_DATA_DIR": str(tmp_path / "data"), "MLWS_IDLE_TIMEOUT_S": "60"}
    assert mlws("open", **env).code == 4
    assert not (tmp_path / "data" / "owner.json").exists()  # none is started for it
    try:
        assert mlws("workspace", "show", **env).code == 0
        said = mlws("open", **env)
        assert (said.code, said.out, "start one with `jupyter lab`" in said.err) == (1, "", True)
    finally:
        assert mlws("server", "stop", **env).code == 0
