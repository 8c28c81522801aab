"""Free values of jobs (parameters, settings): a megabyte at most, and whoever sends more holds nobody up."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from jupyter_mlws.kit.decoding import MAX_DEPTH, MAX_VALUES_BYTES, check_values
from jupyter_mlws.kit.errors import BadInput, TooLarge
from tests.live import LiveServer
from tests.security.api import Api
from tests.security.errors import check_refusal

NUMBERS = 7_000_000
SLOWEST_S = 2.0


def nested(depth: int, inner: Any) -> Any:
    for _ in range(depth):
        inner = [inner]
    return inner


@pytest.mark.parametrize(
    ("value", "failure"),
    [
        ({"x": [0] * NUMBERS}, TooLarge),
        ({"x": "a" * MAX_VALUES_BYTES}, TooLarge),
        ({"k" * MAX_VALUES_BYTES: 1}, TooLarge),
        ({"x": "\u00e4" * (MAX_VALUES_BYTES // 2)}, TooLarge),
        ({"x": [0.123456789] * 100_000}, TooLarge),
        ({"x": 2**64}, BadInput),
        ({"x": -(2**63) - 1}, BadInput),
        (nested(MAX_DEPTH + 1, 1), BadInput),
    ],
    ids=["numbers", "text", "key", "bytes", "digits", "large", "small", "deep"],
)
def test_what_cannot_be_kept_is_refused(value: Any, failure: type[Exception]):
    with pytest.raises(failure) as caught:
        check_values(value, "spec.parameters")
    assert type(caught.value) is failure


@pytest.mark.parametrize("value", [nested(MAX_DEPTH, 1), nested(MAX_DEPTH, []), {"x": [0] * 400_000}, {"x": 2**64 - 1}, None])
def test_what_can_be_kept_is_taken(value: Any):
    check_values(value, "spec.parameters")


def test_millions_of_values_hold_nobody_up(target: LiveServer, person: Api):
    """Seven million numbers, 14 MB: within the size that a body may have."""
    body = b'{"spec":{"kind":"notebook","notebook":"n.ipynb","parameters":{"x":[' + b"0," * NUMBERS + b"0]}}}"
    stop, slowest = threading.Event(), [0.0]

    def look() -> None:
        mine = Api(target, target.token)
        while not stop.is_set():
            began = time.monotonic()
            assert mine.ask("GET", "/health").status == 200
            slowest[0] = max(slowest[0], time.monotonic() - began)
        mine.close()

    watch = threading.Thread(target=look)
    watch.start()
    try:
        answers = [person.ask("POST", "/workspaces/default/jobs", content=body) for _ in range(2)]
    finally:
        stop.set()
        watch.join()
    for answer in answers:
        error = check_refusal(answer)
        assert (answer.status, error["code"], error["field"]) == (413, "too_large", "spec.parameters")
    print(f"the slowest look took {slowest[0]:.2f} s")
    assert slowest[0] < SLOWEST_S
