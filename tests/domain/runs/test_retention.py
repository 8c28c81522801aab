"""Runs that no rule keeps go, those that are needed stay, and what a dry run tells is what goes."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing

import pytest

from tests.live import LiveServer

pytestmark = pytest.mark.slow
DAY_MS = 24 * 3600 * 1000


def new_experiment(server: LiveServer, name: str, **fields: object) -> str:
    return str(server.ok("POST", "/workspaces/default/experiments", {"name": name, **fields})["id"])


def new_run(server: LiveServer, experiment: str, name: str, *, ended: bool = True, **fields: object) -> str:
    run_id = str(server.ok("POST", "/workspaces/default/runs", {"experiment": experiment, "name": name, **fields})["id"])
    server.ok("PUT", f"/runs/{run_id}/artifacts/content?path=model.bin", content=name.encode() * 1000)
    if ended:
        server.ok("POST", f"/runs/{run_id}/end", {"status": "Completed"})
    return run_id


def age(server: LiveServer, days: int, column: str, ids: list[str]) -> None:
    """Let times of runs be so many days ago."""
    server.stop()
    at = int(time.time() * 1000) - days * DAY_MS
    with closing(sqlite3.connect(server.data_dir / "mlws.db")) as database:
        database.executemany(f"UPDATE runs SET {column} = ? WHERE id = ?", [(at, one) for one in ids])  # noqa: S608 - a name of ours
        database.commit()
    server.start(port=server.port)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    made = LiveServer(tmp_path_factory.mktemp("retention"), options=["--MlwsApp.bin_days=30"]).start()
    yield made
    made.stop()


def lifecycles(server: LiveServer, ids: dict[str, str]) -> set[str]:
    return {name for name, run_id in ids.items() if server.ok("GET", f"/runs/{run_id}")["lifecycle"] == "active"}


def registered(server: LiveServer, run_id: str, name: str = "kept") -> None:
    """Register a model that comes from the run, by MLflow's protocol."""
    import httpx

    api = f"{server.url}/mlws/api/2.0/mlflow"
    head = {"Authorization": f"Bearer {server.token}"}
    httpx.post(f"{api}/registered-models/create", json={"name": name}, headers=head).raise_for_status()
    registered_version(server, run_id, name)


def registered_version(server: LiveServer, run_id: str, name: str) -> None:
    """Another version of a registered model."""
    import httpx

    api = f"{server.url}/mlws/api/2.0/mlflow"
    head = {"Authorization": f"Bearer {server.token}"}
    source = server.ok("GET", f"/runs/{run_id}")["id"]
    uri = httpx.get(f"{api}/runs/get?run_id={source}", headers=head).json()["run"]["info"]["artifact_uri"]
    body = {"name": name, "source": f"{uri}/model.bin", "run_id": run_id}
    httpx.post(f"{api}/model-versions/create", json=body, headers=head).raise_for_status()


def test_what_is_old_goes_and_what_is_needed_stays(server: LiveServer):
    experiment = new_experiment(server, "old", goal={"metric": "acc", "direction": "maximize"})
    ids = {name: new_run(server, "old", name) for name in ("plain", "tagged", "best", "registered", "parent", "holder")}
    server.ok("PATCH", f"/runs/{ids['tagged']}", {"tags": {"mlws.keep": "true"}})
    ids["child"] = new_run(server, "old", "child", parent_id=ids["parent"])
    ids["live child"] = new_run(server, "old", "live child", ended=False, parent_id=ids["holder"])
    ids["running"] = new_run(server, "old", "running", ended=False)
    fresh = str(server.ok("POST", "/workspaces/default/runs", {"experiment": "old", "name": "measured"})["id"])
    server.ok(
        "POST", f"/runs/{fresh}/log", {"batch_id": "metrics-0", "metrics": [{"key": "acc", "value": 0.1, "step": 0, "time": 1}]}
    )
    server.ok("POST", f"/runs/{fresh}/end", {"status": "Completed"})
    ids["fresh"] = fresh
    registered(server, ids["registered"])
    server.stop()
    server.start(port=server.port)
    age(server, 10, "ended_at", [one for name, one in ids.items() if name not in ("running", "live child", "fresh")])
    planned = server.ok("POST", f"/experiments/{experiment}/retention/apply", {"rule": {"keep_days": 5}, "dry_run": True})
    assert (planned["runs"], planned["dry_run"]) == (4, True), planned
    assert planned["spared"] == {"kept": 1, "registered": 1, "running": 1}
    assert sorted(planned["named"]) == ["best", "parent", "plain"]
    assert planned["bytes_freed"] == sum(len(name) * 1000 for name in ("best", "parent", "plain", "child"))
    assert lifecycles(server, ids) == set(ids), "a dry run moves nothing"
    server.ok("PUT", f"/experiments/{experiment}/retention", {"keep_days": 5})
    done = server.ok("POST", f"/experiments/{experiment}/retention/apply", {})
    assert (done["runs"], done["bytes_freed"]) == (4, planned["bytes_freed"])
    assert lifecycles(server, ids) == set(ids) - {"plain", "parent", "child", "best"}
    state = server.ok("GET", f"/experiments/{experiment}/retention")
    assert (state["last_runs"], state["inherited"], state["rule"]["keep_days"]) == (4, False, 5)
    assert server.ok("POST", f"/experiments/{experiment}/retention/apply", {})["runs"] == 0
    told = [json.loads(line) for line in (server.data_dir / "removed.jsonl").read_text().splitlines()]
    assert {ids[name] for name in ("plain", "parent", "child", "best")} == set(told[-1]["runs"])
    server.ok("POST", f"/runs/{ids['plain']}/restore")
    assert server.ok("POST", f"/experiments/{experiment}/retention/apply", {})["runs"] == 0, "what a person brings back stays"


def test_the_best_by_the_goal_stays(server: LiveServer):
    experiment = new_experiment(server, "goal", goal={"metric": "acc", "direction": "maximize"})
    ids = {}
    for n, name in enumerate(("low", "high", "mid")):
        run_id = str(server.ok("POST", "/workspaces/default/runs", {"experiment": "goal", "name": name})["id"])
        point = {"key": "acc", "value": (0.1, 0.9, 0.5)[n], "step": 0, "time": 1}
        server.ok("POST", f"/runs/{run_id}/log", {"batch_id": f"batch-of-{name}", "metrics": [point]})
        server.ok("POST", f"/runs/{run_id}/end", {"status": "Completed"})
        ids[name] = run_id
    done = server.ok("POST", f"/experiments/{experiment}/retention/apply", {"rule": {"keep_last": 1}})
    assert done["spared"] == {"best": 1}
    assert lifecycles(server, ids) == {"high", "mid"}


def test_of_outputs_alone_the_run_its_metrics_and_logs_stay(server: LiveServer):
    spec = {"kind": "command", "command": "echo logged; head -c 5000 /dev/urandom > outputs/large.bin"}
    old = server.submit(spec, experiment="outputs")
    server.wait(old, "Completed")
    new = server.submit(spec, experiment="outputs")
    run = server.wait(new, "Completed")
    rule = {"rule": {"keep_last": 1, "what": "outputs"}}
    planned = server.ok("POST", f"/experiments/{run['experiment_id']}/retention/apply", {**rule, "dry_run": True})
    assert (planned["runs"], planned["artifacts"]) == (1, 1)
    assert planned["bytes_freed"] >= 5000
    done = server.ok("POST", f"/experiments/{run['experiment_id']}/retention/apply", rule)
    assert done["bytes_freed"] == planned["bytes_freed"]
    assert server.request("GET", f"/runs/{old}/artifacts/content?path=outputs/large.bin").status_code == 404
    assert server.get(f"/runs/{new}/artifacts/content?path=outputs/large.bin").status_code == 200
    assert server.ok("GET", f"/jobs/{old}/log")["text"] == "logged\n"
    assert "outputs_removed" in server.ok("GET", f"/runs/{old}")["tags"]
    assert server.ok("POST", f"/experiments/{run['experiment_id']}/retention/apply", rule)["runs"] == 0, "they go once"


def test_an_experiment_without_a_rule_has_that_of_its_workspace(server: LiveServer):
    experiment = new_experiment(server, "inherits")
    server.ok("PUT", "/workspaces/default/retention", {"keep_last": 100})
    assert server.ok("GET", f"/experiments/{experiment}/retention")["inherited"]
    server.ok("PUT", f"/experiments/{experiment}/retention", {"keep_days": 3})
    assert not server.ok("GET", f"/experiments/{experiment}/retention")["inherited"]
    assert server.ok("DELETE", f"/experiments/{experiment}/retention")["rule"]["keep_last"] == 100
    assert server.ok("DELETE", "/workspaces/default/retention")["rule"] is None
    assert server.post(f"/experiments/{experiment}/retention/apply", {}).status_code == 400
    assert server.request("PUT", f"/experiments/{experiment}/retention", json={}).status_code == 400


async def test_background_work_applies_rules_and_empties_the_bin(server: LiveServer):
    """What the server does every hour, asked for here at once."""
    from types import SimpleNamespace

    from jupyter_mlws.db.database import Database
    from jupyter_mlws.db.engine import sqlite_url
    from jupyter_mlws.domain.models import service as _models  # noqa: F401 - says which runs its versions need
    from jupyter_mlws.domain.runs import retention
    from jupyter_mlws.kit.paths import Folders

    experiment = new_experiment(server, "hourly")
    needed = [new_run(server, "models", f"model {n}") for n in range(21)]  # more than are removed at once
    registered(server, needed[0], "in the bin")
    for run_id in needed[1:]:
        registered_version(server, run_id, "in the bin")
    ids = {name: new_run(server, "hourly", name) for name in ("a", "b", "c")}
    server.ok("PUT", f"/experiments/{experiment}/retention", {"keep_last": 2})
    for run_id in (*needed, ids["b"]):
        server.ok("DELETE", f"/runs/{run_id}")
    age(server, 40, "deleted_at", [*needed, ids["b"]])
    server.stop()
    database = Database(sqlite_url(server.data_dir / "mlws.db"))
    database.start()
    try:
        services = SimpleNamespace(folders=Folders(server.data_dir))
        await retention.apply_all(services, database)
        assert await retention.empty_bin(services, database, 30) >= 1
    finally:
        database.close()
        server.start(port=server.port)
    assert server.get(f"/runs/{ids['b']}").status_code == 404
    found = {server.get(f"/runs/{run_id}").status_code for run_id in needed}
    assert found == {200}, "of these registered models are made: no run goes by itself that one needs"
    assert lifecycles(server, {name: one for name, one in ids.items() if name != "b"}) == {"a", "c"}, "two are kept"
