"""Two servers on one data folder, each with a root of its own: paths begin where the caller's server has them begin."""

from __future__ import annotations

from typing import Any

from tests.live import LiveServer, write_notebook

Pair = tuple[LiveServer, LiveServer]
OWN = "x = 1", "owner"
OTHER = "x = 2", "second"


def both_have(pair: Pair, name: str) -> None:
    """A notebook of this name in both roots, of another content."""
    for server, (default, word) in zip(pair, (OWN, OTHER), strict=True):
        write_notebook(server.root / name, f"print('of the {word}')", parameters=default)


def submitted(server: LiveServer, spec: dict[str, Any], **fields: Any) -> dict[str, Any]:
    job: dict[str, Any] = server.ok("POST", "/workspaces/default/jobs", {"spec": spec, **fields})["run"]
    return job


def snapshot(server: LiveServer, run_id: str, path: str) -> str:
    return server.get(f"/runs/{run_id}/snapshot/content", params={"path": path}).text


def test_each_server_runs_its_own_notebook(pair: Pair):
    both_have(pair, "same-name.ipynb")
    for server, default, word in ((pair[0], 1, "owner"), (pair[1], 2, "second")):
        seen = server.ok("POST", "/workspaces/default/notebooks/inspect", {"path": "same-name.ipynb"})
        assert [field["default"] for field in seen["parameters"]] == [default]
        run = submitted(server, {"kind": "notebook", "notebook": "same-name.ipynb"})
        assert f"of the {word}" in snapshot(server, run["id"], "same-name.ipynb")
        assert run["params"] == {"x": str(default)}


def test_what_a_run_says_of_its_source_is_not_mistaken_for_another_file(pair: Pair):
    owner, second = pair
    both_have(pair, "source.ipynb")
    spec = {"kind": "notebook", "notebook": "source.ipynb"}
    assert submitted(owner, spec)["source"] == "source.ipynb"
    assert submitted(second, spec)["source"] == str(second.root / "source.ipynb")


def test_code_folders_and_job_files_begin_there_too(pair: Pair):
    owner, second = pair
    (second.root / "code-of-second").mkdir(exist_ok=True)
    (second.root / "code-of-second" / "main.py").write_text("print('second')")
    command = {"kind": "command", "command": "python main.py", "code": "code-of-second"}
    assert owner.post("/workspaces/default/jobs", {"spec": command}).status_code == 404
    assert snapshot(second, submitted(second, command)["id"], "main.py") == "print('second')"
    text = "command: python main.py\ncode: .\n"
    file = {"text": text, "file_name": "job.yml", "folder": "code-of-second"}
    made = second.ok("POST", "/workspaces/default/jobs/file", file)
    assert snapshot(second, made["job"]["run"]["id"], "main.py") == "print('second')"


def test_the_working_copy_is_that_of_the_callers_server(pair: Pair):
    owner, second = pair
    both_have(pair, "edited.ipynb")
    run_id = second.ok("POST", "/workspaces/default/runs", {"source": "edited.ipynb"})["id"]
    content = (second.root / "edited.ipynb").read_bytes()
    second.request("PUT", f"/runs/{run_id}/snapshot/content", params={"path": "edited.ipynb"}, content=content)
    diff = f"/runs/{run_id}/snapshot/diff"
    assert second.ok("GET", diff, params={"path": "edited.ipynb"})["state"] == "same"
    assert owner.ok("GET", diff, params={"path": "edited.ipynb"})["state"] == "changed"


def test_a_kernels_token_sees_the_folder_of_the_server_it_speaks_to(pair: Pair):
    _, second = pair
    both_have(pair, "of-a-kernel.ipynb")
    token = second.ok("POST", "/tokens", {"workspace": "default"})["secret"]
    spec = {"kind": "notebook", "notebook": str(second.root / "of-a-kernel.ipynb")}
    run = second.ok("POST", "/workspaces/default/jobs", {"spec": spec}, token=token)["run"]
    assert "of the second" in snapshot(second, run["id"], "of-a-kernel.ipynb")


def test_the_folder_is_believed_from_other_servers_only(pair: Pair):
    owner, second = pair
    write_notebook(second.root / "forged.ipynb", "print('second')")
    body, address = {"path": "forged.ipynb"}, "/workspaces/default/notebooks/inspect"
    root = {"X-Mlws-Root": str(second.root)}
    kernel, local = owner.ok("POST", "/tokens", {"workspace": "default"})["secret"], owner.owner()["token"]
    forged = {**root, "X-Mlws-Local": "mlws_" + "x" * 43}
    for headers, token in ((root, owner.token), (root, kernel), (forged, kernel), (root, local)):
        answer = owner.post(address, body, headers=headers, token=token)
        assert answer.status_code == 404, answer.text
    assert owner.post(address, body, headers={**root, "X-Mlws-Local": local}, token=kernel).status_code == 200
