"""A job that a spare takes is like any other: what it sees, what ends it, what it leaves. No spare is used twice, or left behind."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_mlws.domain.compute import spares
from jupyter_mlws.domain.compute.local import LocalCompute
from jupyter_mlws.domain.compute.spares import SpareSettings
from jupyter_mlws.kit.clock import now_ms
from mlws import jobdir
from tests.runner.conftest import NotebookJob, notebook
from tests.supervise.conftest import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="spares are Linux's alone"),
]

EASY = SpareSettings(load=1e6, free_bytes=0)
WITHIN = 90.0
Run = Callable[..., NotebookJob]

SEEN = """
import json, os, resource, signal, sys
umask = os.umask(0); os.umask(umask)
fields = open("/proc/self/stat").read().rpartition(")")[2].split()
links = [os.path.realpath(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")]
shell = get_ipython()
print("SEEN", json.dumps({
    "cwd": os.getcwd(), "visited": [str(p) for p in _dh], "start": shell.starting_dir, "path": sys.path, "argv": len(sys.argv),
    "main": [__name__, sys.modules["__main__"].__name__, sorted(n for n in globals() if not n.startswith("_i"))],
    "env": dict(os.environ), "umask": umask, "count": shell.execution_count, "in": len(In), "nice": os.nice(0),
    "signals": {int(n): str(signal.getsignal(n)).split(" at ")[0] for n in signal.valid_signals()},
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())), "limits": [resource.getrlimit(n) for n in range(10)],
    "leads": [os.getsid(0) == os.getpid(), os.getpgid(0) == os.getpid()], "oom": open("/proc/self/oom_score_adj").read(),
    "parent leads": os.getpgid(os.getppid()) == os.getppid(), "terminal": fields[4], "flags": str(sys.flags),
    "history": shell.history_manager.hist_file, "modules": sorted(sys.modules), "files": sorted(os.listdir()),
    "open": sorted(link.split("/")[-1].split(":")[0] for link in links if ":[" in link or link.startswith("/dev")),
    "mark": open("/proc/self/environ").read().count("MLWS_JOB_DIR=" + os.environ["MLWS_JOB_DIR"] + chr(0)),
}))
"""


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalCompute]:
    monkeypatch.setattr(spares, "DELAY_S", 0.05)
    made = LocalCompute("local", 4, EASY)
    yield made
    alive = waiting(made)
    made.close()
    for process in alive:
        process.wait(WITHIN)


def waiting(target: LocalCompute) -> list[psutil.Process]:
    """The processes of all spares: supervisors, runners, kernels."""
    starter = target._starter._process
    if starter is None or starter.poll() is not None:
        return []
    with contextlib.suppress(psutil.NoSuchProcess):
        mine = [one for one in psutil.Process(starter.pid).children() if one.name() == "mlws-spare"]
        return [process for one in mine for process in (one, *one.children(recursive=True))]
    return []


def parts(target: LocalCompute) -> dict[str, psutil.Process]:
    """Supervisor, runner and kernel of the one spare."""
    supervisor, runner, kernel = waiting(target)
    assert "jupyter_mlws.runner.spare" in runner.cmdline()
    return {"supervisor": supervisor, "runner": runner, "kernel": kernel}


def spared(target: LocalCompute) -> None:
    """Wait for the spare."""
    until(lambda: target.spares == 1, WITHIN)


def tidied(target: LocalCompute) -> int:
    """How many are ready after the work that the server does now and then."""
    target.tidy()
    return target.spares


def given(path: Path, *cells: str, **fields: Any) -> NotebookJob:
    """A notebook job, as the server writes it."""
    job = NotebookJob(path, notebook(*cells), kernel="python3", **fields.pop("section", {}))
    content = job.json("job.json")
    content["env"].update(fields.pop("env", {}))
    (path / "job.json").write_text(json.dumps({**content, **fields}))
    return job


def ended(target: LocalCompute, job: NotebookJob) -> NotebookJob:
    until(lambda: jobdir.read_exit(str(job.path)) and not target.is_alive(job.path), WITHIN)
    return job


def by_spare(job: NotebookJob) -> bool:
    return "a spare takes the job" in (job.path / "system_logs" / "supervisor.log").read_text()


@pytest.fixture
def run(target: LocalCompute, tmp_path: Path) -> Run:
    def make(name: str, *cells: str, given_secrets: dict[str, str] | None = None, **fields: Any) -> NotebookJob:
        job = given(tmp_path / name, *cells, **fields)
        target.start(job.path, given_secrets)
        return ended(target, job)

    return make


def seen(job: NotebookJob) -> dict[str, Any]:
    line = next((line for line in job.log.splitlines() if line.startswith("SEEN ")), None)
    assert line is not None, job.log
    found: dict[str, Any] = json.loads(line.removeprefix("SEEN "))
    # What differs from job to job, by its nature.
    text = json.dumps(found).replace(str(job.path), "FOLDER")
    found = json.loads(text)
    for name in ("JPY_PARENT_PID", "MLWS_RUN_NAME"):
        found["env"].pop(name, None)
    return found


def test_none_before_the_first_job_then_one_and_none_is_used_twice(target: LocalCompute, run: Run) -> None:
    target.tidy()
    assert target.spares == 0
    assert waiting(target) == []
    assert not by_spare(run("cold", "1"))
    kernels = []
    for number in range(3):
        spared(target)
        kernel = parts(target)["kernel"].pid
        job = run(f"warm{number}", "import os; print('pid', os.getpid())")
        assert by_spare(job)
        assert job.exit_code == 0
        assert f"pid {kernel}\n" in job.log
        kernels.append(kernel)
    assert len(set(kernels)) == 3
    assert target.spares <= 1


def test_a_job_cannot_tell_a_spare_from_a_start_of_its_own(target: LocalCompute, run: Run) -> None:
    env = {"MLWS_TOKEN": "t", "CUDA_VISIBLE_DEVICES": "1", "EPOCHS": "3", "MLFLOW_TRACKING_URI": "http://127.0.0.1:9/x"}
    cold = run("cold", SEEN, env=env)
    spared(target)
    runner = parts(target)["runner"].pid
    warm = run("warm", SEEN, env=env)
    assert (by_spare(cold), by_spare(warm)) == (False, True)
    one, other = seen(cold), seen(warm)
    assert {name: (one[name], other[name]) for name in one if one[name] != other[name]} == {}
    assert other["mark"] == 1
    pid = warm.json("pid.json")
    assert pid["child_pid"] == runner
    assert set(pid) == set(cold.json("pid.json"))
    assert set(warm.json("exit.json")) == set(cold.json("exit.json"))
    assert {path.name for path in warm.path.iterdir()} == {path.name for path in cold.path.iterdir()}


def test_variables_that_a_job_has_not_are_taken_away(target: LocalCompute, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    more = {"TAKEN_AWAY": "yes", "EPOCHS": "1"}
    monkeypatch.setattr(spares, "with_room", lambda env, made=spares.with_room: {**made(env), **more})
    run("cold", "1")
    spared(target)
    job = run(
        "warm",
        "import os; print(os.environ.get('TAKEN_AWAY'), os.environ['EPOCHS'])",
        "!env | grep -c TAKEN_AWAY",
        env={"EPOCHS": "2"},
    )
    assert by_spare(job)
    assert job.log == "None 2\n0\n"


def test_what_counts_before_the_start_of_a_kernel_has_a_start_of_its_own(target: LocalCompute, run: Run) -> None:
    run("cold", "1")
    spared(target)
    hashed = run("hashed", "import os; print('seed', os.environ['PYTHONHASHSEED'], hash('a'))", env={"PYTHONHASHSEED": "7"})
    assert not by_spare(hashed)
    until(lambda: target.spares == 1 and len(waiting(target)) == 3, WITHIN)  # that of the other kind is gone
    again = run("again", "import os; print('seed', os.environ['PYTHONHASHSEED'], hash('a'))", env={"PYTHONHASHSEED": "7"})
    assert by_spare(again)
    assert again.log == hashed.log


def test_secrets_reach_it_and_nobody_else(target: LocalCompute, run: Run) -> None:
    canary = f"canary-{secrets.token_hex(12)}"
    run("cold", "1")
    spared(target)
    arguments = [part for process in waiting(target) for part in process.cmdline()]
    job = run("warm", "import os; print('it is', os.environ['KEY'], len(os.environ['KEY']))", given_secrets={"KEY": canary})
    assert by_spare(job)
    assert f"it is *** {len(canary)}" in job.log
    assert not any(canary in part for part in arguments)
    for path in job.path.rglob("*"):
        assert not path.is_file() or canary.encode() not in path.read_bytes(), path
    spared(target)
    early = run("early", "import os; print(len(os.environ['PYTHONKEY']))", given_secrets={"PYTHONKEY": canary})
    assert not by_spare(early)
    assert early.exit_code == 0


ONCE = "open('ran', 'a').write('x'); print('done')"


@pytest.mark.parametrize("part", ["supervisor", "runner", "kernel"])
def test_one_that_dies_before_it_has_the_job_leaves_it_to_a_start_of_its_own(
    target: LocalCompute, tmp_path: Path, run: Run, part: str
) -> None:
    run("cold", "1")
    spared(target)
    tree = parts(target)
    tree["supervisor"].suspend()  # so that it is chosen, and dies before it has taken the job
    job = given(tmp_path / "job", ONCE)
    secret = {"KEY": "a secret of this job"}
    target.start(job.path, secret)
    tree[part].kill()
    with contextlib.suppress(psutil.NoSuchProcess):
        tree["supervisor"].resume()
    ended(target, job)
    assert not by_spare(job)
    assert job.exit_code == 0
    assert (job.path / "work" / "ran").read_text() == "x"
    assert job.log == "done\n"
    for process in tree.values():
        with contextlib.suppress(psutil.NoSuchProcess):
            process.wait(WITHIN)


@pytest.mark.parametrize("end", ["killed", "closed"])
def test_it_ends_with_the_starter(target: LocalCompute, run: Run, end: str) -> None:
    run("cold", "1")
    spared(target)
    tree = waiting(target)
    folder = Path(next(part for part in tree[2].cmdline() if part.endswith("k.json"))).parent
    assert folder.is_dir()
    if end == "killed":
        assert target._starter._process is not None
        target._starter._process.kill()
    else:
        target.close()
    for process in tree:
        process.wait(WITHIN)
    if end == "closed":  # else another starter may have made another one by now
        until(lambda: target.spares == 0, WITHIN)
    until(lambda: not folder.exists(), WITHIN)


def test_a_killed_supervisor_takes_its_tree_with_it(target: LocalCompute, run: Run) -> None:
    run("cold", "1")
    spared(target)
    tree = waiting(target)
    tree[0].kill()
    for process in tree:
        process.wait(WITHIN)
    until(lambda: target.spares == 1 and not {one.pid for one in tree} & {one.pid for one in waiting(target)}, WITHIN)


FORKS = """
import os, signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        open("forked", "w").write(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
open("kernel", "w").write(str(os.getpid()))
time.sleep(600)
"""


def running(target: LocalCompute, path: Path) -> tuple[NotebookJob, list[psutil.Process]]:
    """A job that has forked, in a spare; its kernel and what that forked."""
    job = given(path, FORKS, grace_s=1)
    target.start(job.path)
    found = [psutil.Process(int(until(lambda name=name: text_of(path / "work" / name), WITHIN))) for name in ("kernel", "forked")]
    assert by_spare(job)
    return job, found


def text_of(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_cancel_ends_all_of_it(target: LocalCompute, tmp_path: Path, run: Run) -> None:
    run("cold", "1")
    spared(target)
    job, processes = running(target, tmp_path / "job")
    target.cancel(job.path)
    ended(target, job)
    assert job.json("exit.json")["reason"] == "canceled"
    for process in processes:
        process.wait(WITHIN)


def test_what_a_killed_supervisor_leaves_is_found(target: LocalCompute, tmp_path: Path, run: Run) -> None:
    run("cold", "1")
    spared(target)
    job, processes = running(target, tmp_path / "job")
    assert set(jobdir.leftovers(str(job.path))) >= {one.pid for one in processes}
    os.kill(job.json("pid.json")["pid"], signal.SIGKILL)
    until(lambda: not target.is_alive(job.path), WITHIN)
    jobdir.kill_leftovers(str(job.path))
    for process in processes:
        process.wait(WITHIN)


def test_idle_ones_end_but_those_that_are_always_to_be_there(target: LocalCompute, run: Run) -> None:
    ends = [target.spares_end_at]
    run("cold", "1")
    spared(target)
    ends.append(target.spares_end_at)
    target.keep_spares(1, dict(os.environ))
    ends.append(target.spares_end_at)
    none, known, always = ends
    assert none is always is None, "there is none; it is always to be there"
    assert known is not None
    assert now_ms() < known <= now_ms() + EASY.idle_s * 1000
    target.keep_spares(0, dict(os.environ))
    target._spares.settings = EASY._replace(idle_s=0.2)
    until(lambda: tidied(target) == 0, WITHIN)
    assert target.spares_end_at is None
    assert until(lambda: not waiting(target), WITHIN)
    target.keep_spares(1, dict(os.environ))
    spared(target)
    for _ in range(3):
        target.tidy()
    assert target.spares == 1
    target.keep_spares(0, dict(os.environ))
    until(lambda: tidied(target) == 0, WITHIN)


def test_memory_bounds_them(target: LocalCompute, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("cold", "1")
    spared(target)
    target._spares.settings = EASY._replace(free_bytes=1 << 60)
    until(lambda: tidied(target) == 0, WITHIN)
    assert until(lambda: not waiting(target), WITHIN)
    target._spares.settings = EASY._replace(most_bytes=1 << 20)
    target.tidy()
    until(lambda: target._spares._unfit, WITHIN)  # it was ended before it was of use, and is not tried again and again
    assert target.spares == 0
    assert until(lambda: not waiting(target), WITHIN)


def test_startup_files_of_the_user_run_for_each_job(target: LocalCompute, run: Run, tmp_path: Path) -> None:
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "first.py").write_text("import os; told = os.environ['MLWS_RUN_ID']")
    env = {"IPYTHONDIR": str(tmp_path / "ipython")}
    for name in ("one", "two"):
        job = run(name, "print('told', told)", env=env)
        assert not by_spare(job)
        assert "told " + "b" * 32 in job.log
        until(lambda: target._spares._unfit and not waiting(target), WITHIN)


def test_an_environment_that_has_changed_gets_a_new_kernel(target: LocalCompute, run: Run, tmp_path: Path) -> None:
    env = {"IPYTHONDIR": str(tmp_path / "ipython")}
    run("cold", "1", env=env)
    spared(target)
    (tmp_path / "ipython" / "profile_default" / "startup" / "new.py").write_text("new = 'made since'")
    job = run("warm", "print(new)", env=env)
    assert not by_spare(job)
    assert job.log == "made since\n"
    assert "has changed since" in (job.path / "system_logs" / "supervisor.log").read_text()


def test_a_notebook_that_cannot_be_read_fails_as_ever(target: LocalCompute, run: Run, tmp_path: Path) -> None:
    run("cold", "1")
    spared(target)
    tree = waiting(target)
    job = given(tmp_path / "bad", "1")
    (job.path / "work" / "in.ipynb").write_text("no notebook")
    target.start(job.path)
    ended(target, job)
    assert by_spare(job)
    assert job.error["kind"] == "NotANotebook"
    for process in tree:
        process.wait(WITHIN)


def test_only_notebooks_that_fit_have_a_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = given(tmp_path / "job", "1").json("job.json")
    made = spares.recipe_of(job)
    assert made is not None
    assert made.argv[-2:] == ["jupyter_mlws.runner.spare", "python3"]
    assert "MLWS_RUN_ID" not in made.env
    late = spares.recipe_of(
        {**job, "env": {**job["env"], "MLWS_RUN_ID": "c" * 32, "LEARNING_RATE": "0.1", "LANGUAGE_MODEL": "x"}}
    )
    assert late == made
    early = spares.recipe_of({**job, "env": {**job["env"], "LD_LIBRARY_PATH": "/opt/lib"}})
    assert early is not None
    assert early.kind != made.kind
    other = spares.recipe_of({**job, "notebook": {**job["notebook"], "kernel": "ir"}})
    assert other is not None
    assert other.kind != made.kind
    assert spares.recipe_of({**job, "notebook": {**job["notebook"], "kernel": None}}) is None
    assert spares.recipe_of({**job, "argv": ["/bin/bash", "-c", "true"]}) is None
    assert spares.recipe_of(job, {"PYTHONPATH": "a secret"}) is None
    limited = {**job, "memory_limit_bytes": 1 << 30}
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert spares.recipe_of(limited) == made
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/systemd-run")
    assert spares.recipe_of(limited) is None
