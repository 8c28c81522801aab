"""Many clients at the same moment: nothing lost, nothing doubled, never a 500."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from tests.live import LiveServer
from tests.security.api import Answer, Api
from tests.security.errors import check_no_failure
from tests.security.world import World


def at_once(target: LiveServer, tokens: list[str], work: Callable[[Api, int], Answer]) -> list[Answer]:
    """What each of many clients was answered that began at the same moment."""
    barrier = threading.Barrier(len(tokens))
    answers: list[Answer | None] = [None] * len(tokens)

    def one(n: int) -> None:
        with closing(Api(target, tokens[n])) as api:
            assert api.ask("GET", "/health").status == 200
            barrier.wait(30)
            answers[n] = work(api, n)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(len(tokens))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [answer for answer in answers if answer is not None]
    assert len(done) == len(tokens)
    for answer in done:
        check_no_failure(answer)
    return done


@pytest.fixture
def tokens(target: LiveServer, world: World) -> list[str]:
    """A person in two tabs, a command line, a kernel: in turn."""
    return [target.token, target.token, target.owner()["token"], str(world.a.kernel["secret"])] * 5


def new_run(person: Api, world: World, **body: Any) -> str:
    return str(person.ok("POST", f"/workspaces/{world.a.name}/runs", body)["id"])


def test_one_experiment_comes_of_fifty_wishes(target: LiveServer, person: Api, world: World):
    path = f"/workspaces/{world.a.name}"
    made = at_once(target, [target.token] * 50, lambda api, _: api.ask("POST", f"{path}/experiments", {"name": "wished for"}))
    assert Counter(answer.status for answer in made) == {201: 1, 409: 49}
    runs = at_once(target, [target.token] * 50, lambda api, _: api.ask("POST", f"{path}/runs", {"experiment": "wished for too"}))
    assert {answer.status for answer in runs} == {201}
    assert len({answer.json()["experiment_id"] for answer in runs}) == 1
    found = person.ok("GET", f"{path}/experiments", query={"q": "wished for"})["experiments"]
    assert sorted((one["name"], one["runs"]) for one in found) == [("wished for", 0), ("wished for too", 50)]


def test_one_run_of_an_id_whoever_asks(target: LiveServer, person: Api, world: World, tokens: list[str]):
    run_id = "ab" * 16
    path = f"/workspaces/{world.a.name}/runs"
    made = at_once(target, tokens, lambda api, n: api.ask("POST", path, {"id": run_id, "params": {"n": str(n)}}))
    assert {answer.status for answer in made} == {201}
    assert len({answer.json()["params"]["n"] for answer in made}) == 1
    assert len(person.ok("GET", f"/runs/{run_id}/history")["changes"]) == 1


def test_tabs_and_a_command_line_change_the_same_run(target: LiveServer, person: Api, world: World, tokens: list[str]):
    run = new_run(person, world)
    version = person.ok("GET", f"/runs/{run}")["version"]
    checked = at_once(
        target, tokens, lambda api, n: api.ask("PATCH", f"/runs/{run}", {"note": str(n)}, headers={"If-Match": str(version)})
    )
    assert Counter(answer.status for answer in checked) == {200: 1, 409: len(tokens) - 1}
    assert person.ok("GET", f"/runs/{run}")["version"] == version + 1
    free = at_once(
        target, tokens, lambda api, n: api.ask("PATCH", f"/runs/{run}", {"tags": {f"tag-{n}": "set"}, "note": f"note {n}"})
    )
    assert {answer.status for answer in free} == {200}
    after = person.ok("GET", f"/runs/{run}")
    assert after["tags"] == {f"tag-{n}": "set" for n in range(len(tokens))}
    assert after["note"] in {f"note {n}" for n in range(len(tokens))}
    assert after["version"] == version + 1 + len(tokens)


def test_a_batch_is_stored_once(target: LiveServer, person: Api, world: World, tokens: list[str]):
    run = new_run(person, world)
    metrics = [{"key": "loss", "value": n, "step": n, "time": n} for n in range(100)]
    body = {"batch_id": "once-only-batch", "metrics": metrics, "params": {"a": "1"}}
    stored = at_once(target, tokens, lambda api, _: api.ask("POST", f"/runs/{run}/log", body))
    assert Counter(answer.json()["stored"] for answer in stored) == {100: 1, 0: len(tokens) - 1}
    assert person.ok("GET", f"/runs/{run}")["metrics"]["loss"]["count"] == 100


def test_of_two_values_of_a_param_one_wins_whole_batches_only(target: LiveServer, person: Api, world: World, tokens: list[str]):
    run = new_run(person, world)

    def work(api: Api, n: int) -> Answer:
        metrics = [{"key": f"m{n}", "value": 1, "time": 1}]
        body = {"batch_id": f"param-batch-{n}", "params": {"lr": str(n), f"own-{n}": "x"}, "metrics": metrics}
        return api.ask("POST", f"/runs/{run}/log", body)

    answers = at_once(target, tokens, work)
    winners = [n for n, answer in enumerate(answers) if answer.status == 200]
    assert len(winners) == 1
    assert {answer.json()["error"]["code"] for answer in answers if answer.status != 200} == {"param_conflict"}
    after = person.ok("GET", f"/runs/{run}")
    assert after["params"] == {"lr": str(winners[0]), f"own-{winners[0]}": "x"}
    assert set(after["metrics"]) == {f"m{winners[0]}"}


def test_an_artifact_is_one_of_those_that_were_sent(target: LiveServer, person: Api, world: World, tokens: list[str]):
    run = new_run(person, world)
    contents = [f"{n}".encode() * 100_000 for n in range(len(tokens))]
    for area in ("artifacts", "snapshot"):
        path = f"/runs/{run}/{area}/content"

        def send(api: Api, n: int, path: str = path) -> Answer:
            return api.ask("PUT", path, query={"path": "same"}, content=contents[n])

        sent = at_once(target, tokens, send)
        assert {answer.status for answer in sent} == {201}
        got = person.ask("GET", path, query={"path": "same"})
        assert got.body in contents
        assert got.headers["etag"].strip('"') == hashlib.sha256(got.body).hexdigest()


def test_deleting_purging_and_logging_at_once(target: LiveServer, person: Api, world: World, tokens: list[str]):
    run = new_run(person, world)
    person.ok("POST", f"/runs/{run}/end", {"status": "Completed"})

    def work(api: Api, n: int) -> Answer:
        match n % 5:
            case 0:
                return api.ask("DELETE", f"/runs/{run}")
            case 1:
                return api.ask("DELETE", f"/runs/{run}", query={"purge": True})
            case 2:
                return api.ask("PUT", f"/runs/{run}/artifacts/content", query={"path": f"{n}"}, content=b"x" * 2_000_000)
            case 3:
                return api.ask("POST", f"/runs/{run}/restore")
            case _:
                return api.ask("POST", f"/runs/{run}/log", {"batch_id": f"racing-{n:03}", "tags": {f"t{n}": "1"}})

    answers = at_once(target, tokens * 2, work)
    assert {answer.status for answer in answers} <= {200, 201, 403, 404, 409}
    person.ask("DELETE", f"/runs/{run}")
    person.ask("DELETE", f"/runs/{run}", query={"purge": True})
    assert person.ask("GET", f"/runs/{run}").status == 404
    assert person.ask("GET", f"/runs/{run}/artifacts").status == 404


def test_a_workspace_is_deleted_while_jobs_are_submitted(target: LiveServer, person: Api):
    for n in range(3):
        name = f"short-lived-{n}"
        person.ok("POST", "/workspaces", {"name": name})
        job = {"spec": {"kind": "command", "command": "true"}}

        def work(api: Api, n: int, name: str = name, job: Any = job) -> Answer:
            if n == 0:
                api.ask("POST", f"/workspaces/{name}/archive")
                return api.ask("DELETE", f"/workspaces/{name}")
            return api.ask("POST", f"/workspaces/{name}/jobs", job)

        first, *others = at_once(target, [target.token] * 6, work)
        assert {answer.status for answer in others} <= {201, 404, 409}
        submitted = [answer.json()["run"]["id"] for answer in others if answer.status == 201]
        assert first.status in (200, 409)
        if first.status == 200:
            assert person.ask("GET", f"/workspaces/{name}").status == 404
            assert all(person.ask("GET", f"/runs/{run_id}").status == 404 for run_id in submitted)
        else:
            assert all(target.wait(run_id)["status"] == "Completed" for run_id in submitted)


def test_a_kernel_logs_on_while_its_workspace_is_renamed(target: LiveServer, person: Api):
    person.ok("POST", "/workspaces", {"name": "name-0"})
    token = person.ok("POST", "/tokens", {"workspace": "name-0"})["secret"]
    run = person.ok("POST", "/workspaces/name-0/runs", {})["id"]
    done = threading.Event()
    statuses: Counter[int] = Counter()

    def log() -> None:
        with closing(Api(target, token)) as kernel:
            while not done.is_set():
                n = sum(statuses.values())
                point = {"key": "loss", "value": n, "step": n, "time": n}
                statuses[kernel.ask("POST", f"/runs/{run}/log", {"batch_id": f"batch-{n:05}", "metrics": [point]}).status] += 1

    kernel = threading.Thread(target=log)
    kernel.start()
    for n in range(10):
        person.ok("PATCH", f"/workspaces/name-{n}", {"name": f"name-{n + 1}"})
    done.set()
    kernel.join()
    assert set(statuses) == {200}
    assert person.ok("GET", f"/runs/{run}")["metrics"]["loss"]["count"] == sum(statuses.values())
    with closing(Api(target, token)) as kernel_now:
        assert [one["name"] for one in kernel_now.ok("GET", "/workspaces")["workspaces"]] == ["name-10"]
        assert kernel_now.ask("GET", "/workspaces/name-0").status == 404


def test_a_run_ends_once(target: LiveServer, person: Api, world: World, tokens: list[str]):
    run = new_run(person, world)
    ways = ("Completed", "Failed", "Canceled")
    ended = at_once(target, tokens, lambda api, n: api.ask("POST", f"/runs/{run}/end", {"status": ways[n % 3]}))
    assert {answer.status for answer in ended} == {200, 409}
    changes = [change["status"] for change in person.ok("GET", f"/runs/{run}/history")["changes"]]
    assert len(changes) == 2
    assert person.ok("GET", f"/runs/{run}")["status"] == changes[-1]
