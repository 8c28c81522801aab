"""Secrets that pass through the server are not found again where they do not belong."""

from __future__ import annotations

import json
import stat
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from tests.live import LiveServer
from tests.security.api import Api
from tests.security.world import World, token_of_job

CANARY = "canary-secret-5b1d3e"


def database_bytes(target: LiveServer) -> bytes:
    """The database as it lies on disk."""
    return b"".join(path.read_bytes() for path in target.data_dir.glob("mlws.db*"))


@pytest.mark.parametrize(
    "header",
    [
        f"Bearer mlws_{CANARY}",
        f"Bearer {CANARY}",
        f"token {CANARY}",
        f"Basic {CANARY}",
        f"bearer  mlws_{CANARY}",
        f"Bearer mlws_{CANARY} {CANARY}",
        f"Bearer mlws_{CANARY}" + "x" * 5000,
    ],
)
def test_credentials_that_are_wrong_are_nowhere_repeated(target: LiveServer, world: World, header: str):
    with closing(Api(target, None)) as stranger:
        for method, path in [("GET", "/info"), ("POST", "/workspaces"), ("GET", "/nothing"), ("GET", f"/runs/{world.a.run}")]:
            answer = stranger.ask(method, path, headers={"Authorization": header})
            assert answer.status in (401, 403, 404), answer.text
            assert CANARY not in answer.text
            assert CANARY not in str(answer.headers)
    assert CANARY not in target.log()
    assert CANARY.encode() not in database_bytes(target)


def test_tokens_are_kept_as_hashes_only(target: LiveServer, world: World):
    secrets = [world.a.kernel["secret"], world.a.job_token, world.revoked, world.expired, target.owner()["token"], target.token]
    stored, log = database_bytes(target), target.log()
    for secret in secrets:
        assert secret.encode() not in stored
        assert secret not in log


def test_a_token_in_an_address_opens_nothing_and_is_not_logged(target: LiveServer, world: World):
    secret = world.a.kernel["secret"]
    with closing(Api(target, None)) as stranger:
        for query in ({"token": secret}, {"access_token": secret}, {"authorization": f"Bearer {secret}"}):
            assert stranger.ask("GET", "/info", query=query).status == 401
    assert secret not in target.log()


@pytest.mark.parametrize(
    ("remote", "kept"),
    [
        (f"https://me:{CANARY}@git.example/a/b.git", "https://git.example/a/b.git"),
        (f"https://{CANARY}@git.example/a/b.git", "https://git.example/a/b.git"),
        (f"https://a@b:{CANARY}@git.example/a.git", "https://git.example/a.git"),
        (f"https://git.example/a.git?private_token={CANARY}", "https://git.example/a.git"),
        (f"https://git.example/a.git#{CANARY}", "https://git.example/a.git"),
        (f"me:{CANARY}@git.example:a/b.git", "me@git.example:a/b.git"),
        (f"https://me:{CANARY}@[::1", "https://[::1"),
        (f"ssh://git:{CANARY}@git.example:22/a.git", "ssh://git.example:22/a.git"),
        ("git@git.example:a/b.git", "git@git.example:a/b.git"),
        ("https://git.example/a@b.git", "https://git.example/a@b.git"),
        ("../elsewhere", "../elsewhere"),
    ],
)
def test_git_remotes_are_kept_without_credentials(target: LiveServer, person: Api, world: World, remote: str, kept: str):
    answer = person.ok("PUT", f"/runs/{world.b.run}/environment", {"git": {"remote": remote}})
    assert answer["git"]["remote"] == kept
    assert person.ok("GET", f"/runs/{world.b.run}/environment")["git"]["remote"] == kept
    assert CANARY.encode() not in database_bytes(target)


def test_what_a_job_is_given_is_for_its_user_alone(target: LiveServer, person: Api):
    body = {"spec": {"kind": "command", "command": "sleep 60"}, "env": {"MY_SECRET": CANARY + "-env"}}
    run_id = str(person.ok("POST", "/workspaces/default/jobs", body)["run"]["id"])
    token, folder = token_of_job(target, run_id), target.data_dir / "jobs" / run_id
    try:
        assert stat.S_IMODE((folder / "job.json").stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((target.data_dir / "owner.json").stat().st_mode) == 0o600
        assert stat.S_IMODE(target.data_dir.stat().st_mode) == 0o700
        lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
        assert any(line.endswith("sleep 60") for line in lines)
        assert not any(token in line or CANARY in line for line in lines)
        for path in (f"/jobs/{run_id}", f"/runs/{run_id}", "/workspaces/default/jobs", f"/jobs/{run_id}/log?stream=system"):
            answer = person.ask("GET", path)
            assert token not in answer.text
            assert CANARY not in answer.text
    finally:
        person.ok("POST", f"/jobs/{run_id}/cancel")
        target.wait(run_id)
    with closing(Api(target, token)) as ended:
        for _ in range(40):
            if ended.ask("GET", "/info").status == 401:
                break
            ended.ask("GET", "/health")
        else:
            pytest.fail("the token of a job that ended still opens the server")
    assert token not in target.log()
    assert_no_token_in_files(folder, token)


def assert_no_token_in_files(folder: Path, token: str) -> None:
    """Of a job that ended nothing but its own order names the (dead) token, and its artifacts do not."""
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "job.json":
            assert token.encode() not in path.read_bytes(), path


def test_an_unexpected_failure_tells_nothing_of_itself(target: LiveServer, person: Api, world: World):
    """Damage on disk is told in words, without a path of the server."""
    run = person.ok("POST", f"/workspaces/{world.a.name}/runs", {})["id"]
    stored = person.ok("PUT", f"/runs/{run}/artifacts/content", query={"path": "gone.csv"}, content=f"{CANARY},1\n".encode())
    person.ok("PUT", f"/runs/{run}/snapshot/content", query={"path": "gone.csv"}, content=f"{CANARY},1\n".encode())
    blob = target.data_dir / "objects" / stored["sha256"][:2] / stored["sha256"][2:]
    blob.unlink()
    for path in (
        "artifacts/content",
        "artifacts/preview",
        "artifacts/zip",
        "snapshot/content",
        "snapshot/preview",
        "snapshot/diff",
    ):
        answer = person.ask("GET", f"/runs/{run}/{path}", query={} if path.endswith("zip") else {"path": "gone.csv"})
        assert answer.status in (200, 404), (path, answer.text)
        assert str(target.folder) not in answer.text
        if answer.status == 404:
            assert "message" in json.loads(answer.text)["error"]
