"""Logs by byte offset, from either side, and searched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jupyter_mlws.domain.jobs import logs
from jupyter_mlws.domain.jobs.logs import read_log, read_log_before, search_log

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def searched(path: Path, words: str) -> list[int]:
    """All that a search finds."""
    found: list[int] = []
    offset, more = 0, True
    while more:
        answer = search_log(path, words, offset)
        found += answer.offsets
        offset, more = answer.next_offset, answer.more
    return found


def test_unfinished_lines_are_told_apart(log: Path):
    log.write_bytes(b"done\nouter 1%\x1bEinner 5%")
    piece = read_log(log, 0, 4096, ended=False)
    assert (piece.text, piece.partial, piece.next_offset, piece.size) == ("done\n", "outer 1%\ninner 5%", 5, 23)
    # A supervisor that was killed leaves them as they stood.
    end = read_log(log, 0, 4096, ended=True)
    assert (end.text, end.partial, end.next_offset, end.done) == ("done\nouter 1%\ninner 5%", "", 23, True)


def test_backwards_a_log_is_the_same(log: Path):
    text = "".join(f"line {n} ü\n" for n in range(5_000))
    log.write_text(text)
    parts: list[str] = []
    before = log.stat().st_size
    while before > 0:
        piece = read_log_before(log, before, 10_000)
        assert piece.next_offset == before
        assert piece.offset < before
        assert piece.text.startswith("line ")
        parts.insert(0, piece.text)
        before = piece.offset
    assert "".join(parts) == text


def test_backwards_through_a_line_of_a_megabyte(log: Path):
    text = "first\n" + "é" * 500_000 + "\nlast\n"
    log.write_text(text)
    parts: list[str] = []
    before = log.stat().st_size
    while before > 0:
        piece = read_log_before(log, before, 9_999)
        assert "\ufffd" not in piece.text
        parts.insert(0, piece.text)
        before = piece.offset
    assert "".join(parts) == text


def test_search_finds_lines_in_any_case_and_whatever_their_colours(log: Path):
    lines = ["an ERROR\n", "nothing\n", "an er\x1b[31mro\x1b[0mr, and error\n", "Ünmöglich\n", "unfinished error"]
    log.write_text("".join(lines))
    starts = [len("".join(lines[:n]).encode()) for n in range(len(lines))]
    assert searched(log, "error") == [starts[0], starts[2]], "a line that is not finished is not searched yet"
    assert searched(log, "ünMÖG") == [starts[3]]
    assert searched(log, "31m") == []
    assert searched(log.with_name("none"), "x") == []


def test_search_goes_on_where_it_stopped(log: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(logs, "SEARCH_BLOCK", 1_000)
    monkeypatch.setattr(logs, "SEARCH_LIMIT", 5_000)
    monkeypatch.setattr(logs, "SEARCH_MATCHES", 20)
    lines = [f"line {n} {'x' * (n % 97)}\n" for n in range(2_000)]
    log.write_text("".join(lines))
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    assert searched(log, "7") == [starts[n] for n, line in enumerate(lines) if "7" in line]
    assert searched(log, "line") == starts[:-1]
    with log.open("a") as file:
        file.write("line 7\n")
    assert search_log(log, "7", starts[-1]).offsets == [starts[-1]]
