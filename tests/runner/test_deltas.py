"""Deltas and streams, without a kernel."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlws.runner.deltas import DeltaWriter
from jupyter_mlws.runner.report import cell_name
from jupyter_mlws.runner.streams import StreamText

PIECES = st.lists(st.text(alphabet="ab\r\n", max_size=8), max_size=6)
MOVES = st.lists(st.sampled_from(["a", "bé", "\r", "\n", "\x1b[A", "\x1b[2B", "\x1b[31m", "\n" * 60]), max_size=30)


def replayed(news):
    """What a reader has who is told all news."""
    text = ""
    for back, more in news:
        lines = text.split("\n")
        kept = lines[: len(lines) - back]
        text = "".join(line + "\n" for line in kept) + more if back else text + more
    return text


def last_states(text):
    """The plain definition: of each line what stands after its last return that something follows."""
    pieces = [[piece for piece in line.split("\r") if piece] for line in text.split("\n")]
    return "\n".join(line[-1] if line else "" for line in pieces)


@given(pieces=PIECES)
def test_a_stream_settles_to_the_last_state_of_each_line(pieces):
    stream = StreamText()
    for piece in pieces:
        stream.feed(piece)
    assert stream.settled() == last_states("".join(pieces))


@given(pieces=MOVES, told=st.sets(st.integers(0, 30)))
def test_a_reader_of_the_news_has_the_whole_text(pieces, told):
    stream = StreamText()
    news = []
    for number, piece in enumerate(pieces):
        stream.feed(piece)
        if number in told:
            news.append(stream.news())
    news.append(stream.news())
    assert replayed(filter(None, news)) == stream.settled()
    assert stream.news() is None


def test_news_of_a_bar_are_the_bar_alone():
    stream = StreamText()
    stream.feed("begin\n\r0%")
    assert stream.news() == (0, "begin\n0%")
    stream.feed("\r1%\n\r  inner 5%\x1b[A")
    assert stream.news() == (1, "1%\n  inner 5%")
    stream.feed("\n\r  inner 6%\x1b[A")
    assert stream.news() == (1, "  inner 6%")
    stream.feed("".join(f"\n\r  inner {n}%\x1b[A" for n in range(100_000)))
    assert stream.news() == (1, "  inner 99999%")


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
