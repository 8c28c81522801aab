"""What a job is given as a secret is found nowhere again: not on the disk, not in an answer, not in an argument of a process."""

from __future__ import annotations

import base64
import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from tests.live import LiveServer, write_notebook

pytestmark = pytest.mark.slow
CANARY = f'canary-"{secrets.token_hex(12)}'
"""With a quote in it, which JSON, Python and HTML write in ways of their own."""
SCRIPT = """
import base64, json, os, sys, time, traceback
import mlws
c = os.environ["CANARY"]
print(c)
print("json", json.dumps({"token": c}), repr(c))
print("base64", base64.b64encode(("user:" + c).encode()).decode())
for letter in c:
    print(letter, end="", flush=True)
    time.sleep(0.005)
print(c, file=sys.stderr)
print("split", end=" "); print(c[:7], end="", flush=True); time.sleep(0.5); print(c[7:])
with mlws.start_run() as run:
    mlws.log_params({"given": c, "inside": f"Bearer {c}!"})
    mlws.set_tags({"tagged": json.dumps([c])})
    mlws.log_metrics({"accuracy": 0.5})
os.makedirs("outputs", exist_ok=True)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    made = LiveServer(tmp_path_factory.mktemp("secrets")).start()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def secret(server: LiveServer) -> None:
    server.ok("PUT", "/workspaces/default/secrets/canary", {"value": CANARY})


class Watch:
    """Looks again and again at the arguments of all processes."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.02):
            for process in psutil.process_iter(["cmdline"]):
                self.seen += [word for word in process.info["cmdline"] or [] if CANARY in word]


def written_forms() -> list[bytes]:
    """How the canary may lie in a file."""
    inner = base64.b64encode(CANARY.encode()).decode().rstrip("=")[:-1]
    return [text.encode() for text in (CANARY, json.dumps(CANARY)[1:-1], inner)]


def files_with_it(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and any(form in path.read_bytes() for form in written_forms())]


def answers_of(server: LiveServer, run_id: str) -> dict[str, bytes]:
    """Every answer about a run."""
    found = {}
    for path in (
        f"/runs/{run_id}",
        f"/jobs/{run_id}",
        f"/jobs/{run_id}/log",
        f"/jobs/{run_id}/log?stream=system",
        f"/jobs/{run_id}/notebook",
        f"/runs/{run_id}/notebook",
        f"/runs/{run_id}/environment",
        f"/runs/{run_id}/history",
        f"/runs/{run_id}/artifacts",
        f"/runs/{run_id}/artifacts/zip",
        "/workspaces/default/secrets",
        "/workspaces/default/jobs",
        "/changes",
    ):
        found[path] = server.get(path).content
    return found


def assert_nowhere(server: LiveServer, run_id: str) -> None:
    assert files_with_it(server.data_dir) == []
    for path, answer in answers_of(server, run_id).items():
        for form in written_forms():
            assert form not in answer, path
    assert CANARY not in server.log()
    with closing(sqlite3.connect(f"file:{server.data_dir}/mlws.db?mode=ro", uri=True)) as database:
        assert not any(form in "\n".join(database.iterdump()).encode() for form in written_forms())


def test_of_a_command_nothing_is_found(server: LiveServer):
    code = server.root / "code"
    code.mkdir(exist_ok=True)
    (code / "script.py").write_text(SCRIPT + 'raise ValueError(f"wrong: {c}")\n')
    with Watch() as watch:
        run_id = server.submit(
            {"kind": "command", "command": 'echo "$CANARY" | cat; python script.py', "code": "code"}, secrets={"CANARY": "canary"}
        )
        run = server.wait(run_id)
    log = server.ok("GET", f"/jobs/{run_id}/log")["text"]
    assert run["status"] == "Failed", log
    assert run["params"] == {"given": "***", "inside": "Bearer ***!"}
    assert run["tags"]["tagged"] == '["***"]'
    assert run["metrics"]["accuracy"]["last"] == 0.5
    assert log.count("***") >= 7, log
    assert "split ***" in log
    assert "ValueError: wrong: ***" in log
    assert watch.seen == []
    assert_nowhere(server, run_id)
    assert server.ok("GET", f"/jobs/{run_id}")["secrets"] == {"CANARY": "canary"}


def test_of_a_notebook_nothing_is_found(server: LiveServer):
    write_notebook(
        server.root / "shows.ipynb",
        SCRIPT,
        "from IPython.display import HTML, display\nimport html\n"
        "display(HTML(f'<b>{html.escape(c)}</b>'))\n"
        "handle = display({'token': c}, display_id=True); handle.update([c, c])\nc",
        "import subprocess; print(subprocess.run(['sh', '-c', 'echo $CANARY'], capture_output=True, text=True).stdout)\n!echo $CANARY",
        "def deep(token):\n    raise ValueError(f'wrong: {token}')\ndeep(c)",
    )
    with Watch() as watch:
        run_id = server.submit({"kind": "notebook", "notebook": "shows.ipynb"}, secrets={"CANARY": "canary"})
        run = server.wait(run_id)
    assert run["status"] == "Failed"
    assert run["error"]["message"].startswith("ValueError: wrong: ***"), run["error"]
    assert run["params"] == {"given": "***", "inside": "Bearer ***!"}
    output = server.get(f"/runs/{run_id}/artifacts/content?path=notebook/shows.ipynb").json()
    text = json.dumps(output["cells"])
    assert text.count("***") > 10
    assert "<b>***</b>" in text
    assert watch.seen == []
    assert_nowhere(server, run_id)


def test_a_client_of_mlflows_protocol_logs_it_and_it_is_hidden(server: LiveServer):
    """Straight to the server, past everything that hides on the way."""
    script = (
        "import json, os, urllib.request\n"
        "def post(path, body):\n"
        "    head = {'Authorization': 'Bearer ' + os.environ['MLFLOW_TRACKING_TOKEN'], 'Content-Type': 'application/json'}\n"
        "    url = os.environ['MLFLOW_TRACKING_URI'] + '/api/2.0/mlflow/' + path\n"
        "    urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), head)).read()\n"
        "run, c = os.environ['MLWS_RUN_ID'], os.environ['CANARY']\n"
        "post('runs/log-parameter', {'run_id': run, 'key': 'lr', 'value': c})\n"
        "post('runs/set-tag', {'run_id': run, 'key': 'note', 'value': 'x' + c})\n"
        "post('runs/log-batch', {'run_id': run, 'params': [{'key': 'k', 'value': c}]})\n"
    )
    code = server.root / "wire"
    code.mkdir(exist_ok=True)
    (code / "wire.py").write_text(script)
    run_id = server.submit({"kind": "command", "command": "python wire.py", "code": "wire"}, secrets={"CANARY": "canary"})
    run = server.wait(run_id, "Completed")
    assert run["params"] == {"lr": "***", "k": "***"}
    assert run["tags"]["note"] == "x***"
    assert_nowhere(server, run_id)


def test_a_running_job_is_hidden_by_what_it_was_given_whatever_becomes_of_the_secret(server: LiveServer):
    """Replaced and deleted while the job runs, the server killed meanwhile."""
    code = server.root / "late"
    code.mkdir(exist_ok=True)
    (code / "late.py").write_text(
        "import os, pathlib, time, mlws\nwhile not os.path.exists(os.environ['GO']): time.sleep(0.05)\n"
        "c = os.environ['CANARY']\nprint(c)\nwith mlws.start_run(): mlws.log_params({'late': c})\n"
    )
    go = server.root / "go"
    run_id = server.submit(
        {"kind": "command", "command": "python late.py", "code": "late"}, secrets={"CANARY": "canary"}, env={"GO": str(go)}
    )
    server.wait(run_id, "Running")
    server.ok("PUT", "/workspaces/default/secrets/canary", {"value": "another value"})
    server.ok("DELETE", "/workspaces/default/secrets/canary")
    server.kill()
    server.start(port=server.port)
    go.touch()
    run = server.wait(run_id, "Completed")
    assert run["params"] == {"late": "***"}
    assert server.ok("GET", f"/jobs/{run_id}/log")["text"] == "***\n"
    assert_nowhere(server, run_id)
    with closing(sqlite3.connect(f"file:{server.data_dir}/mlws.db?mode=ro", uri=True)) as database:
        kept = database.execute("SELECT sealed FROM secret_uses WHERE run_id = ?", [run_id]).fetchall()
    assert kept == [(None,)], "nothing is kept of what an ended job was given"


def test_run_again_it_is_given_the_secret_as_it_is_then(server: LiveServer):
    spec = {"kind": "command", "command": 'printf %s "$CANARY$OTHER" | wc -c'}
    run_id = server.submit(spec, secrets={"CANARY": "canary"})
    server.wait(run_id, "Completed")
    server.ok("PUT", "/workspaces/default/secrets/canary", {"value": "12345"})
    server.ok("PUT", "/workspaces/default/secrets/other", {"value": "1234567"})
    again = server.ok("POST", f"/jobs/{run_id}/rerun", {"secrets": {"OTHER": "other"}})
    assert again["secrets"] == {"CANARY": "canary", "OTHER": "other"}
    server.wait(again["run"]["id"], "Completed")
    assert server.ok("GET", f"/jobs/{again['run']['id']}/log")["text"] == "12\n"
    less = server.ok("POST", f"/jobs/{run_id}/rerun", {"secrets": {"CANARY": None}})
    assert less["secrets"] == {}


def test_a_secret_that_is_not_there_is_refused_with_the_nearest_name(server: LiveServer):
    body = {"spec": {"kind": "command", "command": "true"}, "secrets": {"TOKEN": "canarie"}}
    answer = server.post("/workspaces/default/jobs", body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "unknown_secret"
    assert "Did you mean 'canary'?" in answer.json()["error"]["message"]


def test_deleted_before_the_job_began_it_fails_and_says_so(server: LiveServer):
    server.ok("PATCH", "/compute/local", {"max_jobs": 1})
    try:
        first = server.submit({"kind": "command", "command": "sleep 60"})
        server.wait(first, "Running")
        waiting = server.submit({"kind": "command", "command": "true"}, secrets={"TOKEN": "canary"})
        listed = server.ok("GET", "/workspaces/default/secrets")["secrets"]
        assert [one["waiting"] for one in listed if one["name"] == "canary"] == [[waiting]]
        server.ok("DELETE", "/workspaces/default/secrets/canary")
        server.ok("POST", f"/jobs/{first}/cancel")
        assert "was deleted after this job was submitted" in server.wait(waiting, "Failed")["error"]["message"]
    finally:
        server.ok("PATCH", "/compute/local", {"max_jobs": None})


def test_what_a_user_writes_into_a_file_is_the_users(server: LiveServer):
    spec = {
        "kind": "command",
        "command": 'mkdir -p outputs; printf %s "$CANARY" > outputs/mine.txt; printf %s "$CANARY" | sha256sum',
    }
    run_id = server.submit(spec, secrets={"CANARY": "canary"})
    server.wait(run_id, "Completed")
    assert server.get(f"/runs/{run_id}/artifacts/content?path=outputs/mine.txt").text == CANARY
