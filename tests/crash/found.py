"""Compares what a load's clients were promised with what the server has: nothing lost, nothing twice, nothing in halves."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import httpx

from tests.crash.load import STORE, Client, Load
from tests.live import LiveServer

Point = tuple[int, int, float]
"""(step, timestamp, value)."""


class Promised:
    """What one client must find (`sure`), and what it may find (`maybe`)."""

    def __init__(self) -> None:
        self.points: dict[tuple[str, str], set[Point]] = defaultdict(set)
        """By (run, key)."""
        self.labels: dict[str, dict[str, str]] = defaultdict(dict)
        """Params (`p…`) and tags, by run."""
        self.batches: list[dict[str, Any]] = []
        self.files: dict[str, dict[str, str]] = defaultdict(dict)
        """Hash by path, by the place of the run's artifacts."""
        self.old_models: dict[str, list[str]] = defaultdict(list)
        self.rest: list[tuple[str, dict[str, Any]]] = []

    def add(self, kind: str, told: dict[str, Any]) -> None:
        """Note a write."""
        if kind == "point":
            self.points[told["run_id"], told["key"]].add((told["step"], told["timestamp"], told["value"]))
        elif kind == "batch":
            self.batches.append(told)
            for metric in told["metrics"]:
                self.add("point", {"run_id": told["run_id"], **metric})
            for pair in [*told["params"], *told["tags"]]:
                self.labels[told["run_id"]][pair["key"]] = pair["value"]
        elif kind == "tag":
            self.labels[told["run_id"]][told["key"]] = told["value"]
        elif kind == "file":
            self.files[told["place"]][told["path"]] = told["sha256"]
        elif kind == "old_model":
            self.old_models[told["run_id"]].append(json.loads(told["model_json"])["model_uuid"])
        else:
            self.rest.append((kind, told))


class Check:
    """Asks the server for all that a load wrote."""

    def __init__(self, server: LiveServer) -> None:
        self.server = server
        self.root = f"{server.url}/mlws/api/2.0"
        self.http = httpx.Client(headers={"Authorization": f"Bearer {server.token}"}, timeout=60)
        self.counted: Counter[str] = Counter()
        self.found: dict[tuple[str, str], set[Point]] = {}

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of one of MLflow's routes."""
        answer = self.http.get(f"{self.root}/mlflow/{path}", params=query)
        assert answer.status_code == 200, (path, query, answer.text[:500])
        return answer.json()

    def native(self, path: str, **query: Any) -> Any:
        """The JSON of one of our own routes."""
        answer = self.http.get(f"{self.server.url}/mlws/api/v1{path}", params=query)
        assert answer.status_code == 200, (path, query, answer.text[:500])
        return answer.json()

    def all(self, load: Load) -> str:
        """Every client; what was counted, in words."""
        shared_sure, shared_maybe = set(), set()
        for client in load.clients:
            sure, maybe = Promised(), Promised()
            for kind, told in client.noted():
                sure.add(kind, told)
            for kind, told in client.abandoned:
                maybe.add(kind, told)
            shared = load.shared_run, "shared"
            shared_sure |= sure.points.pop(shared, set())
            shared_maybe |= maybe.points.pop(shared, set())
            self._client(client, sure, maybe)
        self._points(load.shared_run, "shared", shared_sure, shared_maybe)
        counted = ", ".join(f"{number:,} {what}" for what, number in sorted(self.counted.items()))
        resent = sum(client.resent for client in load.clients)
        self.http.close()
        return f"{load.acknowledged():,} acknowledged ({counted}), {resent:,} sent again: 0 lost, 0 doubled, 0 torn"

    def _client(self, client: Client, sure: Promised, maybe: Promised) -> None:
        for run_id, key in {**sure.points, **maybe.points}:
            self._points(run_id, key, sure.points[run_id, key], maybe.points[run_id, key])
        runs = [told["run"] for kind, told in sure.rest if kind == "run"]
        for run_id in runs:
            self._labels(run_id, sure.labels[run_id], maybe.labels[run_id])
            self._old_models(run_id, sure.old_models[run_id], maybe.old_models[run_id])
        for batch in maybe.batches:
            self._whole(batch)
        for place in {**sure.files, **maybe.files}:
            self._files(place, sure.files[place], maybe.files[place])
        for kind, told in sure.rest:
            getattr(self, f"_{kind}")(told)
            self.counted[kind.replace("_", " ") + "s"] += 1
        self._versions(client, [told for kind, told in sure.rest if kind == "version"])

    def _points(self, run_id: str, key: str, sure: set[Point], maybe: set[Point]) -> None:
        """A key's history by both of our wires, and its count."""
        told = self.get("metrics/get-history", run_id=run_id, metric_key=key).get("metrics", [])
        points = [(point["step"], point["timestamp"], point["value"]) for point in told]
        where = f"metric {key!r} of run {run_id}"
        assert max(Counter(points).values(), default=0) <= 1, f"{where} has a point twice"
        assert not sure - set(points), f"{where} lacks {len(sure - set(points))} acknowledged points"
        assert set(points) <= sure | maybe, f"{where} has points that nobody sent"
        native = self.native(f"/runs/{run_id}/metrics/history", key=key, limit=10_000)
        if native["next_cursor"] is None:
            assert list(zip(native["steps"], native["times"], native["values"], strict=True)) == points, where
        for metric in self.native(f"/runs/{run_id}/metrics")["metrics"]:
            if metric["key"] == key:
                assert metric["count"] == len(points), f"{where} is counted wrongly"
        self.found[run_id, key] = set(points)
        self.counted["points"] += len(sure)

    def _labels(self, run_id: str, sure: dict[str, str], maybe: dict[str, str]) -> None:
        data = self.get("runs/get", run_id=run_id)["run"]["data"]
        pairs = [(pair["key"], pair["value"]) for pair in [*data.get("params", []), *data.get("tags", [])]]
        pairs = [pair for pair in pairs if not pair[0].startswith("mlflow.")]
        assert len(pairs) == len(set(pairs)), "a param or a tag is there twice"
        found = dict(pairs)
        assert {key: found.get(key) for key in sure} == sure
        assert found == {**{key: value for key, value in maybe.items() if key in found}, **sure}
        self.labels = found
        self.counted["params and tags"] += len(sure)

    def _old_models(self, run_id: str, sure: list[str], maybe: list[str]) -> None:
        if not sure and not maybe:
            return
        tags = {tag["key"]: tag["value"] for tag in self.get("runs/get", run_id=run_id)["run"]["data"]["tags"]}
        found = Counter(model["model_uuid"] for model in json.loads(tags.get("mlflow.log-model.history", "[]")))
        assert max(found.values(), default=0) <= 1, f"a model of run {run_id} is noted twice: {found}"
        assert set(sure) <= set(found) <= {*sure, *maybe}
        self.counted["noted models"] += len(sure)

    def _whole(self, batch: dict[str, Any]) -> None:
        """All of a batch that was given up is there, or nothing of it."""
        data = self.get("runs/get", run_id=batch["run_id"])["run"]["data"]
        labels = {pair["key"]: pair["value"] for pair in [*data.get("params", []), *data.get("tags", [])]}
        there = [labels.get(pair["key"]) == pair["value"] for pair in [*batch["params"], *batch["tags"]]]
        there += [
            (metric["step"], metric["timestamp"], metric["value"]) in self.found[batch["run_id"], metric["key"]]
            for metric in batch["metrics"]
        ]
        assert len(set(there)) == 1, f"half a batch: {there.count(True)} of {len(there)} items of run {batch['run_id']}"
        self.counted["batches given up" if not there[0] else "batches given up and done"] += 1

    def _files(self, place: str, sure: dict[str, str], maybe: dict[str, str]) -> None:
        listed = self.http.get(f"{self.root}/{STORE}", params={"path": f"{place}/deep"}).json().get("files", [])
        names = [f"deep/{entry['path']}" for entry in listed]
        assert len(names) == len(set(names))
        assert set(sure) <= set(names) <= {*sure, *maybe}, place
        for name in names:
            answer = self.http.get(f"{self.root}/{STORE}/{place}/{name}")
            assert answer.status_code == 200, answer.text[:300]
            assert hashlib.sha256(answer.content).hexdigest() == {**maybe, **sure}[name], f"{place}/{name} is torn"
        self.counted["files"] += len(sure)

    def _run(self, told: dict[str, Any]) -> None:
        assert self.get("runs/get", run_id=told["run"])["run"]["info"]["run_name"] == told["name"]
        found = self.http.post(
            f"{self.root}/mlflow/runs/search",
            json={"experiment_ids": ["0"], "filter": f"attributes.run_name = '{told['name']}'"},
        ).json()["runs"]
        ids = [run["info"]["run_id"] for run in found]
        assert ids.count(told["run"]) == 1
        assert len(ids) <= told["tries"], "more runs than requests"

    def _version(self, told: dict[str, Any]) -> None:
        found = self.get("model-versions/get", name=told["name"], version=told["version"])["model_version"]
        assert {tag["key"]: tag["value"] for tag in found["tags"]} == {"n": told["n"]}

    def _versions(self, client: Client, told: list[dict[str, Any]]) -> None:
        """As many as were made, or more by those that were sent again; numbered without a hole."""
        found: list[dict[str, Any]] = []
        token = ""
        while True:
            page = self.get("model-versions/search", filter=f"name = '{client.model}'", max_results=200, page_token=token)
            found += page.get("model_versions", [])
            token = page.get("next_page_token", "")
            if not token:
                break
        numbers = sorted(int(version["version"]) for version in found)
        assert numbers == list(range(1, len(found) + 1))
        assert len({one["version"] for one in told}) == len(told), "two answers with one version"
        made = Counter(tag["value"] for version in found for tag in version["tags"])
        for one in told:
            assert 1 <= made[one["n"]] <= one["tries"]

    def _new_model(self, told: dict[str, Any]) -> None:
        info = self.get(f"logged-models/{told['model_id']}")["model"]["info"]
        assert (info["name"], info["source_run_id"]) == (told["name"], told["run"])


def check_disk(server: LiveServer) -> None:
    """Of a stopped server on SQLite: its database is sound, and no file of the store has another content than its name says."""
    database = sqlite3.connect(server.data_dir / "mlws.db")
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    database.close()
    check_objects(server.data_dir)


def check_objects(data_dir: Path) -> None:
    """No file of the store has another content than its name says."""
    for path in (data_dir / "objects").glob("??/*"):
        if not path.name.startswith("tmp-"):
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.parent.name + path.name, path
