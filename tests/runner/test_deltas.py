"""Deltas and streams, without a kernel."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlws.runner.deltas import DeltaWriter
from jupyter_mlws.runner.report import cell_name
from jupyter_mlws.runner.streams import continued, settled

PIECES = st.lists(st.text(alphabet="ab\r\n", max_size=8), max_size=6)


@given(pieces=PIECES)
def test_shortened_pieces_settle_to_the_same(pieces):
    assert settled("".join(map(continued, pieces))) == settled("".join(pieces))


@given(pieces=PIECES)
def test_shortening_never_lengthens(pieces):
    assert all(len(continued(piece)) <= len(piece) for piece in pieces)


@pytest.fixture
def deltas(tmp_path):
    path = tmp_path / "notebook.jsonl"
    writer = DeltaWriter(str(path))
    return writer, lambda: [json.loads(line) for line in path.read_text().splitlines()]


def test_stream_text_of_one_window_is_one_line(deltas):
    writer, read = deltas
    for number in range(1000):
        writer.stream(0, "stdout", f"{number}\n")
    writer.stream(0, "stderr", "e")
    writer.stream(1, "stderr", "e")
    writer.flush()
    assert [(d["cell"], d["output"]["name"]) for d in read()] == [(0, "stdout"), (0, "stderr"), (1, "stderr")]


def test_long_text_is_cut(deltas):
    writer, read = deltas
    writer.stream(0, "stdout", "x" * 2_500_000)
    writer.flush()
    assert [len(d["output"]["text"]) for d in read()] == [1_000_000, 1_000_000, 500_000]


def test_what_is_cleared_or_replaced_in_one_window_is_left_out(deltas):
    writer, read = deltas
    for number in range(100):
        writer.clear(0)
        writer.output(0, {"output_type": "display_data", "data": {"text/plain": str(number)}}, None)
        writer.update("d", {"data": {"text/plain": str(number)}})
    writer.flush()
    assert [(d["op"], d.get("output", {}).get("data")) for d in read()] == [
        ("clear", None),
        ("output", {"text/plain": "99"}),
        ("update", {"text/plain": "99"}),
    ]


def test_huge_updates_wait_for_the_end_of_the_cell(deltas):
    writer, read = deltas
    for letter in "abc":
        writer.update("d", {"data": {"text/html": letter * 11_000_000}})
        writer.flush()
    assert read() == []
    writer.end(0, ok=True, execution_count=1)
    writer.flush()
    assert [d["op"] for d in read()] == ["update", "end"]
    assert read()[0]["output"]["data"]["text/html"][0] == "c"


@pytest.mark.parametrize(
    ("above", "source", "name"),
    [
        ("# One\n\n## Two ##\ntext", "x = 1", "Two"),
        ("text #tag", "\n\n  x = 1\n", "x = 1"),
        ("#!shebang", "# comment", "# comment"),
        ("", " \n", "cell 2"),
    ],
)
def test_cell_names(above, source, name):
    assert cell_name([{"cell_type": "markdown", "source": above}, {"cell_type": "code", "source": source}], 1) == name
