"""Random sequences of calls of the model registry, the same at MLflow's server and at ours (`Pair`)."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.mlflow_api.machine import EXAMPLES, good_pairs, pairs, text_operators, text_values
from tests.mlflow_api.pair import Pair

NAMES = st.sampled_from(["a", "b", "c d"])
ODD_NAMES = st.sampled_from(["", " ", "a/b", "a:b", "."])
VERSIONS = st.sampled_from(["1", "1", "2", "3", "01", "99", "x"])
STAGES = st.sampled_from(["None", "Staging", "production", "Archived", "foo"])
ALIASES = st.sampled_from(["champion", "Two", "a-1", "latest", "v1", "a b", "1"])
FLAGS = st.none() | st.booleans()

SOURCES = st.sampled_from(
    [
        "s3://bucket/model",
        "runs:/$run0/model",
        "mlflow-artifacts:/x/y",
        "models:/$prefix-a/1",
        "models:/$prefix-a@champion",
        "s3://b/../c",
        "",
    ]
)


class Registry(RuleBasedStateMachine):
    """Registered models, versions, aliases, stages and tags. Models go by name, so most calls meet one that is there."""

    def __init__(self, pair: Pair) -> None:
        super().__init__()
        self.pair = pair
        self.prefix = f"x{next(EXAMPLES)}-"

    @initialize()
    def begin(self) -> None:
        self.experiment = self.pair.make("exp", "experiment_id", "experiments/create", {"name": f"{self.prefix}experiment"})
        body = {"experiment_id": self.experiment, "run_name": "r", "user_id": "ann", "start_time": 1}
        self.run = self.pair.make("run", "run/info/run_id", "runs/create", body)
        body = {"experiment_id": self.experiment, "source_run_id": self.run, "name": "m"}
        self.logged = self.pair.make("model", "model/info/model_id", "logged-models", body)
        self.create("a", description=None, tags=[])
        self.add_version("a", "s3://bucket/first", with_run=False, tags=[])

    def ask(self, method: str, where: str, **fields: Any) -> None:
        """Names are this example's own; a GET has its fields in the query."""
        given = {name: value for name, value in fields.items() if value is not None}
        for key in ("name", "new_name"):
            if given.get(key, "").strip():
                given[key] = self.prefix + given[key]
        if method == "GET":
            self.pair.ask(method, where, **given)
        else:
            self.pair.ask(method, where, given)

    # Models

    @rule(name=NAMES | NAMES | ODD_NAMES, description=st.sampled_from([None, "", "words"]), tags=st.lists(good_pairs, max_size=2))
    def create(self, name: str, description: str | None, tags: list[Any]) -> None:
        self.ask("POST", "registered-models/create", name=name, description=description, tags=tags)

    @rule(name=NAMES, new_name=NAMES)
    def rename(self, name: str, new_name: str) -> None:
        self.ask("POST", "registered-models/rename", name=name, new_name=new_name)

    @rule(name=NAMES, description=st.sampled_from([None, "", "other words"]))
    def describe(self, name: str, description: str | None) -> None:
        self.ask("PATCH", "registered-models/update", name=name, description=description)

    @rule(name=st.sampled_from(["b", "c d"]))
    def delete(self, name: str) -> None:
        self.ask("DELETE", "registered-models/delete", name=name)

    @rule(name=NAMES, tag=pairs, word=st.sampled_from(["set", "delete"]))
    def tag(self, name: str, tag: dict[str, str], word: str) -> None:
        if word == "set":
            self.ask("POST", "registered-models/set-tag", name=name, **tag)
        else:
            self.ask("DELETE", "registered-models/delete-tag", name=name, key=tag["key"])
        self.ask("GET", "registered-models/get", name=name)

    @rule(name=NAMES, stages=st.none() | st.lists(STAGES, max_size=2))
    def latest(self, name: str, stages: list[str] | None) -> None:
        self.ask("POST", "registered-models/get-latest-versions", name=name, stages=stages)

    @rule(name=NAMES, alias=ALIASES, version=VERSIONS)
    def set_alias(self, name: str, alias: str, version: str) -> None:
        self.ask("POST", "registered-models/alias", name=name, alias=alias, version=version)
        self.ask("GET", "registered-models/alias", name=name, alias=alias)

    @rule(name=NAMES, alias=ALIASES)
    def delete_alias(self, name: str, alias: str) -> None:
        self.ask("DELETE", "registered-models/alias", name=name, alias=alias)

    @rule(
        clauses=st.lists(
            st.builds("name {} '%{}%'".format, st.sampled_from(["LIKE", "ilike"]), st.sampled_from(["a", "B", "c"]))
            | st.builds("tags.{} {} {}".format, st.sampled_from(["a", "`a b`"]), text_operators, text_values)
            | st.just("tag.`mlflow.prompt.is_prompt` != 'true'"),
            max_size=2,
        ),
        order=st.lists(st.sampled_from(["name DESC", "name", "timestamp", "last_updated_timestamp DESC"]), max_size=1),
        size=st.sampled_from([1, 100]),
    )  # fmt: skip
    def search(self, clauses: list[str], order: list[str], size: int) -> None:
        text = " AND ".join([f"name LIKE '{self.prefix}%'", *clauses])
        self.pair.pages("GET", "registered-models/search", {"filter": text, "order_by": order, "max_results": size})

    # Versions

    @rule(name=NAMES, source=SOURCES, with_run=st.booleans(), tags=st.lists(good_pairs, max_size=2))
    def add_version(self, name: str, source: str, with_run: bool, tags: list[Any]) -> None:
        told = source.replace("$run0", str(self.run)).replace("$prefix-", self.prefix)
        self.ask("POST", "model-versions/create", name=name, source=told, run_id=self.run if with_run else None, tags=tags)

    @rule(name=NAMES, with_id=st.booleans())
    def add_version_of_model(self, name: str, with_id: bool) -> None:
        model_id = self.logged if with_id else None
        self.ask("POST", "model-versions/create", name=name, source=f"models:/{self.logged}", model_id=model_id)
        self.pair.ask("GET", f"logged-models/{self.logged}")

    @rule(name=NAMES, version=VERSIONS)
    def look_at_version(self, name: str, version: str) -> None:
        self.ask("GET", "model-versions/get", name=name, version=version)
        self.ask("GET", "model-versions/get-download-uri", name=name, version=version)

    @rule(name=NAMES, version=VERSIONS, description=st.sampled_from([None, "", "words"]))
    def describe_version(self, name: str, version: str, description: str | None) -> None:
        self.ask("PATCH", "model-versions/update", name=name, version=version, description=description)

    @rule(name=NAMES, version=VERSIONS, stage=STAGES, archive=FLAGS)
    def move_version(self, name: str, version: str, stage: str, archive: bool | None) -> None:
        fields = {"name": name, "version": version, "stage": stage, "archive_existing_versions": archive}
        self.ask("POST", "model-versions/transition-stage", **fields)

    @rule(name=NAMES, version=VERSIONS, tag=pairs, word=st.sampled_from(["set", "delete"]))
    def tag_version(self, name: str, version: str, tag: dict[str, str], word: str) -> None:
        if word == "set":
            self.ask("POST", "model-versions/set-tag", name=name, version=version, **tag)
        else:
            self.ask("DELETE", "model-versions/delete-tag", name=name, version=version, key=tag["key"])

    @rule(name=NAMES, version=st.sampled_from(["2", "3", "99"]))
    def delete_version(self, name: str, version: str) -> None:
        self.ask("DELETE", "model-versions/delete", name=name, version=version)

    @rule(
        clauses=st.lists(
            st.builds("version_number {} {}".format, st.sampled_from(["=", "!=", ">", "<="]), st.sampled_from(["1", "2"]))
            | st.builds("tags.{} {} {}".format, st.sampled_from(["a", "`a b`"]), text_operators, text_values)
            | st.sampled_from(["source_path LIKE 's3%'", "run_id = ''", "run_id != ''"]),
            max_size=2,
        ),
        order=st.sampled_from([["version_number ASC"], ["name DESC"], ["creation_timestamp DESC"], ["name", "version_number DESC"]]),
        size=st.sampled_from([1, 2, 1000]),
    )  # fmt: skip
    def search_versions(self, clauses: list[str], order: list[str], size: int) -> None:
        text = " AND ".join([f"name LIKE '{self.prefix}%'", *clauses])
        self.pair.pages("GET", "model-versions/search", {"filter": text, "order_by": order, "max_results": size})

    def teardown(self) -> None:
        """In the end both hold the same."""
        for name in ("a", "b", "c d"):
            self.ask("GET", "registered-models/get", name=name)
        text = f"name LIKE '{self.prefix}%'"
        self.pair.ask("GET", "model-versions/search", filter=text, order_by=["name", "version_number"])
