"""The repository of a job's sources is noted as it was when they were frozen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.domain.environments.test_git import git
from tests.live import LiveServer
from tests.servers import until


def repository(root: Path, name: str) -> Path:
    folder = root / name
    folder.mkdir()
    git(folder, "init")
    (folder / "main.py").write_text("print(1)\n")
    git(folder, "add", "main.py")
    git(folder, "commit", "-m", "first")
    return folder


def environment(server: LiveServer, run_id: str) -> Any:
    return server.ok("GET", f"/runs/{run_id}/environment")


def test_what_is_committed_after_the_submit_is_not_the_jobs(server: LiveServer):
    folder = repository(server.root, "in-git")
    first = git(folder, "rev-parse", "HEAD")
    (folder / "main.py").write_text("print(2)\n")
    run_id = server.submit({"kind": "command", "command": "python main.py", "code": "in-git"})
    at_once = environment(server, run_id)["git"]
    git(folder, "commit", "-a", "-m", "second")
    assert (at_once["commit"], at_once["branch"], at_once["dirty"]) == (first, "main", True)
    assert "+print(2)" in at_once["patch"]
    whole = until(lambda: found if (found := environment(server, run_id)).get("packages") else None, 60)
    assert whole["git"] == at_once
    server.wait(run_id)
    again = server.ok("POST", f"/jobs/{run_id}/rerun", {})["run"]["id"]
    until(lambda: environment(server, again).get("packages"), 60)
    assert environment(server, again)["git"] == at_once, "it runs what was frozen then"
