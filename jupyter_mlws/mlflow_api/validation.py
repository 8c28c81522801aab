"""MLflow's limits of names, values and pages (its documentation and answers of version 3.17), in its words."""

from __future__ import annotations

import os
import posixpath
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from jupyter_mlws.mlflow_api.errors import InvalidParameter, shown, wrong_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_KEY = 250
MAX_PARAM = 6000
MAX_TAG = 8000
MAX_NOTE = 100_000
MAX_EXPERIMENT_NAME = 500
MAX_EXPERIMENT_TAG = 20_000
BATCH_METRICS, BATCH_PARAMS, BATCH_TAGS, BATCH_ALL = 1000, 100, 100, 1000
KEY = re.compile(r"[/\w.\- :]*\n?")
RUN_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}")
KEY_RULE = "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/)."


def check_key(key: str, where: str, what: str) -> None:
    """A name of a metric, param or tag: its characters, its form as a path, its length. `where` and `what` are for the messages."""
    if KEY.fullmatch(key) is None:
        raise InvalidParameter(f"Invalid value {shown(key)} for parameter '{where}' supplied: {KEY_RULE}", field=where)
    check_path_form(key, where)
    check_length(key, what, MAX_KEY)


def check_path_form(key: str, where: str) -> None:
    """A name that may become a file's must not mean another one."""
    plain = posixpath.normpath(key)
    if plain != key or plain == "." or plain.startswith(("..", "/")):
        raise InvalidParameter(
            f"Invalid value {shown(key)} for parameter '{where}' supplied: Names may be treated as files in certain cases, and must "
            f"not resolve to other names when treated as such. This name would resolve to {plain!r}",
            field=where,
        )


def check_length(text: str, what: str, most: int) -> None:
    """A text's length."""
    if len(text) > most:
        raise InvalidParameter(f"'{what}' exceeds the maximum length of {most} characters")


def cut(value: str, what: str, most: int) -> str:
    """A value that is too long is cut, or refused where `MLFLOW_TRUNCATE_LONG_VALUES=false` says so, as on MLflow's server."""
    if len(value) > most and os.environ.get("MLFLOW_TRUNCATE_LONG_VALUES", "").lower() in ("false", "0"):
        check_length(value, what, most)
    return value[:most]


def check_note(text: str) -> str:
    """A note, which is longer than other tags may be."""
    check_length(text, "mlflow.note.content", MAX_NOTE)
    return text


def check_run_id(run_id: str) -> None:
    """The form that run ids have."""
    if RUN_ID.fullmatch(run_id) is None:
        raise InvalidParameter(f"Invalid value {shown(run_id)} for parameter 'run_id' supplied.", field="run_id")


def check_batch(metrics: int, params: int, tags: int) -> None:
    """How much one batch may have."""
    for number, most, words in (
        (metrics, BATCH_METRICS, "metrics"),
        (params, BATCH_PARAMS, "params"),
        (tags, BATCH_TAGS, "tags"),
        (metrics + params + tags, BATCH_ALL, "metrics, params, and tags"),
    ):
        if number > most:
            raise InvalidParameter(
                f"A batch logging request can contain at most {most} {words}. Got {number} {words}. Please split up {words} across "
                "multiple requests and try again."
            )


def page_size(value: int | None, default: int, most: int) -> int:
    """How many to answer; MLflow tells of too many as of a wrong type."""
    if value is None:
        return default
    if value < 1:
        raise InvalidParameter(f"Invalid value {value} for parameter 'max_results' supplied. It must be a positive integer")
    if value > most:
        raise wrong_type("max_results", value)
    return value


def check_distinct(keys: Sequence[str], words: str) -> None:
    """No key stands twice."""
    twice = [key for key in dict.fromkeys(keys) if keys.count(key) > 1] if len(set(keys)) < len(keys) else []
    if twice:
        raise InvalidParameter(words.format(twice))


def fully_decoded(path: str) -> str:
    """A path without percent signs that stand for something, however often it was encoded."""
    for _ in range(8):
        decoded = unquote(path)
        if decoded == path:
            break
        path = decoded
    return path


def plain_text(text: str) -> str:
    """A name without line ends and other control characters, which lists could not show."""
    return "".join(c if c.isprintable() else " " for c in text).strip()


def all_keys(keys: Iterable[str], where: str, what: str) -> None:
    """Every key of a list of a batch."""
    for n, key in enumerate(keys):
        check_key(key, where.format(n), what.format(n))
