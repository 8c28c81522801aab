"""Searching, changing and deleting runs over the client."""

from __future__ import annotations

import csv
import io
import math

import pytest

from jupyter_mlws.kit.ids import new_id
from jupyter_mlws.sdk import BadInput, Conflict, NotFound, Workspace
from jupyter_mlws.sdk.errors import AmbiguousId


def make_runs(ws: Workspace, experiment: str, values: list[object]) -> list[str]:
    """Interactive runs that logged one metric each, completed."""
    ids = []
    for n, value in enumerate(values):
        body = {"experiment": experiment, "name": f"run {n}", "params": {"n": str(n)}}
        run: dict[str, str] = ws.transport.ask("POST", f"{ws.path}/runs", dict, body=body)
        points = [{"key": "acc", "value": value, "step": step, "time": 1000 + step} for step in range(2)]
        ws.transport.ask("POST", f"/runs/{run['id']}/log", dict, body={"batch_id": new_id(), "metrics": points})
        ws.transport.ask("POST", f"/runs/{run['id']}/end", dict, body={"status": "Completed"})
        ids.append(run["id"])
    return ids


def test_search_orders_pages_and_limits(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = make_runs(ws, "paging", [n / 10 for n in range(7)])
    monkeypatch.setattr("jupyter_mlws.sdk.runs.PAGE", 3)
    found = ws.runs.search(experiment="paging", order_by="metrics.acc desc", limit=None)
    assert found.total == 7
    assert [len(page) for page in found.pages()] == [3, 3, 1]
    assert [run.id for run in found] == ids[::-1]
    assert found[-1].id == ids[0]
    assert len(ws.runs.search(experiment="paging", limit=5)) == 5
    assert len(ws.runs.search(experiment="paging", limit=0)) == 0
    assert [run.name for run in ws.runs.search(experiment="paging", filter="metrics.acc > 0.45 and params.n != '6'")] == ["run 5"]
    assert repr(found).startswith("7 runs:\nRun       Name   Status")
    with pytest.raises(BadInput, match="acc") as failure:
        ws.runs.search(filter="metrics.acc >")
    assert failure.value.status == 400
    with pytest.raises(NotFound, match="no experiment 'absent'"):
        ws.runs.search(experiment="absent")


def test_tables_keep_what_is_no_number(ws: Workspace) -> None:
    make_runs(ws, "tables", [0.5, "NaN", "-Infinity"])
    ws.runs.update(ws.runs.search(experiment="tables", order_by="attributes.name")[0].id, name="=1+1", tags={"t": 'a,b\n"c"'})
    found = ws.runs.search(experiment="tables", order_by="attributes.created_at")
    rows = list(csv.DictReader(io.StringIO(found.to_csv())))
    assert [row["metrics.acc"] for row in rows] == ["0.5", "NaN", "-Infinity"]
    assert rows[0]["name"] == "'=1+1"
    assert rows[0]["tags.t"] == 'a,b\n"c"'
    frame = found.to_pandas()
    assert list(frame["params.n"]) == ["0", "1", "2"]
    assert math.isnan(frame["metrics.acc"][1])
    assert str(frame["created_at"].dtype.tz) == "UTC"


def test_a_run_is_changed_deleted_and_brought_back(ws: Workspace) -> None:
    run_id = make_runs(ws, "changes", [1.0])[0]
    run = ws.runs.update(run_id, name="new / name", note="n", tags={"a": "1", "b": "2"})
    assert ws.runs.update(run_id, tags={"a": None}).tags == {"b": "2"}
    with pytest.raises(Conflict):
        ws.runs.update(run_id, name="late", if_version=run.version)
    assert [change.status.value for change in ws.runs.history(run_id)][-1] == "Completed"
    assert ws.runs.metric_history(run_id, "acc").steps == [0, 1]
    assert ws.runs.metrics(run_id)[0].count == 2
    assert ws.runs.delete(run_id, dry_run=True).dry_run
    with pytest.raises(Conflict):
        ws.runs.purge(run_id)
    ws.runs.delete(run_id)
    assert run_id in {found.id for found in ws.runs.search(experiment="changes", view="deleted")}
    assert ws.runs.restore(run_id).lifecycle.value == "active"
    ws.runs.delete(run_id)
    ws.runs.purge(run_id)
    with pytest.raises(NotFound):
        ws.runs.show(run_id)


def test_an_id_may_be_cut(ws: Workspace) -> None:
    first = "abcdef" + new_id()[6:]
    second = "abcdef" + new_id()[6:]
    for run_id in (first, second):
        ws.transport.ask("POST", f"{ws.path}/runs", dict, body={"id": run_id, "experiment": "prefix"})
    assert ws.runs.find(first[:20]) == first
    assert ws.runs.find(first[:20].upper()) == first
    with pytest.raises(AmbiguousId, match=first[:10]):
        ws.runs.find("abcdef")


def test_experiments_and_workspaces(ws: Workspace) -> None:
    name = "a/b 🚀 'quoted'"
    made = ws.experiments.create(name, description="d", goal="acc")
    assert ws.experiments.show(name).id == made.id
    assert name in {one.name for one in ws.experiments.list(text="🚀")}
    with pytest.raises(Conflict):
        ws.experiments.create(name)
    assert ws.experiments.update(name, goal="").goal is None
    ws.experiments.archive(name)
    assert ws.experiments.show(name).archived
    ws.experiments.restore(name)
    ws.experiments.archive(name)
    assert ws.experiments.delete(name, dry_run=True).runs == 0
    ws.experiments.delete(name)
    with pytest.raises(NotFound):
        ws.experiments.show(name)

    ws.create("other", display_name="Other")
    other = ws.copy()
    other.name = "other"
    make_runs(other, "there", [1.0])
    assert other.runs.search()[0].workspace == "other"
    assert {one.name for one in ws.list()} >= {"default", "other"}
    assert {one.kind for one in ws.resources()} >= {"database", "artifact_store"}
    with pytest.raises(BadInput):
        ws.create("no good/")
    assert ws.delete("other", dry_run=True).blocked_by == "Archive the workspace 'other' first; then it can be deleted for good."
    with pytest.raises(Conflict):
        ws.delete("other")
    ws.archive("other")
    plan = ws.delete("other", dry_run=True)
    assert (plan.runs, plan.blocked_by) == (1, None)
    ws.delete("other")
    other.close()
