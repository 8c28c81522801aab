"""A whole Jupyter server on PostgreSQL: it does what one on SQLite does, answer for answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.live import LiveServer, write_notebook
from tests.postgres import PostgresServer

SPACE = "twins"
TRAIN = """
import mlws
for step in range(700):
    mlws.log_metric("loss", 1 / (step + 1) / lr, step=step)
mlws.log_metrics({"accuracy": 0.5 + lr, "odd": float("nan")})
mlws.set_tag("Étage", "prüfung")
mlws.log_text("hello", "notes/hello.txt")
print("trained with", lr)
"""
COMMAND = """python - <<'PY'
import mlws
mlws.log_metric("accuracy", 0.25)
mlws.log_params({"Zeta": 1, "alpha": 2, "_x": 3})
PY
mkdir -p outputs/a outputs/B && echo done > outputs/a/r.txt && echo more > outputs/B/s.txt
"""
QUERIES: list[dict[str, Any]] = [
    {},
    {"order_by": "metrics.accuracy desc"},
    {"order_by": ["params.lr", "run_name desc"]},
    {"order_by": ["status", "kind", "run_name"]},
    {"filter": "metrics.accuracy > 0.3 and params.lr = '0.25'"},
    {"filter": "metrics.odd = NaN or tags.`Étage` ilike 'PRÜ%'"},
    {"filter": "status = 'FINISHED' and kind != 'interactive'", "order_by": "run_name"},
    {"q": "übung"},
    {"view": "deleted"},
    {"limit": 2, "order_by": "run_name"},
    {"filter": "metrics.accuracy >"},
    {"order_by": "nothing"},
    {"cursor": "W10"},
]
MEASURED = {"peak_memory_bytes", "cpu_time_s"}
LEFT_OUT = {"modified_at", "next_cursor"}
READS = [
    *("", "/history", "/metrics", "/metrics/history?key=loss&limit=3", "/metrics/series?key=loss&key=odd&points=20"),
    *("/artifacts?recursive=true", "/artifacts?path=outputs", "/artifacts/preview?path=notes/hello.txt", "/metrics/csv?key=odd"),
    *("/snapshot?recursive=true", "/snapshot/diff?path=train.ipynb"),
]


def _sampled(key: Any) -> bool:
    """What a job used is measured every few seconds: how often, and what, is no answer to compare."""
    return str(key).startswith("system/")


class Twin:
    """One of the two servers. What it answers is kept with ids, hashes and times replaced by what they are."""

    def __init__(self, server: LiveServer) -> None:
        self.server = server
        self.said: list[tuple[str, int, Any]] = []
        self._names: dict[str, str] = {}
        self._experiments: dict[str, str] = {}
        self._client = httpx.Client(
            base_url=f"{server.url}/mlws/api/v1", headers={"Authorization": f"Bearer {server.token}"}, timeout=30
        )

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """One request; its answer as it is."""
        answer = self._client.request(method, path, **({"json": body} if body is not None else {}), **options)
        json = answer.json() if "json" in answer.headers.get("Content-Type", "") else answer.text
        what = f"{method} {self._plain(path)} {options.get('params', '')}"
        self.said.append((what, answer.status_code, self._plain(json)))
        return json

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def name(self, identity: str, words: str) -> str:
        """From now on this id is written as these words."""
        self._names[identity] = f"<{words}>"
        return identity

    def _plain(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {
                name: self._plain(inner, name) for name, inner in value.items() if name not in LEFT_OUT and not _sampled(name)
            }
        if isinstance(value, list) and key == "ended":  # in the order of their ids, which are made by chance
            return sorted(self._plain(inner, key) for inner in value)
        if isinstance(value, list):
            return [self._plain(inner, key) for inner in value if not (isinstance(inner, dict) and _sampled(inner.get("key")))]
        if key == "experiment_id" or (key == "id" and len(str(value)) < 32):
            return self._experiments.setdefault(str(value), f"<experiment {len(self._experiments)}>")
        if key in MEASURED and value is not None:
            return "<measured>"
        if isinstance(value, int) and (value > 10**12 or key in ("duration_ms", "size", "bytes_freed")):
            return "<number>"
        if isinstance(value, str):
            for identity, words in self._names.items():
                value = value.replace(identity, words)
            return re.sub(r"[0-9a-f]{32,64}|\b1[78]\d{11}\b", "<hash>", value)
        return value

    def play(self) -> None:
        """All of it: jobs, what they left, searches, bin and purge."""
        self.ask("POST", "/workspaces", {"name": SPACE})
        ids = self._make_runs()
        ids += self._run_jobs()
        for run_id in ids[1:]:
            for path in READS:
                self.ask("GET", f"/runs/{run_id}{path}")
        for query in QUERIES:
            self.ask("GET", f"/workspaces/{SPACE}/runs", params=query)
        self._delete(ids)

    def _make_runs(self) -> list[str]:
        ids: list[str] = []
        for n, word in enumerate(["Übung 1", "übung 2", "zebra"]):
            body = {"experiment": "Ärger", "name": word, "params": {"lr": f"0.{n}", "B": "1", "a": "2"}, "tags": {"n": str(n)}}
            if n == 1:
                body["parent_id"] = ids[0]
            run_id = self.name(self.server.ok("POST", f"/workspaces/{SPACE}/runs", body)["id"], f"run {n}")
            values = {"accuracy": n / 2, "odd": "-Infinity"}
            metrics = [{"key": key, "value": value, "step": 0, "time": 1} for key, value in values.items()]
            batch = {"batch_id": f"batch-{n}-of-twins", "metrics": metrics}
            self.ask("POST", f"/runs/{run_id}/log", batch)
            self.ask("POST", f"/runs/{run_id}/log", batch)
            self.ask("PUT", f"/runs/{run_id}/artifacts/content", params={"path": f"{word}/x"}, content=b"x" * n)
            self.ask("POST", f"/runs/{run_id}/end", {"status": ["Completed", "Failed", "Canceled"][n]})
            ids.append(run_id)
        experiment = self.server.ok("GET", f"/runs/{ids[0]}")["experiment_id"]
        self.name(f"/experiments/{experiment}", "experiment")
        self.ask("PATCH", f"/experiments/{experiment}", {"goal": {"metric": "accuracy", "direction": "maximize"}})
        self.ask("GET", f"/workspaces/{SPACE}/experiments", params={"q": "ÄRG"})
        return ids

    def _run_jobs(self) -> list[str]:
        write_notebook(self.server.root / SPACE / "train.ipynb", TRAIN, parameters="lr = 0.1")
        (self.server.root / "beside.txt").touch()  # the one server may have the folders of other tests there
        specs = [
            {"kind": "notebook", "notebook": f"{SPACE}/train.ipynb", "parameters": {"lr": 0.25}},
            {"kind": "command", "command": COMMAND},
        ]
        ids: list[str] = []
        for n, spec in enumerate(specs):  # one after the other: which of two ends first is no answer to compare
            job = self.server.ok("POST", f"/workspaces/{SPACE}/jobs", {"spec": spec, "experiment": "Jobs"})
            ids.append(self.name(job["run"]["id"], f"job {n}"))
            run = self.server.wait(ids[-1])
            assert (run["status"], run["error"]) == ("Completed", None), self.server.log()[-3000:]
        for run_id in ids:
            self.ask("GET", f"/jobs/{run_id}")
        self.ask("GET", f"/workspaces/{SPACE}/jobs")
        return ids

    def _delete(self, ids: list[str]) -> None:
        for run_id in (ids[0], ids[3]):
            self.ask("DELETE", f"/runs/{run_id}", params={"dry_run": "true"})
            self.ask("DELETE", f"/runs/{run_id}", params={"purge": "true"})
            self.ask("DELETE", f"/runs/{run_id}")
            self.ask("GET", f"/workspaces/{SPACE}/runs", params={"view": "deleted", "order_by": "run_name"})
            self.ask("POST", f"/runs/{run_id}/restore")
            self.ask("DELETE", f"/runs/{run_id}")
            self.ask("DELETE", f"/runs/{run_id}", params={"purge": "true"})
            self.ask("GET", f"/runs/{run_id}")
        self.ask("GET", f"/workspaces/{SPACE}/runs", params={"view": "all", "order_by": "run_name"})
        self.ask("POST", f"/workspaces/{SPACE}/archive")
        self.ask("DELETE", f"/workspaces/{SPACE}")
        self.ask("GET", f"/workspaces/{SPACE}")


@pytest.mark.slow
@pytest.mark.postgres
def test_a_server_on_postgresql_answers_as_one_on_sqlite(
    server: LiveServer, new_server: Callable[..., LiveServer], postgres: PostgresServer
) -> None:
    url = postgres.new_database().render_as_string(hide_password=False)
    other = new_server(environment={"MLWS_DATABASE_URL": url})
    twins = Twin(server), Twin(other.start())
    for twin in twins:
        twin.play()
        twin.close()
    ours, theirs = (twin.said for twin in twins)
    for (what, status, body), answer in zip(ours, theirs, strict=True):
        assert answer == (what, status, body), what
    searches = [body for what, status, body in ours if what.startswith(f"GET /workspaces/{SPACE}/runs ") and status == 200]
    assert [len(body["runs"]) for body in searches[:10]] == [5, 5, 5, 5, 1, 1, 2, 2, 0, 2]
    assert {status for _, status, _ in ours} == {200, 201, 400, 404, 409}
    assert not (other.data_dir / "mlws.db").exists()
    assert "Traceback" not in other.log()
