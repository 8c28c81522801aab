"""Targets on other hosts from the command line: what is asked, what is told, what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.live import LiveServer
from tests.ssh import Sshd, command

pytestmark = pytest.mark.slow


def mlws(server: LiveServer, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**server.env, "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    return subprocess.run(
        [sys.executable, "-m", "jupyter_mlws.cli", *words],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_target_is_made_tested_moved_and_deleted(server: LiveServer, far: Sshd):
    place = (
        "--host",
        "127.0.0.1",
        "--port",
        str(far.port),
        "--user",
        far.user,
        "--folder",
        str(far.place),
        "--key-secret",
        "ssh-key",
    )
    asked = mlws(server, "compute", "create", "ssh", "lab", *place)
    assert asked.returncode == 2
    assert far.fingerprint in asked.stderr
    made = mlws(server, "compute", "create", "ssh", "lab", *place, "--host-key", far.fingerprint, "--max-jobs", "2", "-o", "json")
    assert made.returncode == 0, made.stderr
    told = json.loads(made.stdout)
    assert (told["type"], told["max_jobs"], told["ssh"]["fingerprint"]) == ("ssh", 2, far.fingerprint)
    tested = mlws(server, "compute", "test", "lab")
    assert tested.returncode == 0, tested.stdout
    assert "lab can run jobs." in tested.stdout
    moved = mlws(server, "compute", "update", "lab", "--python", "/nowhere/python3")
    assert moved.returncode == 0, moved.stderr
    tested = mlws(server, "compute", "test", "lab")
    assert tested.returncode == 1
    assert "FAILED" in tested.stdout
    assert "/nowhere/python3 could not be started" in tested.stdout
    assert mlws(server, "compute", "delete", "lab", "--yes").returncode == 0
    assert mlws(server, "compute", "show", "lab").returncode == 3


def test_what_is_wrong_with_a_target_is_said_in_words(server: LiveServer, far: Sshd):
    for fields, field in (
        ({"host": "-oProxyCommand=x"}, "ssh.host"),
        ({"user": "-l"}, "ssh.user"),
        ({"folder": "there"}, "ssh.folder"),
        ({"python": "python3; true"}, "ssh.python"),
        ({"host_key": "no key at all"}, "ssh.host_key"),
        ({"wheelhouse": "wheels"}, "ssh.wheelhouse"),
        ({"wheelhouse": "~nobody-of-this-name/wheels"}, "ssh.wheelhouse"),
        ({"wheelhouse": "/" + "a" * 300}, "ssh.wheelhouse"),
        ({"host_key": "SHA256:" + "A" * 43}, "ssh.host_key"),
    ):
        answer = server.post("/compute", {**far.target(**fields), "name": "wrong"})
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, field), answer.text
    assert server.get("/compute/wrong").status_code == 404


def test_of_a_change_that_is_refused_nothing_counts(server: LiveServer, far: Sshd):
    before = server.ok("GET", "/compute/far")["description"]
    answer = server.request("PATCH", "/compute/far", json={"description": "other", "min_instances": 1})
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "min_instances")
    assert server.ok("GET", "/compute/far")["description"] == before


def test_jobs_that_reach_the_server_log_to_it(server: LiveServer, far: Sshd):
    server.ok("POST", "/compute", {**far.target(server_url=f"{server.url}/mlws"), "name": "near"})
    run_id = server.submit(command("python3 -c 'import mlws; mlws.log_metric(\"m\", 5)'; echo $MLWS_URL"), target="near")
    run = server.wait(run_id, timeout=120)
    assert run["status"] == "Completed", run["error"]
    assert run["metrics"]["m"]["last"] == 5
    assert f"{server.url}/mlws" in server.ok("GET", f"/jobs/{run_id}/log")["text"]
    assert "packages" not in server.ok("GET", f"/runs/{run_id}/environment"), "those of another machine"
    server.request("DELETE", "/compute/near")
