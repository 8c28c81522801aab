"""The files of `golden/` say what the server answers, and every route has one."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from jupyter_mlws.mlflow_api.http import NoEndpoint
from jupyter_mlws.mlflow_api.routes import mlflow_routes
from tests.mlflow_api.golden import FOLDER, STORY, side_of, tell, written
from tests.mlflow_api.pair import Side
from tests.servers import lean

VERBS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def side(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    """A server on which the story is told for the first time."""
    server = lean(tmp_path_factory.mktemp("golden")).start()
    made = side_of(server)
    yield made
    made.http.close()
    server.stop()


def test_answers_are_those_of_the_files(side: Side):
    for step in STORY:
        found = written(step, *tell(side, step))
        file = FOLDER / f"{step.name}.json"
        assert file.read_text() == found, f"{file.name}: if this is meant, run `python -m tests.mlflow_api.golden`"


def test_every_route_has_its_file(side: Side):
    asked = [(step.asked.method.lower(), side.http.build_request("GET", side.filled(step.asked.path)).url.path) for step in STORY]
    for pattern, handler in mlflow_routes():
        if handler is NoEndpoint:
            continue
        for verb in VERBS:
            if hasattr(getattr(handler, verb), "contract"):
                assert any(method == verb and matches(pattern, path) for method, path in asked), f"{verb} {pattern}"


def matches(pattern: str, path: str) -> bool:
    """Whether a route has this address, below our own prefix."""
    return re.fullmatch(pattern, path.removeprefix("/mlws")) is not None


def test_no_file_is_left_over():
    assert {path.name for path in FOLDER.iterdir()} == {f"{step.name}.json" for step in STORY}
    assert len({step.name for step in STORY}) == len(STORY)
