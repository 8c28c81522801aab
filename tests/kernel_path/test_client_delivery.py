"""From the queue over the spool to the server: batches, a server that is away, that fails, that refuses, that moves."""

from __future__ import annotations

import json
import os
import re
import shlex
import time
from pathlib import Path

import pytest

TOKEN = "mlws_test"


def values_of(run, key):
    return [point[1] for point in run["points"] if point[0] == key]


def wal_files(places):
    return sorted(path.name for path in (places / "spool").glob("*.wal"))


def log_requests(tracker):
    return [request for request in tracker.requests if request[1].endswith("/log")]


def test_many_points_go_in_batches_of_at_most_a_thousand(online, tracker):
    with online.start_run() as run:
        for i in range(25_000):
            run.log_metric("loss", i / 7)
    stored = tracker.only()
    assert values_of(stored, "loss") == [i / 7 for i in range(25_000)]
    assert [point[2] for point in stored["points"]] == list(range(25_000))
    assert 25 <= len(log_requests(tracker)) < 80
    assert stored["end"]["status"] == "Completed"


def test_a_point_arrives_by_itself(online, tracker, until):
    run = online.start_run()
    started = time.monotonic()
    run.log_metric("loss", 1.0)
    until(lambda: tracker.runs and tracker.only()["points"])
    assert time.monotonic() - started < 2


def test_labels_are_gathered_into_one_request(online, tracker):
    with online.start_run() as run:
        for i in range(50):
            run.log_param(f"p{i}", i)
            run.set_tag(f"t{i}", i)
    assert len(tracker.only()["params"]) == len(tracker.only()["tags"]) == 50
    assert len(log_requests(tracker)) <= 3


def test_nothing_is_left_on_disk_when_all_is_sent(online, places, python, server, tracker):
    code = "import mlws\nwith mlws.start_run(): mlws.log_metric('a', 1); mlws.log_text('x', 'x.txt')"
    done = python(code, MLWS_URL=server.url, MLWS_TOKEN=TOKEN)
    assert (done.returncode, done.stderr) == (0, "")
    assert tracker.only()["artifacts"] == {"x.txt": b"x"}
    assert list((places / "spool").iterdir()) == []


def test_away_then_replayed_exactly_once(places, python, server, tracker):
    code = (
        "import mlws\n"
        "with mlws.start_run('r', params={'lr': 0.1}, tags={'k': 'v'}, note='n') as run:\n"
        "    for i in range(2500): mlws.log_metric('loss', i)\n"
        "    mlws.log_text('hello', 'a/b.txt')\n"
        "print(run.id)\n"
    )
    started = time.monotonic()
    done = python(code, MLWS_URL="http://127.0.0.1:9/mlws")
    assert done.returncode == 0
    assert time.monotonic() - started < 8
    assert done.stderr.count("the server is away") == 1
    assert str(places / "spool") in done.stderr
    synced = python("import sys; from mlws.__main__ import main; sys.exit(main(['sync']))", MLWS_URL=server.url, MLWS_TOKEN=TOKEN)
    assert synced.returncode == 0, synced.stdout
    run = tracker.runs[done.stdout.strip()]
    assert values_of(run, "loss") == list(range(2500))
    assert (run["params"], run["tags"], run["update"]) == ({"lr": "0.1"}, {"k": "v"}, {"note": "n"})
    assert run["artifacts"] == {"a/b.txt": b"hello"}
    assert run["end"]["status"] == "Completed"
    assert list((places / "spool").iterdir()) == []
    requests = len(tracker.requests)
    again = python("import sys; from mlws.__main__ import main; sys.exit(main(['sync']))", MLWS_URL=server.url, MLWS_TOKEN=TOKEN)
    assert again.stdout.splitlines()[0].endswith("0 record(s) sent, 0 refused, 0 file(s) left.")
    assert len(tracker.requests) == requests


SYNC = re.compile(r"`python -m mlws (sync [^`]+)`")


def sync(python, words, **env):
    """What `python -m mlws` prints."""
    return python(f"import sys; from mlws.__main__ import main; sys.exit(main({words!r}))", **env).stdout


def test_the_command_that_is_told_sends_what_was_kept(places, python, server, tracker):
    """Also from a terminal in which nothing names the folder."""
    done = python("import mlws; mlws.log_metric('a', 1)", MLWS_SPOOL_DIR=str(places / "of my notebook"))
    (told,) = set(SYNC.findall(done.stderr))
    out = sync(python, shlex.split(told), MLWS_SPOOL_DIR="", MLWS_URL=server.url, MLWS_TOKEN=TOKEN)
    assert "0 refused, 0 file(s) left" in out
    assert values_of(tracker.only(), "a") == [1.0]


def test_a_makeshift_folder_is_the_users_alone(places, python, server, tracker):
    (places / "no folder").write_text("")
    (places / "tmp").mkdir()
    env = {"MLWS_SPOOL_DIR": str(places / "no folder" / "spool"), "TMPDIR": str(places / "tmp")}
    usual = places / "tmp" / f"mlws-spool-{os.getuid()}"
    stranger = places / "of somebody"
    stranger.mkdir(mode=0o700)
    for made in (lambda: None, lambda: usual.mkdir(mode=0o777), lambda: usual.symlink_to(stranger)):
        made()
        done = python("import os, mlws; os.umask(0); mlws.log_metric('a', 1)", **env)
        (told,) = set(SYNC.findall(done.stderr))
        kept = Path(shlex.split(told)[1])
        assert (kept.parent, kept.stat().st_mode & 0o777, kept.is_symlink()) == (places / "tmp", 0o700, False)
        assert len(list(kept.glob("*.wal"))) == 1
        if kept == usual:
            out = sync(python, ["sync"], TMPDIR=env["TMPDIR"])
            assert f"passed over: {kept}; `python -m mlws sync {kept}`" in out
        sync(python, shlex.split(told), MLWS_URL=server.url, MLWS_TOKEN=TOKEN)
        assert list(kept.glob("*.wal")) == []
        if usual.is_symlink():
            usual.unlink()
        elif usual.exists():
            usual.rmdir()
    assert list(stranger.iterdir()) == []
    assert len(tracker.runs) == 3


def test_sync_names_the_spools_of_other_servers(places, python):
    remote = {"MLWS_URL": "http://elsewhere.invalid:1/mlws", "MLWS_SPOOL_DIR": ""}
    python("import mlws; mlws.log_metric('a', 1)", **remote)
    below = places / "data" / "spool" / "elsewhere.invalid"
    out = sync(python, ["sync"], MLWS_SPOOL_DIR="")
    assert out.startswith(f"{below.parent}: 0 record(s) sent, 0 refused, 0 file(s) left.")
    assert f"passed over: {below}; `python -m mlws sync {below}`" in out
    assert "passed over" not in sync(python, ["sync", str(below)])


def test_sync_while_the_server_is_away_says_so(places, python):
    python("import mlws; mlws.log_metric('a', 1)")
    synced = python("import sys; from mlws.__main__ import main; sys.exit(main(['sync']))")
    assert synced.returncode == 1
    assert "1 file(s) left" in synced.stdout
    assert "jupyter lab" in synced.stdout


def test_the_next_process_sends_what_was_left(places, python, server, tracker, until):
    python("import mlws\nwith mlws.start_run('first'): mlws.log_metric('a', 1)")
    code = "import mlws, time\nwith mlws.start_run('second'): mlws.log_metric('a', 2)\ntime.sleep(1)"
    done = python(code, MLWS_URL=server.url, MLWS_TOKEN=TOKEN)
    assert done.stderr == ""
    assert {run["create"]["name"]: values_of(run, "a") for run in tracker.runs.values()} == {"first": [1.0], "second": [2.0]}
    assert wal_files(places) == []


def test_a_server_that_comes_later_gets_everything(mlws, owner_file, start_server, tracker, until, capsys):
    run = mlws.start_run()
    run.log_metric("loss", 1)
    assert mlws.flush(5) is False
    assert capsys.readouterr().err.count("no server was found") == 1
    server = start_server()
    owner_file(server.url)
    until(lambda: tracker.runs and tracker.only()["points"])
    assert mlws.flush(5) is True
    until(lambda: "the server is back" in capsys.readouterr().err)


@pytest.mark.parametrize("status", [500, 503, 429, 408, 401])
def test_a_failing_server_is_tried_again(online, tracker, until, capsys, status):
    run = online.start_run()
    assert online.flush(5) is True
    tracker.fail = status
    for i in range(3000):
        run.log_metric("loss", i)
    assert online.flush(2) is False
    tracker.fail = 0
    assert online.flush(10) is True
    assert values_of(tracker.only(), "loss") == list(range(3000))
    assert capsys.readouterr().err.count("is away") == 1


def test_a_stranger_on_the_port_does_not_count_as_an_answer(online, tracker):
    run = online.start_run()
    assert online.flush(5) is True
    tracker.fail = -2
    run.log_metric("loss", 1)
    assert online.flush(2) is False
    tracker.fail = 0
    assert online.flush(60) is True
    assert values_of(tracker.only(), "loss") == [1.0]


def test_the_server_restarts_on_another_port(online, server, start_server, owner_file, tracker, until):
    run = online.start_run()
    run.log_metric("loss", 1)
    assert online.flush(5) is True
    server.stop()
    run.log_metric("loss", 2)
    assert online.flush(2) is False
    tracker.token = "mlws_new"
    owner_file(start_server().url, "mlws_new")
    until(lambda: values_of(tracker.only(), "loss") == [1.0, 2.0])


def test_the_server_restarts_on_its_port(online, server, start_server, tracker):
    run = online.start_run()
    assert online.flush(5) is True
    server.stop()
    start_server(server.server_port)
    run.log_metric("loss", 1)
    assert online.flush(10) is True
    assert values_of(tracker.only(), "loss") == [1.0]


def test_a_refused_record_is_kept_and_said_once(online, tracker, places, capsys):
    run = online.start_run(params={"lr": 1})
    assert online.flush(5) is True
    for _ in range(3):
        run.log_params({"lr": 2, "other": 3})
        run.log_metric("loss", 1)
        assert (online.flush(5), run.flush(5)) == (False, False)  # the server has not all of it
    assert tracker.only()["params"] == {"lr": "1", "other": "3"}  # the good ones are not lost with the bad
    assert len(values_of(tracker.only(), "loss")) == 3
    said = capsys.readouterr().err
    assert said.count("the server refused to") == 1
    assert "'lr' has another value" in said
    rejected = [json.loads(line) for path in (places / "spool").glob("*.rejected") for line in path.read_text().splitlines()]
    assert [(row["status"], row["code"]) for row in rejected] == [(409, "param_conflict")] * 3
    assert rejected[0]["record"]["body"]["params"]["lr"] == "2"


def test_a_record_that_is_no_json_is_put_aside_and_sending_goes_on(online, tracker, places, capsys):
    from mlws import sender

    run = online.start_run()
    for step in (True, 1):
        with sender.sender().lock:
            sender.sender().queue.append((run.id, "a", 1.0, step, 1))
        assert run.flush(5) is False  # the server has not all of it
    run.log_metric("b", 1)
    online.end_run()
    stored = tracker.only()
    assert ([point[0] for point in stored["points"]], stored["end"]["status"]) == (["a", "b"], "Completed")
    assert "the server refused to log" in capsys.readouterr().err
    (kept,) = (places / "spool").glob("*.rejected")
    row = json.loads(kept.read_text())
    assert (row["status"], '"step":True' in row["record"]) == (400, True)


def test_a_run_that_was_refused_takes_its_records_along(mlws, server, tracker, monkeypatch, capsys, places):
    monkeypatch.setenv("MLWS_URL", server.url)
    monkeypatch.setenv("MLWS_TOKEN", TOKEN)
    with monkeypatch.context() as broken:
        broken.setattr(tracker, "create", lambda *_: tracker.find("0" * 32))
        with mlws.start_run() as run:
            run.log_metric("loss", 1)
    assert tracker.runs == {}
    said = capsys.readouterr().err
    assert said.count("the server refused to") == 1
    assert "make the run" in said
    reason = f"There is no run {'0' * 32!r}"
    assert run.refusal is not None
    for shown in (repr(run), run._repr_html_(), run._repr_markdown_()):
        assert "efused by the server" in shown
        assert "/open/runs/" not in shown  # there is no such page
    assert reason in repr(run)
    assert (mlws.flush(5), run.flush(5)) == (False, False)
    with mlws.start_run() as good:
        good.log_metric("loss", 1)
    assert (mlws.flush(5), good.flush(5)) == (False, True)
    assert good.refusal is None
    rejected = next((places / "spool").glob("*.rejected")).read_text()
    assert '"loss"' in rejected
    assert len(log_requests(tracker)) == 1


def test_a_record_that_always_breaks_the_server_is_put_aside(online, tracker, monkeypatch, capsys, until):
    from mlws import sender

    monkeypatch.setattr(sender, "PATIENCE_OF_500_S", 0.0)
    monkeypatch.setattr(sender, "FIRST_RETRY_S", 0.001)
    run = online.start_run()
    until(lambda: tracker.runs and "environment" in tracker.only())
    tracker.fail = 500
    run.log_metric("bad", 1)
    for _ in range(sender.TRIES_OF_500 + 1):
        online.flush(5)
        if run.id in sender.sender().failures:
            break
    tracker.fail = 0
    run.log_metric("good", 1)
    assert online.flush(5) is False
    assert [point[0] for point in tracker.only()["points"]] == ["good"]
    assert "refused to log" in capsys.readouterr().err


def test_a_hanging_server_does_not_hold_the_training(online, tracker):
    run = online.start_run()
    assert online.flush(5) is True
    tracker.fail = -1
    started = time.monotonic()
    for i in range(2000):
        run.log_metric("loss", i)
    assert time.monotonic() - started < 1
    assert online.flush(0.2) is False
    assert time.monotonic() - started < 2


def test_what_overflows_the_queue_goes_to_disk(mlws, places, monkeypatch):
    from mlws import sender, spool

    monkeypatch.setattr(sender, "QUEUE_LIMIT", 5000)
    monkeypatch.setattr(sender, "BATCH_S", 60)
    run = mlws.start_run()
    out = sender.sender()
    with monkeypatch.context() as patch:
        patch.setattr(out._full, "set", lambda: None)  # a spooler that does not keep up
        patch.setattr(out._wake, "set", lambda: None)
        for i in range(12_000):
            run.log_metric("loss", i)
    assert len(out.queue) < 5000
    kept = [
        record
        for name in wal_files(places)
        for record in spool.read_records(str(places / "spool" / name))
        if record["op"] == "log"
    ]
    assert sum(len(record["body"]["metrics"]) for record in kept) >= 9_000


def test_a_spool_that_cannot_be_written_is_made_up_for_in_memory(online, tracker, monkeypatch, capsys):
    from mlws import spool

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spool._Segment, "append", full)
    with online.start_run() as run:
        for i in range(3000):
            run.log_metric("loss", i)
    assert values_of(tracker.only(), "loss") == list(range(3000))
    assert capsys.readouterr().err.count("No space left") == 1
