"""Who may do what: every verb, asked by every kind of caller about things of its own workspace, of another one, and that are not there.

`python -m tests.security.matrix` writes `matrix.json` anew; look at the difference before you keep it.
"""

from __future__ import annotations

import http.client
import itertools
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.live import LiveServer
from tests.security.api import PREFIX, Api
from tests.security.shapes import STREAMS, VERBS, Verb, example
from tests.security.world import MISSING_RUN, Space, World, example_path

GOLDEN = Path(__file__).with_name("matrix.json")
Row = dict[str, dict[str, int]]
OBJECTS = ("same", "other", "missing")
"""Of the caller's own workspace (of the first one, for callers without one); of another workspace; not there at all."""
NO_ENTRY = ("stranger", "revoked", "expired")
BY_BODY = ("/tokens", "/tokens/exchange")
"""Routes whose body names the workspace."""
ASKED = {"key": "loss", "q": "words", "area": "artifacts", "place": "1"}
"""Queries that must be given, but for paths."""
VARIANTS = {
    "DELETE /runs/{run_id}": ["purge", "dry_run"],
    "DELETE /experiments/{experiment_id}": ["dry_run"],
    "DELETE /workspaces/{workspace}": ["dry_run"],
}
"""Flags that make another question of a verb."""


class Matrix:
    """Asks. What a request changed is put back, so that the order of the questions makes no difference."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.person = world.person
        self.words: dict[tuple[str, str, str], str] = {}
        """What was answered, with the ids left out, by (verb, caller, object)."""
        self.finished = {space.name: self._finished_job(space) for space in (world.a, world.b)}
        self.spare = {
            space.name: self.person.ok("POST", "/tokens", {"workspace": space.name})["id"] for space in (world.a, world.b)
        }
        self._numbers = itertools.count()
        for space in (world.a, world.b):  # what still runs could not be deleted by anybody
            self.person.ok("POST", f"/runs/{space.run}/end", {"status": "Completed"})
        tokens: dict[str, str | None] = {
            "stranger": None,
            "person": world.server.token,
            "local": world.server.owner()["token"],
            "kernel": world.a.kernel["secret"],
            "job": world.a.job_token,
            "revoked": world.revoked,
            "expired": world.expired,
        }
        self.callers = {name: Api(world.server, token) for name, token in tokens.items()}

    def _finished_job(self, space: Space) -> str:
        body = {"spec": {"kind": "command", "command": "echo made > made.txt"}, "experiment": "studied"}
        run_id = str(self.person.ok("POST", f"/workspaces/{space.name}/jobs", body)["run"]["id"])
        self.world.server.wait(run_id)
        return run_id

    def row(self, verb: Verb, flag: str = "") -> Row:
        """The statuses that a verb answers with, by caller and object."""
        found: Row = {}
        for caller in self.callers:
            for what in self._objects(verb, caller):
                found.setdefault(caller, {})[what] = self._ask(verb, caller, what, flag)
                self._put_back(verb)
        return found

    def _objects(self, verb: Verb, caller: str) -> tuple[str, ...]:
        if caller in NO_ENTRY:
            return ("same",)
        if "{" not in verb.path and verb.path not in BY_BODY:
            return ("any",)
        if caller == "job" and "{run_id}" in verb.path:
            return ("its own", *OBJECTS)
        return OBJECTS

    def _ask(self, verb: Verb, caller: str, what: str, flag: str) -> int:
        api, space = self.callers[caller], self.world.b if what == "other" else self.world.a
        missing = {
            "workspace": "no-such",
            "experiment_id": "999999",
            "run_id": MISSING_RUN,
            "token_id": MISSING_RUN,
            "name": "no-such",
        }
        job = self.world.a.job if what == "its own" else self.finished[space.name]
        run = job if verb.path.startswith("/jobs/") or what == "its own" else space.run
        names = {"run_id": run, "token_id": self.spare[space.name]} if what != "missing" else missing
        path = example_path(verb.path, space, **names)
        if verb.contract.media_type == STREAMS:
            return stream_status(api, path)
        stored = "folder/drawn.ipynb" if verb.path.startswith("/runs/{run_id}/notebook") else "folder/file.txt"
        query = {one["name"]: ASKED.get(one["name"], stored) for one in verb.query if one["required"]}
        query.update({flag: "true"} if flag else {})
        content = b"stored\n" if verb.contract.raw_body else None
        answer = api.ask(verb.method, path, self._body(verb, space, what), query=query, content=content)
        assert answer.status < 500, (verb.name, caller, what, answer.text)
        self.words[verb.name, caller, what] = without_ids(answer.text, path.split("/"))
        return answer.status

    def _body(self, verb: Verb, space: Space, what: str) -> Any:
        body: Any = example(verb.body) if verb.body is not None else None
        if verb.path.endswith("/jobs") and verb.method == "POST":
            return {**body, "experiment": "studied"}
        if "/jobs/file" in verb.path:
            return {"text": "command: 'true'\nexperiment_name: studied\n"}
        if verb.path in BY_BODY:
            return {"workspace": "no-such" if what == "missing" else space.name}
        if verb.path.endswith("/keep"):
            return {"path": "made.txt"}
        if verb.path.endswith("/end"):
            return {"status": "Completed"}
        if isinstance(body, dict) and "name" in body:
            body["name"] = f"made-{next(self._numbers)}"
        if isinstance(body, dict) and "experiment_id" in body:
            body["experiment_id"] = space.experiment
        if isinstance(body, dict) and "batch_id" in body:
            body["batch_id"] = f"batch-{next(self._numbers):06}"
        return body

    def _put_back(self, verb: Verb) -> None:
        for space in (self.world.a, self.world.b):
            if verb.name == "DELETE /runs/{run_id}":
                self.person.ok("POST", f"/runs/{space.run}/restore")
            elif verb.path.endswith("{workspace}/archive"):
                self.person.ok("POST", f"/workspaces/{space.name}/restore")
            elif verb.path.endswith("{name}/archive"):
                self.person.ok("POST", f"/workspaces/{space.name}/environments/local/restore")
            elif verb.path.endswith("{experiment_id}/archive"):
                self.person.ok("POST", f"/experiments/{space.experiment}/restore")

    def close(self) -> None:
        """Let go of the connections."""
        for api in self.callers.values():
            api.close()


def without_ids(text: str, ids: list[str]) -> str:
    """The text, each of these names left out where it stands in quotes."""
    for one in ids:
        text = text.replace(f"'{one}'", "…")
    return text


def stream_status(api: Api, path: str) -> int:
    """The status of an answer that never ends."""
    connection = http.client.HTTPConnection(str(api._place.hostname), api._place.port, timeout=10)
    headers = {} if api.token is None else {"Authorization": f"Bearer {api.token}"}
    connection.request("GET", f"{api._place.path}{PREFIX}{path}", headers=headers)
    answer = connection.getresponse()
    answer.close()
    connection.close()
    return answer.status


def observed(world: World) -> dict[str, Row]:
    """The whole matrix. What another workspace has must be answered in the very words for what is not there."""
    matrix = Matrix(world)
    try:
        found = {}
        for verb in sorted(VERBS, key=lambda verb: (verb.path, verb.method)):
            found[verb.name] = matrix.row(verb)
            found.update({f"{verb.name}?{flag}=true": matrix.row(verb, flag) for flag in VARIANTS.get(verb.name, [])})
        for (name, caller, what), words in matrix.words.items():
            if what == "other" and caller in ("kernel", "job") and "/compute/" not in name:
                assert words == matrix.words[name, caller, "missing"], (name, caller, words)
        return found
    finally:
        matrix.close()


def written(rows: dict[str, Row]) -> str:
    """The matrix as JSON, a line for each caller."""
    lines = []
    for name, row in rows.items():
        callers = ",\n".join(f"    {json.dumps(caller)}: {json.dumps(answers)}" for caller, answers in row.items())
        lines.append(f"  {json.dumps(name)}: {{\n{callers}\n  }}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    """Write the file anew."""
    with tempfile.TemporaryDirectory() as folder:
        server = LiveServer(Path(folder), options=["--MlwsApp.max_jobs=8"]).start()
        world = World(server, "space")
        try:
            GOLDEN.write_text(written(observed(world)))
        finally:
            world.close()
            server.stop()
    sys.stdout.write(f"{GOLDEN} written; `git diff` shows what changed\n")


if __name__ == "__main__":
    main()
