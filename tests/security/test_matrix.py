"""Permissions: the whole matrix against the file that was reviewed, and what a matrix of statuses cannot show."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from tests.live import LiveServer
from tests.security.api import Api
from tests.security.errors import check_refusal
from tests.security.matrix import GOLDEN, NO_ENTRY, VARIANTS, Row, observed
from tests.security.shapes import VERBS
from tests.security.world import MISSING_RUN, World, token_of_job

REVIEWED: dict[str, Row] = json.loads(GOLDEN.read_text())


@pytest.fixture(scope="module")
def spaces(target: LiveServer) -> Iterator[World]:
    made = World(target, "matrix")
    yield made
    made.close()


@pytest.fixture(scope="module")
def kernel(target: LiveServer, spaces: World) -> Iterator[Api]:
    made = Api(target, spaces.a.kernel["secret"])
    yield made
    made.close()


def test_every_verb_has_its_rows():
    flags = {f"{name}?{flag}=true" for name, some in VARIANTS.items() for flag in some}
    assert set(REVIEWED) == {verb.name for verb in VERBS} | flags, "write the matrix anew, and review it"


def test_the_matrix_is_as_it_was_reviewed(spaces: World):
    now = observed(spaces)
    different = {name: {"reviewed": REVIEWED.get(name), "now": row} for name, row in now.items() if REVIEWED.get(name) != row}
    assert different == {}


def test_nobody_enters_without_a_token_that_counts():
    for name, row in REVIEWED.items():
        assert all(status in (401, 403) for caller in NO_ENTRY for status in row[caller].values()), name


def test_what_may_not_be_read_is_not_there():
    """For kernels and jobs a thing of another workspace answers exactly as one that does not exist."""
    for name, row in REVIEWED.items():
        for caller in ("kernel", "job"):
            if "other" in row[caller] and "/compute/" not in name:
                assert row[caller]["other"] == row[caller]["missing"], (name, caller)
                assert row[caller]["other"] in (403, 404), (name, caller)


def test_deleting_for_good_and_making_workspaces_is_for_people():
    for name in (
        "DELETE /runs/{run_id}?purge=true",
        "DELETE /experiments/{experiment_id}",
        "DELETE /workspaces/{workspace}",
        "POST /workspaces",
    ):
        for caller in ("kernel", "job"):
            assert set(REVIEWED[name][caller].values()) <= {403, 404}, (name, caller)


def test_a_job_writes_below_its_own_run_only():
    for name in (
        "PATCH /runs/{run_id}",
        "POST /runs/{run_id}/log",
        "PUT /runs/{run_id}/artifacts/content",
        "POST /runs/{run_id}/io",
    ):
        assert REVIEWED[name]["job"]["its own"] in (200, 201)
        assert REVIEWED[name]["job"]["same"] == 403


def test_lists_show_nothing_of_other_workspaces(spaces: World, kernel: Api):
    assert [one["name"] for one in kernel.ok("GET", "/workspaces")["workspaces"]] == [spaces.a.name]
    assert kernel.ok("GET", "/workspaces", query={"archived": True})["workspaces"] == []
    changes = kernel.ok("GET", "/changes", query={"limit": 1000})["changes"]
    assert changes
    assert {one["workspace"] for one in changes} == {spaces.a.name}
    assert spaces.b.run not in json.dumps(kernel.ok("GET", f"/workspaces/{spaces.a.name}/runs"))
    other = kernel.ask("GET", f"/workspaces/{spaces.a.name}/runs", query={"experiment_id": spaces.b.experiment})
    missing = kernel.ask("GET", f"/workspaces/{spaces.a.name}/runs", query={"experiment_id": "999999"})
    assert (other.status, other.json()["error"]["code"]) == (missing.status, missing.json()["error"]["code"])


def test_the_queue_of_a_target_shows_ones_own_jobs_only(target: LiveServer, spaces: World, kernel: Api):
    person, filling = spaces.person, []
    for _ in range(6):
        for space in (spaces.a, spaces.b):
            body = {"spec": {"kind": "command", "command": "sleep 30"}, "name": f"secret of {space.name}"}
            filling.append(person.ok("POST", f"/workspaces/{space.name}/jobs", body)["run"]["id"])
    try:
        for path in ("/compute", "/compute/local"):
            answer = kernel.ask("GET", path).text
            assert f"secret of {spaces.a.name}" in answer
            assert f"secret of {spaces.b.name}" not in answer
            assert not any(run_id in answer for run_id in filling[1::2])
        assert f"secret of {spaces.b.name}" in person.ask("GET", "/compute").text
    finally:
        for run_id in filling[::-1]:
            person.ok("POST", f"/jobs/{run_id}/cancel")
        for run_id in filling:
            target.wait(run_id)


def test_things_of_other_workspaces_cannot_be_named_in_bodies(spaces: World, kernel: Api):
    run = kernel.ok("POST", f"/workspaces/{spaces.a.name}/runs", {})["id"]
    for experiment in (spaces.b.experiment, "999999"):
        answer = kernel.ask("PATCH", f"/runs/{run}", {"experiment_id": experiment})
        assert answer.status == 404
        assert check_refusal(answer)["code"] == "experiment_not_found"
    texts = set()
    for parent in (spaces.b.run, MISSING_RUN):
        spec = {"spec": {"kind": "command", "command": "true"}, "parent_id": parent}
        for path, body in [("runs", {"parent_id": parent}), ("jobs", spec)]:
            answer = kernel.ask("POST", f"/workspaces/{spaces.a.name}/{path}", body)
            assert answer.status == 400
            texts.add(answer.text.replace(parent, ""))
    assert len(texts) == 1
    taken = kernel.ask("POST", f"/workspaces/{spaces.a.name}/runs", {"id": spaces.b.run})
    assert taken.status == 404
    assert spaces.b.name not in taken.text


def test_a_name_sent_along_is_believed_from_the_owner_alone(target: LiveServer, spaces: World, kernel: Api):
    named = {"X-Mlws-Actor": "somebody%20else"}
    for api in (kernel, spaces.person):
        assert api.ok("GET", "/info", headers=named)["actor"]["name"] != "somebody else"
    owner = Api(target, target.owner()["token"])
    assert owner.ok("GET", "/info", headers=named)["actor"]["name"] == "somebody else"
    owner.close()


def test_archived_means_closed(target: LiveServer, spaces: World):
    """Nothing new begins there and what ended stays as it is; what still runs may finish."""
    person, name = spaces.person, f"{spaces.a.name}-closed"
    person.ok("POST", "/workspaces", {"name": name})
    ended, live = (person.ok("POST", f"/workspaces/{name}/runs", {"experiment": "e"}) for _ in range(2))
    person.ok("POST", f"/runs/{ended['id']}/end", {"status": "Completed"})
    job = {"spec": {"kind": "command", "command": "true"}, "experiment": "e"}
    done = person.ok("POST", f"/workspaces/{name}/jobs", job)["run"]["id"]
    target.wait(done)
    for closed in (f"/experiments/{ended['experiment_id']}", f"/workspaces/{name}"):
        person.ok("POST", f"{closed}/archive")
        run = f"/runs/{ended['id']}"
        for method, path, body in [
            ("POST", f"/workspaces/{name}/runs", {"experiment": "e"}),
            ("POST", f"/workspaces/{name}/jobs", job),
            ("POST", f"/jobs/{done}/rerun", {}),
            ("PATCH", run, {"note": "x"}),
            ("POST", f"{run}/log", {"batch_id": "too-late-1", "tags": {"a": "b"}}),
            ("POST", f"{run}/io", {"inputs": [{"name": "x"}]}),
            ("PUT", f"{run}/environment", {}),
            ("PUT", f"{run}/artifacts/content?path=x", None),
            ("PUT", f"{run}/snapshot/content?path=x", None),
        ]:
            answer = person.ask(method, path, body, content=b"x" if body is None else None)
            assert answer.status == 409, (method, path, answer.text)
            assert check_refusal(answer)["code"] in ("experiment_archived", "workspace_archived")
        assert (
            person.ok("POST", f"/runs/{live['id']}/log", {"batch_id": f"still-{closed[1:4]}", "tags": {"a": "b"}})["stored"] == 0
        )
        person.ok("POST", f"{closed}/restore")
    person.ok("POST", f"/workspaces/{name}/archive")
    assert person.ask("POST", f"/workspaces/{name}/experiments", {"name": "new"}).status == 409
    person.ok("POST", f"/runs/{live['id']}/end", {"status": "Completed"})


def test_the_bin_is_closed_too(spaces: World):
    person = spaces.person
    parent = person.ok("POST", f"/workspaces/{spaces.a.name}/runs", {})["id"]
    person.ok("POST", f"/runs/{parent}/end", {"status": "Completed"})
    person.ok("DELETE", f"/runs/{parent}")
    attempts: list[tuple[str, str, Any]] = [
        ("PATCH", f"/runs/{parent}", {"note": "x"}),
        ("POST", f"/runs/{parent}/log", {"batch_id": "in-the-bin", "tags": {"a": "b"}}),
        ("POST", f"/workspaces/{spaces.a.name}/runs", {"parent_id": parent}),
    ]
    for method, path, body in attempts:
        assert check_refusal(person.ask(method, path, body))["code"] == "run_deleted"


def test_a_dry_run_changes_nothing(spaces: World):
    person, run = spaces.person, spaces.b.run
    before = [person.ok("GET", path) for path in (f"/runs/{run}", "/changes", f"/workspaces/{spaces.b.name}")]
    for path in (f"/runs/{run}", f"/experiments/{spaces.b.experiment}", f"/workspaces/{spaces.b.name}"):
        assert person.ok("DELETE", path, query={"dry_run": True})["dry_run"] is True
        assert person.ask("DELETE", path, query={"dry_run": "1", "purge": "x"}).status == 400
    after = [person.ok("GET", path) for path in (f"/runs/{run}", "/changes", f"/workspaces/{spaces.b.name}")]
    assert [{**one, "duration_ms": 0} for one in after] == [{**one, "duration_ms": 0} for one in before]


def test_a_token_dies_with_its_job_and_by_revocation(target: LiveServer, spaces: World):
    person = spaces.person
    body = {"spec": {"kind": "command", "command": "sleep 60"}}
    run_id = person.ok("POST", f"/workspaces/{spaces.a.name}/jobs", body)["run"]["id"]
    made = person.ok("POST", "/tokens", {"workspace": spaces.a.name})
    with closing(Api(target, token_of_job(target, run_id))) as job, closing(Api(target, made["secret"])) as revoked:
        assert job.ask("GET", f"/runs/{run_id}").status == 200
        assert revoked.ask("GET", "/info").status == 200
        person.ok("DELETE", f"/tokens/{made['id']}")
        assert revoked.ask("GET", "/info").status == 401
        person.ok("POST", f"/jobs/{run_id}/cancel")
        target.wait(run_id)
        deadline = time.monotonic() + 7
        while job.ask("GET", f"/runs/{run_id}").status != 401:
            assert time.monotonic() < deadline
            time.sleep(0.2)


@pytest.mark.parametrize("what", ["revoked", "renamed"])
def test_a_stream_ends_with_its_token(target: LiveServer, spaces: World, what: str):
    """Of what happens after a revocation, or in a workspace that was renamed, nothing is told to the old stream."""
    person, name = spaces.person, f"streamed-{what}"
    person.ok("POST", "/workspaces", {"name": name})
    token = person.ok("POST", "/tokens", {"workspace": name})
    url = f"{target.url}/mlws/api/v1/changes/stream"
    headers = {"Authorization": f"Bearer {token['secret']}"}
    with httpx.stream("GET", url, headers=headers, timeout=20) as answer:
        lines = answer.iter_lines()
        assert next(lines) == ": connected"
        first = person.ok("POST", f"/workspaces/{name}/runs", {"name": "seen"})["id"]
        assert any(first in line for line in lines)
        if what == "revoked":
            person.ok("DELETE", f"/tokens/{token['id']}")
            last = person.ok("POST", f"/workspaces/{name}/runs", {"name": "unseen"})["id"]
        else:
            person.ok("PATCH", f"/workspaces/{name}", {"name": f"{name}-elsewhere"})
            person.ok("POST", "/workspaces", {"name": name})
            last = person.ok("POST", f"/workspaces/{name}/runs", {"name": "another's"})["id"]
        assert not any(last in line for line in lines)
