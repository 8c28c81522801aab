"""The stored log: bytes as a terminal would leave them."""

from __future__ import annotations

import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlws.supervise import log as stored_log

TQDM = "import sys\nfor i in range(10**6): sys.stdout.write(f'\\r{i/1e4:.1f}%|#####| {i}/1000000 [00:01<00:00, 12345 it/s]')\nprint()"


def stored(tmp_path, *chunks: bytes, limit: int | None = None) -> bytes:
    path = tmp_path / "log"
    path.unlink(missing_ok=True)
    notes: list[str] = []
    log = stored_log.LogFile(str(path), notes.append, limit)
    for number, chunk in enumerate(chunks):
        log.feed(chunk)
        log.show_live(now=float(number))
    log.close()
    return path.read_bytes()


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([b"a\nb"], b"a\nb"),
        ([b"one\rtwo\n"], b"two\n"),
        ([b"one\r", b"two\n"], b"two\n"),
        ([b"dos\r\nline\r\n"], b"dos\nline\n"),
        ([b"dos\r", b"\nline"], b"dos\nline"),
        ([b"odd\r\r\nx"], b"odd\nx"),
        ([b"50%\r"], b"50%"),
        ([b"first\n50%\r60%\r", b"70%\nlast"], b"first\n70%\nlast"),
        ([b"a\rb\nc\rd\r\ne\rf"], b"b\nd\nf"),
        ([b"\x1b[31mred\x1b[0m\n"], b"\x1b[31mred\x1b[0m\n"),
        ([b"\xc3", b"\xa9\xff\n"], b"\xc3\xa9\xff\n"),
        ([b"long line here\r", b"x", b"\n"], b"x\n"),
        ([b""], b""),
    ],
)
def test_carriage_returns(tmp_path, chunks, expected):
    assert stored(tmp_path, *chunks) == expected


def last_states(data: bytes) -> bytes:
    """The plain definition: of each line what stands after its last return that something follows."""
    lines = []
    for line in data.split(b"\n"):
        pieces = [piece for piece in line.split(b"\r") if piece]
        lines.append(pieces[-1] if pieces else b"")
    return b"\n".join(lines)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(chunks=st.lists(st.text(alphabet="ab\r\n", max_size=12).map(str.encode), max_size=8))
def test_however_it_is_cut(tmp_path, chunks):
    assert stored(tmp_path, *chunks) == last_states(b"".join(chunks))


def test_live_line_is_there_before_it_ends(tmp_path):
    path = tmp_path / "log"
    log = stored_log.LogFile(str(path), print)
    log.feed(b"done\n10% of something")
    log.show_live(now=1.0)
    assert path.read_bytes() == b"done\n10% of something"
    log.feed(b"\r20%")
    log.show_live(now=1.1)
    assert path.read_bytes() == b"done\n10% of something", "at most every 0.2 s"
    log.show_live(now=1.3)
    assert path.read_bytes() == b"done\n20%"
    log.feed(b"\rok\n")
    assert path.read_bytes() == b"done\nok\n"
    log.close()


def test_long_lines_break_between_characters(tmp_path):
    text = "é" * 1_500_000
    lines = stored(tmp_path, *(text.encode()[i : i + 65_536] for i in range(0, 3_000_000, 65_536))).split(b"\n")
    assert "".join(line.decode() for line in lines) == text
    assert max(map(len, lines)) <= stored_log.MAX_LINE


def test_limit(tmp_path):
    data = stored(tmp_path, b"x" * 50 + b"\n", b"y" * 100 + b"\n", b"z\n", limit=100)
    assert data.startswith(b"x" * 50 + b"\n" + b"y" * 49 + b"\n[mlws] this log reached its limit of 100 bytes")
    assert b"z" not in data


def test_a_million_updates_are_one_line(job):
    folder = job(sys.executable, "-c", TQDM)
    assert folder.run()["exit_code"] == 0
    assert folder.log.count(b"\n") == 1
    assert b"999999/1000000" in folder.log
    assert len(folder.log) < 100_000


def test_hundred_megabytes(shell):
    folder = shell("yes 'a line of log' | head -c 100000000")
    record = folder.run()
    assert len(folder.log) == 100_000_000
    assert record["ended_at"] - record["started_at"] < 15_000


def test_a_line_of_a_hundred_megabytes(shell):
    folder = shell("head -c 100000000 /dev/zero | tr '\\0' x; echo; echo after")
    folder.run()
    data = folder.log
    assert data.count(b"x") == 100_000_000
    assert data.endswith(b"x\nafter\n")
