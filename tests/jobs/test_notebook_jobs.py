"""Notebook jobs through the front door: real server, real supervisor, real kernel."""

from __future__ import annotations

import hashlib
import json
import os
import time
from typing import Any

from tests.live import LiveServer, notebook, write_notebook

TRAIN = """
import mlws
for step in range(20):
    mlws.log_metric("loss", 1 / (step + 1) / lr, step=step)
mlws.log_metrics({"accuracy": 0.5 + lr})
mlws.set_tag("stage", "test")
mlws.log_text("hello", "notes/hello.txt")
print("trained with", lr)
"""


def test_a_notebook_runs_as_a_tracked_job(server: LiveServer):
    saving = "from pathlib import Path\nPath('outputs').mkdir(exist_ok=True)\nPath('outputs/m.txt').write_text('m')"
    write_notebook(server.root / "train.ipynb", TRAIN, saving, parameters="lr = 0.1  # learning rate\nepochs = 3")
    asked = time.monotonic()
    run_id = server.submit({"kind": "notebook", "notebook": "train.ipynb", "parameters": {"lr": 0.25}}, name="first")
    run = server.wait(run_id)
    assert (run["status"], run["reason"], run["error"]) == ("Completed", None, None)
    assert run["params"] == {"lr": "0.25", "epochs": "3"}
    assert run["metrics"]["accuracy"]["last"] == 0.75
    assert run["metrics"]["loss"]["count"] == 20
    assert run["metrics"]["loss"]["min"] == 1 / 20 / 0.25
    assert run["tags"] == {"stage": "test"}
    # Three cells of its own, and the one with the injected parameters.
    assert (run["progress"]["done"], run["progress"]["total"], run["progress"]["current"]) == (4, 4, None)
    assert run["experiment_name"] == "train"
    assert run["user"] == server.ok("GET", "/info")["actor"]["name"] != ""
    assert run["duration_ms"] == run["ended_at"] - run["started_at"]
    assert 0 < run["duration_ms"] <= (time.monotonic() - asked) * 1000
    statuses = [change["status"] for change in server.ok("GET", f"/runs/{run_id}/history")["changes"]]
    assert statuses == ["NotStarted", "Queued", "Preparing", "Running", "Finalizing", "Completed"]

    paths = {entry["path"] for entry in server.ok("GET", f"/runs/{run_id}/artifacts?recursive=true")["entries"]}
    assert {"outputs/m.txt", "notes/hello.txt", "notebook/train.ipynb", "user_logs/std_log.txt"} <= paths
    assert server.get(f"/runs/{run_id}/artifacts/content", params={"path": "outputs/m.txt"}).text == "m"
    log = server.ok("GET", f"/jobs/{run_id}/log")
    assert "trained with 0.25" in log["text"]
    assert log["done"]
    snapshot = server.ok("GET", f"/runs/{run_id}/snapshot")["entries"]
    assert "train.ipynb" in {entry["path"] for entry in snapshot}
    environment = server.ok("GET", f"/runs/{run_id}/environment")
    assert environment["language"] == "python"
    assert "ipykernel" in environment["packages"]


def test_the_output_notebook_can_be_followed_from_its_deltas(server: LiveServer):
    write_notebook(server.root / "deltas.ipynb", "print('one')", "1 + 1")
    run_id = server.submit({"kind": "notebook", "notebook": "deltas.ipynb"})
    server.wait(run_id)
    deltas, offset = [], 0
    while True:
        page = server.ok("GET", f"/jobs/{run_id}/notebook?offset={offset}")
        deltas += page["deltas"]
        offset = page["next_offset"]
        if page["done"]:
            break
    ops = [delta["op"] for delta in deltas]
    assert ops[0] == "base"
    assert ops[-1] == "done"
    outputs = [delta["output"] for delta in deltas if delta["op"] == "output"]
    assert any(output.get("text", "") == "one\n" for output in outputs)
    assert any(output.get("data", {}).get("text/plain") == "2" for output in outputs)


DRAWING = """
import struct, zlib
from IPython.display import HTML, Image, display
rows = bytes(range(256)) * 301
def chunk(kind, data): return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
head = struct.pack(">IIBBBBB", 100, 100, 8, 2, 0, 0, 0)
png = b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows[:30100], 0)) + chunk(b"IEND", b"")
display(Image(png)); print("text\\n" * 100_000); display(HTML("<i>" * 50_000))
"""


RICHEST = ("text/plain", "text/html", "image/png")


def test_large_outputs_are_left_out_until_somebody_asks(server: LiveServer):
    write_notebook(server.root / "draws.ipynb", DRAWING)
    run_id = server.submit({"kind": "notebook", "notebook": "draws.ipynb"})
    assert server.wait(run_id)["status"] == "Completed"
    file = "area=artifacts&path=notebook/draws.ipynb"
    for route, extra in ((f"/jobs/{run_id}/notebook", ""), (f"/runs/{run_id}/notebook", f"&{file}")):
        reply = server.get(f"{route}?hold_over=64000{extra}")
        assert len(reply.content) < 40_000
        held = {max(delta["held"]["types"], key=RICHEST.index): delta for delta in reply.json()["deltas"] if "held" in delta}
        assert set(held) == {"image/png", "text/plain", "text/html"}
        assert (held["image/png"]["held"]["width"], held["image/png"]["held"]["height"]) == (100, 100)
        place = held["text/html"]["place"]
        whole = server.ok("GET", f"{route}?offset={place}&limit=1{extra}")["deltas"][0]["output"]
        assert whole["data"]["text/html"] == "<i>" * 50_000
        image = server.get(f"{route}/image?place={held['image/png']['place']}{extra}")
        assert image.content.startswith(b"\x89PNG")
        assert image.headers["Content-Type"] == "image/png"
        assert image.headers["Content-Security-Policy"] == "sandbox"
        assert image.headers["X-Content-Type-Options"] == "nosniff"
        no_image = server.get(f"{route}/image?place={place}{extra}")
        assert (no_image.status_code, no_image.json()["error"]["code"]) == (404, "not_an_image")


def test_a_failing_cell_is_named(server: LiveServer):
    write_notebook(server.root / "fails.ipynb", "x = 1", "raise ValueError('no such luck')")
    run = server.wait(server.submit({"kind": "notebook", "notebook": "fails.ipynb"}))
    assert (run["status"], run["reason"]) == ("Failed", "error")
    assert run["error"]["kind"] == "ValueError"
    assert run["error"]["cell"] == 1
    assert "no such luck" in run["error"]["message"]
    assert "ValueError" in run["error"]["traceback"]


def test_data_that_git_ignores_and_neighbours_are_there_as_by_hand(server: LiveServer):
    project = server.root / "project"
    (project / "notebooks" / "data").mkdir(parents=True)
    (project / "lib").mkdir()
    (project / "lib" / "tool.py").write_text("answer = 42\n")
    (project / "notebooks" / "data" / "x.csv").write_text("a,b\n1,2\n")
    (project / "notebooks" / ".gitignore").write_text("data/\n")
    source = "import sys\nsys.path.insert(0, '../lib')\nimport tool\nprint(open('data/x.csv').read().strip(), tool.answer)"
    write_notebook(project / "notebooks" / "reads.ipynb", source)
    run_id = server.submit({"kind": "notebook", "notebook": "project/notebooks/reads.ipynb"})
    run = server.wait(run_id)
    assert run["status"] == "Completed", run["error"]
    assert "1,2 42" in server.ok("GET", f"/jobs/{run_id}/log")["text"]
    job = server.ok("GET", f"/jobs/{run_id}")
    told = [entry.partition(" ")[0] for entry in job["not_captured"]]
    assert told[:2] == ["data/", "../"]
    assert set(told[2:]) <= {"../../"}, "what other tests have put beside the project"
    captured = {entry["path"] for entry in server.ok("GET", f"/runs/{run_id}/snapshot?recursive=true")["entries"]}
    assert not any(path.startswith("data") for path in captured)


def test_what_lies_beside_the_servers_root_is_there_as_by_hand(server: LiveServer):
    beside = server.root.parent / "beside"
    beside.mkdir()
    (beside / "tool.py").write_text("answer = 41\n")
    write_notebook(
        server.root / "top.ipynb", "import sys\nsys.path.insert(0, '../beside')\nimport tool\nprint('found', tool.answer)"
    )
    run_id = server.submit({"kind": "notebook", "notebook": "top.ipynb"})
    run = server.wait(run_id)
    assert run["status"] == "Completed", run["error"]
    assert "found 41" in server.ok("GET", f"/jobs/{run_id}/log")["text"]


def test_the_snapshot_is_what_was_submitted(server: LiveServer):
    path = write_notebook(server.root / "frozen" / "frozen.ipynb", "print('before')")
    run_id = server.submit({"kind": "notebook", "notebook": "frozen/frozen.ipynb"})
    write_notebook(path, "print('after')")
    server.wait(run_id)
    assert "before" in server.ok("GET", f"/jobs/{run_id}/log")["text"]
    diff = server.ok("GET", f"/runs/{run_id}/snapshot/diff?path=frozen.ipynb")
    assert diff["state"] == "changed"
    assert "-print('before')" in diff["unified"]
    assert "+print('after')" in diff["unified"]


def test_run_again_with_another_parameter(server: LiveServer):
    write_notebook(server.root / "again.ipynb", "print('rate', rate)", parameters="rate: float = 0.5\nname = 'a'")
    first = server.submit({"kind": "notebook", "notebook": "again.ipynb", "parameters": {"name": "b"}})
    server.wait(first)
    (server.root / "again.ipynb").unlink()
    second = server.ok("POST", f"/jobs/{first}/rerun", {"parameters": {"rate": 0.75}})["run"]["id"]
    run = server.wait(second)
    assert run["status"] == "Completed", run["error"]
    assert run["params"] == {"rate": "0.75", "name": "b"}
    assert "rate 0.75" in server.ok("GET", f"/jobs/{second}/log")["text"]
    assert run["tags"]["mlws.rerun_of"] == first


def test_run_again_with_all_else_changed(server: LiveServer):
    write_notebook(
        server.root / "other.ipynb", "import os\nprint(os.environ['KEPT'], os.environ['CHANGED'], 'GONE' in os.environ)"
    )
    given = {
        "timeout_s": 60,
        "priority": 2,
        "env": {"KEPT": "k", "CHANGED": "c", "GONE": "g"},
        "tags": {"old": "1"},
        "note": "old",
    }
    first = server.submit({"kind": "notebook", "notebook": "other.ipynb"}, **given)
    assert server.wait(first)["status"] == "Completed"
    change = {
        "experiment": "elsewhere",
        "name": "mine",
        "kernel": "python3",
        "target": "local",
        "priority": 0,
        "timeout_s": None,
        "env": {"CHANGED": "d", "GONE": None},
        "tags": {"new": "2"},
        "note": "why",
    }
    job = server.ok("POST", f"/jobs/{first}/rerun", change)
    assert (job["priority"], job["timeout_s"], job["env_names"], job["in_place"]) == (0, None, ["CHANGED", "KEPT"], False)
    run = server.wait(job["run"]["id"])
    assert (run["experiment_name"], run["name"], run["note"]) == ("elsewhere", "mine", "why")
    assert run["tags"] == {"new": "2", "mlws.rerun_of": first}
    assert "k d False" in server.ok("GET", f"/jobs/{run['id']}/log")["text"]
    again = server.ok("POST", f"/jobs/{first}/rerun", {})
    server.wait(again["run"]["id"])
    assert (again["priority"], again["timeout_s"], again["env_names"]) == (2, 60, ["CHANGED", "GONE", "KEPT"])


def test_what_is_wrong_with_a_change_is_said_at_its_field(server: LiveServer):
    write_notebook(server.root / "refused.ipynb", "1", parameters="rate: float = 0.5")
    first = server.submit({"kind": "notebook", "notebook": "refused.ipynb"})
    server.wait(first)
    changes: list[tuple[dict[str, Any], str, str]] = [
        ({"target": "moon"}, "target", "compute_missing"),
        ({"kernel": "no-such-kernel"}, "kernel", "kernel_missing"),
        ({"command": "true"}, "command", "bad_input"),
        ({"parameters": {"rate": "fast"}}, "parameters.rate", "parameter_type"),
        ({"timeout_s": 0}, "timeout_s", "bad_input"),
        ({"env": {"NO NAME": "1"}}, "env", "bad_input"),
        ({"env": {"LONG": "x" * 200_000}}, "env.LONG", "too_large"),
    ]
    for change, field, code in changes:
        error = server.post(f"/jobs/{first}/rerun", change).json()["error"]
        assert (error["field"].split("[")[0], error["code"]) == (field, code)


def test_the_parameters_of_a_job_are_those_of_its_snapshot(server: LiveServer):
    path = write_notebook(server.root / "kept.ipynb", "1", parameters="rate = 0.5  # how fast\nsteps: int = 3")
    run_id = server.submit({"kind": "notebook", "notebook": "kept.ipynb", "parameters": {"steps": 4}})
    server.wait(run_id)
    write_notebook(path, "1", parameters="rate = 9.9\nadded = 1")
    fields = server.ok("GET", f"/jobs/{run_id}/parameters")["parameters"]
    assert [(f["name"], f["default"], f["annotated"], f["help"]) for f in fields] == [
        ("rate", 0.5, False, "how fast"),
        ("steps", 3, True, ""),
    ]
    assert server.post(f"/jobs/{run_id}/rerun", {"parameters": {"added": 2}}).json()["error"]["code"] == "unknown_parameter"
    command = server.submit({"kind": "command", "command": "true"})
    assert server.ok("GET", f"/jobs/{command}/parameters") == {"parameters": []}


def test_a_file_outside_outputs_can_be_kept(server: LiveServer):
    write_notebook(server.root / "extra" / "extra.ipynb", "open('extra.txt', 'w').write('kept')")
    run_id = server.submit({"kind": "notebook", "notebook": "extra/extra.ipynb"})
    server.wait(run_id)
    job = server.ok("GET", f"/jobs/{run_id}")
    name = next(path for path in job["new_files"] if path.endswith("extra.txt"))
    stored = server.ok("POST", f"/jobs/{run_id}/keep", {"path": name})
    assert server.get(f"/runs/{run_id}/artifacts/content", params={"path": stored["path"]}).text == "kept"
    assert server.post(f"/jobs/{run_id}/keep", {"path": "../../job.json"}).status_code == 400


def test_what_is_wrong_with_a_notebook_is_said_at_submit(server: LiveServer):
    root = server.root
    (root / "text.ipynb").write_text("this is no JSON")
    (root / "folder.ipynb").mkdir()
    write_notebook(root / "kernel.ipynb", "1", kernel="no-such-kernel")
    headless = json.loads(write_notebook(root / "nokernel.ipynb", "1").read_text())
    headless["metadata"] = {}
    (root / "nokernel.ipynb").write_text(json.dumps(headless))
    write_notebook(root / "params.ipynb", "1", parameters="rate: float = 0.5")
    (root / "link.ipynb").symlink_to("/etc/passwd")
    os.mkfifo(root / "pipe.ipynb")
    cell: dict[str, object] = {
        "cell_type": "code",
        "execution_count": None,
        "id": "a",
        "metadata": {},
        "outputs": [],
        "source": "1",
    }
    faults = {"metadata": ..., "source": 5, "outputs": "x", "cell_type": None}
    for name, value in faults.items():
        faulty = {**cell, name: value} if value is not ... else {key: cell[key] for key in cell if key != name}
        whole = {**json.loads((root / "kernel.ipynb").read_text()), "cells": [cell, faulty]}
        (root / f"{name}.ipynb").write_text(json.dumps(whole))
    cases: list[tuple[dict[str, object], int, str]] = [
        ({"notebook": "text.ipynb"}, 400, "not_a_notebook"),
        ({"notebook": "folder.ipynb"}, 400, "not_a_notebook"),
        ({"notebook": "pipe.ipynb"}, 400, "not_a_notebook"),
        ({"notebook": "missing.ipynb"}, 404, "notebook_not_found"),
        ({"notebook": "kernel.ipynb"}, 400, "kernel_missing"),
        ({"notebook": "nokernel.ipynb"}, 400, "kernel_missing"),
        ({"notebook": "params.ipynb", "parameters": {"rat": 1}}, 400, "unknown_parameter"),
        ({"notebook": "params.ipynb", "parameters": {"rate": "fast"}}, 400, "parameter_type"),
        ({"notebook": "../escape.ipynb"}, 400, "bad_path"),
        ({"notebook": "a/../../escape.ipynb"}, 400, "bad_path"),
        ({"notebook": "%2e%2e/escape.ipynb"}, 400, "bad_path"),
        ({"notebook": "/etc/passwd"}, 400, "bad_path"),
        ({"notebook": "link.ipynb"}, 400, "bad_path"),
    ]
    faulty_ones = {f"{name}.ipynb" for name in faults}
    cases += [({"notebook": name}, 400, "not_a_notebook") for name in faulty_ones]
    before = server.ok("GET", "/workspaces/default/runs?limit=1")["total"]
    for spec, status, code in cases:
        answer = server.post("/workspaces/default/jobs", {"spec": {"kind": "notebook", **spec}})
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), (spec, answer.text)
        if spec["notebook"] in faulty_ones:
            assert "cell 2 " in answer.json()["error"]["message"]
    assert server.ok("GET", "/workspaces/default/runs?limit=1")["total"] == before


def test_in_the_notebooks_own_folder(server: LiveServer):
    folder = server.root / "own"
    (folder / "outputs").mkdir(parents=True)
    old = folder / "outputs" / "old.txt"
    old.write_text("of an earlier run")
    os.utime(old, (time.time() - 60,) * 2)
    write_notebook(
        folder / "own.ipynb", "import os\nopen('outputs/new.txt', 'w').write(os.getcwd())\nopen('beside.txt', 'w').write('x')"
    )
    run_id = server.submit({"kind": "notebook", "notebook": "own/own.ipynb"}, in_place=True)
    run = server.wait(run_id)
    assert run["status"] == "Completed", run["error"]
    assert (folder / "outputs" / "new.txt").read_text() == str(folder.resolve())
    assert (folder / "beside.txt").exists()
    paths = {entry["path"] for entry in server.ok("GET", f"/runs/{run_id}/artifacts?recursive=true")["entries"]}
    assert "outputs/new.txt" in paths
    assert "outputs/old.txt" not in paths


def test_files_that_a_client_sends(server: LiveServer):
    files = {
        "project/notebooks/sent.ipynb": json.dumps(
            notebook("import sys\nsys.path.append('../lib')\nimport tool\nprint(tool.x)")
        ).encode(),
        "project/lib/tool.py": b"x = 'from the client'\n",
    }
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    manifest = {"files": [{"path": path, "sha256": hashes[path], "size": len(content)} for path, content in files.items()]}
    body = {"spec": {"kind": "notebook", "notebook": "project/notebooks/sent.ipynb"}, "manifest": manifest}
    refused = server.post("/workspaces/default/jobs", body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "blob_missing")
    missing = server.ok("POST", "/workspaces/default/blobs/missing", {"sha256": list(hashes.values())})["missing"]
    assert set(missing) == set(hashes.values())
    wrong = server.request("PUT", f"/workspaces/default/blobs/{missing[0]}", content=b"something else")
    assert wrong.status_code == 400
    for path, content in files.items():
        server.ok("PUT", f"/workspaces/default/blobs/{hashes[path]}", content=content)
    run_id = server.ok("POST", "/workspaces/default/jobs", body)["run"]["id"]
    run = server.wait(run_id)
    assert run["status"] == "Completed", run["error"]
    assert "from the client" in server.ok("GET", f"/jobs/{run_id}/log")["text"]
    assert server.ok("GET", f"/jobs/{run_id}")["new_files"] == []
    again = server.ok("POST", f"/jobs/{run_id}/rerun", {})["run"]["id"]
    assert server.wait(again)["status"] == "Completed"


def test_outputs_of_the_snapshot_are_not_the_runs_own(server: LiveServer):
    folder = server.root / "carried" / "deep"
    (folder / "outputs").mkdir(parents=True)
    (folder / "outputs" / "old.txt").write_text("as it was")
    write_notebook(folder / "carried.ipynb", "open('outputs/new.txt', 'w').write('n')\nopen('beside.txt', 'w').write('b')")
    run_id = server.submit({"kind": "notebook", "notebook": "carried/deep/carried.ipynb"})
    assert server.wait(run_id)["status"] == "Completed"
    paths = {entry["path"] for entry in server.ok("GET", f"/runs/{run_id}/artifacts?recursive=true")["entries"]}
    assert "outputs/new.txt" in paths
    assert "outputs/old.txt" not in paths
    assert [path.rsplit("/", 1)[-1] for path in server.ok("GET", f"/jobs/{run_id}")["new_files"]] == ["beside.txt"]
