"""Filters find the right runs, and never let a value into the text of a statement."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, select

from jupyter_mlws.domain.search.columns import SearchColumns
from jupyter_mlws.domain.search.errors import FilterUnsupported
from jupyter_mlws.domain.search.filters import compile_filter
from jupyter_mlws.domain.search.grammar import parse_filter
from jupyter_mlws.domain.search.nodes import Filter
from tests.domain.search import trees
from tests.domain.search.rows import COLUMNS, DAY, SAMPLES, START, runs, search, search_tree

ALL = "".join(sample.id for sample in SAMPLES)


def rest(found: str) -> str:
    """All runs but these."""
    return "".join(run for run in ALL if run not in found)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # metrics: a run without the metric never matches; NaN only matches what is negative
        ("metrics.acc = 0.9", "al"),
        ("metrics.acc != 0.9", "bcfgk"),
        ("metrics.acc > 0.8", "afl"),
        ("metrics.acc >= 0.8", "abfl"),
        ("metrics.acc < 0.8", "gk"),
        ("metrics.acc <= 0.8", "bgk"),
        ("metrics.acc BETWEEN 0.1 AND 0.8", "bg"),
        ("metrics.acc NOT BETWEEN 0.1 AND 0.8", "acfkl"),
        ("metrics.acc IN (0.9, 0.1)", "agl"),
        ("metrics.acc NOT IN (0.9, 0.1)", "bcfk"),
        ("metrics.acc = NaN", "c"),
        ("metrics.acc != nan", "abfgkl"),
        ("metrics.acc = inf", "f"),
        ("metrics.acc = -Infinity", "k"),
        ("metrics.acc IS NULL", "dehij"),
        ("metrics.acc IS NOT NULL", "abcfgkl"),
        ("metrics.loss.min < 0.2", "g"),
        ("metrics.loss.max > 0.6", "af"),
        ("metrics.loss.last = 3", "f"),
        ("metrics.acc.min = NaN", "c"),
        ("metrics.acc.min != 0.5", "bcfgkl"),
        ("metrics.acc.best > 0.85", "abfl"),
        ("metrics.acc.best < 0.2", "gk"),  # of g's experiment the goal is the least
        ("metrics.loss.best <= 0.2", "ag"),
        ("metrics.`loss.min` = 7", "g"),
        ("metrics.`a b` > 0 AND metrics.val/loss = 2", "k"),
        # params and tags
        ("params.lr = '0.1'", "a"),
        ("params.lr != '0.1'", "bh"),
        ("params.lr = ''", "h"),
        ("params.lr IS NULL", "cdefgijkl"),
        ("params.lr IS NOT NULL", "abh"),
        ("params.lr IN ('0.1', '0.01')", "ab"),
        ("params.lr NOT IN ('0.1')", "bh"),
        ("params.model LIKE 'f%'", "a"),
        ("params.model ILIKE 'F%'", "ab"),
        ("params.model NOT LIKE 'f%'", "bc"),
        ("params.model NOT ILIKE 'f%'", "c"),
        ("params.`odd ``key\"` = 'it''s'", "h"),
        ("tags.team = 'red'", "d"),
        ("tags.team ILIKE 'r_d'", "dj"),
        ("tags.mlflow.source.name = \"x.py\"", "e"),
        ("tags.x LIKE '100\\%'", "j"),
        # attributes
        ("run_id IN ('a', 'b', 'zz',)", "ab"),
        ("attributes.run_name = 'forest_2'", "b"),
        ("`Run name` LIKE '%100\\%'", "a"),
        ("name LIKE 'forest\\_2'", "b"),
        ("name ILIKE 'éCOLE'", "h"),
        ("user_id != 'ada'", "f"),
        ("note LIKE '%*b?c[d]'", "f"),
        ("note LIKE 'a?b*c[d]'", ""),
        ("source LIKE 'C:\\\\data\\\\x\\_1.py'", "j"),
        ("source = 'C:\\data\\x_1.py'", "j"),
        ("target = 'local'", "f"),
        ("target != 'local'", "l"),
        ("target IS NULL", "abcdeghijk"),
        ("parent_id IS NOT NULL", "e"),
        ("kind = 'Command'", "g"),
        ("lifecycle_stage = 'deleted'", "h"),
        ("experiment_id = '2'", "gh"),
        ("experiment_id NOT IN (1, 3)", "gh"),
        ("experiment_name LIKE 'O%'", "gh"),
        ("experiment_name != 'Odd'", rest("gh")),
        ("experiment_name IS NULL", ""),
        ("artifact_uri LIKE '%:/a/%'", "a"),
        ("status = 'FINISHED'", "aghij"),
        ("status = 'completed'", "aghij"),
        ("status = 'RUNNING'", "cel"),
        ("status = 'Running'", "c"),
        ("status != 'RUNNING'", rest("cel")),
        ("status IN ('SCHEDULED', 'Failed')", "bdk"),
        ("status NOT IN ('FINISHED')", rest("aghij")),
        ("status LIKE 'KILL%'", "f"),
        ("status ILIKE '%ed'", "abdfghijkl"),
        ("status LIKE 'nothing'", ""),
        ("start_time > '2026-01-15'", "ci"),
        (f"attribute.start_time = {START + 31 * DAY}", "i"),
        ("created < '2026-01-01T01:00+01:00'", ""),
        ("start_time <= 1e300", rest("d")),
        ("start_time < 99999999999999999999999", rest("d")),
        ("start_time > 0.5 AND start_time < '2026-01-01T00:00:00.001Z'", rest("cdi")),
        ("start_time IS NULL", "d"),
        ("end_time IS NULL", "cde"),
        ("created_at > '2026-01-01'", "d"),
        ("duration = '1m'", "abfghjkl"),
        ("duration BETWEEN '1s' AND '10s'", "c"),
        ("duration >= '2d'", "ei"),
        ("duration IN (5000, '1m', 0.5)", "abcfghjkl"),
        # datasets
        ("datasets.name = 'iris'", "ij"),
        ("dataset.context != 'train'", "j"),
        ("datasets.digest IN ('d2')", "i"),
        # together
        ("metrics.acc > 0.8 AND params.lr = '0.1'", "a"),
        ("params.lr = '0.1' OR tags.team = 'red' AND status = 'Failed'", "a"),
        ("(params.lr = '0.1' OR tags.team = 'red') AND status != 'FINISHED'", "d"),
        ("NOT params.lr = '0.1'", rest("a")),
        ("NOT target = 'local'", rest("f")),
        ("NOT NOT target = 'local'", "f"),
        ("NOT (metrics.acc > 0 AND metrics.acc < 1)", rest("abgl")),
        ("", ALL),
    ],
)  # fmt: skip
def test_finds(connection: Connection, text: str, found: str) -> None:
    assert search(connection, text) == found


KEYS = st.sampled_from(["lr", "model", "team", "x", "acc", "loss", "loss.min", "none"])
TEXTS = st.one_of(
    st.sampled_from(
        ["0.1", "forest", "Forest", "red", "Red", "f%", "F_r%t", "%e%", "100\\%", "100%", "a*b?c[d]", "", "iris", "%\\\\x%"]
    ),
    st.text("%_\\*?[]^-aéÉEeR", max_size=6),
)
NUMBERS = st.one_of(st.sampled_from([0.1, 0.2, 0.9, 3.0, 7.0, float("inf"), -float("inf")]), trees.any_float)


def test_any_filter_finds_what_plain_python_finds(connection: Connection) -> None:
    @settings(max_examples=150 if connection.dialect.name == "sqlite" else 60, deadline=None)
    @given(tree=trees.trees(KEYS, TEXTS, NUMBERS))
    def holds(tree: Filter) -> None:
        found = "".join(sample.id for sample in SAMPLES if trees.matches(sample, tree))
        assert search_tree(connection, tree) == found
        assert search_tree(connection, tree, experiment_ids=[1, 2]) == found

    holds()


PAYLOADS = [
    "' OR 1=1--",
    "'; DROP TABLE runs;--",
    "x' UNION SELECT id FROM runs--",
    "\\' OR ''='",
    ":name_1 %(name)s $1 ?",
    "`; DELETE FROM runs; --",
    '") OR 1=1 --',
    "%' ESCAPE 'x",
    "]) * [^a] GLOB",
    "canary\u202e\u2028\U0001f642",
]
PLACES = [
    "params.lr = {value}",
    "params.lr != {value}",
    "tags.{key} = {value}",
    "params.{key} IS NOT NULL",
    "metrics.{key} > 0",
    "metrics.{key}.best > 0",
    "tags.team LIKE {value}",
    "tags.team NOT ILIKE {value}",
    "run_id IN ({value}, 'zz')",
    "run_name ILIKE {value}",
    "experiment_name = {value}",
    "datasets.name LIKE {value}",
    "note = {value} OR source = {value}",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("payload", PAYLOADS)
def test_payload_is_data(connection: Connection, place: str, payload: str) -> None:
    value = "'" + payload.replace("'", "''") + "'"
    key = "`" + payload.replace("`", "``") + "`"
    statements: list[str] = []

    @event.listens_for(connection, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    try:
        found = search(connection, place.format(value=value, key=key))
    finally:
        event.remove(connection, "before_cursor_execute", note)
    assert len(statements) == 1
    assert payload not in statements[0]
    assert "canary" not in statements[0]
    # Nothing is called so; only what is negative finds the runs that have another value.
    assert found == ("abh" if "!=" in place else "dej" if "NOT ILIKE" in place else "")


@pytest.mark.parametrize("tree_text", ["params.lr = 'other'", "metrics.x > 5", "tags.a LIKE 'b%'", "run_id IN ('a','b','c')"])
def test_statement_text_depends_on_shape_alone(connection: Connection, tree_text: str) -> None:
    other = tree_text.replace("other", "1").replace("x", "y").replace("'b%'", "'_q%'").replace("('a','b','c')", "('z')")
    first, second = (str(compile_filter(parse_filter(text), COLUMNS)) for text in (tree_text, other))
    assert first == second


def test_unkept_is_refused() -> None:
    bare = SearchColumns(COLUMNS.runs, COLUMNS.params, COLUMNS.tags, COLUMNS.metrics, COLUMNS.experiments)
    with pytest.raises(FilterUnsupported, match="datasets"):
        compile_filter(parse_filter("datasets.name = 'x'"), bare)


def plan(connection: Connection, text: str, experiment_ids: list[int]) -> list[str]:
    """The steps in which a database goes about a search within an experiment."""
    tree = parse_filter(text)
    statement = select(runs.c.id).where(runs.c.experiment_id == 1, compile_filter(tree, COLUMNS, experiment_ids=experiment_ids))
    compiled = statement.compile(connection, compile_kwargs={"render_postcompile": True})
    if connection.dialect.name == "sqlite":
        values = tuple(compiled.params[name] for name in compiled.positiontup or [])
        return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values)]
    with connection.begin_nested() as settings_too:
        for way in ("seqscan", "mergejoin", "hashjoin"):  # right for a dozen rows; many count
            connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        steps = [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {compiled}", compiled.params)]
        settings_too.rollback()
    return steps


@pytest.mark.parametrize("experiment_ids", [[], [1]])
@pytest.mark.parametrize(
    "text",
    [
        "metrics.acc > 0.5",
        "metrics.acc BETWEEN 0.1 AND 0.2",
        "metrics.acc.max > 0.5",
        "metrics.acc != 0.5",
        "params.lr = '0.1'",
        "tags.team LIKE 'r%'",
        "params.lr IS NULL AND NOT tags.team = 'red'",
        "datasets.name = 'iris'",
        "experiment_name = 'Digits'",
        "run_id IN ('a', 'b')",
    ],
)
def test_no_table_is_read_whole(connection: Connection, text: str, experiment_ids: list[int]) -> None:
    steps = plan(connection, text, experiment_ids)
    scans = [step for step in steps if step.startswith("SCAN") or "Seq Scan" in step]
    assert [step for step in scans if "runs" not in step.split() and "experiments" not in step] == [], "\n".join(steps)
    by_value = "ix_metric_latest_value (experiment_id=? AND key=? AND value>"
    by_range = experiment_ids and text in ("metrics.acc > 0.5", "metrics.acc BETWEEN 0.1 AND 0.2")
    if by_range and connection.dialect.name == "sqlite":
        assert any(by_value in step for step in steps)
