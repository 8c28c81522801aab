"""Submitting and following jobs over the client."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from jupyter_mlws.sdk import BadInput, ClientError, Conflict, NotFound, Workspace
from jupyter_mlws.sdk.errors import WaitTimeout
from tests.live import LiveServer, write_notebook

PARAMETERS = "rate: float = 0.1\nname: str = 'adam'"
TRAIN = "import mlws\nmlws.log_metric('acc', 0.5 + rate)\nprint('name is', name)"


@pytest.mark.slow
def test_notebook_from_submit_to_download(ws: Workspace, tmp_path: Path) -> None:
    notebook = write_notebook(
        tmp_path / "deep" / "train.ipynb",
        TRAIN,
        "from pathlib import Path\nPath('outputs').mkdir(exist_ok=True)\nPath('outputs/a b.txt').write_text('kept')",
        parameters=PARAMETERS,
    )
    job = ws.jobs.create(
        notebook=notebook, parameters={"rate": 0.25}, name="first / 🚀", experiment="sdk jobs", tags={"who": "me"}
    )
    assert job.run.name == "first / 🚀"
    assert job.run.params == {"rate": "0.25", "name": "adam"}
    out = io.StringIO()
    done = ws.jobs.stream(job.id, to=out)
    assert done.status.value == "Completed"
    assert "name is adam" in out.getvalue()
    assert out.getvalue() == ws.jobs.full_log(job.id)
    assert done.run.metric("acc") == 0.75
    assert done.refresh().run.tags["who"] == "me"
    written = done.download("outputs", to=tmp_path / "got")
    assert [path.relative_to(tmp_path / "got").as_posix() for path in written] == ["outputs/a b.txt"]
    assert (tmp_path / "got" / "outputs" / "a b.txt").read_text() == "kept"
    with pytest.raises(NotFound, match="no file"):
        done.download("outputs/absent", to=tmp_path / "got")
    assert done.download("outputs/a b.txt", to=tmp_path / "one") == [tmp_path / "one" / "outputs" / "a b.txt"]

    more = ws.jobs.rerun(done.id, kernel="python3", target="local", timeout=0, tags={"t": "1"}, note="n", env={"A": "1"})
    assert (more.timeout_s, more.env_names, more.run.tags["t"], more.run.note) == (None, ["A"], "1", "n")
    again = done.rerun(parameters={"name": "sgd"}, name="second")
    assert again.wait(timeout=60).run.params == {"rate": "0.25", "name": "sgd"}
    comparison = ws.runs.compare([done.id, again.id])
    differing = {f"{row.group}.{row.name}" for row in comparison.differences()}
    assert "params.name" in differing
    assert "params.rate" not in differing
    assert [row.differs for row in comparison.rows()] == sorted([row.differs for row in comparison.rows()], reverse=True)


@pytest.mark.slow
def test_command_is_followed_and_canceled(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "main.sh").write_text("echo started; sleep 60\n")
    job = ws.jobs.create(command="bash main.sh", code=tmp_path / "code", env={"A": "1"})
    with pytest.raises(WaitTimeout, match="goes on"):
        ws.jobs.wait(job.id, timeout=0.2)
    assert job.id in {run.id for run in ws.jobs.list()}
    for update in ws.jobs.follow(job.id, every=0.1):
        if "started" in update.text:
            job.cancel()
    assert ws.jobs.show(job.id).status.value == "Canceled"
    assert job.cancel().status.value == "Canceled"


@pytest.mark.slow
def test_a_snapshot_comes_back_as_it_was(ws: Workspace, server: LiveServer, tmp_path: Path) -> None:
    code = tmp_path / "code"
    (code / "lib").mkdir(parents=True)
    (code / "main.sh").write_text("cat lib/a.txt; echo made > made.txt\n")
    (code / "lib" / "a.txt").write_text("as it was\n")
    (code / ".gitignore").write_text("*.big\n")
    (code / "left.big").write_text("not captured")
    job = ws.jobs.create(command="bash main.sh", code=code)
    (code / "lib" / "a.txt").write_text("changed since\n")
    assert job.wait(timeout=60).status.value == "Completed"
    captured = {"main.sh", "lib/a.txt", ".gitignore"}

    written = job.run.download_snapshot(to=tmp_path / "got")
    assert {path.relative_to(tmp_path / "got").as_posix() for path in written} == captured
    assert (tmp_path / "got" / "lib" / "a.txt").read_text() == "as it was\n"
    assert [path.name for path in ws.runs.download_snapshot(job.id, "lib", to=tmp_path / "part")] == ["a.txt"]
    assert {entry.path for entry in ws.runs.snapshot(job.id, recursive=True) if entry.type == "file"} == captured

    answer = server.get(f"/runs/{job.id}/snapshot/zip")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert set(archive.namelist()) == captured
        assert archive.read("lib/a.txt") == b"as it was\n"
    assert server.get(f"/runs/{job.id}/snapshot/zip?path=lib").headers["Content-Disposition"].count("lib-")
    assert server.get(f"/runs/{job.id}/snapshot/zip?path=absent").status_code == 404
    without = ws.jobs.create(command="true")
    assert server.get(f"/runs/{without.id}/snapshot/zip").json()["error"]["message"] == "This run has no snapshot."
    assert ws.runs.download_snapshot(without.id, to=tmp_path / "none") == []


@pytest.mark.slow
def test_a_job_is_changed_and_put_away(ws: Workspace) -> None:
    job = ws.jobs.create(command="true", name="before", tags={"a": "1", "b": "2"}).wait(timeout=60)
    changed = ws.jobs.update(job.id, name="after", tags={"a": None}, note="n", if_version=job.run.version)
    assert (changed.run.name, changed.run.tags, changed.run.note) == ("after", {"b": "2"}, "n")
    with pytest.raises(Conflict):
        ws.jobs.update(job.id, name="late", if_version=job.run.version)
    with pytest.raises(Conflict, match="waits no longer") as failure:
        ws.jobs.update(job.id, name="half", priority=1)
    assert failure.value.code == "job_started"
    assert ws.jobs.show(job.id).run.name == "after"
    assert repr(changed) == f"Job(id={job.id!r}, kind='command', name='after', experiment='commands', status='Completed')"
    assert ws.jobs.archive(job.id).run.lifecycle.value == "deleted"
    assert job.id in [run.id for run in ws.jobs.list(view="deleted", status="completed")]
    assert job.id not in [run.id for run in ws.jobs.list()]
    with pytest.raises(Conflict, match="bin"):
        ws.jobs.update(job.id, name="in the bin")
    assert ws.jobs.restore(job.id).run.lifecycle.value == "active"
    assert ws.jobs.delete(job.id, purge=True, dry_run=True).dry_run
    assert not ws.jobs.delete(job.id, purge=True).dry_run
    with pytest.raises(NotFound):
        ws.jobs.show(job.id)
    tracked = ws.runs.create(experiment="by hand", name="r", params={"lr": 0.1}, tags={"t": "1"}, note="n")
    assert (tracked.status.value, tracked.params, tracked.tags, tracked.note) == ("Running", {"lr": "0.1"}, {"t": "1"}, "n")
    for ask in (ws.jobs.archive, ws.jobs.restore, ws.jobs.delete, ws.jobs.update):
        with pytest.raises(NotFound, match="no job"):
            ask(tracked.id)
    ended = ws.runs.end(tracked.id, "Failed", message="no data")
    assert (ended.status.value, ended.error.message if ended.error else "") == ("Failed", "no data")
    with pytest.raises(BadInput, match="There is no status 'done'"):
        ws.jobs.list(status=["Running", "done"])


def test_what_is_wrong_with_a_job_is_said(ws: Workspace, tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "n.ipynb", "1", parameters="rate: float = 0.1")
    strange = write_notebook(tmp_path / "k.ipynb", "1", kernel="absent-kernel")
    broken = tmp_path / "broken.ipynb"
    broken.write_text("{")
    cases = [
        ({"notebook": notebook, "parameters": {"rat": 1}}, "unknown_parameter", "Did you mean 'rate'"),
        ({"notebook": notebook, "parameters": {"rate": "high"}}, "parameter_type", "a float"),
        ({"notebook": strange}, "kernel_missing", "absent-kernel"),
        ({"notebook": broken}, "not_a_notebook", "broken.ipynb"),
        ({"notebook": tmp_path}, "not_a_notebook", ""),
        ({"notebook": "no/such.ipynb"}, "notebook_not_found", "no/such.ipynb"),
        ({"notebook": "../../../etc/passwd.ipynb"}, "bad_path", "leaves its root"),
        ({"notebook": notebook, "target": "moon"}, "compute_missing", "local"),
        ({"notebook": notebook, "name": ""}, "bad_input", ""),
        ({"notebook": notebook, "name": "x" * 10_000}, "bad_input", ""),
        ({"notebook": notebook, "command": "ls"}, "bad_input", "one of them"),
        ({"command": "ls", "parameters": {"a": 1}}, "bad_input", "Only notebooks"),
        ({"notebook": notebook, "env": {"no good": "1"}}, "bad_input", "env"),
        ({"notebook": notebook, "parameters": {"rate": float("nan")}}, None, ""),
    ]
    for options, code, words in cases:
        if code is None:
            continue
        with pytest.raises((BadInput, NotFound)) as failure:
            ws.jobs.create(**options)  # type: ignore[arg-type]
        assert (failure.value.code, words in str(failure.value)) == (code, True), (options, str(failure.value))


@pytest.mark.parametrize("unknown", ["0" * 32, "no-such-run", "a/b", "..", "", "🚀", "\x00\x1b[31m", "%2e%2e", "x" * 5000])
def test_unknown_ids_are_not_found(ws: Workspace, unknown: str) -> None:
    for ask in (ws.jobs.show, ws.jobs.cancel, ws.runs.show, ws.runs.delete, ws.environments.show, ws.compute.show):
        with pytest.raises((NotFound, BadInput)):
            ask(unknown)
    if unknown != "0" * 32:
        with pytest.raises(NotFound):
            ws.runs.find(unknown)


def test_text_that_is_no_unicode_is_refused(ws: Workspace) -> None:
    for ask in (ws.runs.show, ws.experiments.create, ws.experiments.show, ws.jobs.show):
        with pytest.raises(ClientError):
            ask("\udcff")


@pytest.mark.slow
def test_sources_of_another_machine_are_sent(server: LiveServer, clean_env: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A server that was named, and whose `owner.json` we cannot read: it may not see our files."""
    clean_env.setenv("MLWS_DATA_DIR", str(tmp_path / "elsewhere"))
    folder = tmp_path / "project"
    write_notebook(folder / "train.ipynb", "print(open('lib.txt').read())\nimport os\nprint(sorted(os.listdir('.')))")
    (folder / "lib.txt").write_text("from the other machine")
    (folder / ".gitignore").write_text("*.big\n")
    (folder / "data.big").write_text("not sent")
    (folder / ".venv").mkdir()
    (folder / ".venv" / "pyvenv.cfg").write_text("")
    with Workspace(url=server.url, token=server.token) as far:
        job = far.jobs.create(notebook=folder / "train.ipynb").wait(timeout=60)
        log = far.jobs.full_log(job.id)
        assert job.status.value == "Completed", log
        assert "from the other machine" in log
        assert "data.big" not in log
        assert ".venv" not in log
        with pytest.raises(BadInput, match="in place"):
            far.jobs.create(notebook=folder / "train.ipynb", in_place=True)
        with pytest.raises(BadInput, match="folder, not a notebook"):
            far.jobs.create(notebook=folder)
