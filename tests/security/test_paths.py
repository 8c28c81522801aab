"""Paths that try to leave their root, on every route that takes one."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.live import LiveServer, notebook
from tests.security.api import Answer, Api
from tests.security.errors import check_no_failure, check_refusal
from tests.security.shapes import VERBS, Verb, resolved
from tests.security.world import World, example_path, files_outside

SECRET = "canary-7f1d0b61c2"
PATH_FIELDS = {"path", "notebook", "code", "folder"}


class Trap(NamedTuple):
    """Files that nobody should reach, links that lead to them, and paths that try to."""

    folder: Path
    payloads: list[str]
    """All of them must be refused."""
    links: list[str]
    """Harmless where a path names no file on disk (artifacts), refused where it does."""


@pytest.fixture(scope="module")
def trap(target: LiveServer) -> Trap:
    outside = target.folder / "outside"
    outside.mkdir()
    (outside / "canary.txt").write_text(SECRET)
    (outside / "canary.ipynb").write_text(json.dumps(notebook(f"'{SECRET}'", parameters=f"x = '{SECRET}'")))
    (target.root / "way-out").symlink_to(outside)
    (target.root / "way-out.ipynb").symlink_to(outside / "canary.ipynb")
    (target.root / "circle").symlink_to("circle")
    (target.root / "inside").mkdir()
    up = "../outside/canary"
    payloads = []
    for name in (f"{up}.txt", f"inside/../{up}.ipynb"):
        # On the wire a percent sign is encoded once more, so these are the doubly encoded forms.
        payloads += [
            name,
            name.replace("..", "%2e%2e"),
            name.replace("/", "%2F"),
            name.replace("/", "\\"),
            name.replace("/", "%5c"),
        ]
        payloads += [f"{name}\0.png", f"{name}%00"]
    absolute = [str(outside / "canary.txt"), str(outside / "canary.ipynb"), "/etc/passwd", "/proc/self/environ"]
    payloads += [*absolute, *(f"/{name}" for name in absolute), "C:/Windows/win.ini", "C:\\Windows\\win.ini", "c:canary"]
    payloads += ["\\\\host\\share", "..", "../", "a/..", "a/../..", "\n", "a\x7fb"]
    links = ["way-out/canary.txt", "way-out/canary.ipynb", "way-out.ipynb", "circle", "circle/x"]
    return Trap(outside, payloads, [*links, "#", "?x", "file:///etc/passwd", "%252e%252e/outside/canary.txt", "~/.bashrc"])


def takes_path(verb: Verb) -> bool:
    return any(parameter["name"] in PATH_FIELDS for parameter in verb.query) or PATH_FIELDS & body_fields(verb) != set()


def body_fields(verb: Verb) -> set[str]:
    found: set[str] = set()
    stack: list[Any] = [verb.body] if verb.body is not None else []
    while stack:
        schema = resolved(stack.pop())
        found |= set(schema.get("properties", {}))
        stack += list(schema.get("properties", {}).values()) + schema.get("anyOf", []) + schema.get("oneOf", [])
        stack += [schema["items"]] if isinstance(schema.get("items"), dict) else []
    return found


NO_ATTACK = {
    "PATCH /compute/{name}": "its paths are on another host, where the login bounds them; tests/compute_ssh/test_commands.py: their form",
    "POST /compute": "as above",
    "POST /jobs/{run_id}/rerun": "its reply has paths, its body none",
    "POST /runs/{run_id}/io": "names are not paths on our disk",
    "PATCH /tokens/{token_id}": "tests/mlflow_api/test_kernels_and_jobs.py: what it names is read later, and below the root alone",
}
SUBMITS = {"POST /workspaces/{workspace}/jobs", "POST /workspaces/{workspace}/jobs/file"}
ON_DISK = {
    *SUBMITS,
    "POST /workspaces/{workspace}/jobs/file/validate",
    "POST /workspaces/{workspace}/notebooks/inspect",
    "POST /jobs/{run_id}/keep",
}
"""Here a path names a file on disk, so that links count."""
ROWS = sorted((verb for verb in VERBS if takes_path(verb) and verb.name not in NO_ATTACK), key=lambda verb: verb.name)


def attack(person: Api, world: World, verb: Verb, path: str) -> list[Answer]:
    """Send the path in every place of the route that takes one."""
    address = example_path(verb.path, world.a)
    if any(parameter["name"] == "path" for parameter in verb.query):
        content = b"uploaded" if verb.contract.raw_body else None
        if not any(parameter["name"] == "area" for parameter in verb.query):
            return [person.ask(verb.method, address, query={"path": path}, content=content)]
        place = {"place": 0} if any(parameter["name"] == "place" for parameter in verb.query) else {}
        return [person.ask(verb.method, address, query={"path": path, "area": a, **place}) for a in ("artifacts", "snapshot")]
    if "/jobs/file" in verb.path:
        return [person.ask("POST", address, body) for body in job_files(person, world, verb, path)]
    if verb.path.endswith("/jobs"):
        specs: list[dict[str, Any]] = [
            {"kind": "notebook", "notebook": path},
            {"kind": "command", "command": "true", "code": path},
        ]
        specs += [{"kind": "command", "command": "true", side: {"x": {"path": path}}} for side in sides(path)]
        answers = [person.ask("POST", address, {"spec": spec, "in_place": here}) for spec in specs for here in (True, False)]
        manifest = sent(person, world, path)
        return [*answers, person.ask("POST", address, {"spec": {"kind": "command", "command": "true"}, "manifest": manifest})]
    chosen = {"logs_to": "folder"} if verb.path == "/mlflow/folder" else {}
    return [person.ask(verb.method, address, {"path": path, **chosen})]


def sides(path: str) -> tuple[str, ...]:
    """Where a command may name the path as data. As an output an odd name below the root is one that a job may well make there."""
    return ("inputs",) if path in ("#", "?x", "%252e%252e/outside/canary.txt", "~/.bashrc") else ("inputs", "outputs")


def sent(person: Api, world: World, path: str) -> dict[str, Any]:
    """A manifest with one file, which was sent."""
    sha256 = hashlib.sha256(b"sent").hexdigest()
    person.ok("PUT", f"/workspaces/{world.a.name}/blobs/{sha256}", content=b"sent")
    return {"files": [{"path": path, "sha256": sha256, "size": 4}]}


def job_files(person: Api, world: World, verb: Verb, path: str) -> list[dict[str, Any]]:
    """Job files that name the path, that lie there, and that are sent with it."""
    notebook, code = "type: notebook\nnotebook: {}\n", "command: 'true'\ncode: {}\n"
    quoted = json.dumps(path)
    reads, writes = "command: 'true'\ninputs: {{x: {{path: {}}}}}\n", "command: 'true'\noutputs: {{x: {{path: {}}}}}\n"
    texts = (notebook, code, reads, writes) if "outputs" in sides(path) else (notebook, code, reads)
    bodies: list[dict[str, Any]] = [{"text": text.format(quoted), "folder": ""} for text in texts]
    bodies += [{"text": text.format(name), "folder": path} for text, name in ((notebook, "n.ipynb"), (code, "."))]
    bodies.append({"text": code.format("."), "folder": "", "set": {"code": quoted}})
    if verb.name in SUBMITS:
        bodies.append({"text": code.format("."), "manifest": sent(person, world, path)})
    return bodies


def test_routes_with_paths_are_known():
    assert len(ROWS) >= 12
    known = {"/artifacts", "/snapshot", "/notebook", "/jobs", "/keep", "/inspect", "/mlflow/folder"}
    assert {verb.name for verb in ROWS if not any(part in verb.path for part in known)} == set(), "attack these routes too"


@pytest.mark.parametrize("verb", ROWS, ids=lambda verb: verb.name)
def test_no_path_leads_out(target: LiveServer, world: World, person: Api, trap: Trap, verb: Verb):
    before = files_outside(target)
    for payload in trap.payloads:
        for answer in attack(person, world, verb, payload):
            error = check_refusal(answer, sent=payload, roots=(target.folder,))
            assert answer.status == 400, (payload, error)
            assert SECRET not in answer.text
    for payload in trap.links:
        if verb.name in SUBMITS and payload in ("#", "?x"):
            continue
        for answer in attack(person, world, verb, payload):
            check_no_failure(answer, sent=payload, roots=(target.folder,))
            assert SECRET not in answer.text
            if verb.name in ON_DISK and not (answer.status == 201 and verb.name in SUBMITS):
                assert answer.status in (400, 404), (payload, answer.text)
    assert files_outside(target) == before
    assert sorted(path.name for path in trap.folder.iterdir()) == ["canary.ipynb", "canary.txt"]


@pytest.mark.parametrize("area", ["artifacts", "snapshot"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(path=st.text(min_size=1, max_size=80))
def test_any_text_as_path_is_refused_or_kept_as_it_is(target: LiveServer, person: Api, world: World, area: str, path: str):
    stored = person.ask(
        "PUT", f"/runs/{world.a.run}/{area}/content", query={"path": path}, content=path.encode("utf-8", "replace")
    )
    check_no_failure(stored, sent=path, roots=(target.folder,))
    got = person.ask("GET", f"/runs/{world.a.run}/{area}/content", query={"path": path})
    if stored.status == 201:
        assert got.status == 200
        assert got.body == path.encode()
    else:
        check_refusal(got, sent=path)


def test_what_a_job_links_to_is_neither_captured_nor_kept_nor_read(target: LiveServer, person: Api, trap: Trap):
    secret = trap.folder / "canary.txt"
    lines = [
        f"mkdir -p outputs deep; ln -s {secret} outputs/leak.txt; ln -s {trap.folder} outputs/folder; ln -s {secret} leak.txt",
        f"ln -s {trap.folder} deep/folder; rm -f $MLWS_JOB_DIR/user_logs/std_log.txt; ln -s {secret} $MLWS_JOB_DIR/user_logs/std_log.txt",
        "echo ready > outputs/ready.txt",
    ]
    run_id = target.submit({"kind": "command", "command": "\n".join(lines)})
    target.wait(run_id)
    for path in ("leak.txt", "deep/folder/canary.txt", "outputs/leak.txt", "../user_logs/std_log.txt"):
        answer = person.ask("POST", f"/jobs/{run_id}/keep", {"path": path})
        check_refusal(answer, sent=path)
        assert answer.status in (400, 404)
    files = person.ok("GET", f"/runs/{run_id}/artifacts", query={"recursive": True})["entries"]
    assert "outputs/ready.txt" in {file["path"] for file in files}
    assert not any("leak" in file["path"] or "folder" in file["path"] for file in files)
    for file in files:
        if file["type"] == "file":
            assert SECRET not in person.ask("GET", f"/runs/{run_id}/artifacts/content", query={"path": file["path"]}).text
    log = person.ask("GET", f"/jobs/{run_id}/log")
    assert log.status == 200
    assert SECRET not in log.text


def test_a_pipe_in_place_of_the_log_holds_nobody(target: LiveServer, person: Api):
    line = "rm -f $MLWS_JOB_DIR/user_logs/std_log.txt; mkfifo $MLWS_JOB_DIR/user_logs/std_log.txt; sleep 1"
    run_id = target.submit({"kind": "command", "command": line})
    target.wait(run_id)
    began = time.monotonic()
    assert person.ask("GET", f"/jobs/{run_id}/log").status == 200
    assert time.monotonic() - began < 5


def test_the_data_folder_is_no_working_copy(target: LiveServer, person: Api, world: World):
    """A root that holds the data folder must not show the owner's token as the working copy of a file of that name."""
    body = {"source": f"../{target.data_dir.name}/x.ipynb", "name": "peeks"}
    run_id = person.ok("POST", f"/workspaces/{world.a.name}/runs", body)["id"]
    person.ok("PUT", f"/runs/{run_id}/snapshot/content", query={"path": "owner.json"}, content=b"{}")
    diff = person.ok("GET", f"/runs/{run_id}/snapshot/diff", query={"path": "owner.json"})
    assert diff["state"] == "missing"
