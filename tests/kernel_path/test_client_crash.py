"""What survives a process that is killed, forked, or full of threads."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

KERNEL_PATH = Path(__file__).parents[2] / "jupyter_mlws" / "kernel_path"
TOKEN = "mlws_test"

KILLED = """
import os, sys, mlws
acknowledged = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
run = mlws.start_run("killed")
print(run.id, flush=True)
n = 0
while True:
    for _ in range(37):
        mlws.log_metric("n", n)
        n += 1
    mlws.flush(0.05)  # from here on, what was logged before is on disk or with the server
    os.write(acknowledged, b"%d\\n" % n)
    os.fsync(acknowledged)
"""


def start(code, places, *args, **env):
    return subprocess.Popen(
        [sys.executable, "-c", code, *args],
        env={**os.environ, "PYTHONPATH": str(KERNEL_PATH), **env},
        cwd=places,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def acknowledged_by(path):
    return int(path.read_text().split("\n")[-2]) if path.exists() and "\n" in path.read_text() else 0


@pytest.mark.parametrize("case", range(10))
def test_kill_9_loses_nothing_that_was_acknowledged(case, places, server, tracker, python, until):
    seed = int(os.environ.get("MLWS_TEST_SEED", time.time_ns() % 1_000_000)) + case
    print(f"MLWS_TEST_SEED={seed - case}")  # shown where the test fails
    chance = random.Random(seed)  # no secret
    with_server = case % 2 == 0
    env = {"MLWS_URL": server.url, "MLWS_TOKEN": TOKEN} if with_server else {}
    file = places / "acknowledged"
    child = start(KILLED, places, str(file), **env)
    try:
        until(lambda: acknowledged_by(file) > 0, 20)
        time.sleep(chance.uniform(0.0, 0.4))
        before = acknowledged_by(file)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    run_id = child.stdout.readline().strip()
    child.stdout.close()
    count = acknowledged_by(file)
    assert count >= before > 0
    synced = python("from mlws.__main__ import main; main(['sync'])", MLWS_URL=server.url, MLWS_TOKEN=TOKEN)
    assert "0 refused, 0 file(s) left" in synced.stdout, synced.stdout
    stored = [point[1] for point in tracker.runs[run_id]["points"]]
    assert set(range(count)) <= set(stored)
    assert len(stored) == len(set(stored))  # batch ids: none twice
    assert sorted(stored) == list(range(len(stored)))  # no holes behind either


def test_a_torn_tail_is_ignored(places):
    from mlws import spool

    path = places / "1-1-a.000000.wal"
    records = [{"op": "end", "run_id": "a" * 32, "body": {"n": n}} for n in range(5)]
    import json

    whole = b"".join(spool.frame(json.dumps(record).encode()) for record in records)
    last = len(spool.frame(json.dumps(records[-1]).encode()))
    for cut in range(1, last + 1):
        path.write_bytes(whole[:-cut])
        assert list(spool.read_records(str(path))) == records[:4]
    path.write_bytes(whole)
    assert list(spool.read_records(str(path))) == records
    path.write_bytes(whole + b"\0" * 64)
    assert list(spool.read_records(str(path))) == records
    damaged = bytearray(whole)
    damaged[-3] ^= 1
    path.write_bytes(bytes(damaged))
    assert list(spool.read_records(str(path))) == records[:4]
    path.write_bytes(b"\xff\xff\xff\xff" + b"x" * 100)
    assert list(spool.read_records(str(path))) == []


def test_a_damaged_record_takes_no_other_along(places):
    import json

    from mlws import spool

    good = [spool.frame(b'{"op":"end","run_id":"r","n":%d}' % n) for n in range(4)]
    flipped = bytearray(spool.frame(b'{"op":"end","run_id":"flipped"}'))
    flipped[-3] ^= 1
    bad = [spool.frame(b'{"op":"log","run_id":"r","step":True}'), spool.frame(b"\xff[1]"), bytes(flipped)]
    path = places / "s" / "1-1-a.000000.wal"
    path.parent.mkdir()
    path.write_bytes(b"".join(good[:2] + bad[:1] + good[2:3] + bad[1:] + good[3:]))
    seen = []
    assert spool.replay(str(path.parent), lambda record, blob: seen.append(record["n"])) == (4, 3, 0)
    assert seen == [0, 1, 2, 3]
    (kept,) = path.parent.iterdir()
    rows = [json.loads(line) for line in kept.read_text().splitlines()]
    assert kept.suffix == ".rejected"
    assert [row["code"] for row in rows] == ["unreadable"] * 3
    assert [row["record"] for row in rows][:2] == ['{"op":"log","run_id":"r","step":True}', "\\xff[1]"]


def test_acknowledged_records_are_not_read_again(places):
    from mlws import spool

    wal = spool.Wal(str(places / "s"))
    for n in range(4):
        wal.append(b'{"op":"end","run_id":"r","body":{"n":%d}}' % n)
    for _ in range(2):
        wal.ack(len(wal.peek() or b""))
    path = wal.stem + ".000000.wal"
    assert [record["body"]["n"] for record in spool.read_records(path)] == [2, 3]
    for _ in range(2):
        wal.ack(len(wal.peek() or b""))
    assert (wal.peek(), wal.size, list(spool.read_records(path))) == (None, 0, [])
    wal.append(b'{"op":"end","run_id":"r","body":{"n":9}}')
    assert [record["body"]["n"] for record in spool.read_records(path)] == [9]
    wal.ack(len(wal.peek() or b""))
    wal.close()
    assert list((places / "s").iterdir()) == []


def test_a_long_spool_is_cut_into_files_and_bounded(places, monkeypatch):
    from mlws import spool

    monkeypatch.setattr(spool, "SEGMENT_BYTES", 10_000)
    wal = spool.Wal(str(places / "s"), limit=50_000)
    payloads = [b'{"n":%d,"pad":"%s"}' % (n, b"x" * 1000) for n in range(100)]
    stored: list[bytes] = []
    while wal.size + len(payloads[0]) < 49_900:
        stored.append(payloads[len(stored)])
        wal.append(stored[-1])
    with pytest.raises(OSError, match="limit"):
        wal.append(b"x" * 1000)
    assert 40 < len(stored) < 50
    assert len(list((places / "s").glob("*.wal"))) == 5
    for payload in stored:
        assert wal.peek() == payload
        wal.ack(len(payload))
    assert wal.peek() is None
    wal.append(payloads[0])
    wal.abandon()


def test_the_spool_of_a_living_process_is_left_alone(places):
    from mlws import spool

    wal = spool.Wal(str(places / "s"))
    wal.append(b'{"op":"end","run_id":"r"}')
    assert spool.replay(str(places / "s"), lambda record, blob: None) == (0, 0, 0)
    wal.abandon()
    assert spool.replay(str(places / "s"), lambda record, blob: None) == (1, 0, 0)


def test_replay_stops_at_a_failure_and_goes_on_from_there(places):
    from mlws import spool
    from mlws.errors import Rejected, ServerAway

    wal = spool.Wal(str(places / "s"))
    for n in range(5):
        wal.append(b'{"op":"end","run_id":"r","n":%d}' % n)
    wal.abandon()
    seen = []

    def send(record, blob):
        if record["n"] == 1:
            raise Rejected("no")
        if record["n"] == 3 and 3 not in seen:
            seen.append(3)
            raise ServerAway("gone")
        seen.append(record["n"])

    assert spool.replay(str(places / "s"), send) == (2, 1, 1)
    assert spool.replay(str(places / "s"), send) == (2, 0, 0)
    assert seen == [0, 2, 3, 3, 4]
    assert [path.suffix for path in (places / "s").iterdir()] == [".rejected"]


@pytest.mark.parametrize("blob", ["../../etc/passwd", "/etc/passwd", "", "..", 7])
def test_a_spool_cannot_name_files_outside_of_its_folder(blob):
    from mlws import spool
    from mlws.errors import Rejected

    with pytest.raises(Rejected, match="outside"):
        spool.blob_path("/spool/a.wal", {"op": "artifact", "blob": blob})


def test_a_forked_child_logs_on_its_parents_run(places, python, server, tracker):
    code = (
        "import mlws, os\n"
        "with mlws.start_run('forked') as run:\n"
        "    mlws.log_metric('parent', 1)\n"
        "    pids = []\n"
        "    for n in range(3):\n"
        "        pid = os.fork()\n"
        "        if not pid:\n"
        "            for i in range(100): mlws.log_metric('child', n * 100 + i)\n"
        "            ok = mlws.flush(10)\n"
        "            os._exit(0 if ok else 1)\n"
        "        pids.append(pid)\n"
        "    codes = [os.waitpid(pid, 0)[1] for pid in pids]\n"
        "    mlws.log_metric('parent', 2)\n"
        "print(codes)\n"
    )
    done = python(code, MLWS_URL=server.url, MLWS_TOKEN=TOKEN)
    assert (done.stdout.strip(), done.stderr) == ("[0, 0, 0]", "")
    points = tracker.only()["points"]
    assert sorted(point[1] for point in points if point[0] == "child") == list(range(300))
    assert [point[1] for point in points if point[0] == "parent"] == [1, 2]
    assert tracker.only()["end"]["status"] == "Completed"
    assert [request[1].rpartition("/")[2] for request in tracker.requests].count("end") == 1


def test_workers_of_multiprocessing_leave_nothing_behind(places, server, tracker):
    code = (
        "import multiprocessing as mp, mlws, sys\n"
        "def work(n): mlws.log_metric('work', n); sys.exit(0)\n"
        "if __name__ == '__main__':\n"
        "    with mlws.start_run():\n"
        "        workers = [mp.get_context('fork').Process(target=work, args=(n,)) for n in range(3)]\n"
        "        [w.start() for w in workers]; [w.join() for w in workers]\n"
    )
    child = start(code, places, MLWS_URL=server.url, MLWS_TOKEN=TOKEN)
    child.communicate(timeout=30)
    assert child.returncode == 0
    assert sorted(point[1] for point in tracker.only()["points"]) == [0, 1, 2]
    assert list((places / "spool").iterdir()) == []


def test_threads_log_together(online, tracker):
    def work(n):
        for _ in range(2000):
            online.log_metric(f"t{n % 2}", 1.0)

    with online.start_run():
        threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    points = tracker.only()["points"]
    assert len(points) == 12_000
    for key in ("t0", "t1"):
        assert sorted(point[2] for point in points if point[0] == key) == list(range(6000))


def test_threads_have_runs_of_their_own(online, tracker):
    def work(n):
        with online.start_run(f"child {n}", nested=True):
            online.log_metric("n", n)

    with online.start_run("parent") as parent:
        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert online.active_run() is parent
    children = {run["create"]["name"]: run for run in tracker.runs.values() if run["create"]["name"] != "parent"}
    assert {name: [point[1] for point in run["points"]] for name, run in children.items()} == {
        f"child {n}": [n] for n in range(4)
    }
    assert {run["create"]["parent_id"] for run in children.values()} == {parent.id}


def test_a_run_that_a_thread_left_open_blocks_no_later_thread(places, python, server, tracker):
    """The number of a thread that is gone is given to a later one, mostly to the next."""
    code = (
        "import threading, mlws\n"
        "def work(name):\n"
        "    assert mlws.active_run() is None, mlws.active_run()\n"
        "    mlws.start_run(name); mlws.log_metric(name, 1)\n"
        "    if name == 'thread 1': mlws.end_run()\n"
        "    seen.append(threading.get_ident())\n"
        "seen = []\n"
        "for number in range(200):\n"
        "    thread = threading.Thread(target=work, args=(f'thread {number}',)); thread.start(); thread.join()\n"
        "    if number >= 2 and seen[-1] in seen[:-1]: break\n"
        "print(len(seen) - len(set(seen)) > 0)\n"
    )
    done = python(code, MLWS_URL=server.url, MLWS_TOKEN=TOKEN)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
    runs = {run["create"]["name"]: run for run in tracker.runs.values()}
    assert len(runs) >= 3
    assert {name: [point[0] for point in run["points"]] for name, run in runs.items()} == {name: [name] for name in runs}
    assert {run["end"]["status"] for run in runs.values()} == {"Completed"}  # those left open at the exit


def test_a_child_that_a_thread_forked_goes_on_with_its_run(places, python, server, tracker):
    code = (
        "import os, threading, mlws\n"
        "def work():\n"
        "    with mlws.start_run('of the thread'):\n"
        "        pid = os.fork()\n"
        "        if not pid:\n"
        "            mlws.log_metric('child', 1)\n"
        "            other = threading.Thread(target=mlws.log_metric, args=('of another', 1)); other.start(); other.join()\n"
        "            os._exit(0 if mlws.flush(10) else 1)\n"
        "        assert os.waitpid(pid, 0)[1] == 0\n"
        "thread = threading.Thread(target=work); thread.start(); thread.join()\n"
    )
    done = python(code, MLWS_URL=server.url, MLWS_TOKEN=TOKEN)
    assert (done.returncode, [point[0] for point in tracker.only()["points"]]) == (0, ["child", "of another"])


def test_logging_in_an_exit_handler_is_kept(places, python, server, tracker):
    code = (
        "import atexit\n"
        "@atexit.register\n"
        "def last(): mlws.log_metric('late', 1); mlws.log_text('x', 'late.txt')\n"
        "import mlws\n"
        "run = mlws.start_run('r'); mlws.log_metric('early', 1)\n"
    )
    done = python(code, MLWS_URL=server.url, MLWS_TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    python("from mlws.__main__ import main; main(['sync'])", MLWS_URL=server.url, MLWS_TOKEN=TOKEN)
    assert {point[0] for run in tracker.runs.values() for point in run["points"]} == {"early", "late"}


@pytest.mark.parametrize("first", ["import mlws, atexit", "import atexit"], ids=["before the last flush", "after it"])
def test_a_first_log_in_an_exit_handler_is_kept(places, python, first):
    from mlws import spool

    done = python(f"{first}\n@atexit.register\ndef last(): mlws.log_metric('late', 1)\nimport mlws")
    assert done.returncode == 0
    assert "is kept in" in done.stderr or "are kept in" in done.stderr
    (path,) = (places / "spool").glob("*.wal")
    assert [record["op"] for record in spool.read_records(str(path))][:2] == ["create", "log"]
