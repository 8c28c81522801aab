"""Names as the world writes them, and as attackers do: refused in words, or kept and given back as they were."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live import LiveServer
from tests.security.api import Api, segment
from tests.security.errors import check_no_failure, check_refusal
from tests.security.shapes import STREAMS, VERBS, example
from tests.security.world import MISSING_RUN, World, example_path

NAMES = {
    "slash": "a/b//c",
    "emoji": "🦊👩‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "right to left": "\u202eexe.txt\u202c שלום",
    "zero width": "a\u200bb\u200d\ufeffc",
    "combining": "e\u0301" * 50,
    "quotes": "\"'`\u2018\u2019\u00b4<>&;|$(){}[]!*?~",
    "backslashes": "\\..\\\\n\\u0000",
    "sql": "x' OR 1=1; DROP TABLE runs;--",
    "percent": "%s %d %(a)s {0} {a.b} %00 %2e",
    "template": "{{7*7}} ${7*7} #{7*7} <%= 7*7 %>",
    "noncharacters": "\ufffe\uffff\U0010ffff",
    "numeric": "0",
    "null word": "null",
    "line separators": "a\u2028b\u2029c\x85d",
    "leading dash": "--help",
    "long": "x" * 240,
}
REFUSED_NAMES = {
    "control": "a\x01b",
    "line feed": "a\nb",
    "escape": "\x1b[31mred",
    "delete": "a\x7fb",
    "blank": "   ",
    "empty": "",
}
TOO_LONG = "n" * 10_000
HALF = "\ud800"
"""Half a surrogate pair: `json.dumps` writes it as an escape."""


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_what_is_kept_comes_back_as_it_was(person: Api, world: World, name: str):
    experiment = person.ok(
        "POST", f"/workspaces/{world.a.name}/experiments", {"name": f"{name}!", "description": name, "tags": {name: name}}
    )
    assert (experiment["name"], experiment["description"], experiment["tags"]) == (f"{name}!", name, {name: name})
    body: dict[str, Any] = {"experiment": f"{name}!", "name": name, "note": name, "params": {name: name}, "tags": {name: name}}
    run = person.ok("POST", f"/workspaces/{world.a.name}/runs", {**body, "source": name})
    metric = {"key": name, "value": 1.5, "step": 3, "time": 7}
    person.ok("POST", f"/runs/{run['id']}/log", {"batch_id": "names-batch", "metrics": [metric]})
    person.ok("POST", f"/runs/{run['id']}/io", {"inputs": [{"name": name, "uri": name}]})
    got = person.ok("GET", f"/runs/{run['id']}")
    assert (got["name"], got["note"], got["params"], got["tags"], got["source"]) == (name, name, {name: name}, {name: name}, name)
    assert got["metrics"][name]["last"] == 1.5
    assert got["inputs"][0]["name"] == got["inputs"][0]["uri"] == name
    assert person.ok("GET", f"/runs/{run['id']}/metrics/history", query={"key": name})["steps"] == [3]
    assert person.ok("GET", f"/runs/{run['id']}/metrics/series", query={"key": [name]})["series"][0]["key"] == name
    found = person.ok("GET", f"/workspaces/{world.a.name}/runs", query={"q": name, "experiment_id": [experiment["id"]]})
    assert [one["id"] for one in found["runs"]] == [run["id"]]
    quoted = name.replace("'", "''")
    by_filter = person.ask("GET", f"/workspaces/{world.a.name}/runs", query={"filter": f"attributes.run_name = '{quoted}'"})
    assert [one["id"] for one in by_filter.json()["runs"]] == [run["id"]], by_filter.text
    person.ok("POST", f"/runs/{run['id']}/end", {"status": "Failed", "error": {"message": name}})
    assert person.ok("GET", f"/runs/{run['id']}")["error"]["message"] == name


@pytest.mark.parametrize(
    "name", [*REFUSED_NAMES.values(), TOO_LONG, HALF, "a\0b"], ids=[*REFUSED_NAMES, "too long", "half", "NUL"]
)
def test_names_that_are_no_names_are_refused(person: Api, world: World, name: str):
    for method, path, body in [
        ("POST", f"/workspaces/{world.a.name}/experiments", {"name": name}),
        ("PATCH", f"/experiments/{world.a.experiment}", {"name": name}),
        ("POST", f"/workspaces/{world.a.name}/runs", {"name": name}),
        ("POST", f"/workspaces/{world.a.name}/runs", {"experiment": name}),
        ("PATCH", f"/runs/{world.a.run}", {"name": name}),
        ("POST", "/workspaces", {"name": name}),
        ("PATCH", f"/workspaces/{world.a.name}", {"name": name}),
    ]:
        answer = person.ask(method, path, body)
        assert answer.status == 400, (path, answer.text)
        check_refusal(answer)


@pytest.mark.parametrize("name", ["a/b", "a b", "-a", "a-", "ä", "a\n", "x" * 64, "..", ".", "%2e", "a\u200b", ""])
def test_workspace_names_are_parts_of_addresses(person: Api, world: World, name: str):
    assert check_refusal(person.ask("POST", "/workspaces", {"name": name}))["field"] == "name"


@pytest.mark.parametrize("key", ["", "k" * 251, "a\0b", HALF], ids=["empty", "too long", "NUL", "half"])
def test_keys_that_are_no_keys_are_refused(person: Api, world: World, key: str):
    point = {"key": key, "value": 1, "time": 1}
    for body in ({"metrics": [point]}, {"params": {key: "v"}}, {"tags": {key: "v"}}):
        check_refusal(person.ask("POST", f"/runs/{world.a.run}/log", {"batch_id": "no-such-batch", **body}))
    check_refusal(person.ask("PATCH", f"/runs/{world.a.run}", {"tags": {key: "v"}}))


def test_control_characters_in_values_come_back_as_they_were(person: Api, world: World):
    text = "".join(map(chr, range(1, 0xA0)))
    run = person.ok("POST", f"/workspaces/{world.a.name}/runs", {"params": {text: text}, "tags": {text: text}, "note": text})
    got = person.ok("GET", f"/runs/{run['id']}")
    assert (got["params"], got["tags"], got["note"]) == ({text: text}, {text: text}, text)


IDS = [
    "%00",
    "%0A",
    "%FF",
    "%C0%80",
    "%ED%A0%80",
    "..",
    "%2e%2e",
    "%2F",
    "a%2Fb",
    "%5C",
    "%E2%80%AE",
    "-1",
    "0",
    "9" * 18,
    "9" * 19,
]
IDS += [
    "9" * 4400,
    "x" * 8000,
    "1e5",
    "%D9%A1",
    "null",
    "'",
    "%25",
    "*",
    "~",
    MISSING_RUN,
    MISSING_RUN.upper(),
    MISSING_RUN + "%0A",
]
NAMED = [verb for verb in VERBS if "{" in verb.path and verb.contract.media_type != STREAMS]


@pytest.mark.parametrize("verb", NAMED, ids=lambda verb: verb.name)
def test_ids_in_addresses_that_are_none(target: LiveServer, person: Api, world: World, verb: Any):
    body = example(verb.body) if verb.body is not None else None
    query = {one["name"]: "loss" for one in verb.query if one["required"]}
    content = b"x" if verb.contract.raw_body else None
    for text in IDS:
        if "{workspace}" in verb.path and text.isalnum() and len(text) < 64:
            continue  # a good name of a workspace
        names = dict.fromkeys(("workspace", "experiment_id", "run_id", "token_id", "name", "sha256"), text)
        answer = person.ask(verb.method, example_path(verb.path, world.a, **names), body, query=query, content=content)
        if verb.name == "DELETE /tokens/{token_id}" and answer.status == 204:
            continue  # what is not there is revoked already
        assert answer.status in (400, 404), (text[:40], answer.text[:200])
        check_refusal(answer, sent=text, roots=(target.folder,))


QUERIES = [
    "",
    "\0",
    HALF,
    "'",
    "--",
    "_" * 3000,
    "(" * 3000,
    "NOT " * 3000,
    "\u202e🦊",
    "9" * 5000,
    "-1",
    str(2**63),
    "1e30",
    "nan",
    "٣",
    "[]",
]
ASKED = [verb for verb in VERBS if verb.query and verb.contract.media_type != STREAMS]


@pytest.mark.parametrize("verb", ASKED, ids=lambda verb: verb.name)
def test_query_values_that_make_no_sense(target: LiveServer, person: Api, world: World, verb: Any):
    path = example_path(verb.path, world.a)
    usual = {"path": "folder/file.txt", "area": "artifacts", "place": "0"}
    given = {one["name"]: usual.get(one["name"], "loss") for one in verb.query if one["required"]}
    if verb.method == "DELETE" and any(one["name"] == "dry_run" for one in verb.query):
        given["dry_run"] = "true"
    content = b"stored\n" if verb.contract.raw_body else None
    for parameter in verb.query:
        if (verb.method, parameter["name"]) == ("DELETE", "dry_run"):
            continue
        for text in QUERIES:
            answer = person.ask(verb.method, path, query={**given, parameter["name"]: text}, content=content)
            check_no_failure(answer, sent=f"{parameter['name']} {text}", roots=(target.folder,))
        twice = person.ask(verb.method, path, query={**given, parameter["name"]: ["1", "true"]}, content=content)
        check_no_failure(twice, sent=parameter["name"])
        if parameter["schema"].get("type") == "integer":
            for text in ("", str(2**63), "1e30", "9" * 5000, "x", "1.5", "nan"):
                answer = person.ask(verb.method, path, query={**given, parameter["name"]: text}, content=content)
                assert check_refusal(answer)["field"] == parameter["name"]
    unknown = person.ask(verb.method, path, query={**given, "no_such": "1"}, content=content)
    assert check_refusal(unknown)["field"] == "no_such"


def test_long_searches_and_patterns_are_refused_or_answered(person: Api, world: World):
    runs, experiments = f"/workspaces/{world.a.name}/runs", f"/workspaces/{world.a.name}/experiments"
    for text in ("_" * 50_000, "%" * 15_000, "\\" * 15_000):
        assert person.ask("GET", runs, query={"q": text}).status == 400
        assert person.ask("GET", experiments, query={"q": text}).status == 400
        check_no_failure(person.ask("GET", runs, query={"filter": f"attributes.run_name LIKE '{text}'"}))
    assert segment(HALF) == "%ED%A0%80"
