"""Kinds of jobs and compute targets that another package brings, and packages that are broken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import LiveServer

MODULE = '''
import sys
from pathlib import Path

from jupyter_mlws.domain.compute.local import LocalCompute
from jupyter_mlws.domain.jobs.kinds import ExtensionKind
from jupyter_mlws.kit.errors import BadInput


class Count(ExtensionKind):
    """Counts the words of a file."""

    def check(self, settings):
        if not isinstance(settings.get("file"), str):
            raise BadInput("Say which file's words are counted.", field="spec.settings.file")
        return {"least": 1, **settings}

    def argv(self, settings, cwd):
        code = "import mlws, sys; n = len(open(sys.argv[1]).read().split()); mlws.log_metric('words', n); print(n, 'words')"
        return [sys.executable, "-c", code, settings["file"]]


class Noting(LocalCompute):
    """This machine, and a note of what was started."""

    kind = "noting"
    description = "Notes what it starts"

    def __init__(self, name, max_jobs, *, notes):
        super().__init__(name, max_jobs)
        self.notes = Path(notes)

    def start(self, job_dir):
        with self.notes.open("a") as file:
            file.write(job_dir.name + "\\n")
        super().start(job_dir)
'''
ENTRY_POINTS = """
[jupyter_mlws.job_kinds]
count = words_and_notes:Count
broken = words_and_notes_gone:Count

[jupyter_mlws.compute]
noting = words_and_notes:Noting
broken = words_and_notes_gone:Noting
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server beside an installed package of somebody else."""
    site = tmp_path_factory.mktemp("site")
    (site / "words_and_notes.py").write_text(MODULE)
    info = site / "words_and_notes-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: words-and-notes\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    targets = {
        "elsewhere": {"kind": "noting", "max_jobs": 2, "notes": str(site / "notes")},
        "gone": {"kind": "broken"},
        "unknown": {"kind": "no-such-kind"},
        "odd": {"kind": "noting", "notes": "x", "max_jobs": 0},
        "wrong": 5,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(site))
        live = LiveServer(tmp_path_factory.mktemp("server"), options=[f"--MlwsApp.compute_targets={targets!r}"])
        (live.root / "texts").mkdir()
        (live.root / "texts" / "a.txt").write_text("one two three")
        live.start()
    yield live
    live.stop()


def count(**settings: object) -> dict[str, object]:
    return {"kind": "extension", "extension": "count", "code": "texts", "settings": settings}


def test_a_job_of_another_packages_kind(server: LiveServer):
    run_id = server.submit(count(file="a.txt"))
    run = server.wait(run_id)
    assert run["status"] == "Completed", run["error"]
    assert (run["kind"], run["source"], run["experiment_name"]) == ("extension", "count", "texts")
    assert run["params"] == {"file": "a.txt", "least": "1"}
    assert run["metrics"]["words"]["last"] == 3
    assert server.ok("GET", f"/jobs/{run_id}/log")["text"] == "3 words\n"
    again = server.ok("POST", f"/jobs/{run_id}/rerun", {})["run"]["id"]
    rerun = server.wait(again)
    assert (rerun["metrics"]["words"]["last"], rerun["params"]) == (3, run["params"])
    found = server.ok("GET", "/workspaces/default/runs", params={"filter": "attributes.kind = 'extension'"})
    assert {run["id"] for run in found["runs"]} == {run_id, again}


@pytest.mark.parametrize(
    ("spec", "field", "words"),
    [
        (count(), "spec.settings.file", "Say which file's words are counted."),
        (
            {**count(), "extension": "other"},
            "spec.extension",
            "No installed package brings jobs of the kind 'other'; there are: count.",
        ),
        ({**count(), "extension": "command"}, "spec.extension", "No installed package"),
        ({**count(), "extension": "broken"}, "spec.extension", "its package fails with ModuleNotFoundError"),
    ],
)
def test_what_a_kind_refuses_is_told(server: LiveServer, spec: dict[str, object], field: str, words: str):
    answer = server.post("/workspaces/default/jobs", {"spec": spec})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["field"] == field
    assert words in answer.json()["error"]["message"]


def test_a_target_of_another_packages_kind(server: LiveServer, tmp_path: Path):
    targets = {target["name"]: target for target in server.ok("GET", "/compute")["targets"]}
    assert set(targets) == {"local", "elsewhere", "gone", "unknown", "odd", "wrong"}
    assert (targets["elsewhere"]["state"], targets["elsewhere"]["max_jobs"]) == ("ready", 2)
    body = {"spec": {"kind": "command", "command": "echo there"}, "target": "elsewhere"}
    run_id = server.ok("POST", "/workspaces/default/jobs", body)["run"]["id"]
    assert server.wait(run_id)["status"] == "Completed"
    notes = next(Path(option.split("'notes': '")[1].split("'")[0]) for option in server.options)
    assert notes.read_text().split() == [run_id]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gone", "No module named 'words_and_notes_gone'"),
        ("unknown", "no installed package brings targets of the kind 'no-such-kind'; there are: broken, local, noting"),
        ("odd", "max_jobs must be a whole number from 1 on, not 0"),
        ("wrong", "must be a dict that names a `kind`"),
    ],
)
def test_a_target_that_cannot_be_used_says_why(server: LiveServer, name: str, words: str):
    target = server.ok("GET", f"/compute/{name}")
    assert target["state"] == "unavailable"
    assert words in target["detail"]
    answer = server.post("/workspaces/default/jobs", {"spec": {"kind": "command", "command": "true"}, "target": name})
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]
