"""Half an emoji, and records in another form, in what notebooks and jobs leave: shown as well as can be, never a failure of the server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.live import LiveServer, notebook, write_notebook

HALF = "\ud83d"
STREAM = {"output_type": "stream", "name": "stdout", "text": [f"hi {HALF}"]}


def with_output(output: dict[str, Any]) -> bytes:
    book = notebook("print('x')")
    book["cells"][0]["outputs"] = [output]
    return json.dumps(book).encode()


def stored(server: LiveServer, path: str, content: bytes | Iterator[bytes]) -> str:
    """A run with this file."""
    run_id: str = server.ok("POST", "/workspaces/default/runs", {})["id"]
    put = server.request("PUT", f"/runs/{run_id}/artifacts/content", params={"path": path}, content=content, timeout=120)
    assert put.status_code < 300, put.text
    return run_id


def read(server: LiveServer, run_id: str, path: str, **query: Any) -> Any:
    return server.get(f"/runs/{run_id}/notebook", params={"area": "artifacts", "path": path, **query})


def test_a_stored_notebook_is_shown(server: LiveServer):
    answer = read(server, stored(server, "o.ipynb", with_output(STREAM)), "o.ipynb")
    assert answer.status_code == 200, answer.text
    assert answer.json()["deltas"][1]["output"]["text"] == "hi \ufffd"


def test_an_old_notebook_is_shown(server: LiveServer):
    cell = {"cell_type": "code", "language": "python", "input": f"x = '{HALF}'", "outputs": [], "metadata": {}}
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": [cell], "metadata": {}}]}
    answer = read(server, stored(server, "old.ipynb", json.dumps(old).encode()), "old.ipynb")
    assert answer.status_code == 200, answer.text
    assert answer.json()["deltas"][0]["notebook"]["cells"][0]["source"] == "x = '\ufffd'"


@pytest.mark.parametrize("default", [r"'\ud83d'", r"['a', '\ud83d']", r"{'\ud83d': 1}"])
def test_parameters_are_told(server: LiveServer, default: str):
    write_notebook(server.root / "half.ipynb", "print(x)", parameters=f"x = {default}")
    answer = server.post("/workspaces/default/notebooks/inspect", {"path": "half.ipynb"})
    assert answer.status_code == 200, answer.text
    assert "\ufffd" in json.dumps(answer.json()["parameters"][0]["default"], ensure_ascii=False)


def test_the_name_of_a_kernel_is_told(server: LiveServer):
    book = notebook("1")
    book["metadata"]["kernelspec"]["display_name"] = f"P{HALF}"
    (server.root / "kernel.ipynb").write_text(json.dumps(book))
    seen = server.ok("POST", "/workspaces/default/notebooks/inspect", {"path": "kernel.ipynb"})
    assert seen["kernel_display_name"] == "P\ufffd"


def test_a_growing_notebook_is_shown(server: LiveServer):
    write_notebook(server.root / "prints-half.ipynb", r"print('hi \ud83d')")
    run_id = server.submit({"kind": "notebook", "notebook": "prints-half.ipynb"})
    server.wait(run_id)
    stream = server.data_dir / "jobs" / run_id / "notebook.jsonl"
    with stream.open("ab") as file:
        file.write(json.dumps({"op": "output", "cell": 0, "output": {**STREAM, "text": f"hi {HALF}"}}).encode() + b"\n")
    answer = server.get(f"/jobs/{run_id}/notebook")
    assert answer.status_code == 200, answer.text
    assert answer.json()["deltas"][-1]["output"]["text"] == "hi \ufffd"


def leave_result(error: dict[str, Any]) -> str:
    """A command that leaves the record of a notebook's runner, and fails."""
    record = json.dumps({"error": error}).replace("'", "")
    return f"cat > \"$MLWS_JOB_DIR/result.json\" <<'END'\n{record}\nEND\nexit 1"


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        ({"message": "no luck", "kind": 7, "cell": 1}, {"message": "no luck"}),
        ({"message": "no luck", "cell_name": ["a"]}, {"message": "no luck"}),
        ({"message": "no luck", "cell": -1}, {"message": "no luck"}),
        ({"message": ["no", "luck"]}, {"message": "[no, luck]"}),
        ({"message": f"no {HALF}", "kind": "ValueError", "cell": 0}, {"message": "no \ufffd", "kind": "ValueError", "cell": 0}),
        ({"message": "m" * 9_000, "kind": "k" * 9_000}, {"message": "m" * 4_000, "kind": "k" * 200}),
    ],
    ids=["kind", "name", "cell", "message", "half", "long"],
)
def test_a_job_that_leaves_another_form_of_record_has_failed_and_is_not_lost(
    server: LiveServer, error: dict[str, Any], kept: dict[str, Any]
):
    run = server.wait(server.submit({"kind": "command", "command": leave_result(error)}))
    assert (run["status"], run["reason"]) == ("Failed", "error")
    found = {name: value for name, value in run["error"].items() if value is not None}
    found["message"] = found["message"].replace("'", "")
    assert found == kept


def test_only_notebooks_are_read_as_notebooks(server: LiveServer):
    answer = read(server, stored(server, "o.json", with_output(STREAM)), "o.json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "not_a_notebook")


@pytest.mark.slow
def test_a_notebook_that_no_page_could_show_is_refused(server: LiveServer):
    piece = b" " * (1 << 20)
    run_id = stored(server, "huge.ipynb", (piece for _ in range(257)))
    for route, extra in (("notebook", {}), ("notebook/image", {"place": 1})):
        query = {"area": "artifacts", "path": "huge.ipynb", **extra}
        answer = server.get(f"/runs/{run_id}/{route}", params=query)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
