"""MLflow's own server and ours are asked the same, and answer the same; what differs is listed in `accepted`, row by row of the page."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.mlflow_api.accepted import DIFFERENCES, FORMS, FORMS_SHOWN, ONLY_HERE, alike
from tests.mlflow_api.bad_requests import BAD
from tests.mlflow_api.golden import FOLDER, STORY, tell
from tests.mlflow_api.machine import Tracking
from tests.mlflow_api.pair import Accepted, Difference, Pair, Side
from tests.mlflow_api.registry_machine import Registry
from tests.mlflow_server import MlflowServer
from tests.servers import SOAK, lean

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200 if SOAK else 400)]

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "mlflow-compatibility.md"
OTHER_SHAPE = {
    "put.mlflow-artifacts.artifacts.PATH": "nothing and `{}` are both taken for success",
    "get.server-info": "what a server can is its own to tell",
    "get.experiments.list": "a page for people and an error for programs, both 404",
}
EXAMPLES, STEPS = (400, 60) if SOAK else (16, 40)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Both servers, started at the same time."""
    theirs, ours = MlflowServer(tmp_path_factory.mktemp("theirs")), lean(tmp_path_factory.mktemp("ours"))
    starting = threading.Thread(target=ours.start)
    starting.start()
    try:
        theirs.start()
        starting.join()
        sides = Side("theirs", theirs.url), Side("ours", f"{ours.url}/mlws", {"Authorization": f"Bearer {ours.owner()['token']}"})
        yield Pair(*sides, DIFFERENCES, alike)
        for side in sides:
            side.http.close()
    finally:
        starting.join()
        theirs.stop()
        ours.stop()


@pytest.fixture
def scene(pair: Pair, request: pytest.FixtureRequest) -> Pair:
    """`$exp0` with the runs `$run0` and `$run1`, and the logged model `$model0`, which are new to both."""
    name = re.sub(r"\W", "-", request.node.name)
    for side in (pair.theirs, pair.ours):

        def make(where: str, body: dict[str, Any], side: Side = side) -> Any:
            answer = side.http.post(where, json=body)
            assert answer.status_code == 200, answer.text
            return answer.json()

        experiment = make("experiments/create", {"name": name})["experiment_id"]
        side.learn("$exp0", experiment)
        for n in (0, 1):
            body = {"experiment_id": experiment, "run_name": f"run {n}", "start_time": 1 + n, "user_id": "ann"}
            side.learn(f"$run{n}", make("runs/create", body)["run"]["info"]["run_id"])
        side.learn("$model0", make("logged-models", {"experiment_id": experiment, "name": "m"})["model"]["info"]["model_id"])
    return pair


@pytest.mark.soak
@pytest.mark.parametrize("machine", [Tracking, Registry])
def test_sequences_of_calls(pair: Pair, machine: Callable[[Pair], RuleBasedStateMachine]):
    """The same sequences in every run of the tests; others, and more, with MLWS_SOAK=1."""
    phases = [Phase.generate, Phase.shrink] if SOAK else [Phase.generate]
    run_state_machine_as_test(
        partial(machine, pair),  # type: ignore[arg-type]  # any callable that makes one will do
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, database=None, derandomize=not SOAK, print_blob=True,
            suppress_health_check=list(HealthCheck), phases=phases, report_multiple_bugs=False,
        ),
    )  # fmt: skip


def test_bad_requests(scene: Pair):
    """What is missing, unknown, or of a wrong kind."""
    trouble = []
    for asked in BAD:
        try:
            theirs, _, _ = scene.compare(asked)
        except Difference as difference:
            trouble.append(str(difference))
        else:
            trouble += [f"{asked} is fine"] if theirs.status == 200 else []
    assert not trouble, "\n".join(trouble)


@pytest.mark.parametrize("one", [*DIFFERENCES, *ONLY_HERE], ids=lambda one: one.name)
def test_each_accepted_difference_is_there(scene: Pair, one: Accepted):
    told = Pair(scene.theirs, scene.ours, [*DIFFERENCES, *ONLY_HERE], alike)
    *before, last = one.shown
    for asked in before:
        told.compare(asked)
    alone = Pair(scene.theirs, scene.ours, [one], alike)
    assert alone.compare(last)[2] == one.name, f"{last} is answered alike by both"


@pytest.mark.parametrize("name", FORMS_SHOWN)
def test_each_form_is_needed(scene: Pair, name: str):
    *before, last = FORMS_SHOWN[name]
    for asked in before:
        scene.compare(asked)
    scene.compare(last)
    with pytest.raises(Difference):
        Pair(scene.theirs, scene.ours, DIFFERENCES, partial(alike, without=name)).compare(last)


NEEDS_PARTS = re.compile(r"(post|put)\.mlflow-artifacts\.mpu\.")
"""Files in parts: MLflow's server has these on stores in a cloud only."""


def test_golden_requests_are_answered_in_the_same_shape(pair: Pair):
    side = Side("theirs", str(pair.theirs.http.base_url).partition("/api/")[0])
    trouble = []
    for step in STORY:
        status, answer = tell(side, step)
        ours = json.loads((FOLDER / f"{step.name}.json").read_text())
        if NEEDS_PARTS.match(step.name) is None and step.name not in OTHER_SHAPE:
            theirs, mine = (status, shape(alike(answer))), (ours["status"], shape(alike(ours["answer"])))
            trouble += [] if theirs == mine else [f"{step.name}\n  theirs {theirs}\n  ours   {mine}"]
    side.http.close()
    assert not trouble, "\n".join(trouble)


def shape(value: Any) -> Any:
    """The fields of an answer, without their values."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    return [shape(part) for part in value] if isinstance(value, list) else None


def test_each_entry_has_its_row_on_the_page():
    cells = [line.split("|")[1].strip() for line in PAGE.read_text().splitlines() if line.startswith("|")]
    rows = {one.name: one.row for one in (*DIFFERENCES, *ONLY_HERE)} | {form.name: form.row for form in FORMS}
    for name, row in rows.items():
        assert any(cell.startswith(row) for cell in cells), f"{name}: no row {row!r}"
    assert {form.name for form in FORMS} == set(FORMS_SHOWN)
