"""Builds: whole or not seen, once for all who want the same, ended with all their processes, taken up by the next server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_mlws.domain.environments import definitions, recipes
from jupyter_mlws.domain.environments.builds import Builds
from jupyter_mlws.domain.environments.schemas import CondaDefinition
from jupyter_mlws.domain.environments.states import BuildStatus
from mlws import jobdir
from tests.domain.environments.conftest import WHOSE, requirements, settled, slow_package, wheel
from tests.servers import until

Make = Callable[..., Builds]

pytestmark = pytest.mark.slow


@pytest.fixture(params=["uv", "pip"])
def tool(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each of the programs that build environments of packages, for real."""
    if request.param == "pip":
        monkeypatch.setattr(recipes, "_uv", lambda: None)
    elif recipes._uv() is None:
        pytest.skip("uv is not installed here")
    return str(request.param)


def folders(builds: Builds, key: str) -> list[Path]:
    return [one for one in (builds._root / key).iterdir() if one.is_dir()]


def started(builds: Builds, key: str) -> Path:
    """The folder of a build whose set-up code runs."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = folders(builds, key) if (builds._root / key).is_dir() else []
        if found and any(b"sleep" in line for line in commands_of(found[0])):
            return found[0]
        time.sleep(0.05)
    raise AssertionError("the build did not come to the package")


def commands_of(folder: Path) -> list[bytes]:
    """Command lines of the living processes of a build."""
    found = []
    for pid in jobdir.leftovers(str(folder)):
        try:
            found.append(Path(f"/proc/{pid}/cmdline").read_bytes())
        except OSError:
            continue
    return [one for one in found if one]


def test_what_is_built_works_and_is_not_built_again(
    make_builds: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    builds, definition = make_builds(), requirements(f"tinypkg @ file://{wheel(tmp_path)}")
    key = recipes.key_of(definition)
    assert builds.state(key).status is BuildStatus.NOT_BUILT
    assert builds.ensure(key, definition, WHOSE).status is BuildStatus.BUILDING
    state = settled(builds, definition)
    assert (state.status, state.message, state.has_kernel) == (BuildStatus.READY, "", False)
    assert state.interpreter is not None
    log = builds.log_of(key)[0]
    assert log is not None
    assert (f"{os.sep}uv pip install" in log.read_text()) is (tool == "uv")
    asked = subprocess.run([state.interpreter, "-c", "import tinypkg; print(tinypkg.X)"], capture_output=True, check=True)
    assert asked.stdout == b"41\n"
    monkeypatch.setattr(jobdir, "supervise", lambda folder: pytest.fail(f"a process was started for {folder}"))
    for again in (builds, make_builds()):  # the same server, and the next one
        assert again.ensure(key, definition, WHOSE, again=True) == state
    assert len(folders(builds, key)) == 1


def test_two_who_want_the_same_get_one_build(make_builds: Make, tmp_path: Path) -> None:
    builds, definition = make_builds(), requirements(f"tinypkg @ file://{wheel(tmp_path)}")
    key = recipes.key_of(definition)
    threads = [threading.Thread(target=builds.ensure, args=(key, definition, WHOSE)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert settled(builds, definition).status is BuildStatus.READY
    assert len(folders(builds, key)) == 1


def test_a_failed_build_says_why_and_is_tried_again_when_asked(make_builds: Make, tool: str) -> None:
    builds, definition = make_builds(), requirements("no-such-package-anywhere==1")
    key = recipes.key_of(definition)
    builds.ensure(key, definition, WHOSE)
    state = settled(builds, definition)
    assert state.status is BuildStatus.FAILED
    assert "no-such-package-anywhere" in state.message, tool
    assert builds.ensure(key, definition, WHOSE).status is BuildStatus.FAILED
    first = folders(builds, key)
    assert builds.ensure(key, definition, WHOSE, again=True).status is BuildStatus.BUILDING
    assert settled(builds, definition).status is BuildStatus.FAILED
    deadline = time.monotonic() + 60
    while folders(builds, key) == first or len(folders(builds, key)) > 1:
        assert time.monotonic() < deadline, folders(builds, key)
        time.sleep(0.05)


def test_a_canceled_build_ends_with_all_its_processes(make_builds: Make, tmp_path: Path) -> None:
    builds, definition = make_builds(), requirements(f"slow @ file://{slow_package(tmp_path / 'slow')}")
    key = recipes.key_of(definition)
    builds.ensure(key, definition, WHOSE)
    folder = started(builds, key)
    assert builds.cancel(key)
    state = settled(builds, definition, timeout=60)
    assert (state.status, state.message) == (BuildStatus.FAILED, "The build was canceled.")
    assert commands_of(folder) == []
    assert not builds.cancel(key)


def test_a_build_that_takes_too_long_is_ended(make_builds: Make, tmp_path: Path) -> None:
    definition = requirements(f"slow @ file://{slow_package(tmp_path / 'slow')}")
    builds, key = make_builds(timeout_s=2), recipes.key_of(definition)
    builds.ensure(key, definition, WHOSE)
    state = settled(builds, definition, timeout=60)
    assert (state.status, state.message) == (BuildStatus.FAILED, "The build took longer than 2 s and was ended.")


def test_a_build_that_was_killed_is_never_used_and_is_begun_anew(make_builds: Make, tmp_path: Path) -> None:
    builds, slow = make_builds(), slow_package(tmp_path / "slow")
    definition = requirements(f"slow @ file://{slow}")
    key = recipes.key_of(definition)
    builds.ensure(key, definition, WHOSE)
    folder = started(builds, key)
    assert (folder / recipes.FOLDER / "bin" / "python").exists()  # half of it is there
    os.kill(json.loads((folder / jobdir.PID).read_text())["pid"], signal.SIGKILL)
    state = settled(builds, definition, timeout=30)
    assert (state.status, state.message) == (BuildStatus.NOT_BUILT, "The last build was interrupted.")
    assert commands_of(folder) == []
    (slow / "backend.py").write_text("def get_requires_for_build_wheel(config_settings=None):\n    raise SystemExit('no')\n")
    builds.ensure(key, definition, WHOSE)
    assert settled(builds, definition).status is BuildStatus.FAILED
    assert folders(builds, key) != [folder]


def test_the_next_server_takes_up_a_build(make_builds: Make, tmp_path: Path) -> None:
    definition = requirements(f"tinypkg @ file://{wheel(tmp_path)}")
    first, key = make_builds(), recipes.key_of(definition)
    first.ensure(key, definition, WHOSE)
    child = first._live[key].child
    until(lambda: jobdir.is_alive(str(first._live[key].folder)), 30)
    first.stop()
    second = make_builds()
    assert second.state(key).status in (BuildStatus.BUILDING, BuildStatus.READY)
    assert settled(second, definition).status is BuildStatus.READY
    assert child is not None
    assert child.wait(10) == 0


def test_a_record_without_its_environment_counts_for_nothing(make_builds: Make, tmp_path: Path) -> None:
    builds, definition = make_builds(), requirements(f"tinypkg @ file://{wheel(tmp_path)}")
    key = recipes.key_of(definition)
    builds.ensure(key, definition, WHOSE)
    state = settled(builds, definition)
    assert state.interpreter is not None
    Path(state.interpreter).unlink()
    assert builds.state(key).status is BuildStatus.NOT_BUILT


def test_a_build_that_no_definition_needs_goes_once_it_is_old(make_builds: Make, tmp_path: Path) -> None:
    builds, file = make_builds(), wheel(tmp_path)
    kept, gone = (requirements(f"tinypkg @ file://{file}{mark}") for mark in ("", " ; python_version > '3'"))
    keys = [recipes.key_of(one) for one in (kept, gone)]
    for one, key in zip((kept, gone), keys, strict=True):
        builds.ensure(key, one, WHOSE)
        assert settled(builds, one).status is BuildStatus.READY
    needed = {definitions.hash_of(kept)}
    assert builds.unused(needed, 3600) == [], "it is young"
    for key in keys:
        for record in ("ready.json", "current.json"):
            os.utime(builds._root / key / record, (0, 0))
    assert builds.unused(needed, 3600) == [keys[1]]
    builds.note_use(keys[1])
    assert builds.unused(needed, 3600) == []
    assert builds.remove(keys[1], needed, 3600) == 0
    os.utime(builds._root / keys[1] / "ready.json", (0, 0))
    size = builds.size_of(keys[1])
    assert builds.remove(keys[1], needed, 3600) == size > 0
    assert [one.name for one in builds._root.iterdir()] == [keys[0]]
    assert builds.state(keys[1]).status is BuildStatus.NOT_BUILT
    builds.ensure(keys[1], gone, WHOSE)
    assert settled(builds, gone).status is BuildStatus.READY


def test_conda_files_go_to_the_tool_that_is_there(make_builds: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No conda is had here from an index, so a program that notes its arguments stands for it."""
    tool, seen = tmp_path / "bin" / "micromamba", tmp_path / "seen"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {seen}\nexec python3 -m venv --without-pip "$4"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    definition = CondaDefinition(conda_file="name: x; touch /tmp/x\ndependencies: [python]\n", notebooks=False)
    builds, key = make_builds(), recipes.key_of(definition)
    builds.ensure(key, definition, WHOSE)
    deadline = time.monotonic() + 60
    while (state := builds.state(key)).status is BuildStatus.BUILDING:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert state.status is BuildStatus.READY, state
    folder = folders(builds, key)[0]
    assert seen.read_text().splitlines() == [
        *("create", "--yes", "--prefix", str(folder / "env"), "--file", str(folder / "environment.yml"))
    ]
