"""Runs: how they begin, nest, fail and end; by themselves, and in a job."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

KERNEL_PATH = Path(__file__).parents[2] / "jupyter_mlws" / "kernel_path"
TOKEN = "mlws_test"
JOB = "0123456789abcdef" * 2


@pytest.fixture
def job(online, tracker, monkeypatch):
    """This process belongs to a job, whose run the server has."""
    monkeypatch.setenv("MLWS_RUN_ID", JOB)
    monkeypatch.setenv("MLWS_EXPERIMENT", "of the job")
    tracker.create("default", b'{"id":"%s","experiment":"of the job","name":"job"}' % JOB.encode())
    return tracker.runs[JOB]


def names(tracker):
    return {run["create"].get("name"): run for run in tracker.runs.values()}


def test_a_run_says_who_and_where_it_is(online, tracker, monkeypatch):
    monkeypatch.setenv("MLWS_WORKSPACE", "team")
    with online.start_run("first", "digits", {"lr": 0.1}, {"k": "v"}, "a *note*") as run:
        assert run.status == "Running"
    stored = tracker.only()
    create = stored["create"]
    assert (create["id"], create["name"], create["experiment"], stored["workspace"]) == (run.id, "first", "digits", "team")
    assert (create["process"]["pid"], create["process"]["host"]) == (os.getpid(), socket.gethostname())
    assert create["process"]["start_time"].isdigit()
    assert len(create["process"]["boot_id"]) == 36
    assert (stored["params"], stored["tags"], stored["update"]) == ({"lr": "0.1"}, {"k": "v"}, {"note": "a *note*"})
    assert stored["end"]["status"] == run.status == "Completed"
    assert run.name == "first"
    assert stored["environment"]["packages"]["numpy"]
    assert stored["environment"]["executable"]


def test_an_exception_fails_the_run_and_goes_on(online, tracker):
    with pytest.raises(ZeroDivisionError), online.start_run() as run:
        1 / 0  # noqa: B018
    error = tracker.only()["end"]["error"]
    assert (run.status, error["kind"], error["message"]) == ("Failed", "ZeroDivisionError", "division by zero")
    assert "test_client_runs.py" in error["traceback"]
    assert online.active_run() is None


def test_an_endless_message_is_cut(online, tracker):
    with pytest.raises(ValueError, match="x"), online.start_run():
        raise ValueError("x" * 500_000 + "\ud800")
    assert len(tracker.only()["end"]["error"]["traceback"]) <= 64_000


def test_ctrl_c_cancels(online, tracker):
    with pytest.raises(KeyboardInterrupt), online.start_run():
        raise KeyboardInterrupt
    assert tracker.only()["end"]["status"] == "Canceled"


@pytest.mark.parametrize(("code", "status"), [(0, "Completed"), (None, "Completed"), (3, "Failed"), ("bad", "Failed")])
def test_an_exit_ends_the_run_by_its_code(online, tracker, code, status):
    with pytest.raises(SystemExit), online.start_run():
        raise SystemExit(code)
    assert tracker.only()["end"]["status"] == status


def test_end_run(online, tracker):
    run = online.start_run()
    with pytest.raises(ValueError, match="Completed, Failed, Canceled"):
        online.end_run("FINISHED")
    online.end_run("Failed")
    online.end_run()
    run.end()
    assert tracker.only()["end"]["status"] == "Failed"
    assert [request[1].endswith("/end") for request in tracker.requests].count(True) == 1


def test_a_second_run_must_be_nested(online, tracker):
    with online.start_run("outer") as outer:
        with pytest.raises(RuntimeError, match="nested=True"):
            online.start_run("other")
        with online.start_run("inner", nested=True) as inner:
            assert online.active_run() is inner
            online.log_metric("depth", 2)
        assert online.active_run() is outer
        online.log_metric("depth", 1)
    runs = names(tracker)
    assert runs["inner"]["create"]["parent_id"] == outer.id
    assert "experiment" not in runs["inner"]["create"]
    assert "snapshot" not in runs["inner"]["snapshot"]
    assert [runs[name]["points"][0][1] for name in ("outer", "inner")] == [1, 2]


def test_bad_names_are_refused_before_anything_is_sent(online, tracker):
    for name in ("", " ", "x" * 501, 7):
        with pytest.raises(ValueError, match="name"):
            online.start_run(name)
        with pytest.raises(ValueError, match="experiment"):
            online.start_run(experiment=name)
    with pytest.raises(ValueError, match="32 hex"):
        online.start_run(run_id="../x")
    assert online.active_run() is None
    assert tracker.runs == {}


BAD_STARTS = [
    ({"params": {"": 1}}, ValueError),
    ({"params": {1: 1}}, TypeError),
    ({"params": ["lr"]}, TypeError),
    ({"tags": {"a\nb": 1}}, ValueError),
    ({"tags": "x"}, TypeError),
]


@pytest.mark.parametrize(("given", "error"), BAD_STARTS)
def test_what_cannot_be_logged_at_the_start_starts_no_run(online, tracker, given, error):
    with pytest.raises(error, match=r"^The .*\.$"):
        online.start_run("bad", **given)
    assert online.active_run() is None
    with online.start_run("good", params={"lr": 1}, tags={"k": "v"}, note="n"):
        pass
    stored = tracker.only()
    assert (stored["create"]["name"], stored["params"], stored["tags"], stored["update"]) == (
        "good",
        {"lr": "1"},
        {"k": "v"},
        {"note": "n"},
    )


def test_a_note_that_cannot_be_written_starts_no_run(online, tracker):
    class Note:
        def __str__(self):
            raise RuntimeError("no words")

    with pytest.raises(RuntimeError, match="no words"):
        online.start_run(note=Note())
    assert (online.active_run(), tracker.runs) == (None, {})


def test_logging_without_a_run_starts_one_that_ends_with_the_process(python, server, tracker):
    done = python("import mlws; mlws.log_metric('a', 1); mlws.log_param('p', 1)", MLWS_URL=server.url, MLWS_TOKEN=TOKEN)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tracker.only()["end"]["status"], tracker.only()["params"]) == ("Completed", {"p": "1"})
    assert tracker.only()["create"]["experiment"] == "Default"


def first_calls(places):
    """Calls that log nothing, since what they are given is no good."""
    return [
        lambda mlws: mlws.log_metric("a", "x"),
        lambda mlws: mlws.log_metric("", 1),
        lambda mlws: mlws.log_metric("a", 1, step="one"),
        lambda mlws: mlws.log_metrics({"a": 1, "b": None}),
        lambda mlws: mlws.log_param(" ", 1),
        lambda mlws: mlws.set_tag("a\nb", 1),
        lambda mlws: mlws.log_artifact(places / "missing"),
        lambda mlws: mlws.log_artifacts(places / "missing"),
        lambda mlws: mlws.log_text("x", "../x"),
        lambda mlws: mlws.log_table(7, "x.csv"),
        lambda mlws: mlws.log_figure(7, "x.png"),
        lambda mlws: mlws.log_input("x", "y", type="nonsense"),
    ]


def test_what_cannot_be_logged_starts_no_run(online, tracker, places):
    for call in first_calls(places):
        with pytest.raises((TypeError, ValueError, OSError)):
            call(online)
        assert online.active_run() is None
    assert online.flush(5) is True
    assert (tracker.runs, tracker.requests) == ({}, [])
    online.log_metric("a", 1)
    run = online.active_run()
    online.log_metric("a", 2)
    assert online.active_run() is run
    online.end_run()
    assert online.active_run() is None
    assert len(tracker.only()["points"]) == 2
    online.log_metric("a", 3)
    assert online.active_run() is not run


def test_a_bad_value_leaves_nothing_to_end_at_the_exit(python, server, tracker):
    code = "import mlws\ntry: mlws.log_metric('a', 'x')\nexcept TypeError: print('told')"
    done = python(code, MLWS_URL=server.url, MLWS_TOKEN=TOKEN)
    assert (done.returncode, done.stdout, done.stderr, tracker.runs) == (0, "told\n", "", {})


def test_threads_that_log_first_share_one_run(online, tracker):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: online.log_metric("a", n), range(64)))
    online.end_run()
    assert len(tracker.only()["points"]) == 64


def test_a_script_that_dies_fails_its_open_run(places, python, server, tracker):
    (places / "train.py").write_text("import mlws\nmlws.log_metric('a', 1)\nraise RuntimeError('diverged')\n")
    done = python("import runpy, sys; runpy.run_path('train.py', run_name='__main__')", MLWS_URL=server.url, MLWS_TOKEN=TOKEN)
    assert done.returncode == 1
    end = tracker.only()["end"]
    assert (end["status"], end["error"]["kind"], end["error"]["message"]) == ("Failed", "RuntimeError", "diverged")


@pytest.mark.parametrize(
    ("ending", "status", "message"),
    [
        ("sys.exit(1)", "Failed", "The program ended with exit code 1."),
        ("sys.exit('no data')", "Failed", "no data"),
        ("sys.exit(SystemExit(2))", "Failed", "The program ended with exit code 2."),
        ("sys.exit(0)", "Completed", None),
        ("sys.exit()", "Completed", None),
        ("try: sys.exit(1)\nexcept SystemExit as end: assert end.code == 1\nmlws.log_metric('b', 1)", "Completed", None),
        ("import argparse; argparse.ArgumentParser().error('x')", "Failed", "The program ended with exit code 2."),
    ],
)
@pytest.mark.parametrize("start", ["mlws.log_metric('a', 1)", "run = mlws.start_run()"])
def test_a_script_that_exits_ends_its_open_run_by_the_code(python, server, tracker, start, ending, status, message):
    done = python(f"import mlws, sys\n{start}\n{ending}", MLWS_URL=server.url, MLWS_TOKEN=TOKEN)
    assert "Traceback" not in done.stderr
    end = tracker.only()["end"]
    assert (end["status"], end.get("error", {}).get("message")) == (status, message)


def test_sys_exit_is_as_it_was(mlws, monkeypatch):
    import pickle

    from mlws import exits

    monkeypatch.setattr(sys, "exit", sys.exit)
    exits.watch()
    cases: list[tuple[Any, tuple[Any, ...]]] = [(None, ()), (3, (3,)), ("x", ("x",)), ((1, 2), (1, 2))]
    for given, args in cases:
        with pytest.raises(SystemExit) as ended:
            sys.exit(given)
        error = ended.value
        assert (error.args, pickle.loads(pickle.dumps(error)).args) == (args, args)  # noqa: S301  # our own
        error.code = 7
        assert error.code == 7
    assert exits.failure() is None  # it was caught each time

    def theirs(status=None):
        raise SystemExit(status)

    monkeypatch.setattr(sys, "exit", theirs)
    exits.watch()
    assert sys.exit is theirs


def test_an_explicit_run_ends_the_implicit_one(online, tracker):
    online.log_metric("a", 1)
    with online.start_run("explicit"):
        online.log_metric("a", 2)
    implicit = next(run for run in tracker.runs.values() if "name" not in run["create"])
    assert (implicit["end"]["status"], implicit["points"][0][1]) == ("Completed", 1)
    assert names(tracker)["explicit"]["points"][0][1] == 2


def test_a_continued_run_is_left_as_it_is(online, tracker):
    first = online.start_run("first")
    assert online.flush(5)
    import mlws.tracking

    mlws.tracking.closed(first)
    with online.start_run(run_id=first.id) as again:
        again.log_metric("a", 1)
    assert "end" not in tracker.only()
    assert len(tracker.only()["points"]) == 1
    online.start_run(run_id=first.id)
    online.end_run("Canceled")
    assert tracker.only()["end"]["status"] == "Canceled"


@pytest.mark.parametrize("ended", ["Failed", "Completed"])
def test_the_status_of_a_run_that_had_ended_stands(online, tracker, capsys, ended):
    with online.start_run("first") as first:
        online.end_run(ended)
    again = online.start_run(run_id=first.id)
    again.log_metric("a", 1)
    online.end_run("Completed")
    assert (again.status, tracker.only()["end"]["status"]) == (ended, ended)
    assert len(tracker.only()["points"]) == 1
    assert online.flush(5) is True
    said = capsys.readouterr().err
    assert said.count(f"had ended before, as {ended}: that stands") == (0 if ended == "Completed" else 1)


def test_a_job_logs_on_its_own_run_without_a_word(online, job, tracker):
    online.log_metric("loss", 1)
    assert online.active_run().id == JOB
    assert online.flush(5)
    assert [point[0] for point in job["points"]] == ["loss"]
    assert len(tracker.runs) == 1


def test_the_first_run_of_a_job_is_its_own_and_later_ones_are_children(online, job, tracker, capsys):
    with online.start_run("first", "elsewhere", params={"lr": 1}) as first:
        assert (first.id, first.is_job) == (JOB, True)
        online.log_metric("a", 1)
        with online.start_run("below", nested=True):
            pass
    with online.start_run("second") as second:
        online.log_metric("a", 2)
    online.log_metric("a", 3)
    assert online.flush(5)
    assert "end" not in job  # its supervisor ends it
    assert (job["params"], job["update"]) == ({"lr": "1"}, {"name": "first"})
    assert [point[1] for point in job["points"]] == [1, 3]
    assert "stays in the job's experiment" in capsys.readouterr().err
    runs = names(tracker)
    assert runs["second"]["create"]["parent_id"] == runs["below"]["create"]["parent_id"] == JOB
    assert runs["second"]["end"]["status"] == "Completed"
    assert second.id != JOB


def test_a_job_keeps_the_name_that_it_was_given(online, job, tracker, monkeypatch, capsys):
    monkeypatch.setenv("MLWS_RUN_NAME", "given")
    with online.start_run("first"), online.start_run("below", nested=True):
        pass
    assert online.flush(5)
    assert "update" not in job
    assert names(tracker)["below"]["create"]["parent_id"] == JOB
    assert capsys.readouterr().err.count("keeps the name it was submitted with, 'given', not 'first'") == 1


def test_the_default_experiment_is_the_notebook_or_the_script(tmp_path):
    (tmp_path / "told.txt").write_text("/home/me/renamed.ipynb")
    (tmp_path / "train.py").write_text("from mlws import process; print(process.default_experiment(), process.source())")
    package = tmp_path / "site-packages" / "worker"
    package.mkdir(parents=True)
    (package / "__main__.py").write_text((tmp_path / "train.py").read_text())
    line = (tmp_path / "train.py").read_text()
    session = {"JPY_SESSION_NAME": "/home/me/from session.ipynb"}
    told = {**session, "MLWS_NOTEBOOK_FILE": str(tmp_path / "told.txt")}
    by_hand = {**told, "MLWS_NOTEBOOK": "/home/me/digits.ipynb"}
    named = {**by_hand, "MLWS_EXPERIMENT": "named"}

    def of(*args, **env):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("JPY_", "MLWS_"))}
        path = os.pathsep.join([str(KERNEL_PATH), str(package.parent)])
        command = [sys.executable, *args]
        done = subprocess.run(command, env={**kept, "PYTHONPATH": path, **env}, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    train = f"train {tmp_path / 'train.py'}"
    for env, alone, in_script in (
        ({}, "Default", train),
        (session, "from session /home/me/from session.ipynb", train),
        (told, "renamed /home/me/renamed.ipynb", train),
        (by_hand, "digits /home/me/digits.ipynb", "digits /home/me/digits.ipynb"),
        (named, "named /home/me/digits.ipynb", "named /home/me/digits.ipynb"),
    ):
        assert of("-c", line, **env) == alone
        assert of(str(tmp_path / "train.py"), **env) == in_script
        assert of("-m", "worker", **env) == (alone if env else f"worker {package / '__main__.py'}")


def test_a_script_is_the_snapshot_of_its_run(places, server, tracker):
    script = places / "train model.py"
    script.write_text("import mlws\nwith mlws.start_run(): mlws.log_metric('a', 1)\n")
    env = {**os.environ, "PYTHONPATH": str(KERNEL_PATH), "MLWS_URL": server.url, "MLWS_TOKEN": TOKEN}
    subprocess.run([sys.executable, str(script)], env=env, check=True, timeout=60)
    stored = tracker.only()
    assert (stored["create"]["experiment"], stored["create"]["source"]) == ("train model", str(script))
    assert stored["snapshot"] == {"train model.py": script.read_bytes()}


def test_a_script_from_stdin_has_no_name(places, server, tracker):
    env = {**os.environ, "PYTHONPATH": str(KERNEL_PATH), "MLWS_URL": server.url, "MLWS_TOKEN": TOKEN}
    script = "import mlws\nwith mlws.start_run(): mlws.log_metric('a', 1)\n"
    done = subprocess.run(
        [sys.executable, "-"], input=script, env=env, cwd=places, capture_output=True, text=True, check=True, timeout=60
    )
    stored = tracker.only()
    assert (stored["create"]["experiment"], done.stderr) == ("Default", "")
    assert "source" not in stored["create"]
    assert stored["snapshot"] == {}


def test_the_workspace_of_a_run(online, tracker, monkeypatch):
    with online.start_run("named", workspace="vision") as parent:
        with pytest.raises(ValueError, match="workspace 'vision', not to 'speech'"):
            online.start_run("elsewhere", nested=True, workspace="speech")
        with online.start_run("child", nested=True) as child, online.start_run("same", nested=True, workspace="vision"):
            child.log_metric("a", 1)
    monkeypatch.setenv("MLWS_WORKSPACE", " team ")
    with online.start_run("by environment") as run:
        run.log_metric("a", 1)
    assert {name: run["workspace"] for name, run in names(tracker).items()} == {
        "named": "vision",
        "child": "vision",
        "same": "vision",
        "by environment": "team",
    }
    assert parent.workspace == "vision"
    for bad in ("", " ", 7):
        with pytest.raises(ValueError, match="workspace"):
            online.start_run(workspace=bad)


def test_every_record_names_its_workspace(mlws, places, monkeypatch):
    from mlws import sender, spool

    with mlws.start_run(params={"p": 1}, workspace='a"b,"body":c') as run:
        monkeypatch.setenv("MLWS_WORKSPACE", "another")
        run.log_metric("m", 1)
        run.log_text("x", "x.txt")
        run.log_input("data", "s3://x")
        run.set_note("n")
    mlws.flush(0.1)
    assert sender.sender().away is not None
    records = [record for path in spool.waiting(str(places / "spool")) for record in spool.read_records(path)]
    assert {record["op"] for record in records} >= {"create", "log", "artifact", "io", "update", "end", "environment"}
    assert {record["workspace"] for record in records} == {'a"b,"body":c'}


def test_a_log_record_is_cut_as_it_was_made():
    from mlws import wire

    for name in ("default", 'a"b,"body":c', "ünï\\code", ""):
        data = wire.log_payload("0" * 32, name, '{"batch_id":"x-1","metrics":[]}')
        assert wire.log_parts(data) == ("0" * 32, name, b'{"batch_id":"x-1","metrics":[]}')
    for other in (b"", b"{}", b'{"op":"log","run_id":"' + b"0" * 32 + b'","body":{}}', wire.payload({"op": "end"})):
        assert wire.log_parts(other) is None


def test_a_job_stays_in_its_workspace(online, job, tracker, capsys):
    with online.start_run("first", workspace="vision") as first:
        assert first.workspace == "default"
    assert "stays in the job's workspace 'default', not 'vision'" in capsys.readouterr().err
    with pytest.raises(ValueError, match="goes to its workspace 'default'"):
        online.start_run("second", workspace="vision")


def test_a_run_shows_itself_without_letting_anything_through(online, monkeypatch):
    evil = '<img src=x onerror="alert(1)">'
    with online.start_run(evil, evil, params={evil: evil}) as run:
        run.log_metric(evil, 0.5)
        run.log_metrics({"nan": float("nan"), "up": float("inf"), "down": -float("inf"), "whole": 3})
    html = run._repr_html_()
    assert "<img" not in html
    assert f'href="/base/mlws/open/runs/{run.id}"' in html
    assert "Completed" in html
    assert "0.5" in html
    assert "<code>nan</code> = NaN" in html
    assert [part in html for part in ("= ∞", "= −∞", "= 3")] == [True] * 3
    assert "src=" not in html.replace("src=x", "")
    markdown = run._repr_markdown_()
    assert f"/base/mlws/open/runs/{run.id}" in markdown
    assert "<img" not in markdown
    assert run.id in repr(run)


def test_a_server_without_the_lab_has_no_pages_to_name(mlws, server, owner_file):
    from mlws.display import Link

    owner_file(server.url)
    run = mlws.start_run(name="away")
    assert (run.url, run.url in repr(run)) == (f"{server.url}/open/runs/{run.id}", True)
    owner_file(server.url, headless=True)
    assert (run.url, "http" in repr(run), "away" in repr(run)) == ("", False, True)
    assert "jupyter lab" in repr(Link(run.id, "away"))
    run.end()
