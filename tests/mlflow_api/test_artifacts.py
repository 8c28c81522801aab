"""The proxied artifact store: files in, out and in parts, and addresses that are none."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator

import httpx
import pytest

from tests.live import LiveServer
from tests.mlflow_api.conftest import Wire
from tests.mlflow_clients import run_client

STORE = "api/2.0/mlflow-artifacts"


class Files:
    """The files of one run, by the addresses that clients use."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        run = wire.post("runs/create", experiment_id="0", start_time=1)["run"]["info"]
        self.run_id, self.folder = run["run_id"], run["artifact_uri"].removeprefix("mlflow-artifacts:/")

    def url(self, path: str) -> str:
        """The address of a file."""
        return f"{self.wire.root}/{STORE}/artifacts/{self.folder}/{path}"

    def put(self, path: str, content: bytes | Iterator[bytes], **headers: str) -> httpx.Response:
        """Send a file."""
        return self.wire.http.put(self.url(path), content=content, headers=headers)

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Fetch a file."""
        return self.wire.http.get(self.url(path), headers=headers)

    def listed(self, path: str = "") -> list[dict[str, object]]:
        """The entries of a folder."""
        where = f"{self.folder}/{path}".rstrip("/")
        answer = self.wire.http.get(f"{self.wire.root}/{STORE}/artifacts", params={"path": where})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, object]] = answer.json().get("files", [])
        return found

    def call(self, what: str, body: dict[str, object], path: str = "") -> httpx.Response:
        """Begin, complete or abort an upload in parts."""
        return self.wire.http.post(f"{self.wire.root}/{STORE}/mpu/{what}/{self.folder}{path}", json=body)


@pytest.fixture
def files(wire: Wire) -> Files:
    return Files(wire)


def test_files(files: Files):
    assert files.put("a/ü b.txt", b"one").status_code == 200
    assert files.put("a/ü b.txt", b"hello").status_code == 200
    assert files.put("empty", iter([])).status_code == 200, "empty files come in chunks, without a length"
    answer = files.get("a/ü b.txt")
    assert (answer.content, answer.headers["Content-Type"].partition(";")[0]) == (b"hello", "text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    part = files.get("a/ü b.txt", Range="bytes=1-3")
    assert (part.status_code, part.content) == (206, b"ell")
    assert files.listed() == [{"path": "a", "is_dir": True}, {"path": "empty", "is_dir": False}]
    assert files.listed("a") == [{"path": "ü b.txt", "is_dir": False, "file_size": 5}]
    assert files.listed("a/ü b.txt") == files.listed("none") == []
    of_run = files.wire.ask("GET", "artifacts/list", params={"run_id": files.run_id, "path": "a"})
    assert of_run == {
        "root_uri": f"mlflow-artifacts:/{files.folder}",
        "files": [{"path": "a/ü b.txt", "is_dir": False, "file_size": 5}],
    }
    assert files.get("none").json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    assert files.get("a").status_code == 400
    assert files.put("empty/below", b"x").status_code == 400, "a file is no folder"
    for _ in range(2):
        assert files.wire.http.delete(files.url("a")).status_code == 200
    assert [entry["path"] for entry in files.listed()] == ["empty"]


@pytest.mark.parametrize(
    "path",
    [
        "%2e%2e/other",
        "a/%2e%2e/%2e%2e/b",
        "a/%252e%252e/b",
        "a%23b",
        "C%3A%5Cx",
        "..%5Cx",
        "folder/",
        ".artifact.uploading.x",
        "x" * 3000,
        "a%00b",
    ],
)
def test_addresses_that_are_none(files: Files, path: str):
    for answer in (files.put(path, b"x"), files.get(path)):
        assert 400 <= answer.status_code < 500, (path, answer.status_code)
        assert set(answer.json()) == {"error_code", "message"}
    assert files.listed() == []


@pytest.mark.parametrize(
    "path", ["", "1", "no/run/artifacts/x", f"0/{'0' * 32}/artifacts/x", f"0/models/m-{'0' * 32}/artifacts/x"]
)
def test_files_of_nobody(wire: Wire, path: str):
    url = f"{wire.root}/{STORE}/artifacts/{path}"
    assert wire.http.put(url, content=b"x").status_code in (400, 404)
    assert wire.http.get(url).status_code in (400, 404)
    assert wire.http.get(f"{wire.root}/{STORE}/artifacts", params={"path": path}).json() == {}


def test_the_files_of_another_workspace_are_not_there(server: LiveServer, wire: Wire, files: Files):
    files.put("secret.txt", b"secret")
    server.request("POST", "/workspaces", json={"name": "other-team"})
    token = server.ok("POST", "/tokens", {"workspace": "other-team"})["secret"]
    stranger = Wire(server, token=token)
    there = Files(stranger)
    there.folder, there.run_id = files.folder, files.run_id
    assert there.get("secret.txt").status_code == 404
    assert there.put("mine.txt", b"x").status_code == 404
    assert there.listed() == []
    assert stranger.http.delete(there.url("secret.txt")).status_code == 404
    assert there.call("create", {"path": "x", "num_parts": 1}).status_code == 404
    assert [entry["path"] for entry in files.listed()] == ["secret.txt"]
    stranger.close()


def test_a_file_in_parts(files: Files):
    content = os.urandom(2_500_000)
    pieces = [content[start : start + 1_000_000] for start in range(0, len(content), 1_000_000)]
    begun = files.call("create", {"path": "/data/big.bin", "num_parts": 3}).json()
    assert [one["part_number"] for one in begun["credentials"]] == [1, 2, 3]
    tags = []
    for credential, piece in zip(begun["credentials"], pieces, strict=True):
        answer = httpx.put(credential["url"], content=piece, headers=credential["headers"])
        assert answer.status_code == 200, answer.text
        tags.append(answer.headers["ETag"])
    assert files.listed() == [], "nothing is there before the end"
    parts = [{"part_number": n, "etag": tag, "url": ""} for n, tag in enumerate(tags, start=1)]
    short = files.call("complete", {"path": "big.bin", "upload_id": begun["upload_id"], "parts": parts[1:]})
    assert short.status_code == 400
    done = files.call("complete", {"path": "big.bin", "upload_id": begun["upload_id"], "parts": parts})
    assert done.status_code == 200, done.text
    assert hashlib.sha256(files.get("big.bin").content).digest() == hashlib.sha256(content).digest()
    again = files.call("complete", {"path": "big.bin", "upload_id": begun["upload_id"], "parts": parts})
    assert again.status_code == 404
    assert files.call("abort", {"path": "big.bin", "upload_id": "unknown"}).status_code == 200


def test_parts_are_for_their_own_caller(server: LiveServer, files: Files):
    begun = files.call("create", {"path": "x.bin", "num_parts": 1}).json()
    token = server.ok("POST", "/tokens", {"workspace": "default"})["secret"]
    url = begun["credentials"][0]["url"]
    assert httpx.put(url, content=b"x", headers={"Authorization": f"Bearer {token}"}).status_code == 404
    assert httpx.put(url, content=b"x").status_code in (401, 403)


PARTS = """
import pathlib
mlflow.set_experiment("parts")
path = pathlib.Path("large.bin")
path.write_bytes(os.urandom(12_000_000))
with mlflow.start_run() as run:
    mlflow.log_artifact(str(path), "deep/folder")
got = mlflow.artifacts.download_artifacts(f"runs:/{run.info.run_id}/deep/folder/large.bin")
print(json.dumps(pathlib.Path(got).read_bytes() == path.read_bytes()))
"""


def test_a_client_sends_large_files_in_parts(server: LiveServer, tmp_path):
    small = {"MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE": "5242880", "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE": "5242880"}
    assert run_client(PARTS, f"{server.url}/mlws", server.token, cwd=tmp_path, **small) is True
