"""Jobs that were submitted, written as files: the file asks for the same job again."""

from __future__ import annotations

from typing import Any

from tests.live import LiveServer, write_notebook


def exported(server: LiveServer, run_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The file of a job, and what it asks for."""
    file = server.ok("GET", f"/jobs/{run_id}/file")
    body = {"text": file["text"], "folder": ""}
    return file, server.ok("POST", "/workspaces/default/jobs/file/validate", body)["job"]


def test_a_command_with_data(server: LiveServer) -> None:
    (server.root / "exp" / "src").mkdir(parents=True)
    (server.root / "exp" / "a.csv").write_text("a")
    data = {"inputs": {"a": {"path": "exp/a.csv", "type": "uri_file"}}, "outputs": {"b": {"mode": "upload"}}}
    spec = {"kind": "command", "command": "cat ${{inputs.a}}\necho > ${{outputs.b}}/x", "code": "exp/src", **data}
    given = {
        "experiment": "exported",
        "name": "first",
        "note": "One\ntwo",
        "timeout_s": 60,
        "max_retries": 1,
        "resources": {"cpus": 0.5},
        "tags": {"t": "1"},
    }
    run_id = server.submit(spec, **given, env={"SECRET": "hidden"}, priority=5)
    file, job = exported(server, run_id)
    folder = (server.root / "exp").resolve()
    spec["inputs"] = {"a": {"path": str(folder / "a.csv"), "type": "uri_file", "mode": "ro_mount"}}
    spec["outputs"] = {"b": {"type": "uri_folder", "mode": "upload"}}
    wanted = {"spec": {**spec, "code": str(folder / "src")}, **given, "target": "local", "priority": 0}
    assert job == {**wanted, "in_place": False, "confirm_large": False}
    assert "hidden" not in file["text"]
    assert file["warnings"] == [
        "Values of environment variables are not told; add environment_variables for SECRET.",
        "No field of a file says this; give it beside the file: --priority 5",
    ]
    made = server.ok("POST", "/workspaces/default/jobs/file", {"text": file["text"], "folder": ""})["job"]["run"]
    assert server.wait(made["id"])["status"] == "Completed"
    assert server.ok("GET", f"/jobs/{made['id']}/log")["text"] == "a"
    again = server.ok("POST", f"/jobs/{run_id}/rerun", {})["run"]["id"]
    assert "mlws.rerun_of" not in server.ok("GET", f"/jobs/{again}/file")["text"]


def test_a_notebook_of_the_form(server: LiveServer) -> None:
    path = write_notebook(server.root / "nb" / "n.ipynb", "1", parameters="rate: float = 0.5\nname = 'x'")
    run_id = server.submit({"kind": "notebook", "notebook": "nb/n.ipynb", "parameters": {"rate": 1e-05, "name": "1e-3"}})
    _, job = exported(server, run_id)
    parameters = {"rate": 1e-05, "name": "1e-3"}
    assert job["spec"] == {"kind": "notebook", "notebook": str(path.resolve()), "kernel": "python3", "parameters": parameters}
    assert job["experiment"] == "n"
    server.post(f"/jobs/{run_id}/cancel")


def test_runs_that_are_no_jobs_have_no_file(server: LiveServer) -> None:
    run = server.ok("POST", "/workspaces/default/runs", {})["id"]
    answer = server.get(f"/jobs/{run}/file")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_a_job")
