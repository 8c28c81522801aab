"""Notebooks with outputs, read piece by piece: large outputs are held, and can be had whole."""

from __future__ import annotations

import base64
import json
import struct
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_mlws.domain.jobs.deltas import NotebookCache, NotebookFile, delta_at, read_deltas
from jupyter_mlws.domain.jobs.errors import NotANotebook
from jupyter_mlws.domain.jobs.held import HEAD, TAIL, hold, image_of
from jupyter_mlws.domain.jobs.schemas import CellDelta

if TYPE_CHECKING:
    from pathlib import Path

LINES = "".join(f"line {n}\n" for n in range(10_000))
HTML = {"output_type": "display_data", "metadata": {}, "data": {"text/html": "<b>" * 50_000, "text/plain": "<HTML object>"}}


def stream(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def picture(kind: str, width: int = 40, height: int = 30) -> bytes:
    """The beginning of an image, as far as its measures, and something after it."""
    if kind == "png":
        head = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", width, height)
    elif kind == "gif":
        head = b"GIF89a" + struct.pack("<HH", width, height)
    else:
        application = b"\xff\xe0" + struct.pack(">H", 2 + 500) + bytes(500)
        head = b"\xff\xd8" + application + b"\xff\xc2" + struct.pack(">HBHH", 17, 8, height, width)
    return head + bytes(range(256)) * 8


def figure(kind: str = "png", **size: int) -> dict[str, Any]:
    return {
        "output_type": "display_data",
        "metadata": {},
        "data": {f"image/{kind}": base64.encodebytes(picture(kind, **size)).decode(), "text/plain": "<Figure>"},
    }


def held(output: dict[str, Any], over: int = 1_000) -> CellDelta:
    """What an answer has of an output."""
    delta = CellDelta(op="output", cell=0, output=output)
    hold(delta, len(json.dumps(output)), over)
    return delta


class TestHold:
    def test_what_is_small_is_left_alone(self):
        small = [stream("x" * 900), {"output_type": "error", "ename": "E", "evalue": "", "traceback": []}]
        assert [held(output) for output in small] == [CellDelta(op="output", cell=0, output=output) for output in small]

    def test_of_text_the_first_and_last_lines_stay(self):
        delta = held(stream(LINES))
        assert delta.output is not None
        assert delta.held is not None
        head, tail = delta.output["text"], delta.held.tail
        assert LINES.startswith(head)
        assert head.endswith("\n")
        assert 0 < len(head) <= HEAD
        assert tail is not None
        assert LINES.endswith(tail)
        assert tail.startswith("line ")
        assert 0 < len(tail) <= TAIL
        assert (delta.held.lines, delta.held.types, delta.output["name"]) == (10_000, ["text/plain"], "stdout")

    def test_text_that_is_a_little_too_long_loses_nothing(self):
        text = "".join(f"{n}\n" for n in range(500))
        delta = held(stream(text), over=1_000)
        assert delta.output is not None
        assert delta.held is not None
        head, tail = delta.output["text"], delta.held.tail or ""
        middle = text[len(head) : len(text) - len(tail)]
        assert head + middle + tail == text

    def test_a_line_without_end(self):
        delta = held(stream("x" * 100_000))
        assert delta.output is not None
        assert delta.held is not None
        assert (len(delta.output["text"]), len(delta.held.tail or ""), delta.held.lines) == (HEAD, TAIL, 1)

    def test_a_long_traceback(self):
        delta = held({"output_type": "error", "ename": "RecursionError", "evalue": "e" * 9_000, "traceback": LINES.split("\n")})
        assert delta.output is not None
        assert delta.held is not None
        assert len(json.dumps(delta.output)) < 3 * HEAD
        assert (delta.output["ename"], delta.held.types) == ("RecursionError", ["text/plain"])
        assert "line 9999" in (delta.held.tail or "")

    def test_of_a_bundle_the_types_stay(self):
        delta = held(HTML)
        assert delta.output == {**HTML, "data": {"text/plain": "<HTML object>"}}
        assert delta.held is not None
        assert delta.held.types == ["text/html", "text/plain"]

    @pytest.mark.parametrize("kind", ["png", "jpeg", "gif"])
    def test_of_an_image_the_measures_stay(self, kind: str):
        delta = held(figure(kind, width=123, height=45))
        assert delta.held is not None
        assert (delta.held.width, delta.held.height) == (123, 45)

    @pytest.mark.parametrize("data", ["", "no base64!", "iVBORw0KGgo=", "/9j/", "R0lGODdh" * 300])
    def test_an_image_that_is_none(self, data: str):
        output = {"output_type": "display_data", "metadata": {}, "data": {"image/png": data, "text/plain": "x" * 5_000}}
        delta = held(output)
        assert delta.held is not None
        image_of(output)

    def test_images_are_held_sooner(self):
        delta = held(figure(), over=4 * len(json.dumps(figure())) - 100)
        assert delta.held is not None


@pytest.fixture
def growing(tmp_path: Path) -> Path:
    """A job's changes of its notebook."""
    path = tmp_path / "notebook.jsonl"
    base = {"nbformat": 4, "metadata": {"trusted": True}, "cells": [{"cell_type": "code", "metadata": {"trusted": True}}]}
    deltas = [
        {"op": "base", "notebook": base},
        {"op": "output", "cell": 0, "output": stream(LINES)},
        {"op": "output", "cell": 0, "output": figure()},
        {"op": "output", "cell": 0, "output": HTML},
        {"op": "output", "cell": 0, "output": {"output_type": "display_data", "data": {"x/y": float("nan")}, "metadata": {}}},
        {"op": "done", "at": 1},
    ]
    lines = [json.dumps(delta) for delta in deltas]
    path.write_text("\n".join([*lines[:2], '{"op": "out', *lines[2:]]) + "\n")
    return path


class TestReadDeltas:
    def test_what_is_held_can_be_had_at_its_place(self, growing: Path):
        found = read_deltas(growing, 0, ended=False, hold_over=4_000)
        assert [delta.op for delta in found.deltas] == ["base", "output", "output", "output", "output", "done"]
        assert (found.more, found.done, found.next_offset) == (False, True, growing.stat().st_size)
        assert [delta.held is not None for delta in found.deltas] == [False, True, True, True, False, False]
        text, image, html = found.deltas[1:4]
        assert delta_at(growing, text.place or 0) == CellDelta(op="output", cell=0, output=stream(LINES), place=text.place)
        assert delta_at(growing, html.place or 0) == CellDelta(op="output", cell=0, output=HTML, place=html.place)
        shown = image_of((delta_at(growing, image.place or 0) or image).output)
        assert shown == ("image/png", picture("png"))
        assert delta_at(growing, (text.place or 0) + 1) is None
        assert delta_at(growing, 10**9) is None

    def test_an_answer_is_small_however_much_it_passes(self, tmp_path: Path):
        path = tmp_path / "notebook.jsonl"
        line = json.dumps({"op": "output", "cell": 0, "output": stream("x" * 100_000)}) + "\n"
        path.write_text(line * 60)
        whole = read_deltas(path, 0, ended=False)
        assert (len(whole.deltas), whole.more) == (11, True)
        held = read_deltas(path, 0, ended=False, hold_over=10_000)
        assert (len(held.deltas), held.more) == (60, False)
        one = read_deltas(path, 0, ended=False, limit=1)
        assert (len(one.deltas), one.next_offset, one.more) == (1, len(line), True)

    def test_no_notebook_is_trusted(self, growing: Path):
        base = read_deltas(growing, 0, ended=False, limit=1).deltas[0].notebook
        assert base == {"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "code", "metadata": {}}]}

    def test_a_line_that_is_being_written_waits(self, growing: Path):
        size = growing.stat().st_size
        with growing.open("a") as file:
            file.write('{"op": "output", ')
        found = read_deltas(growing, size, ended=False)
        assert (found.deltas, found.next_offset, found.more, found.done) == ([], size, False, False)


def notebook_file(*outputs: dict[str, Any], **fields: Any) -> NotebookFile:
    cells = [
        {"cell_type": "markdown", "source": "#", "metadata": {}},
        {"cell_type": "code", "source": "x", "metadata": {"trusted": True}, "execution_count": 1, "outputs": list(outputs)},
    ]
    notebook = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells, **fields}
    return NotebookFile(json.dumps(notebook).encode(), shown="a.ipynb")


class TestNotebookFile:
    def test_it_reads_as_a_job_does(self):
        file = notebook_file(stream("small"), HTML, figure())
        found = file.read(0, hold_over=4_000)
        assert [(delta.op, delta.cell, delta.place) for delta in found.deltas] == [
            ("base", None, 0),
            ("output", 1, 1),
            ("output", 1, 2),
            ("output", 1, 3),
            ("done", None, None),
        ]
        assert (found.more, found.done) == (False, True)
        base = found.deltas[0].notebook
        assert base is not None
        assert base["cells"][1]["outputs"] == []
        assert base["cells"][1]["metadata"] == {}
        assert file.at(2) == CellDelta(op="output", cell=1, output=HTML, place=2)
        assert file.at(4) is None

    def test_lines_are_joined_as_kernels_send_them(self):
        data = {"text/html": ["<b>\n", "</b>"], "application/json": ["a", "b"], "application/x+json": ["c"]}
        file = notebook_file({**stream(""), "text": ["a\n", "b"]}, {"output_type": "display_data", "metadata": {}, "data": data})
        outputs = [delta.output for delta in file.read(0).deltas[1:3]]
        assert outputs[0] == stream("a\nb")
        assert outputs[1] is not None
        assert outputs[1]["data"] == {**data, "text/html": "<b>\n</b>"}

    def test_piece_by_piece(self):
        outputs = [stream(f"{n} " + "x" * 300_000, name=str(n)) for n in range(9)]
        file = notebook_file(*outputs)
        found: list[CellDelta] = []
        offset, answers = 0, 0
        while True:
            answer = file.read(offset)
            found += answer.deltas
            offset, answers = answer.next_offset, answers + 1
            if not answer.more:
                break
        assert [delta.output for delta in found[1:-1]] == outputs
        assert (found[-1].op, answer.done, answers) == ("done", True, 3)

    def test_what_is_no_notebook_says_so(self):
        with pytest.raises(NotANotebook, match=r"a\.ipynb"):
            NotebookFile(b"[]", shown="a.ipynb")


class TestCache:
    def test_a_notebook_is_read_once(self, tmp_path: Path):
        path = tmp_path / "n.ipynb"
        path.write_text(json.dumps({"nbformat": 4, "metadata": {}, "cells": []}))
        cache = NotebookCache()
        first = cache.get("a" * 64, path, shown="n.ipynb")
        path.unlink()
        assert cache.get("a" * 64, path, shown="n.ipynb") is first

    def test_no_more_is_kept_than_the_limit(self, tmp_path: Path):
        path = tmp_path / "n.ipynb"
        path.write_text(json.dumps({"nbformat": 4, "metadata": {}, "cells": []}))
        size = path.stat().st_size
        cache = NotebookCache(limit=2 * size)
        made = {name: cache.get(name, path, shown="n.ipynb") for name in "abc"}
        assert [cache.get(name, path, shown="n.ipynb") is made[name] for name in "cba"] == [True, True, False]
        large = NotebookCache(limit=size - 1)
        assert large.get("a", path, shown="n.ipynb") is not large.get("a", path, shown="n.ipynb")
