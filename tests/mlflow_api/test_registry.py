"""MLflow's routes of registered models and their versions, by bare requests to a real server."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.live import LiveServer
from tests.mlflow_api.conftest import Wire

IPV, RDNE, RAE = "INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST", "RESOURCE_ALREADY_EXISTS"
PROMPT = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]


def fresh(wire: Wire, **fields: Any) -> str:
    """The name of a new registered model."""
    name = f"m-{uuid.uuid4().hex[:12]}"
    wire.post("registered-models/create", name=name, **fields)
    return name


def version(wire: Wire, name: str, source: str = "s3://b/m", **fields: Any) -> dict[str, Any]:
    """A new version."""
    made: dict[str, Any] = wire.post("model-versions/create", name=name, source=source, **fields)["model_version"]
    return made


def test_a_registered_model(wire: Wire):
    name = fresh(wire, tags=[{"key": "a", "value": "1"}, {"key": "a", "value": "2"}, {"key": "b"}])
    found = wire.get("registered-models/get", name=name)["registered_model"]
    assert set(found) == {"name", "creation_timestamp", "last_updated_timestamp", "tags"}
    assert found["tags"] == [{"key": "a", "value": "2"}, {"key": "b", "value": ""}]
    assert (
        wire.ask("PATCH", "registered-models/update", {"name": name, "description": "d"})["registered_model"]["description"]
        == "d"
    )
    assert "description" not in wire.ask("PATCH", "registered-models/update", {"name": name})["registered_model"]
    assert wire.post("registered-models/set-tag", name=name, key="k") == {}
    for _ in range(2):
        assert wire.ask("DELETE", "registered-models/delete-tag", {"name": name, "key": "a"}) == {}
    version(wire, name)
    new = name + "ü@#"
    renamed = wire.post("registered-models/rename", name=name, new_name=new)["registered_model"]
    assert (renamed["name"], renamed["latest_versions"][0]["name"]) == (new, new)
    assert [tag["key"] for tag in renamed["tags"]] == ["b", "k"]
    assert wire.ask("DELETE", "registered-models/delete", {"name": new}) == {}
    gone = (RDNE, f"Registered Model with name={new} not found")
    assert wire.refused("DELETE", "registered-models/delete", {"name": new}, status=404) == gone
    assert wire.refused("GET", "registered-models/get", status=404, params={"name": new}) == gone


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "Missing value for required parameter 'name'. See the API docs for more information about request parameters."),
        ({"name": " "}, "Missing value for required parameter 'name'."),
        ({"name": "a/b"}, "Invalid model name 'a/b'. Names cannot contain '/' or ':'."),
        ({"name": "a:b"}, "Invalid model name 'a:b'. Names cannot contain '/' or ':'."),
        ({"name": ".."}, "Invalid value \"..\" for parameter 'name' supplied: Names may be treated as files"),
        ({"name": "x" * 257}, "'name' exceeds the maximum length of 256 characters"),
        ({"name": "x", "tags": [{"key": "b@d"}]}, "Invalid value \"b@d\" for parameter 'key' supplied: Names may only contain"),
        ({"name": "x", "tags": [{"key": "a" * 251}]}, "'key' exceeds the maximum length of 250 characters"),
        (
            {"name": "x", "tags": [{"key": "a", "value": "v" * 100_001}]},
            "'value' exceeds the maximum length of 100000 characters",
        ),
    ],
)
def test_names_and_tags_that_are_refused(wire: Wire, body: dict[str, Any], words: str):
    code, message = wire.refused("POST", "registered-models/create", body)
    assert code == IPV
    assert message.startswith(words)


def test_models_and_prompts_share_their_names(wire: Wire):
    model, prompt = fresh(wire), fresh(wire, tags=PROMPT)
    taken = (RAE, f"Registered Model (name={model}) already exists.")
    assert wire.refused("POST", "registered-models/create", {"name": model}) == taken
    code, message = wire.refused("POST", "registered-models/rename", {"name": prompt, "new_name": model})
    assert code == RAE
    assert message.startswith(f"{taken[1]} Error: ")
    both = {"name": prompt, "tags": PROMPT}
    assert wire.refused("POST", "registered-models/create", both) == (RAE, f"Prompt (name={prompt}) already exists.")
    for name, tags, kinds in ((prompt, [], ("registered model", "prompt")), (model, PROMPT, ("prompt", "registered model"))):
        _, message = wire.refused("POST", "registered-models/create", {"name": name, "tags": tags})
        assert message.startswith(
            f"Tried to create a {kinds[0]} with name '{name}', but the name is already taken by a {kinds[1]}."
        )
    bad = {"name": prompt, "source": "s3://b/x", "tags": PROMPT}
    assert wire.refused("POST", "model-versions/create", bad)[1].startswith("Invalid prompt source: 's3://b/x'.")
    version(wire, prompt, "dummy-source", tags=[*PROMPT, {"key": "mlflow.prompt.text", "value": "hi"}])
    _, message = wire.refused("POST", "model-versions/create", {"name": model, "source": f"models:/{prompt}/1"})
    assert message.endswith("Prompt versions cannot be used as model version sources.")
    flag = "`mlflow.prompt.is_prompt`"
    for text, found in (
        (f"name IN ('{model}', '{prompt}')", [model]),
        (f"name = '{prompt}'", []),
        (f"name = '{prompt}' AND tags.{flag} = 'true'", [prompt]),
        (f"name = '{model}' AND tag.{flag} != 'true'", [model]),
    ):
        answer = wire.get("registered-models/search", filter=text)
        assert [item["name"] for item in answer.get("registered_models", [])] == found
    assert wire.get("model-versions/search", filter=f"name = '{prompt}'") == {}


def test_a_version(wire: Wire):
    name = fresh(wire)
    made = version(wire, name)
    times = {made.pop("creation_timestamp"), made.pop("last_updated_timestamp")}
    assert len(times) == 1
    assert made == {
        "name": name,
        "version": "1",
        "current_stage": "None",
        "description": "",
        "source": "s3://b/m",
        "run_id": "",
        "status": "READY",
        "run_link": "",
    }
    second = version(wire, name, run_id="r", run_link="l", description="d", tags=[{"key": "t", "value": "v"}])
    assert (second["version"], second["run_id"], second["tags"]) == ("2", "r", [{"key": "t", "value": "v"}])
    where: dict[str, Any] = {"name": name, "version": "2"}
    assert "description" not in wire.ask("PATCH", "model-versions/update", where)["model_version"]
    wire.post("model-versions/set-tag", **where, key="k", value="v")
    wire.ask("DELETE", "model-versions/delete-tag", {**where, "key": "t"})
    wire.ask("DELETE", "model-versions/delete-tag", {**where, "key": "t"})
    assert wire.get("model-versions/get", name=name, version="02")["model_version"]["tags"] == [{"key": "k", "value": "v"}]
    wire.ask("DELETE", "model-versions/delete", where)
    assert wire.refused("DELETE", "model-versions/delete", where, status=404) == (
        RDNE,
        f"Model Version (name={name}, version=2) not found",
    )
    assert version(wire, name)["version"] == "3"
    number = wire.refused("GET", "model-versions/get", params={"name": name, "version": "x"})
    assert number == (IPV, "Parameter 'version' must be an integer, got 'x'.")
    assert wire.refused("PATCH", "model-versions/update", {"name": name, "version": 1})[0] == IPV
    assert wire.refused("GET", "model-versions/get-download-uri", params={"name": name})[1].endswith("got ''.")
    missing = wire.refused("GET", "model-versions/get-download-uri", params={"version": "1"})
    assert missing == (IPV, "Missing value for required parameter 'name'.")
    assert wire.refused("POST", "model-versions/create", {"name": "nope", "source": "s3://b/x"}, status=404)[0] == RDNE


def test_stages_and_aliases(wire: Wire):
    name = fresh(wire)
    for _ in range(3):
        version(wire, name)

    def move(number: str, stage: str, **fields: Any) -> str:
        answer = wire.post("model-versions/transition-stage", name=name, version=number, stage=stage, **fields)
        return str(answer["model_version"]["current_stage"])

    assert move("1", "production") == "Production"
    assert move("2", "Production", archive_existing_versions=True) == "Production"
    latest = wire.post("registered-models/get-latest-versions", name=name)["model_versions"]
    assert {item["current_stage"]: item["version"] for item in latest} == {"Archived": "1", "Production": "2", "None": "3"}
    only = wire.get("registered-models/get-latest-versions", name=name, stages=["staging", "PRODUCTION"])["model_versions"]
    assert [item["version"] for item in only] == ["2"]
    bad: dict[str, Any] = {"name": name, "version": "1", "stage": "foo"}
    words = "Invalid Model Version stage: foo. Value must be one of None, Staging, Production, Archived."
    assert wire.refused("POST", "model-versions/transition-stage", bad) == (IPV, words)
    bad = {"name": name, "version": "1", "stage": "none", "archive_existing_versions": True}
    assert "'None' is not an Active stage" in wire.refused("POST", "model-versions/transition-stage", bad)[1]

    for alias in ("champ", "other", "1"):
        wire.post("registered-models/alias", name=name, alias=alias, version="2")
    assert wire.get("model-versions/get", name=name, version="2")["model_version"]["aliases"] == ["1", "champ", "other"]
    assert "aliases" not in wire.get("model-versions/search", filter=f"name='{name}' and version_number = 2")["model_versions"][0]
    found = wire.get("registered-models/get", name=name)["registered_model"]
    assert {"alias": "champ", "version": "2"} in found["aliases"]
    assert all("aliases" not in item for item in found["latest_versions"])
    assert wire.get("registered-models/alias", name=name, alias="Latest")["model_version"]["version"] == "3"
    for alias, words in (
        ("a b", "Invalid alias name: 'a b'. Names may only contain alphanumerics, underscores (_), and dashes (-)."),
        ("LATEST", "'latest' alias name (case insensitive) is reserved."),
        ("v1", "Version alias name 'v1' is reserved."),
        ("a" * 256, "'Registered model alias name' exceeds the maximum length of 255 characters"),
    ):
        body = {"name": name, "alias": alias, "version": "1"}
        assert wire.refused("POST", "registered-models/alias", body) == (IPV, words)
    unknown = wire.refused("GET", "registered-models/alias", params={"name": name, "alias": "nope"})
    assert unknown == (IPV, "Registered model alias nope not found.")
    wire.ask("DELETE", "model-versions/delete", {"name": name, "version": "2"})
    assert wire.refused("GET", "registered-models/alias", params={"name": name, "alias": "champ"})[0] == IPV
    empty = fresh(wire)
    nothing = wire.refused("GET", "registered-models/alias", status=404, params={"name": empty, "alias": "latest"})
    assert nothing == (RDNE, f"Latest version not found for model {empty}.")


CONTAIN = "The {} request parameter must identify the resource that contains the source."


@pytest.mark.parametrize(
    ("source", "given", "words"),
    [
        ("http://h/x", {}, "'source' cannot use the 'http' scheme"),
        ("mlflow-artifacts://h/x", {}, "'source' cannot use the 'mlflow-artifacts' scheme"),
        ("models://h/m/1", {}, "must use the active model registry."),
        ("/etc/passwd", {"run_id": "$run"}, "To use a local path as a model version source, the run_id"),
        ("file:///etc/passwd", {"model_id": "$model"}, "To use a local path as a model version source, the model_id"),
        ("C:\\x", {}, "To use a local path as a model version source"),
        ("s3://b/../x", {}, "an absolute path must be provided"),
        ("s3://b/a/%252e%252e/x", {}, "an absolute path must be provided"),
        ("s3://b/./x", {}, "an absolute path must be provided"),
        ("gs://b", {}, "an absolute path must be provided"),
        ("weird:x", {}, "an absolute path must be provided"),
        ("runs:/$run/m", {}, CONTAIN.format("run_id")),
        ("runs:/$run/m", {"run_id": "$other"}, CONTAIN.format("run_id")),
        ("runs://h/$run/m", {"run_id": "$run"}, CONTAIN.format("run_id")),
        ("runs:/$run/m", {"run_id": "$run", "model_id": "$model"}, CONTAIN.format("model_id")),
        ("models:/$model", {}, CONTAIN.format("model_id")),
        ("mlflow-artifacts:/$e/$run/artifacts/m", {"run_id": "$other"}, CONTAIN.format("run_id")),
        ("mlflow-artifacts:/$e/$run/artifacts/../../x", {"run_id": "$run"}, "an absolute path must be provided"),
        ("mlflow-artifacts:/$e/models/$model/artifacts", {"run_id": "$run"}, CONTAIN.format("run_id")),
        ("mlflow-artifacts:/$e/" + "0" * 32 + "/artifacts", {"run_id": "0" * 32}, CONTAIN.format("run_id")),
        ("mlflow-artifacts:/", {"run_id": "$run"}, "an absolute path must be provided"),
        ("s3://[b/x", {}, "It is no URI."),
    ],
)
def test_sources_that_are_refused(wire: Wire, source: str, given: dict[str, str], words: str):
    names = parts(wire)
    body = {"name": fresh(wire), "source": fill(source, names), **{key: fill(value, names) for key, value in given.items()}}
    code, message = wire.refused("POST", "model-versions/create", body)
    assert code == IPV
    assert words in message


def parts(wire: Wire) -> dict[str, str]:
    """What sources are made of: an experiment with two runs and a logged model of the first."""
    experiment = wire.experiment(uuid.uuid4().hex)
    run = wire.run(experiment)
    model = wire.post("logged-models", experiment_id=experiment, name="lm", source_run_id=run)["model"]["info"]["model_id"]
    return {"$run": run, "$other": wire.run(experiment), "$model": model, "$e": experiment}


def fill(text: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(name, value)
    return text


def test_where_the_files_of_versions_lie(wire: Wire):
    names = parts(wire)
    run, model, experiment = names["$run"], names["$model"], names["$e"]
    name, copy = fresh(wire), fresh(wire)
    place = f"mlflow-artifacts:/{experiment}/models/{model}/artifacts"
    for source, given, location, of_run in (
        ("s3://b/a//x/", {"run_id": "anything"}, "s3://b/a//x/", "anything"),
        (f"runs:/{run}/m", {"run_id": run}, f"runs:/{run}/m", run),
        (f"mlflow-artifacts:/{experiment}/{run}/artifacts/m", {"run_id": run}, None, run),
        (f"models:/{model}", {"model_id": model}, place, run),
        (place, {"model_id": model}, place, run),
    ):
        made = version(wire, name, source, **given)
        assert (made["source"], made["run_id"]) == (source, of_run)
        uri = wire.get("model-versions/get-download-uri", name=name, version=made["version"])
        assert uri == {"artifact_uri": location or source}
    wire.post("registered-models/alias", name=name, alias="champ", version="4")
    for reference, number in ((f"{name}/4", "4"), (f"{name}@champ", "4"), (f"{name}/latest", "5"), (f"{name}/None", "5")):
        made = version(wire, copy, f"models:/{reference}")
        assert (made["source"], made["run_id"]) == (f"models:/{name}/{number}", run)
        assert wire.get("model-versions/get-download-uri", name=copy, version=made["version"]) == {"artifact_uri": place}
    other = {"name": copy, "source": f"models:/{name}/1", "run_id": run}
    assert wire.refused("POST", "model-versions/create", other)[1].endswith("must match the referenced model version.")
    for source, status, code in (
        (f"models:/{name}/99", 404, RDNE),
        ("models:/nope/1", 404, RDNE),
        (f"models:/{name}/Production", 404, RDNE),
        (f"models:/{name}@nope", 400, IPV),
        (f"models:/{name}/bogus", 400, IPV),
    ):
        assert wire.refused("POST", "model-versions/create", {"name": copy, "source": source}, status=status)[0] == code
    unknown = {"name": copy, "source": "s3://b/x", "model_id": "m-nope"}
    words = "Logged model with ID 'm-nope' not found."
    assert wire.refused("POST", "model-versions/create", unknown, status=404) == (RDNE, words)


def test_pages_and_orders_of_searches(wire: Wire):
    name = fresh(wire)
    for _ in range(3):
        version(wire, name)
    seen, token = [], None
    while True:
        answer = wire.get(
            "model-versions/search", filter=f"name='{name}'", max_results=2, **({"page_token": token} if token else {})
        )
        seen += [item["version"] for item in answer["model_versions"]]
        token = answer.get("next_page_token")
        if token is None:
            break
    assert seen == ["3", "2", "1"]
    ordered = wire.get("model-versions/search", filter=f"name='{name}'", order_by=["version_number ASC"])["model_versions"]
    assert [item["version"] for item in ordered] == ["1", "2", "3"]
    zero = wire.refused("GET", "model-versions/search", params={"max_results": 0})
    assert zero == (IPV, "Invalid value for max_results. It must be a positive integer, but got 0")
    assert wire.refused("GET", "model-versions/search", params={"max_results": 200_001})[1].startswith('Invalid value "200001"')
    assert wire.refused("GET", "registered-models/search", params={"max_results": 1001})[1].startswith('Invalid value "1001"')
    assert wire.get("registered-models/search", max_results=0) == {}
    for route, query in (
        ("registered-models/search", {"order_by": "creation_timestamp"}),
        ("registered-models/search", {"filter": "name > 'a'"}),
        ("registered-models/search", {"page_token": "!"}),
        ("model-versions/search", {"order_by": "current_stage"}),
        ("model-versions/search", {"filter": "version_number = 3.5"}),
    ):
        assert wire.refused("GET", route, params=query)[0] == IPV


def test_workspaces_do_not_see_each_others_models(wire: Wire, server: LiveServer):
    space = f"w{uuid.uuid4().hex[:8]}"
    server.ok("POST", "/workspaces", {"name": space})
    there = Wire(server, space)
    names = parts(wire)
    name = fresh(wire)
    version(wire, name)
    there.refused("GET", "registered-models/get", status=404, params={"name": name})
    assert there.get("registered-models/search") == {}
    assert there.get("model-versions/search") == {}
    there.post("registered-models/create", name=name)
    run, model, experiment = names["$run"], names["$model"], names["$e"]
    place = {"name": name, "source": f"mlflow-artifacts:/{experiment}/{run}/artifacts", "run_id": run}
    assert there.refused("POST", "model-versions/create", place)[1].endswith(CONTAIN.format("run_id"))
    there.refused("POST", "model-versions/create", {"name": name, "source": f"models:/{model}", "model_id": model}, status=404)
    there.close()
