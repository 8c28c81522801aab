"""Every list is a table: for people, for pandas, for spreadsheets. All of it by one class."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from jupyter_mlws.sdk import Table, Workspace, forms, text
from jupyter_mlws.sdk.table import csv_text
from tests.sdk.test_runs import make_runs

EXPERIMENT = "tables of all"
FORMULA = "=HYPERLINK(1)"


@pytest.fixture(scope="module")
def made() -> dict[str, list[str]]:
    """Filled by the first test that needs runs."""
    return {}


@pytest.fixture
def ids(ws: Workspace, made: dict[str, list[str]]) -> list[str]:
    """Two runs of one experiment, with a metric that is not a number in the second."""
    if not made:
        made["ids"] = make_runs(ws, EXPERIMENT, [0.5, "NaN"])
        ws.experiments.update(EXPERIMENT, tags={"owner": FORMULA}, goal="acc")
        ws.runs.update(made["ids"][0], name=FORMULA)
    return made["ids"]


LISTS: dict[str, tuple[Callable[[Workspace, list[str]], Table[Any]], set[str], str]] = {
    "runs": (lambda ws, _: ws.runs.search(experiment=EXPERIMENT), {"run_id", "metrics.acc", "params.n"}, "2 runs:"),
    "experiments": (lambda ws, _: ws.experiments.list(text=EXPERIMENT), {"name", "goal", "best_value"}, "1 experiment:"),
    "workspaces": (lambda ws, _: ws.list(), {"name", "runs", "created_at"}, ""),
    "jobs": (lambda ws, _: ws.jobs.list(), set(), ""),
    "queue": (lambda ws, _: ws.jobs.queue(), set(), ""),
    "compute": (lambda ws, _: ws.compute.list(), {"name", "max_jobs", "running"}, "1 compute target:"),
    "kernels": (lambda ws, _: ws.environments.kernels(), {"name", "language"}, ""),
    "resources": (lambda ws, _: ws.resources(), {"kind", "location", "bytes", "health"}, "4 resources:"),
    "metrics": (lambda ws, ids: ws.runs.metrics(ids[0]), {"key", "last", "min", "max", "count"}, "1 metric:"),
    "points": (lambda ws, ids: ws.runs.metric_history(ids[1], "acc"), {"key", "step", "time", "value"}, "2 points:"),
    "history": (lambda ws, ids: ws.runs.history(ids[0]), {"status", "at", "actor"}, ""),
    "artifacts": (lambda ws, ids: ws.runs.artifacts(ids[0]), set(), "no files"),
    "comparison": (lambda ws, ids: ws.runs.compare(ids), {"group", "name"}, "2 runs, "),
}


@pytest.mark.parametrize("name", LISTS)
def test_every_list_is_a_table(ws: Workspace, ids: list[str], tmp_path: Path, name: str) -> None:
    ask, fields, head = LISTS[name]
    found = ask(ws, ids)
    assert isinstance(found, Table)
    assert repr(found).startswith(head)
    assert "UNSET" not in repr(found)
    assert "object at 0x" not in repr(found)
    assert found._repr_html_().startswith("<table>" if len(found) else "<p>")
    written = found.to_csv(tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes().decode() == written
    rows = list(csv.DictReader(io.StringIO(written)))
    frame = found.to_pandas()
    assert len(rows) == len(frame) == len(found) == len(found.records())
    if len(found):
        assert fields <= set(rows[0])
        assert fields <= set(frame.columns)
        assert found[:1].form is found.form
        assert [*found[-1:]] == [found[-1]]
    for column in found.form.times:
        if column in frame:
            assert isinstance(frame[column].dtype, pd.DatetimeTZDtype), column


def test_no_table_commands_a_spreadsheet(ws: Workspace, ids: list[str]) -> None:
    for table in (ws.runs.search(experiment=EXPERIMENT), ws.experiments.list(text=EXPERIMENT), ws.runs.compare(ids)):
        written = table.to_csv()
        cells = [cell for row in csv.reader(io.StringIO(written)) for cell in row]
        assert f"'{FORMULA}" in cells or table.form.what == "row"
        assert FORMULA not in cells
    commands = ["=1", "+1+2", "-2+3", "@x", "\t=1", "\r=1", "\n=1"]
    numbers = ["-1.5", "+2e3", "-0", "-inf"]
    rows = list(csv.reader(io.StringIO(csv_text(["=head"], [[one] for one in [*commands, *numbers]]), newline="")))
    assert [row[0] for row in rows] == ["'=head", *(f"'{one}" for one in commands), *numbers]


def test_what_is_no_number_is_one_word_everywhere(ws: Workspace, ids: list[str]) -> None:
    points = ws.runs.metric_history(ids[1], "acc")
    assert points.steps == [0, 1]
    assert all(map(math.isnan, points.values))
    assert math.isnan(points[0].value)
    assert [point.step for point in points[1:]] == [1]
    assert "NaN" in repr(points)
    assert points.to_csv().splitlines()[1].endswith(",NaN")
    assert math.isnan(points.to_pandas()["value"][0])
    assert "NaN" in ws.runs.search(experiment=EXPERIMENT)._repr_html_()
    assert "nan" not in ws.runs.compare(ids)._repr_html_()


def test_a_comparison_reads_well(ws: Workspace, ids: list[str]) -> None:
    found = ws.runs.compare(ids)
    lines = repr(found).splitlines()
    assert lines[0] == f"2 runs, {len(found.differences())} differences:"
    assert lines[1].split() == [FORMULA, "run", "1"]
    assert ["metrics.acc", "0.5", "NaN"] in [line.split() for line in lines]
    assert ["params.n", "0", "1"] in [line.split() for line in repr(found.differences()).splitlines()]
    assert {row["name"] for row in found.differences().records()} >= {"acc", "n"}
    assert set(found.to_pandas().columns) == {"group", "name", *ids}
    assert [row.title for row in found.rows() if row.group == "run"]


def test_what_differs_in_a_comparison_looks_different(ws: Workspace) -> None:
    ids = make_runs(ws, "nearly the same", [0.98765, 0.98768, 0.5])
    ws.transport.ask(
        "POST", f"/runs/{ids[0]}/log", dict, body={"batch_id": "some-params", "params": {"data": "None", "both": "x"}}
    )
    ws.transport.ask("POST", f"/runs/{ids[1]}/log", dict, body={"batch_id": "some-params", "params": {"both": "x"}})
    two = ws.runs.compare(ids[:2])
    shown = [line.split() for line in repr(two.differences()).splitlines()]
    assert ["metrics.acc", "0.98765", "0.98768"] in shown
    assert ["params.data", "None", "–"] in shown  # the text, and none
    assert "params.both" not in repr(two.differences())
    assert ["metrics.acc", "0.9877", "0.5"] in [line.split() for line in repr(ws.runs.compare([ids[0], ids[2]])).splitlines()]


def test_columns_of_the_values_that_a_run_had(ws: Workspace) -> None:
    (run_id,) = make_runs(ws, "values of a metric", [3.0])
    now = 1_700_000_000_000
    points = [
        {"key": key, "value": value, "step": step, "time": now} for key in ("v", "v.min") for step, value in enumerate((5, 2, 4))
    ]
    ws.transport.ask("POST", f"/runs/{run_id}/log", dict, body={"batch_id": "some-values", "metrics": points})
    run = ws.runs.show(run_id)
    names = [
        "metrics.v",
        "metrics.v.last",
        "metrics.v.min",
        "metrics.v.max",
        "metrics.v.best",
        "metrics.`v.min`",
        "metrics.`v.min`.max",
    ]
    form = forms.runs([*names, "params.n", "metrics.absent.min"])
    assert form.row(run)[-9:] == ["4", "4", "2", "5", "2 … 5", "4", "5", "0", ""]
    titles = [column.title for column in form.columns][-9:]
    assert titles == ["v", "v last", "v min", "v max", "v best", "v.min", "v.min max", "n", "absent min"]


def test_one_run_reads_well(ws: Workspace, ids: list[str]) -> None:
    assert repr(ws.runs.show(ids[1])) == f"Run(id={ids[1]!r}, name='run 1', experiment='tables of all', status='Completed')"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        *[
            (123456.0, "123456"),
            (-1234567.8, "-1234568"),
            (9999.96, "10000"),
            (12.3456, "12.35"),
            (1e300, "1e+300"),
            (-0.0, "-0"),
        ],
        *[
            (None, ""),
            (3, "3"),
            (0.123456, "0.1235"),
            (float("nan"), "NaN"),
            (float("-inf"), "−∞"),
            ("NaN", "NaN"),
            ("Infinity", "∞"),
        ],
    ],
)
def test_numbers(value: object, shown: str) -> None:
    assert text.number(value) == shown


def test_names_cannot_command_a_session(ws: Workspace) -> None:
    run_id = make_runs(ws, "commanding", [1.0])[0]
    ws.runs.update(run_id, name="a\u202e名" + "é" * 90)
    shown = repr(ws.runs.search(experiment="commanding"))
    assert "\u202e" not in shown
    assert "…" in shown


@pytest.mark.parametrize(
    ("message", "cell", "told"),
    [
        ("ValueError: no (cell 2 of 2, “x”)", 1, "ValueError: no (cell 2 of 2, “x”)"),
        ("KeyError: 'cell 10'", 0, "cell 1: KeyError: 'cell 10'"),
        ("lost", None, "lost"),
    ],
)
def test_a_failure_names_its_cell_once(message: str, cell: int | None, told: str):
    assert text.failure(message, cell) == told
