"""Job files by the Python client, and by plain REST."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.sdk import BadInput, NotFound, Workspace
from jupyter_mlws.sdk.job_files import JobFileNotice, YamlText
from tests.live import LiveServer, write_notebook

TEXT = "command: echo ${{inputs.a}}\ninputs:\n  a: 1\n"
FILES = "/workspaces/default/jobs/file"


@pytest.mark.slow
def test_a_file_is_submitted(ws: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "job.yml"
    file.write_text(f"{TEXT}name: mine\n")
    with pytest.warns(JobFileNotice, match=r"job\.yml, line 4, name: "):
        job = ws.jobs.create(file=file, set={"inputs.a": "0.10", "tags.n": 5, "display_name": 'a: "b" # ✓'}, priority=7)
    done = job.wait(timeout=60)
    assert (done.log(), done.run.tags, done.run.name, done.priority) == ("0.10\n", {"n": "5"}, 'a: "b" # ✓', 7)


def test_python_values_are_what_they_are_and_yaml_text_is_yaml(ws: Workspace, tmp_path: Path) -> None:
    write_notebook(tmp_path / "n.ipynb", "1", parameters="a = None")
    file = tmp_path / "job.yml"
    file.write_text("type: notebook\nnotebook: n.ipynb\n")
    for value, read in [
        (1e-5, 1e-5),
        ("7", "7"),
        (True, True),
        (None, None),
        (["x", {"y": 2}], ["x", {"y": 2}]),
        ("a\x1b\u2028é🦊", "a\x1b\u2028é🦊"),
        (YamlText("7"), 7),
        (YamlText("'7'"), "7"),
        (YamlText("[1, no]"), [1, False]),
    ]:
        found = ws.jobs.validate(file, set={"parameters.a": value})
        assert found.job.spec.parameters == {"a": read}  # type: ignore[union-attr]
    for wrong in (object(), "\udc00"):
        with pytest.raises(BadInput, match=r"parameters\.a"):
            ws.jobs.validate(file, set={"parameters.a": wrong})


def test_a_file_goes_with_nothing_else(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "job.yml").write_text(TEXT)
    others: list[dict[str, Any]] = [{"name": "x"}, {"notebook": "n"}, {"target": "moon"}, {"env": {}}, {"timeout": 5}]
    for options in others:
        with pytest.raises(BadInput, match="goes with nothing else"):
            ws.jobs.create(file=tmp_path / "job.yml", **options)
    with pytest.raises(BadInput, match="goes with nothing else"):
        ws.jobs.create(set={"a": 1})
    with pytest.raises(NotFound, match="no file"):
        ws.jobs.create(file=tmp_path / "absent.yml")


def test_a_far_server_is_sent_the_named_folder_alone(server: LiveServer, clean_env: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clean_env.setenv("MLWS_DATA_DIR", str(tmp_path / "elsewhere"))
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.txt").write_text("a")
    (tmp_path / "secret.txt").write_text("stays here")
    file = tmp_path / "job.yml"
    with Workspace(url=server.url, token=server.token) as far:
        file.write_text("command: ls\ncode: src\n")
        job = far.jobs.create(file=file)
        assert [one["path"] for one in server.ok("GET", f"/runs/{job.id}/snapshot")["entries"]] == ["a.txt"]
        with pytest.raises(BadInput, match="in place"):
            far.jobs.create(file=file, in_place=True)
        file.write_text("command: ls\ncode: gone\n")
        for ask in (far.jobs.validate, lambda path: far.jobs.create(file=path)):
            with pytest.raises(NotFound, match=r"job\.yml, line 2, code: there is no folder 'gone'"):
                ask(file)


def test_rest_finds_sources_below_the_root(server: LiveServer) -> None:
    folder = server.root / "rest" / "jobs"
    (folder.parent / "src").mkdir(parents=True)
    (folder.parent / "src" / "a.txt").write_text("a")
    write_notebook(folder.parent / "src" / "n.ipynb", "1")
    body = {"text": "command: ls\ncode: ../src\n", "file_name": "x.yml", "folder": "rest/jobs"}
    answer = server.ok("POST", f"{FILES}/validate", body)
    assert (answer["source"], answer["warnings"]) == ({"field": "code", "path": "../src", "line": 2}, [])
    made = server.ok("POST", FILES, {**body, "folder": str(folder)})
    assert made["job"]["spec"]["code"] == f"{folder}/../src"
    assert server.wait(made["job"]["run"]["id"])["status"] == "Completed"
    for text, folder_of, code, field in [
        ("command: ls\ncode: ../../../..\n", "rest/jobs", "bad_path", "code"),
        ("command: ls\ncode: /etc\n", "", "bad_path", "code"),
        ("command: ls\ncode: src\n", "../..", "bad_path", "code"),
        ("command: ls\ncode: src\n", "/etc", "bad_path", "code"),
        ("type: notebook\nnotebook: src\n", "rest", "not_a_notebook", "notebook"),
        ("command: ls\ncode: src\n", None, "job_file_invalid", "code"),
    ]:
        sent = {"text": text, **({} if folder_of is None else {"folder": folder_of})}
        refused = server.post(FILES, sent)
        error = refused.json()["error"]
        assert (refused.status_code, error["code"], error["field"]) == (400, code, field), error
        assert error["message"].startswith("job.yml, line 2, ")


def test_the_same_key_submits_a_file_once(server: LiveServer) -> None:
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    body = {"text": "command: 'true'\nname: x\n"}
    first, again = (server.ok("POST", FILES, body, headers=headers) for _ in range(2))
    assert first["job"]["run"]["id"] == again["job"]["run"]["id"]
    assert first["warnings"] == again["warnings"]
    assert len(first["warnings"]) == 1
    other = server.post(FILES, {"text": "command: 'false'"}, headers=headers)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_conflict")


def test_what_was_sent_must_be_what_the_file_takes(server: LiveServer) -> None:
    manifest = {"files": [{"path": "a", "sha256": "0" * 64, "size": 1}]}
    error = server.post(FILES, {"text": "command: 'true'", "manifest": manifest}).json()["error"]
    assert error["field"] == "manifest"
    error = server.post(FILES, {"text": "command: 'true'\ncode: src", "manifest": manifest}).json()["error"]
    assert error["code"] == "blob_missing"
    nothing: dict[str, Any] = {"files": []}
    error = server.post(FILES, {"text": "type: notebook\nnotebook: a/n.ipynb", "manifest": nothing}).json()["error"]
    assert error["message"] == "job.yml, line 2, notebook: The manifest has no notebook 'n.ipynb'."
