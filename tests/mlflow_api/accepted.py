"""What MLflow's server and ours may answer differently. Each entry names its row on the page of differences, by its first cell.

`DIFFERENCES` are answers that differ as a whole; `FORMS` make one form of what both say in ways of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.mlflow_api.pair import Accepted, Answer, Asked

LARGEST = 1.7976931348623157e308
DATABASE = re.compile(r"\(sqlite3\.|\[SQL: ")
SEARCHES = ("runs/search", "experiments/search", "registered-models/search", "model-versions/search", "logged-models/search")
GOES_ON = ("RUNNING", "SCHEDULED")


class Form(NamedTuple):
    """Something that is told in another way: `told` makes one way of both, given one object of an answer."""

    name: str
    row: str
    told: Callable[[dict[str, Any]], dict[str, Any]]


def _without(*names: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda found: {name: value for name, value in found.items() if name not in names}


def _tags(found: dict[str, Any]) -> dict[str, Any]:
    """The tags of a run without that of its user, which we show of every run."""
    if not isinstance(found.get("tags"), list):
        return found
    tags = [tag for tag in found["tags"] if tag.get("key") != "mlflow.user"]
    return {**found, "tags": tags} if tags else _without("tags")(found)


def _infinite(found: dict[str, Any]) -> dict[str, Any]:
    words = {LARGEST: "Infinity", -LARGEST: "-Infinity"}
    value = found.get("value")
    return {**found, "value": words[value]} if isinstance(value, float) and value in words else found


def _ended(found: dict[str, Any]) -> dict[str, Any]:
    return _without("end_time")(found) if found.get("status") in GOES_ON else found


FORMS = [
    Form("classes of errors", "`sqlstate` and `error_class` in errors", _without("sqlstate", "error_class")),
    Form("workspace of an experiment", "experiments have the field `workspace`", _without("workspace")),
    Form("tag of the user", "the tag `mlflow.user` is there if it was sent", _tags),
    Form("infinities", "infinities become the largest number", _infinite),
    Form("end of a run that goes on", "a resumed run keeps its `end_time` while it runs", _ended),
]
GET_RUN = Asked("GET", "runs/get", query={"run_id": "$run0"})


def _log(**point: Any) -> Asked:
    return Asked("POST", "runs/log-metric", {"run_id": "$run0", "key": "m", "timestamp": 1, **point})


def _create(**fields: Any) -> Asked:
    return Asked("POST", "runs/create", {"experiment_id": "$exp0", **fields})


def _update(**fields: Any) -> Asked:
    return Asked("POST", "runs/update", {"run_id": "$run0", **fields})


def _tag(**fields: Any) -> Asked:
    return Asked("POST", "runs/delete-tag", {"run_id": "$run0", **fields})


def _search(where: str = "runs", **fields: Any) -> Asked:
    return Asked("POST", f"{where}/search", {"experiment_ids": ["$exp0"], **fields})


FORMS_SHOWN = {
    "classes of errors": [Asked("GET", "runs/get", query={"run_id": "0" * 32})],
    "workspace of an experiment": [Asked("GET", "experiments/get", query={"experiment_id": "$exp0"})],
    "tag of the user": [GET_RUN],
    "infinities": [_log(value="Infinity"), GET_RUN],
    "end of a run that goes on": [_update(status="FINISHED", end_time=5), _update(status="RUNNING")],
}
"""Requests of which the last one is answered alike only with the form."""


def alike(value: Any, without: str = "") -> Any:
    """A part of an answer in the one form of both; `without` leaves a form out."""
    if isinstance(value, list):
        return [alike(part, without) for part in value]
    if not isinstance(value, dict):
        return value
    found = {name: alike(part, without) for name, part in value.items()}
    for form in FORMS:
        if form.name != without:
            found = form.told(found)
    return found


def _both_refuse(theirs: Answer, ours: Answer) -> bool:
    return (theirs.status, theirs.code) == (ours.status, ours.code) and theirs.status in (400, 404)


def _database(_asked: Asked, theirs: Answer, ours: Answer) -> bool:
    return _both_refuse(theirs, ours) and DATABASE.search(theirs.message) is not None


def _search_words(asked: Asked, theirs: Answer, ours: Answer) -> bool:
    return _both_refuse(theirs, ours) and asked.path in SEARCHES and theirs.code == "INVALID_PARAMETER_VALUE"


def _never_500(_asked: Asked, theirs: Answer, ours: Answer) -> bool:
    return theirs.status == 500 and ours.status in (400, 404)


def _more_filters(asked: Asked, theirs: Answer, ours: Answer) -> bool:
    return asked.path in SEARCHES and theirs.status == 400 and theirs.code == "INVALID_PARAMETER_VALUE" and ours.status == 200


def _refused(theirs: int, ours: int) -> Callable[[Asked, Answer, Answer], bool]:
    return lambda _asked, found, mine: (found.status, mine.status) == (theirs, ours)


def _differ_in(*names: str) -> Callable[[Asked, Answer, Answer], bool]:
    """Both answer, and nothing but the fields of these names differs."""

    def left(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: left(part) for name, part in value.items() if name not in names}
        return [left(part) for part in value] if isinstance(value, list) else value

    return lambda _asked, theirs, ours: (
        (theirs.status, left(theirs.body)) == (ours.status, left(ours.body)) == (200, left(ours.body))
    )


NEW = ("run_id", "run_uuid", "artifact_uri", "user_id")
"""What no two runs share, where nobody told it."""


def _other_order(_asked: Asked, theirs: Answer, ours: Answer) -> bool:
    return ours.status == 200 and bool(ours.body) and theirs.body.get("runs") == ours.body.get("runs", [])[::-1]


RENAMED = Asked("POST", "experiments/update", {"experiment_id": "$exp0", "new_name": "other"})
DELETED = Asked("POST", "experiments/delete", {"experiment_id": "$exp0"})
MODEL = {"run_id": "$run0", "models": [{"model_id": "$model0", "step": 1}]}
POINT = {"key": "a", "value": 1, "timestamp": 1, "model_id": "$model0"}

DIFFERENCES = [
    Accepted(
        "words of the database",
        "deterministic texts of the database in messages",
        _database,
        [Asked("POST", "runs/outputs", MODEL), Asked("POST", "runs/outputs", MODEL)],
    ),
    Accepted(
        "words about a filter", "messages about filters, orders and page tokens", _search_words, [_search(filter="tags.k = 5")]
    ),
    Accepted("no 500 for wrong input", "500 for some wrong input", _never_500, [DELETED, RENAMED]),
]
"""They may happen in any sequence of calls."""

ONLY_HERE = [
    Accepted(
        "the default experiment",
        "experiment `0` has the id 0",
        _differ_in(*NEW, "experiment_id"),
        [Asked("POST", "runs/create", {"experiment_id": "0", "run_name": "r", "start_time": 5, "user_id": "ann"})],
    ),
    Accepted("generated names", "generated names", _differ_in(*NEW, "run_name", "tags"), [_create(start_time=5)]),
    Accepted("no start", "`start_time` left out is 0", _differ_in(*NEW, "start_time"), [_create(run_name="r")]),
    Accepted("no user", "`user_id` left out is empty", _differ_in(*NEW), [_create(run_name="r", start_time=5)]),
    Accepted(
        "no experiment",
        "a run without an experiment is refused",
        _refused(400, 200),
        [Asked("POST", "runs/create", {"start_time": 5})],
    ),
    Accepted("what cannot be read", "a field that cannot be read", _refused(200, 400), [_create(run_name="r", user_id=5)]),
    Accepted(
        "a key too long",
        "tags of a new run are not checked",
        _refused(200, 400),
        [Asked("POST", "runs/create", {"experiment_id": "$exp0", "tags": [{"key": "k" * 251, "value": ""}]})],
    ),
    Accepted("line ends in names", "line ends in names", _differ_in("run_name"), [_update(run_name="a\nb")]),
    Accepted(
        "a missing AND",
        "a missing `AND` in a filter is tolerated",
        _refused(200, 400),
        [_search(filter="run_name = 'a' status = 'RUNNING'")],
    ),
    Accepted(
        "more filters",
        "filters and orders that only we know",
        _more_filters,
        [_search(filter="run_name = 'a' OR run_name = 'b'")],
    ),
    Accepted("dates in filters", "dates in filters", _refused(400, 200), [_search(filter="start_time > '2026-01-31'")]),
    Accepted("an empty order", "filters and orders that only we know", _more_filters, [_search(order_by=[""])]),
    Accepted("page tokens", "page tokens", _refused(200, 400), [_search(page_token="eyJvZmZzZXQiOiAxfQ==")]),
    Accepted(
        "order by status",
        "runs ordered by `status`",
        _other_order,
        [
            _update(status="FAILED", end_time=5),
            Asked("POST", "runs/update", {"run_id": "$run1", "status": "KILLED", "end_time": 6}),
            _search(order_by=["status"]),
        ],
    ),
    Accepted(
        "an end without a time",
        "a run that ends without `end_time` has none",
        _differ_in("end_time"),
        [_update(status="FINISHED")],
    ),
    Accepted(
        "a name stays",
        "`mlflow.runName`, `mlflow.note.content` are tags",
        _differ_in("tags"),
        [_tag(key="mlflow.runName"), GET_RUN],
    ),
    Accepted(
        "NaN of a logged model",
        "NaN of a logged model is stored as 0",
        _differ_in("value"),
        [_log(value="NaN", model_id="$model0"), Asked("GET", "logged-models/$model0")],
    ),
    Accepted(
        "half a batch",
        "a batch",
        _differ_in("params", "value"),
        [
            Asked("POST", "runs/log-metric", {"run_id": "$run0", **POINT}),
            Asked(
                "POST",
                "runs/log-batch",
                {"run_id": "$run0", "params": [{"key": "p", "value": "1"}], "metrics": [{**POINT, "value": 2}]},
            ),
            GET_RUN,
        ],
    ),
    Accepted(
        "any place in the store",
        "any path may be written in the artifact store",
        _refused(200, 404),
        [Asked("PUT", "../mlflow-artifacts/artifacts/any/where.txt", {})],
    ),
    Accepted(
        "a word of a status",
        "a status of a logged model in words finds nothing",
        _refused(200, 400),
        [_search("logged-models", filter="status = 'LOGGED_MODEL_READY'")],
    ),
]
"""They are shown once, and may not happen by chance: no sequence of calls is made of such requests."""
