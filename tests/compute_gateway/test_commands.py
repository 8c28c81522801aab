"""Targets of other Jupyter servers from the command line and over REST: what is told, what is kept, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.compute_ssh.test_commands import mlws
from tests.gateway import OtherServer
from tests.live import LiveServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def test_a_target_is_made_tested_moved_and_deleted(server: LiveServer, other: OtherServer) -> None:
    place = ("--url", f"{other.url}/", "--token-secret", "OTHER", "--kernel", "python3", "--patience", "2m")
    made = mlws(server, "compute", "create", "gateway", "far", *place, "-o", "json")
    assert made.returncode == 0, made.stderr
    told = json.loads(made.stdout)
    assert (told["type"], told["max_jobs"], told["gateway"]["url"], told["gateway"]["patience_s"]) == (
        "gateway",
        1,
        other.url,
        120,
    )
    tested = mlws(server, "compute", "test", "far")
    assert tested.returncode == 0, tested.stdout
    assert "far can run jobs." in tested.stdout
    moved = mlws(server, "compute", "update", "far", "--kernel", "no-such")
    assert moved.returncode == 0, moved.stderr
    tested = mlws(server, "compute", "test", "far")
    assert tested.returncode == 1
    assert "no-such is not there" in tested.stdout
    shown = mlws(server, "compute", "show", "far")
    assert "Kernels     python3" in shown.stdout or ", python3" in shown.stdout
    assert f"Server      {other.url}" in shown.stdout
    assert other.token not in shown.stdout + made.stdout + tested.stdout
    wrong = mlws(server, "compute", "update", "far", "--partition", "gpu")
    assert wrong.returncode == 2
    assert "no --partition" in wrong.stderr
    changes = ("--kernel", "", "--kernel-user", "ada", "--fetch-limit", "1GB", "--max-jobs", "3")
    assert mlws(server, "compute", "update", "far", *changes).returncode == 0
    kept = server.ok("GET", "/compute/far")["gateway"]
    assert (kept["kernel"], kept["kernel_user"], kept["fetch_limit_bytes"]) == (None, "ada", 10**9)
    assert "Fetches up to 1.0 GB" in " ".join(mlws(server, "compute", "show", "far").stdout.split())
    assert mlws(server, "compute", "update", "far", "--kernel-user", "").returncode == 0
    assert server.ok("GET", "/compute/far")["gateway"]["kernel_user"] is None
    assert mlws(server, "compute", "delete", "far", "--yes").returncode == 0


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ({"url": "http://far.example:8888"}, "without encryption"),
        ({"url": "https://user:pass@far.example"}, "no user, password"),
        ({"url": "https://far.example/?token=x"}, "no user, password"),
        ({"url": "ftp://far.example"}, "begins with https://"),
        ({"url": "https://far.example:99999"}, "no address"),
        ({"url": "https://far.example", "ca_file": "/no/such/file"}, "no certificates"),
        ({"url": "https://far.example", "kernel": "a b"}, "kernel"),
        ({"url": "https://far.example", "kernel_user": "a b"}, "user of a kernel"),
        ({"url": "https://far.example", "fetch_limit_bytes": 5}, "fetch_limit_bytes"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(server: LiveServer, place: dict[str, Any], words: str) -> None:
    answer = server.post("/compute", {"name": "bad", "gateway": place})
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]
    assert "bad" not in [target["name"] for target in server.ok("GET", "/compute")["targets"]]


def test_what_goes_unencrypted_is_agreed_to(server: LiveServer) -> None:
    made = server.ok("POST", "/compute", {"name": "plain", "gateway": {"url": "http://far.example:8888", "insecure": True}})
    try:
        assert made["gateway"]["insecure"] is True
        answer = server.request("PATCH", "/compute/plain", json={"gateway": {"insecure": False}})
        assert answer.status_code == 400
        assert answer.json()["error"]["field"] == "gateway.url"
    finally:
        server.ok("DELETE", "/compute/plain")


def test_a_target_is_of_one_kind(server: LiveServer, other: OtherServer) -> None:
    answer = server.post("/compute", {"name": "two", "gateway": {"url": other.url}, "slurm": {}})
    assert answer.status_code == 400
    answer = server.request("PATCH", "/compute/there", json={"slurm": {"partition": "gpu"}})
    assert answer.status_code == 400
    assert "of the kind gateway" in answer.json()["error"]["message"]
