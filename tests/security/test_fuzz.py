"""Requests drawn from the OpenAPI document: never a 500, and what succeeds has the documented shape."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.live import LiveServer
from tests.security.api import Answer, Api
from tests.security.errors import check_refusal
from tests.security.shapes import ANY, DOCUMENT, STREAMS, VERBS, Verb, drawn
from tests.security.world import MISSING_RUN, World, example_path

FUZZED = [verb for verb in VERBS if verb.contract.media_type != STREAMS]
RUNS_SOMETHING = {"POST /jobs/{run_id}/rerun", "POST /jobs/{run_id}/cancel"}
"""With the id of a real job these would start and end processes; they are asked about a run that is none."""
EXAMPLES = 8


def requests(verb: Verb) -> st.SearchStrategy[tuple[dict[str, list[str]], Any, bool]]:
    """(query, body, whether the ids in the path exist)."""
    names = {one["name"]: st.lists(texts(one), max_size=2) for one in verb.query}
    body = drawn(verb.body) if verb.body is not None else st.none() | ANY
    return st.tuples(st.fixed_dictionaries({}, optional=names), body, st.sampled_from([True, True, True, False]))


def texts(parameter: dict[str, Any]) -> st.SearchStrategy[str]:
    if parameter["name"] == "path":
        return st.sampled_from(["folder/file.txt", "folder", "", "none"]) | st.text(max_size=30)
    if parameter["name"] in ("key", "experiment_id"):
        return st.sampled_from(["loss", "1"]) | st.text(max_size=10)
    schema = parameter["schema"]
    schema = schema.get("items", schema)
    return drawn(schema).map(lambda value: value if isinstance(value, str) else msgspec.json.encode(_small(value)).decode())


def _small(value: Any) -> Any:
    return str(value) if isinstance(value, int) and abs(value) >= 2**63 else value


@pytest.mark.parametrize("verb", FUZZED, ids=lambda verb: verb.name)
def test_whatever_is_sent_the_answer_is_documented(target: LiveServer, world: World, person: Api, verb: Verb):
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    @given(requests(verb))
    def attempt(drawn_request: tuple[dict[str, list[str]], Any, bool]) -> None:
        query, body, there = drawn_request
        if verb.method == "DELETE" and verb.query:
            query = {**query, "dry_run": ["true"]}
        names = {} if there and verb.name not in RUNS_SOMETHING else {"run_id": MISSING_RUN, "experiment_id": "999999"}
        if verb.path == "/tokens/{token_id}" or verb.path.startswith("/workspaces/{workspace}/archive"):
            names["token_id"] = MISSING_RUN
        path = example_path(verb.path, world.b, **names)
        content = b"stored\n" if verb.contract.raw_body else None
        json_body = None if content is not None else safe(verb, body)
        check(verb, person.ask(verb.method, path, json_body, query=query, content=content), target)

    attempt()
    person.ok("POST", f"/workspaces/{world.b.name}/restore")
    person.ok("POST", f"/experiments/{world.b.experiment}/restore")


def safe(verb: Verb, body: Any) -> Any:
    """The body, without what would rename the things that other tests look for, or run a job."""
    if not isinstance(body, dict):
        return body
    if verb.path == "/workspaces/{workspace}":
        return {name: value for name, value in body.items() if name != "name"}
    if verb.path.endswith("/jobs"):
        return {**body, "target": "nowhere"}
    return body


def check(verb: Verb, answer: Answer, target: LiveServer) -> None:
    """The answer is one that the document tells of."""
    documented = DOCUMENT["paths"][verb.path][verb.method.lower()]["responses"]
    if answer.status >= 400:
        check_refusal(answer, sent="b' ", roots=(target.folder,))
        if answer.status not in (409, 410, 413):
            assert str(answer.status) in documented, (answer.status, answer.text)
        return
    assert answer.status == verb.contract.status, answer.text
    if verb.contract.reply is not None:
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        msgspec.json.decode(answer.body, type=verb.contract.reply)
    elif verb.contract.media_type == "application/json":
        assert answer.body == b""


def test_every_reply_is_convertible_to_what_is_documented(person: Api, world: World):
    """Whole replies against the contract, unknown fields refused: the document says all that is sent."""
    for verb in VERBS:
        if verb.method != "GET" or verb.contract.reply is None:
            continue
        if verb.path == "/runs/{run_id}/notebook":
            continue  # it needs a notebook among the files: tests/domain/jobs/test_deltas.py
        if verb.path == "/jobs/{run_id}/kernel":
            continue  # it needs a kernel that is kept: tests/jobs/test_kept_kernels.py
        query = {one["name"]: ["loss"] if one["name"] == "key" else "folder/file.txt" for one in verb.query if one["required"]}
        if verb.path.endswith("/history") and "key" in query:
            query["key"] = "loss"
        names = {"run_id": world.a.job} if verb.path.startswith("/jobs") else {}
        answer = person.ask("GET", example_path(verb.path, world.a, **names), query=query)
        assert answer.status == 200, (verb.name, answer.text)
        reply = msgspec.json.decode(answer.body, type=verb.contract.reply)
        assert msgspec.to_builtins(reply) == answer.json() or verb.path.endswith("environment"), verb.name
