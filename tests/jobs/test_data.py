"""Inputs and outputs of command jobs: where they lie, what becomes of them, and what is refused before the job is queued."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live import LiveServer

SEES = """
set -e
cat "${{inputs.table}}"; cat "$AZURE_ML_INPUT_table"; ls "${{inputs.images}}"; cat "${{inputs.mapped}}"
echo "direct ${{inputs.raw}}"
test -L "${{inputs.images}}" && test ! -L "${{inputs.table}}" && echo changed >> "${{inputs.table}}"
echo more > "${{inputs.shared}}/made.txt"
echo weights > "${{outputs.model}}/w.bin"; mkdir "$AZURE_ML_OUTPUT_model/deep"; echo d > "${{outputs.model}}/deep/d.txt"
echo 0.5 > "${{outputs.score}}"
echo straight > "${{outputs.away}}/s.txt"
echo "$AZUREML_RUN_ID $AZUREML_ARM_WORKSPACE_NAME $AZUREML_ARM_PROJECT_NAME"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that knows where some data from elsewhere lies."""
    mirror = tmp_path_factory.mktemp("mirror")
    (mirror / "sub").mkdir()
    (mirror / "sub" / "a b.txt").write_text("from the mirror\n")
    (mirror / "out").symlink_to("/etc")
    known = {
        "https://example.org/data/": str(mirror),
        "azureml:iris:1": str(mirror / "sub"),
        "azureml://datastores/d": str(mirror),
    }
    live = LiveServer(
        tmp_path_factory.mktemp("server"), options=[f"--MlwsApp.mirror_map={known!r}", "--MlwsApp.retry_backoff_s=0.1"]
    ).start()
    yield live
    live.stop()


@pytest.fixture
def project(server: LiveServer) -> Path:
    folder = server.root / "project"
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "shared").mkdir(exist_ok=True)
    (folder / "images" / "1.png").write_text("png")
    (folder / "table.csv").write_text("a,b\n")
    return folder


def spec(command: str, **fields: Any) -> dict[str, Any]:
    return {"kind": "command", "command": command, **fields}


def test_a_job_reads_its_inputs_and_its_outputs_are_kept_and_delivered(server: LiveServer, project: Path) -> None:
    inputs = {
        "table": {"path": "project/table.csv", "type": "uri_file", "mode": "download"},
        "images": {"path": "project/images"},
        "shared": {"path": "project/shared", "mode": "rw_mount"},
        "mapped": {"path": "https://example.org/data/sub/a%20b.txt?sig=1", "type": "uri_file"},
        "raw": {"path": "https://example.org/nowhere", "mode": "direct"},
    }
    outputs = {
        "model": {"path": "project/results/model"},
        "score": {"path": "azureml://datastores/d/scores/last.txt", "type": "uri_file", "mode": "upload"},
        "away": {"path": "project/away", "mode": "direct"},
    }
    run_id = server.submit(spec(SEES, inputs=inputs, outputs=outputs), experiment="with data")
    run = server.wait(run_id)
    log = server.ok("GET", f"/jobs/{run_id}/log")["text"]
    assert run["status"] == "Completed", log
    assert log == (f"a,b\na,b\n1.png\nfrom the mirror\ndirect https://example.org/nowhere\n{run_id} default with data\n")
    assert (project / "table.csv").read_text() == "a,b\n"
    assert (project / "shared" / "made.txt").read_text() == "more\n"
    assert (project / "results" / "model" / "w.bin").read_text() == "weights\n"
    assert (project / "results" / "model" / "deep" / "d.txt").read_text() == "d\n"
    assert (project / "away" / "s.txt").read_text() == "straight\n"
    for path, text in (("outputs/model/w.bin", "weights\n"), ("outputs/score.txt", "0.5\n")):
        assert server.get(f"/runs/{run_id}/artifacts/content", params={"path": path}).text == text
    digest = f"sha256:{hashlib.sha256(b'a,b' + bytes([10])).hexdigest()}"
    told = {one["name"]: one for one in run["inputs"]}
    assert told["table"] == {"name": "table", "uri": str(project.resolve() / "table.csv"), "digest": digest}
    assert told["images"] == {"name": "images", "type": "uri_folder", "uri": str(project.resolve() / "images")}
    assert told["mapped"]["uri"] == inputs["mapped"]["path"]
    assert [one["name"] for one in run["outputs"]] == ["model", "score", "away"]
    job = server.ok("GET", f"/jobs/{run_id}")
    assert job["not_captured"] == []
    assert job["new_files"] == []
    again = server.ok("POST", f"/jobs/{run_id}/rerun", {"command": "cat ${{inputs.table}}"})["run"]
    assert again["inputs"] == run["inputs"]
    assert server.wait(again["id"])["status"] == "Completed"
    assert server.ok("GET", f"/jobs/{again['id']}/log")["text"] == "a,b\n"
    assert "declared inputs are: " in server.post(f"/jobs/{run_id}/rerun", {"command": "cat ${{inputs.x}}"}).text


def test_outputs_of_a_job_that_fails_replace_nothing(server: LiveServer, project: Path) -> None:
    (project / "kept.txt").write_text("old")
    outputs = {"a": {"path": "project/kept.txt", "type": "uri_file"}}
    run_id = server.submit(spec("echo new > ${{outputs.a}}; exit 3", outputs=outputs))
    assert server.wait(run_id)["status"] == "Failed"
    assert (project / "kept.txt").read_text() == "old"
    unmade = server.submit(spec("true", outputs=outputs))
    server.wait(unmade)
    assert "the job did not make it" in server.ok("GET", f"/jobs/{unmade}")["not_captured"][0]
    assert (project / "kept.txt").read_text() == "old"


def test_each_attempt_has_its_inputs_and_the_last_delivers(server: LiveServer, project: Path) -> None:
    inputs = {
        "table": {"path": "project/table.csv", "type": "uri_file", "mode": "download"},
        "shared": {"path": "project/shared"},
    }
    outputs = {"a": {"path": "project/tried.txt", "type": "uri_file"}}
    line = """
    cat "${{inputs.table}}" >> "${{outputs.a}}"; echo changed >> "${{inputs.table}}"
    test -e "${{inputs.shared}}/tried" || { touch "${{inputs.shared}}/tried"; exit 1; }
    """
    run_id = server.submit(spec(line, inputs=inputs, outputs=outputs), max_retries=2)
    assert server.wait(run_id)["status"] == "Completed"
    assert server.ok("GET", f"/jobs/{run_id}")["attempt"] == 2
    assert (project / "tried.txt").read_text() == "a,b\n"


def test_the_users_own_variables_win(server: LiveServer, project: Path) -> None:
    inputs = {"a": {"path": str(project / "table.csv"), "type": "uri_file"}}
    line = 'echo "$AZURE_ML_INPUT_a $(cat $AZUREML_DATAREFERENCE_a)"'
    run_id = server.submit(spec(line, inputs=inputs), env={"AZURE_ML_INPUT_a": "mine"})
    server.wait(run_id)
    assert server.ok("GET", f"/jobs/{run_id}/log")["text"] == "mine a,b\n"


REFUSED = [
    ({"path": "project/none"}, 404, "data_missing", "at 'project/none' is nothing"),
    ({"path": "project/table.csv"}, 404, "data_missing", "uri_folder is a folder; at 'project/table.csv' is a file"),
    ({"path": "project/images", "type": "uri_file"}, 404, "data_missing", "is a folder"),
    (
        {"path": "azureml:iris:2"},
        400,
        "mirror_missing",
        "`MlwsApp.mirror_map`; mapped there: azureml://datastores/d, azureml:iris:1",
    ),
    ({"path": "https://example.org/data/none"}, 404, "data_missing", "at 'https://example.org/data/none' is nothing"),
    ({"path": "https://example.org/database"}, 400, "mirror_missing", "lies elsewhere"),
    ({"path": "https://example.org/data/../x"}, 400, "bad_path", "leaves its root"),
    ({"path": "https://example.org/data/%2e%2e/x"}, 400, "bad_path", "leaves its root"),
    ({"path": "https://example.org/data/out"}, 400, "bad_path", "through a link"),
    ({"path": "../outside"}, 400, "bad_path", "leaves its root"),
]


@pytest.mark.parametrize(("one", "status", "code", "words"), REFUSED, ids=[f"{one}" for one, *_ in REFUSED])
def test_what_is_not_there_is_told_before_the_job_is_queued(
    server: LiveServer, project: Path, one: dict[str, str], status: int, code: str, words: str
) -> None:
    answer = server.post("/workspaces/default/jobs", {"spec": spec("cat ${{inputs.x}}", inputs={"x": one})})
    told = answer.json()["error"]
    assert (answer.status_code, told["code"], told["field"]) == (status, code, "spec.inputs.x.path")
    assert words in told["message"]


def test_a_command_names_only_what_is_declared(server: LiveServer, project: Path) -> None:
    body = spec("cat ${{inputs.y}}", inputs={"x": {"path": "project/images"}})
    told = server.post("/workspaces/default/jobs", {"spec": body}).json()["error"]
    assert (told["field"], told["message"]) == ("spec.command", "The command names inputs.y; declared inputs are: x.")
    bad = spec("true", outputs={"x": {"path": "project/images", "type": "uri_file"}})
    assert "where a folder lies" in server.post("/workspaces/default/jobs", {"spec": bad}).text


def test_data_that_went_away_ends_the_job_with_words(server: LiveServer, project: Path) -> None:
    (project / "brief").mkdir(exist_ok=True)
    blockers = [server.submit(spec("sleep 60")) for _ in range(8)]
    run_id = server.submit(spec("ls ${{inputs.x}}", inputs={"x": {"path": "project/brief"}}))
    (project / "brief").rmdir()
    for blocker in blockers:
        server.post(f"/jobs/{blocker}/cancel")
    run = server.wait(run_id)
    assert run["status"] == "Failed"
    assert "could not be prepared: An input of the type uri_folder is a folder" in run["error"]["message"]
