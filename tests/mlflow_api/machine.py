"""Random sequences of calls, the same at MLflow's server and at ours (`Pair`): experiments, runs, metrics, logged models."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, multiple, rule

from tests.mlflow_api.pair import Pair

EXAMPLES = itertools.count(1)

odd_keys = st.sampled_from(["", "a//b", "/a", "..", "b@d", "x" * 251, "a\tb", "😀"])
keys = st.sampled_from(["a", "b", "loss", "a b", "a.b/c:d-e", "größe"]) | st.sampled_from(["a", "b"])
maybe_odd = st.integers(0, 9).flatmap(lambda n: odd_keys if n == 0 else keys)
values = st.sampled_from(["1", "2", "Alpha", "alpha", "ünï", "", "v" * 6001, " x "])
numbers = st.sampled_from([0, 1, 2.5, -1.5, 0.25, 1e300, "NaN", "Infinity", "-Infinity", "3.25", 7])
steps = st.integers(-2, 4)
times = st.integers(0, 4)
names = st.sampled_from(["a", "b", "c d", "ünï"])
STATUSES = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]
VIEWS = st.sampled_from([None, "ACTIVE_ONLY", "DELETED_ONLY", "ALL"])
pairs = st.builds(lambda key, value: {"key": key, "value": value}, maybe_odd, values)
good_pairs = st.builds(lambda key, value: {"key": key, "value": value}, keys, values)
points = st.builds(
    lambda key, value, at, step: {"key": key, "value": value, "timestamp": at, **({} if step is None else {"step": step})},
    maybe_odd, numbers, times, st.none() | steps,
)  # fmt: skip
datasets = st.builds(
    lambda name, digest, context: {
        "dataset": {"name": name, "digest": digest, "source_type": "local", "source": "s"},
        "tags": [{"key": "mlflow.data.context", "value": context}] if context else [],
    },
    st.sampled_from(["d", "e"]), st.sampled_from(["1", "2"]), st.sampled_from(["train", "eval", ""]),
)  # fmt: skip


def quoted(key: str) -> str:
    """A key as filters take any."""
    return f"`{key}`"


metric_clauses = st.builds(
    lambda key, operator, number: f"metrics.{quoted(key)} {operator} {number}",
    keys, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), st.sampled_from(["0", "1", "-1.5", ".25", "1e0", "2.5"]),
)  # fmt: skip
text_values = st.sampled_from(["'1'", "'2'", "'Alpha'", '"alpha"', "'%l%'", "'A%'", "'_lpha'", "'ünï'", "''"])
text_operators = st.sampled_from(["=", "!=", "LIKE", "ILIKE", "like"])
keyed_clauses = st.builds(
    lambda entity, key, rest: f"{entity}.{quoted(key)} {rest}",
    st.sampled_from(["params", "tags", "param", "tag", "parameter"]), keys,
    st.builds("{} {}".format, text_operators, text_values) | st.sampled_from(["IS NULL", "IS NOT NULL"]),
)  # fmt: skip
attribute_clauses = (
    st.builds(lambda word, o: f"attributes.status {o} '{word}'", st.sampled_from(STATUSES), st.sampled_from(["=", "!="]))
    | st.builds(
        "{} {} {}".format, st.sampled_from(["run_name", "attributes.run_name", "`Run name`"]), text_operators, text_values
    )
    | st.builds("user_id {} '{}'".format, st.sampled_from(["=", "!=", "LIKE"]), st.sampled_from(["ann", "bob", "a%"]))
    | st.builds("start_time {} {}".format, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), st.integers(0, 30))
    | st.builds("status = 'FINISHED' and end_time > {}".format, st.integers(0, 30))
    | st.sampled_from(["artifact_uri LIKE 'mlflow-artifacts:/%'", "artifact_uri ILIKE '%ARTIFACTS'"])
)
dataset_clauses = st.builds(
    "dataset.{} {} {}".format, st.sampled_from(["name", "digest", "context"]), st.sampled_from(["=", "!=", "LIKE"]),
    st.sampled_from(["'d'", "'1'", "'train'", "'%a%'"]),
)  # fmt: skip
run_filters = st.lists(metric_clauses | keyed_clauses | attribute_clauses | dataset_clauses, max_size=3).map(" AND ".join)
run_orders = st.lists(
    st.builds(
        lambda field, way: f"{field} {way}".strip(),
        st.sampled_from(["metrics.a", "metrics.`loss`", "params.a", "tags.`a b`", "run_name", "user_id", "start_time"]),
        st.sampled_from(["ASC", "DESC", "asc", ""]),
    ),
    max_size=2, unique_by=lambda term: term.split()[0],
)  # fmt: skip
experiment_filters = st.lists(
    st.builds("name {} '%{}%'".format, st.sampled_from(["LIKE", "ILIKE"]), st.sampled_from(["a", "A", "c"]))
    | st.builds("tags.{} {} {}".format, st.sampled_from(["a", "b", "`a b`"]), st.sampled_from(["=", "!=", "LIKE"]), text_values)
    | st.sampled_from(["tags.a IS NULL", "tag.b IS NOT NULL", "creation_time > 5", "experiment_id NOT IN ('0')"]),
    max_size=2,
)
experiment_orders = st.lists(
    st.builds(
        "{} {}".format,
        st.sampled_from(["name", "experiment_id", "creation_time", "last_update_time"]),
        st.sampled_from(["ASC", "DESC"]),
    ),
    max_size=1,
)


class Tracking(RuleBasedStateMachine):
    """Experiments, and what is logged to runs."""

    experiments = Bundle("experiments")
    runs = Bundle("runs")
    models = Bundle("models")

    def __init__(self, pair: Pair) -> None:
        super().__init__()
        self.pair = pair
        self.prefix = f"x{next(EXAMPLES)}-"
        self.clock = 0
        self.made_experiments: list[str] = []
        self.made_runs: list[str] = []
        self.made_models: list[str] = []

    def ask(self, method: str, where: str, body: Any = None, **query: Any) -> Any:
        return self.pair.ask(method, where, body, **query)

    def post(self, where: str, **body: Any) -> Any:
        return self.pair.ask("POST", where, {name: value for name, value in body.items() if value is not None})

    # Experiments

    @initialize(target=experiments)
    def first_experiment(self) -> Any:
        return self._experiment("first", [])

    @rule(target=experiments, name=names, tags=st.lists(good_pairs, max_size=2, unique_by=lambda tag: tag["key"]))
    def make_experiment(self, name: str, tags: list[dict[str, str]]) -> Any:
        return self._experiment(name, tags)

    def _experiment(self, name: str, tags: list[dict[str, str]]) -> Any:
        made = self.pair.make("exp", "experiment_id", "experiments/create", {"name": self.prefix + name, "tags": tags})
        if made is None:
            return multiple()
        self.made_experiments.append(made)
        return made

    @rule(experiment=experiments, name=names)
    def look_at_experiment(self, experiment: str, name: str) -> None:
        self.ask("GET", "experiments/get", experiment_id=experiment)
        self.ask("GET", "experiments/get-by-name", experiment_name=self.prefix + name)

    @rule(experiment=experiments, name=names)
    def rename_experiment(self, experiment: str, name: str) -> None:
        self.post("experiments/update", experiment_id=experiment, new_name=self.prefix + name)

    @rule(experiment=experiments, word=st.sampled_from(["delete", "restore", "restore"]))
    def bin_experiment(self, experiment: str, word: str) -> None:
        self.post(f"experiments/{word}", experiment_id=experiment)

    @rule(experiment=experiments, tag=pairs, word=st.sampled_from(["set", "set", "delete"]))
    def tag_experiment(self, experiment: str, tag: dict[str, str], word: str) -> None:
        body = tag if word == "set" else {"key": tag["key"]}
        self.post(f"experiments/{word}-experiment-tag", experiment_id=experiment, **body)

    @rule(filters=experiment_filters, order=experiment_orders, view=VIEWS, size=st.sampled_from([1, 2, 100]))
    def search_experiments(self, filters: list[str], order: list[str], view: str | None, size: int) -> None:
        text = " AND ".join([f"name LIKE '{self.prefix}%'", *filters])
        self.pair.pages(
            "POST",
            "experiments/search",
            {"filter": text, "order_by": order, "max_results": size, **({"view_type": view} if view else {})},
        )

    # Runs

    @initialize(target=runs, experiment=experiments)
    def first_run(self, experiment: str) -> Any:
        return self._run(experiment, {"run_name": "first"})

    @rule(
        target=runs, experiment=experiments, name=names, user=st.sampled_from(["ann", "bob"]),
        tags=st.lists(good_pairs, max_size=2, unique_by=lambda tag: tag["key"]),
    )  # fmt: skip
    def make_run(self, experiment: str, name: str, user: str, tags: list[dict[str, str]]) -> Any:
        return self._run(experiment, {"user_id": user, "tags": tags, "run_name": name})

    @rule(target=runs, experiment=experiments, parent=runs)
    def make_child(self, experiment: str, parent: str) -> Any:
        return self._run(experiment, {"run_name": "child", "tags": [{"key": "mlflow.parentRunId", "value": parent}]})

    def _run(self, experiment: str, fields: dict[str, Any]) -> Any:
        self.clock += 1
        body = {"experiment_id": experiment, "user_id": "ann", "start_time": self.clock, **fields}
        made = self.pair.make("run", "run/info/run_id", "runs/create", body)
        if made is None:
            return multiple()
        self.made_runs.append(made)
        return made

    @rule(run=runs, old=st.booleans())
    def look_at_run(self, run: str, old: bool) -> None:
        self.ask("GET", "runs/get", **{"run_uuid" if old else "run_id": run})

    @rule(run=runs, status=st.sampled_from(STATUSES), name=st.none() | names)
    def update_run(self, run: str, status: str, name: str | None) -> None:
        """A run that ends is given its end, as clients do."""
        self.clock += 1
        end = None if status in ("RUNNING", "SCHEDULED") else self.clock
        self.post("runs/update", run_id=run, status=status, end_time=end, run_name=name)

    @rule(run=runs, word=st.sampled_from(["delete", "restore", "restore"]))
    def bin_run(self, run: str, word: str) -> None:
        self.post(f"runs/{word}", run_id=run)

    @rule(
        run=runs,
        tag=pairs | st.sampled_from([{"key": "mlflow.note.content", "value": "words"}, {"key": "mlflow.runName", "value": "b"}]),
    )
    def tag_run(self, run: str, tag: dict[str, str]) -> None:
        self.post("runs/set-tag", run_id=run, **tag)

    @rule(run=runs, key=maybe_odd)
    def untag_run(self, run: str, key: str) -> None:
        self.post("runs/delete-tag", run_id=run, key=key)

    @rule(run=runs, param=pairs)
    def log_param(self, run: str, param: dict[str, str]) -> None:
        self.post("runs/log-parameter", run_id=run, **param)

    @rule(run=runs, point=points)
    def log_metric(self, run: str, point: dict[str, Any]) -> None:
        self.post("runs/log-metric", run_id=run, **point)

    @rule(
        run=runs, metrics=st.lists(points, max_size=4), params=st.lists(pairs, max_size=2), tags=st.lists(pairs, max_size=2),
    )  # fmt: skip
    def log_batch(self, run: str, metrics: list[Any], params: list[Any], tags: list[Any]) -> None:
        self.post("runs/log-batch", run_id=run, metrics=metrics, params=params, tags=tags)

    @rule(run=runs, key=keys, size=st.sampled_from([None, 1, 2, 100]))
    def history(self, run: str, key: str, size: int | None) -> None:
        fields = {"run_id": run, "metric_key": key, **({"max_results": size} if size else {})}
        self.pair.pages("GET", "metrics/get-history", fields)

    @rule(run=runs, other=runs, key=keys, ends=st.none() | st.tuples(steps, steps), size=st.sampled_from([1, 2, 3, 2500]))
    def interval(self, run: str, other: str, key: str, ends: tuple[int, int] | None, size: int) -> None:
        more = {} if ends is None else {"start_step": ends[0], "end_step": ends[1]}
        ids = list(dict.fromkeys([run, other]))
        self.ask("GET", "metrics/get-history-bulk-interval", run_ids=ids, metric_key=key, max_results=size, **more)

    @rule(run=runs, given=st.lists(datasets, max_size=2))
    def log_inputs(self, run: str, given: list[Any]) -> None:
        self.post("runs/log-inputs", run_id=run, datasets=given)

    @rule(filter_text=run_filters, order=run_orders, view=VIEWS, size=st.sampled_from([1, 2, 100, None]))
    def search_runs(self, filter_text: str, order: list[str], view: str | None, size: int | None) -> None:
        body = {"experiment_ids": self.made_experiments, "filter": filter_text, "order_by": order}
        self.pair.pages(
            "POST",
            "runs/search",
            {**body, **({"run_view_type": view} if view else {}), **({"max_results": size} if size else {})},
        )

    @rule(run=runs, other=runs, word=st.sampled_from(["IN", "NOT IN"]))
    def search_runs_by_id(self, run: str, other: str, word: str) -> None:
        self.post("runs/search", experiment_ids=self.made_experiments, filter=f"run_id {word} ('{run}', '{other}')")
        self.post("runs/search", experiment_ids=self.made_experiments, filter=f"tags.`mlflow.parentRunId` = '{run}'")

    # Logged models

    @rule(
        target=models, experiment=experiments, run=runs, name=st.sampled_from(["m", "m two", "a/b"]),
        params=st.lists(good_pairs, max_size=2), tags=st.lists(good_pairs, max_size=2),
    )  # fmt: skip
    def make_model(self, experiment: str, run: str, name: str, params: list[Any], tags: list[Any]) -> Any:
        body = {"experiment_id": experiment, "source_run_id": run, "params": params, "tags": tags, "name": name}
        made = self.pair.make("model", "model/info/model_id", "logged-models", body)
        if made is None:
            return multiple()
        self.made_models.append(made)
        return made

    @rule(model=models, status=st.sampled_from(["LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED", 2, "nope"]), tag=good_pairs)
    def change_model(self, model: str, status: Any, tag: dict[str, str]) -> None:
        self.ask("PATCH", f"logged-models/{model}", {"model_id": model, "status": status})
        self.ask("PATCH", f"logged-models/{model}/tags", {"tags": [tag]})
        self.ask("POST", f"logged-models/{model}/params", {"model_id": model, "params": [tag]})

    @rule(model=models, key=st.sampled_from(["a", "b", "loss"]), deleted=st.booleans())
    def look_at_model(self, model: str, key: str, deleted: bool) -> None:
        self.ask("DELETE", f"logged-models/{model}/tags/{key}")
        self.ask("GET", f"logged-models/{model}", **({"allow_deleted": "true"} if deleted else {}))
        self.ask("GET", f"logged-models/{model}/artifacts/directories")

    @rule(model=models, run=runs, step=steps, point=points, known=st.booleans())
    def use_model(self, model: str, run: str, step: int, point: dict[str, Any], known: bool) -> None:
        data = {"dataset_name": "d", "dataset_digest": "1"} if known else {}
        value = point["value"] if point["value"] != "NaN" else 0.5
        self.post("runs/log-metric", run_id=run, **{**point, "value": value, "model_id": model, **data})
        self.post("runs/log-inputs", run_id=run, models=[{"model_id": model}])
        self.post("runs/outputs", run_id=run, models=[{"model_id": model, "step": step}])

    @rule(model=consumes(models))
    def delete_model(self, model: str) -> None:
        self.ask("DELETE", f"logged-models/{model}")
        self.ask("GET", f"logged-models/{model}")

    @rule(
        clauses=st.lists(
            st.sampled_from(["name = 'm'", "params.a = '1'", "tags.a LIKE '%l%'", "metrics.a > 0", "metrics.loss <= 1", "name != 'm'"]),
            max_size=2,
        ),
        order=st.sampled_from([[], [{"field_name": "name"}], [{"field_name": "metrics.a", "ascending": False}]]),
        size=st.sampled_from([1, 50]),
    )  # fmt: skip
    def search_models(self, clauses: list[str], order: list[Any], size: int) -> None:
        body = {"experiment_ids": self.made_experiments, "filter": " AND ".join(clauses), "order_by": order, "max_results": size}
        self.pair.pages("POST", "logged-models/search", body)

    def teardown(self) -> None:
        """In the end both hold the same."""
        for run in self.made_runs:
            self.ask("GET", "runs/get", run_id=run)
        for model in self.made_models:
            self.ask("GET", f"logged-models/{model}", allow_deleted="true")
        for experiment in self.made_experiments:
            self.ask("GET", "experiments/get", experiment_id=experiment)
