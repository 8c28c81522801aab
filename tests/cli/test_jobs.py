"""`mlws job`, as a person types it."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import MLWS, Mlws
from tests.live import LiveServer, write_notebook

TRAIN = (
    "import mlws\nfor step in range(3):\n    mlws.log_metric('acc', rate * (step + 1), step=step)\nprint('done with', kind, flag)"
)
PARAMETERS = "rate: float = 0.1\nkind: str = 'svm'\nflag: bool = False"


@pytest.mark.slow
def test_a_notebook_is_submitted_followed_shown_downloaded(mlws: Mlws, tmp_path: Path) -> None:
    write_notebook(tmp_path / "train.ipynb", TRAIN, "open('outputs.txt', 'w').close()", parameters=PARAMETERS)
    said = mlws(
        *("job", "create", "--notebook", "train.ipynb", "-p", "rate=0.3", "-p", "kind=tree", "-p", "flag=true"),
        *("--name", "typed", "--experiment", "cli", "--tag", "team=a", "--stream"),
    )
    assert said.code == 0, said.err
    assert said.out == "done with tree True\n"
    assert "Completed in" in said.err
    assert "acc 0.9" in said.err
    run_id = re.findall(r"[0-9a-f]{32}", said.err)[0]

    shown = json.loads(mlws("run", "show", run_id[:12], "--output", "json").out)
    assert list(shown)[:7] == ["name", "display_name", "experiment_name", "status", "type", "id", "description"]
    assert (shown["name"], shown["display_name"], shown["status"], shown["type"]) == (run_id, "typed", "Completed", "notebook")
    assert shown["parameters"] == {"rate": "0.3", "kind": "tree", "flag": "True"}
    assert shown["metrics"]["acc"] == pytest.approx(0.9)
    assert set(shown["creation_context"]) == {"created_at", "created_by", "created_by_type"}
    assert shown["services"]["Studio"]["endpoint"].endswith(f"/mlws/open/runs/{run_id}")

    assert mlws("job", "log", run_id).out == "done with tree True\n"
    table = mlws("run", "list", "--experiment", "cli", "--order-by", "metrics.acc desc").out
    assert table.splitlines()[0].split() == ["RUN", "NAME", "STATUS", "EXPERIMENT", "STARTED", "TOOK", "acc"]
    assert "\x1b" not in table
    points = mlws("run", "metrics", run_id, "--key", "acc", "-o", "csv").out.splitlines()
    assert points[0] == "key,step,time,value"
    assert len(points) == 4

    got = mlws("job", "download", run_id[:12], "--path", "user_logs", "--to", "got")
    assert got.code == 0, got.err
    assert (tmp_path / "got" / "user_logs" / "std_log.txt").read_text() == "done with tree True\n"

    again = mlws("job", "rerun", run_id, "-p", "rate=0.1", "--name", "again", "--env", "A=1", "--tag", "t=2", "--stream")
    assert again.code == 0, again.err
    other = re.findall(r"[0-9a-f]{32}", again.err)[0]
    compared = mlws("run", "compare", run_id, other)
    lines = compared.out.splitlines()
    assert any(re.fullmatch(r"\s*params\.rate\s+0\.3\s+0\.1", line) for line in lines), compared.out
    assert "params.kind" not in compared.out
    assert "params.kind" in mlws("run", "compare", run_id, other, "--all").out
    environment = json.loads(mlws("environment", "show", run_id, "-o", "json").out)
    assert environment["packages"]["jupyter_server"]


@pytest.mark.slow
def test_a_job_that_fails_ends_with_1_and_names_the_cell(mlws: Mlws, tmp_path: Path) -> None:
    write_notebook(tmp_path / "bad.ipynb", "1 + 1", "raise ValueError('no\\x1b[2Jgood')")
    said = mlws("job", "create", "--notebook", "bad.ipynb", "--stream")
    assert said.code == 1
    assert "Failed in" in said.err
    assert said.err.count("cell 2") == 1
    assert "ValueError" in said.err
    assert "\x1b[2J" not in said.err
    command = mlws("job", "create", "--command", "echo one; exit 3", "--stream")
    assert (command.code, command.out) == (1, "one\n")


@pytest.mark.slow
def test_what_is_followed_for_a_program_is_json_or_csv_alone(mlws: Mlws) -> None:
    line = 'echo "not [json"; exit 3'
    made = mlws("job", "create", "--command", line, "--name", "for a program", "--stream", "-o", "json")
    run = json.loads(made.out)
    assert (made.code, run["status"], run["display_name"]) == (1, "Failed", "for a program")
    assert "not [json\n" in made.err
    streamed = mlws("job", "stream", run["name"], "-o", "json")
    assert (streamed.code, json.loads(streamed.out)) == (1, run)
    in_csv = mlws("job", "stream", run["name"], "-o", "csv")
    (row,) = csv.DictReader(io.StringIO(in_csv.out))
    assert (row["name"], row["status"]) == (run["name"], "Failed")
    assert "not [json\n" in in_csv.err


BAD = [
    (["job", "create"], 2, "--notebook PATH"),
    (["job", "create", "--notebook", "ok.ipynb", "-p", "rate=1e999"], 2, "'rate' is inf"),
    (["job", "create", "--notebook", "a", "--command", "b"], 2, "Say what to run"),
    (["job", "create", "--command", "ls", "-p", "a=1"], 2, "-p"),
    (["job", "create", "--notebook", "absent.ipynb"], 3, "absent.ipynb"),
    (["job", "create", "--notebook", "."], 2, "[--notebook]"),
    (["job", "create", "--notebook", "ok.ipynb", "-p", "rat=1"], 2, "Did you mean 'rate'"),
    (["job", "create", "--notebook", "ok.ipynb", "-p", "rate=high"], 2, "[-p rate]"),
    (["job", "create", "--notebook", "ok.ipynb", "-p", "rate"], 2, "key=value"),
    (["job", "create", "--notebook", "strange.ipynb"], 2, "absent-kernel"),
    (["job", "create", "--notebook", "broken.ipynb"], 2, "broken.ipynb"),
    (["job", "create", "--notebook", "ok.ipynb", "--timeout", "0"], 2, "[--timeout]"),
    (["job", "create", "--notebook", "ok.ipynb", "--timeout", "2 weeks"], 2, "no span of time"),
    (["job", "create", "--notebook", "ok.ipynb", "--target", "moon"], 2, "[--target]"),
    (["job", "create", "--notebook", "ok.ipynb", "--kernel", "absent"], 2, "[--kernel]"),
    (["job", "show", "ffffffffffff"], 3, "begins with 'ffffffffffff'"),
    (["job", "show", "0" * 32], 3, ""),
    (["job", "show", ""], 2, "an empty text"),
    (["job", "download", ""], 2, "an empty text"),
    (["job", "stream", "a/b"], 3, "a/b"),
    (["job", "cancel", ".."], 3, ""),
    (["run", "show", "🚀"], 3, "🚀"),
    (["run", "show", ""], 2, "an empty text"),
    (["run", "delete", "--yes", ""], 2, "an empty text"),
    (["workspace", "show", "--name", ""], 2, "an empty text"),
    (["run", "show", "\x1b[31mred"], 3, "\\x1b[31mred"),
    (["run", "list", "--filter", "metrics.acc >"], 2, "[--filter]"),
    (["run", "list", "--order-by", "nonsense.x desc"], 2, "nonsense"),
    (["run", "list", "--experiment", "no/such 🚀"], 3, "no/such 🚀"),
    (["run", "list", "-w", "absent"], 3, "absent"),
    (["run", "list", "-w", "../x"], 3, ""),
    (["run", "compare", "0" * 32], 2, "at least two"),
    (["run", "update", "0" * 32], 2, "Say what to change"),
    (["workspace", "create", "no good"], 2, ""),
    (["workspace", "create", "x" * 10_000], 2, ""),
    (["workspace", "delete", "default", "--yes"], 2, "default"),
    (["experiment", "show", "absent"], 3, "absent"),
    (["compute", "show", "moon"], 3, "moon"),
    (["nonsense"], 2, "nonsense"),
]


@pytest.mark.parametrize(("words", "code", "text"), BAD, ids=[" ".join(words)[:60] for words, _, _ in BAD])
def test_bad_input_ends_in_a_sentence_and_its_code(mlws: Mlws, tmp_path: Path, words: list[str], code: int, text: str) -> None:
    write_notebook(tmp_path / "ok.ipynb", "1", parameters="rate: float = 0.1")
    write_notebook(tmp_path / "strange.ipynb", "1", kernel="absent-kernel")
    (tmp_path / "broken.ipynb").write_text("{")
    said = mlws(*words)
    assert (said.code, said.out) == (code, ""), said
    assert text in said.err
    assert "Error" in said.err
    assert "\x1b[31m" not in said.err


def test_the_supervisors_own_log(mlws: Mlws, server: LiveServer) -> None:
    run_id = server.submit({"kind": "command", "command": "echo of the job"})
    server.wait(run_id)
    kept = server.get(f"/runs/{run_id}/artifacts/content", params={"path": "system_logs/supervisor.log"}).text
    assert "ended: exited, exit code 0" in kept
    assert mlws("job", "log", run_id) == (0, "of the job\n", "")
    assert mlws("job", "log", run_id, "--system") == (0, kept, "")
    assert mlws("job", "log", run_id, "--system", "--tail", str(len(kept) - 1)) == (0, kept.partition("\n")[2], "")


@pytest.mark.slow
def test_ctrl_c_leaves_the_job_alone(mlws: Mlws, server: LiveServer, tmp_path: Path) -> None:
    line = "printf 'be%s' gun; echo; sleep 60"  # the word stands in what the job prints alone, not in its title
    made = json.loads(mlws("job", "create", "--command", line, "-o", "json").out)
    primary, secondary = pty.openpty()
    words = [MLWS, "job", "stream", made["name"][:10]]
    process = subprocess.Popen(
        words, env={**server.env, "TERM": "xterm"}, cwd=tmp_path, stdout=secondary, stderr=secondary, stdin=secondary
    )
    os.close(secondary)
    seen = b""
    deadline = time.monotonic() + 60
    try:
        while b"begun" not in seen:
            assert time.monotonic() < deadline, seen
            seen += os.read(primary, 4096)
        process.send_signal(signal.SIGINT)
        while b"cancels it" not in seen:
            seen += os.read(primary, 4096)
        assert process.wait(20) == 130
    finally:
        process.kill()
        process.wait()
    os.close(primary)
    assert json.loads(mlws("job", "show", made["name"], "-o", "json").out)["status"] == "Running"
    assert "Running" in mlws("job", "list").out
    canceled = mlws("job", "cancel", made["name"][:10])
    assert canceled.code == 0, canceled.err
    assert mlws("job", "wait", made["name"]).code == 1
