"""The stored log: bytes as a terminal would leave them."""

from __future__ import annotations

import itertools
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlws.supervise import log as stored_log

TQDM = "import sys\nfor i in range(10**6): sys.stdout.write(f'\\r{i/1e4:.1f}%|#####| {i}/1000000 [00:01<00:00, 12345 it/s]')\nprint()"


def stored(tmp_path, *chunks: bytes, limit: int | None = None) -> bytes:
    tmp_path.mkdir(exist_ok=True)
    path = tmp_path / "log"
    path.unlink(missing_ok=True)
    notes: list[str] = []
    log = stored_log.LogFile(str(path), notes.append, limit)
    for number, chunk in enumerate(chunks):
        log.feed(chunk, now=float(number))
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


class Reader:
    """A log while it is written, at a clock of our own."""

    def __init__(self, path) -> None:
        self.path = path
        self.log = stored_log.LogFile(str(path), print)
        self.now = 0.0

    def after(self, seconds: float, data: bytes = b"") -> bytes:
        """What stands in the file some time later, with what was printed then."""
        self.now += seconds
        if data:
            self.log.feed(data, now=self.now)
        self.log.show_live(now=self.now)
        return self.path.read_bytes()


@pytest.fixture
def reader(tmp_path):
    made = Reader(tmp_path / "log")
    yield made
    made.log.close()


def test_live_line_is_there_before_it_ends(reader):
    assert reader.after(1, b"done\n10% of something") == b"done\n10% of something"
    assert reader.after(0.1, b"\r20%") == b"done\n10% of something", "at most every 0.2 s"
    assert reader.after(0.2) == b"done\n20%"
    assert reader.after(0.3, b"\rok\n") == b"done\nok\x1bE", "a bar may still be come back to"
    assert reader.after(0.3) == b"done\nok\n"


def test_printed_lines_are_finished_at_once(reader):
    assert reader.after(1, b"one\n") == b"one\n"
    assert reader.after(0.01, b"two\n") == b"one\ntwo\n"
    assert reader.after(0.01, b"\rbar\nthree\n") == b"one\ntwo\nbar\nthree\n", "and with them the bars above"


def test_nested_bars_are_two_lines_that_change(reader):
    assert reader.after(1, b"start\n\router 0%") == b"start\nouter 0%"
    # Newline and way back are separate writes.
    assert reader.after(0.1, b"\n") == b"start\nouter 0%"
    assert reader.after(0.1, b"\rinner 0%\x1b[A") == b"start\nouter 0%\x1bEinner 0%"
    for percent in range(1, 100):
        found = reader.after(0.3, b"\n\rinner %d%%\x1b[A" % percent)
        assert found == b"start\nouter 0%%\x1bEinner %d%%" % percent
    assert reader.after(60, b"\router 50%\n\r      \x1b[A") == b"start\nouter 50%\x1bE"
    assert reader.after(1, b"\router 100%\n") == b"start\nouter 100%\x1bE"
    assert reader.after(3, b"end\n") == b"start\nouter 100%\nend\x1bE", "in such a program lines wait for two seconds"
    assert reader.after(3) == b"start\nouter 100%\nend\n"


def test_a_way_back_to_a_finished_line_stops_below_it(reader):
    assert reader.after(1, b"plain\n") == b"plain\n"
    assert reader.after(1, b"\x1b[3Aframe 1\n") == b"plain\nframe 1\x1bE"
    assert reader.after(1, b"\x1b[1A\rframe 2\n") == b"plain\nframe 2\x1bE"


WRITES = [b"a", b"bc", b"\r", b"\n"]
MOVES = [b"\x1b[A", b"\x1b[2A", b"\x1b[B", b"\x1b[E", b"\x1b[1F"]


@pytest.mark.parametrize(("begins", "alphabet"), [(b"", WRITES), (b"\x1b[B", WRITES + MOVES)], ids=["plain", "has moved"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(data=st.data(), cuts=st.lists(st.integers(0, 60), max_size=6))
def test_lines_do_not_depend_on_how_they_are_cut(tmp_path, begins, alphabet, data, cuts):
    whole = begins + b"".join(data.draw(st.lists(st.sampled_from(alphabet), max_size=30)))
    edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    parts = [whole[a:b] for a, b in itertools.pairwise(edges)]
    path = tmp_path / "log"
    path.unlink(missing_ok=True)
    log = stored_log.LogFile(str(path), print)
    before = b""
    for part in parts:
        log.feed(part, now=0.0)
        log.show_live(now=0.0)
        stands = path.read_bytes()
        finished = before[: before.rfind(b"\n") + 1]
        assert stands.startswith(finished), "a finished line never changes"
        before = stands
    log.close()
    assert path.read_bytes() == stored(tmp_path / "other", whole), parts


def test_plain_text_is_finished_at_once_until_the_cursor_has_moved(tmp_path):
    assert stored(tmp_path, b"a\n\x1b[Ab") == b"ab\n"
    assert stored(tmp_path, b"a\n", b"\x1b[Ab") == b"a\nb", "who reads has the line already"
    assert stored(tmp_path, b"\x1b[Ba\n", b"\x1b[Ab") == b"ab\n"


def test_long_lines_break_between_characters(tmp_path):
    text = "é" * 1_500_000
    lines = stored(tmp_path, *(text.encode()[i : i + 65_536] for i in range(0, 3_000_000, 65_536))).split(b"\n")
    assert "".join(line.decode() for line in lines) == text
    assert max(map(len, lines)) <= stored_log.MAX_LINE


def test_limit(tmp_path):
    data = stored(tmp_path, b"x" * 50 + b"\n", b"y" * 100 + b"\n", b"z\n", limit=100)
    assert data.startswith(b"x" * 50 + b"\n" + b"y" * 49 + b"\n[mlws] this log reached its limit of 100 bytes")
    assert b"z" not in data


def test_nested_bars_of_tqdm_are_stored_as_they_stand_at_last(job):
    code = """
from tqdm import tqdm
print("begin")
for outer in tqdm(range(20), desc="outer", mininterval=0):
    for inner in tqdm(range(500), desc="inner", position=1, leave=False, mininterval=0):
        pass
print("end")
"""
    folder = job(sys.executable, "-c", code)
    assert folder.run()["exit_code"] == 0
    lines = folder.log.decode().split("\n")
    assert sorted(line.partition(":")[0] for line in lines if line) == ["begin", "end", "outer"]
    assert any("20/20" in line for line in lines)


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
