"""Searching runs through the front door: filters, orders, pages that miss and double nothing."""

from __future__ import annotations

import random
from typing import Any

from tests.live import LiveServer


def make_runs(server: LiveServer, experiment: str, values: list[object]) -> list[str]:
    """One ended run for each value of the metric `acc` (None: without it), in the order given."""
    ids = []
    for number, value in enumerate(values):
        body = {"experiment": experiment, "name": f"run-{number}", "params": {"n": str(number)}}
        run_id = server.ok("POST", "/workspaces/default/runs", body)["id"]
        if value is not None:
            point = {"key": "acc", "value": value, "step": 0, "time": 1}
            server.ok("POST", f"/runs/{run_id}/log", {"batch_id": f"batch-{run_id}", "metrics": [point]})
        server.ok("POST", f"/runs/{run_id}/end", {"status": "Completed"})
        ids.append(run_id)
    return ids


def pages(server: LiveServer, **query: object) -> list[dict[str, Any]]:
    """All pages of a search, put together."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = server.ok("GET", "/workspaces/default/runs", params={**query, **({"cursor": cursor} if cursor else {})})
        found += page["runs"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def test_pages_over_a_metric_with_gaps_and_infinities(server: LiveServer):
    values: list[object] = [0.5, None, "Infinity", "NaN", 0.25, "-Infinity", 0.5, None, 0.75, "Infinity"]
    ids = make_runs(server, "pages of a metric", values)
    experiment = server.ok("GET", f"/runs/{ids[0]}")["experiment_id"]
    for direction in ("asc", "desc"):
        whole = pages(server, experiment_id=experiment, order_by=f"metrics.acc {direction}", limit=1000)
        for limit in (1, 3, 4):
            split = pages(server, experiment_id=experiment, order_by=f"metrics.acc {direction}", limit=limit)
            assert [run["id"] for run in split] == [run["id"] for run in whole]
        assert sorted(run["id"] for run in whole) == sorted(ids)
        seen = [run["metrics"].get("acc", {}).get("last") for run in whole]
        assert seen[-3:] == ["NaN", None, None]
        numbers = [float(value) for value in seen[:-3]]
        assert numbers == sorted(numbers, reverse=direction == "desc")


def test_runs_made_between_pages_are_neither_missed_nor_doubled(server: LiveServer):
    ids = make_runs(server, "moving", [random.random() for _ in range(12)])
    experiment = server.ok("GET", f"/runs/{ids[0]}")["experiment_id"]
    seen: list[str] = []
    cursor = None
    while True:
        query = {"experiment_id": experiment, "limit": 4, **({"cursor": cursor} if cursor else {})}
        page = server.ok("GET", "/workspaces/default/runs", params=query)
        seen += [run["id"] for run in page["runs"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        make_runs(server, "moving", [0.5])
    assert len(seen) == len(set(seen))
    assert set(ids) <= set(seen)


def test_filters_speak_of_all_that_a_run_has(server: LiveServer):
    ids = make_runs(server, "filters", [0.1, 0.9, 0.5])
    experiment = server.ok("GET", f"/runs/{ids[0]}")["experiment_id"]
    cases = {
        "metrics.acc > 0.4": {ids[1], ids[2]},
        "metrics.acc > 0.4 and params.n = '2'": {ids[2]},
        "params.n = '0' or run_name = 'run-1'": {ids[0], ids[1]},
        "not (status = 'Completed')": set(),
        "status = 'FINISHED' and metrics.acc between 0.4 and 0.6": {ids[2]},
    }
    for text, expected in cases.items():
        found = server.ok("GET", "/workspaces/default/runs", params={"experiment_id": experiment, "filter": text})
        assert {run["id"] for run in found["runs"]} == expected, text


def test_a_wrong_filter_says_where(server: LiveServer):
    answer = server.get("/workspaces/default/runs", params={"filter": "metrics.acc >"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_filter"
    assert server.get("/workspaces/default/runs", params={"order_by": "metrics. desc"}).status_code == 400
    assert server.get("/workspaces/default/runs", params={"cursor": "W10"}).status_code == 400


def test_statuses_go_with_a_filter_and_leave_its_places_as_they_are(server: LiveServer):
    ended = make_runs(server, "by status", [0.1, 0.9])
    running = server.ok("POST", "/workspaces/default/runs", {"experiment": "by status"})["id"]
    experiment = server.ok("GET", f"/runs/{running}")["experiment_id"]
    try:
        assert [run["id"] for run in pages(server, experiment_id=experiment, status="Running")] == [running]
        both = pages(server, experiment_id=experiment, status=["Completed", "Running"])
        assert {run["id"] for run in both} == {*ended, running}
        words = "metrics.acc > 0.5 OR attributes.run_name = 'run-0'"
        found = pages(server, experiment_id=experiment, status="Completed", filter=words)
        assert {run["id"] for run in found} == set(ended)
        assert pages(server, experiment_id=experiment, status="Failed", filter=words) == []
        wrong = "metrics.acc > 1) OR (metrics.acc < 1"
        alone, together = (
            server.get("/workspaces/default/runs", params={"filter": wrong, **more}) for more in ({}, {"status": "Running"})
        )
        assert (alone.status_code, alone.json()) == (400, together.json())
        refused = server.get("/workspaces/default/runs", params={"status": "Done"})
        assert (refused.status_code, refused.json()["error"]["field"]) == (400, "status[0]"), refused.text
    finally:
        server.ok("POST", f"/runs/{running}/end", {"status": "Completed"})
