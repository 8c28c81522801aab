"""Completion in the shell: words, and values of the server that runs; in a real bash, and what the other shells are given."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import MLWS, Mlws
from tests.live import LiveServer, free_port, write_notebook


@pytest.fixture(scope="module")
def run_id(server: LiveServer) -> str:
    """A run of an experiment whose name a shell must quote."""
    made: str = server.ok("POST", "/workspaces/default/runs", {"experiment": "odd, name* 'x'", "name": "the run"})["id"]
    return made


def offered(mlws: Mlws, line: str, **env: str | None) -> list[str]:
    """What bash is given for a line; its last word is the one to complete."""
    words = line.split(" ")
    said = mlws(_MLWS_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1), **env)
    assert said.err == ""
    return [line for line in said.out.splitlines() if line]


def test_completion_scripts(mlws: Mlws) -> None:
    for shell in ("bash", "zsh", "fish"):
        said = mlws("completion", shell)
        assert said.code == 0, said.err
        assert "_MLWS_COMPLETE" in said.out
    assert mlws("completion", "csh").code == 2


def test_words(mlws: Mlws) -> None:
    assert sorted(offered(mlws, "mlws job c")) == ["plain,cancel", "plain,create"]
    assert offered(mlws, "mlws expe") == ["plain,experiment"]
    assert "plain,archive" not in offered(mlws, "mlws compute ")  # what only answers with a sentence is not offered


def test_values_of_the_server(mlws: Mlws, server: LiveServer, run_id: str) -> None:
    plain = f"plain,{run_id[:8]}"
    assert plain in offered(mlws, "mlws run show ")
    assert plain in offered(mlws, f"mlws run compare {'0' * 8} {run_id[:3]}")
    assert plain in offered(mlws, "mlws run end --name ")
    assert plain not in offered(mlws, "mlws job show ")
    assert plain not in offered(mlws, "mlws run restore ")
    assert "plain,odd, name* 'x'" in offered(mlws, "mlws experiment show odd")
    assert "plain,odd, name* 'x'" in offered(mlws, "mlws job create --experiment o")
    assert offered(mlws, "mlws run list -w def") == ["plain,default"]
    assert offered(mlws, "mlws run list -w default --experiment zzz") == []
    assert offered(mlws, "mlws run show -w absent ") == []
    assert offered(mlws, "mlws job create --kernel py") == ["plain,python3"]
    assert offered(mlws, "mlws compute show ") == ["plain,local"]
    assert offered(mlws, "mlws job list --status c") == ["plain,CancelRequested", "plain,Completed", "plain,Canceled"]
    zsh = mlws(_MLWS_COMPLETE="zsh_complete", COMP_WORDS="mlws run show", COMP_CWORD="3").out.splitlines()
    assert zsh[zsh.index(run_id[:8]) - 1 :][:3] == ["plain", run_id[:8], "the run, Running"]


def test_files(mlws: Mlws, tmp_path: Path) -> None:
    write_notebook(tmp_path / "train.ipynb", "1")
    write_notebook(tmp_path / "deep er" / "more.ipynb", "1")
    (tmp_path / "train.py").write_text("")
    (tmp_path / ".ipynb_checkpoints").mkdir()
    assert offered(mlws, "mlws job create --notebook ") == ["path,deep er/", "path,train.ipynb"]
    assert offered(mlws, "mlws job create --notebook tr") == ["path,train.ipynb"]
    assert offered(mlws, "mlws job create --code ") == ["path,deep er/"]
    (tmp_path / "job.yml").write_text("")
    assert offered(mlws, "mlws job validate --file ") == ["path,deep er/", "path,job.yml"]
    assert offered(mlws, f"mlws job create --code {tmp_path}/.ip") == [f"path,{tmp_path}/.ipynb_checkpoints/"]
    assert offered(mlws, "mlws job create --notebook no/such/") == []


def test_without_a_server_it_is_silent_quick_and_starts_none(mlws: Mlws, tmp_path: Path) -> None:
    nowhere = str(tmp_path / "data")
    away = f"http://127.0.0.1:{free_port()}/mlws"
    for line in ("mlws run show ", "mlws experiment show ", "mlws run list -w ", "mlws job create --kernel ", "mlws job stream "):
        assert offered(mlws, line, MLWS_DATA_DIR=nowhere) == []
        assert offered(mlws, line, MLWS_URL=away) == []
    assert not Path(nowhere).exists()


def test_a_server_that_does_not_answer_is_not_waited_for(mlws: Mlws) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        start = time.monotonic()
        assert offered(mlws, "mlws run show ", MLWS_URL=f"http://127.0.0.1:{deaf.getsockname()[1]}/mlws") == []
        waited = time.monotonic() - start
    bare = time.monotonic()
    assert offered(mlws, "mlws run show ", MLWS_URL="nonsense") == []
    assert waited - (time.monotonic() - bare) < 2.0


def test_it_loads_nothing_heavy(server: LiveServer, run_id: str) -> None:
    """Names of modules instead of seconds, so that the answer does not depend on the machine; `bench/cli.py` tells the time."""
    code = "import sys\ntry:\n    from jupyter_mlws.cli import main; main()\nfinally:\n    print(*sys.modules, file=sys.stderr)"
    line = {"_MLWS_COMPLETE": "bash_complete", "COMP_WORDS": "mlws run show ", "COMP_CWORD": "3"}
    done = subprocess.run(
        [sys.executable, "-c", code.replace("main()", "main(prog_name='mlws')")],
        env={**server.env, **line},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"plain,{run_id[:8]}" in done.stdout, done.stderr
    loaded = {name.partition(".")[0] for name in done.stderr.split()} | set(done.stderr.split())
    heavy = {"httpx", "tornado", "sqlalchemy", "pandas", "pathspec", "jupyter_mlws.sdk.launch"}
    if sys.version_info >= (3, 11):  # before, the standard library's `platform` loads it, and that click
        heavy.add("subprocess")
    assert loaded & heavy == set()


class Shell:
    """An interactive bash with the completion of `mlws`."""

    def __init__(self, server: LiveServer, folder: Path) -> None:
        self._primary, secondary = pty.openpty()
        env = {
            **server.env,
            "PS1": "$ ",
            "TERM": "dumb",
            "PATH": f"{Path(MLWS).parent}:{os.environ['PATH']}",
            "LC_ALL": "C.UTF-8",
        }
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile", "-i"],
            env=env,
            cwd=folder,
            stdin=secondary,
            stdout=secondary,
            stderr=secondary,
            start_new_session=True,
        )
        os.close(secondary)
        self.type('bind "set enable-bracketed-paste off"; eval "$(mlws completion bash)"; echo re""ady\n', "ready\r\n")

    def type(self, text: str, until: str, timeout: float = 60) -> str:
        """Type, and give back what the terminal shows up to `until`."""
        os.write(self._primary, text.encode())
        seen, deadline = "", time.monotonic() + timeout
        while until not in seen:
            assert time.monotonic() < deadline, f"{until!r} is not in {seen!r}"
            if select.select([self._primary], [], [], 1)[0]:
                seen += os.read(self._primary, 65536).decode(errors="replace")
        return seen

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait(10)
        os.close(self._primary)


@pytest.fixture
def bash(server: LiveServer, tmp_path: Path) -> Iterator[Shell]:
    """A real shell."""
    version = subprocess.run(["bash", "-c", "echo $BASH_VERSION"], capture_output=True, text=True, check=True).stdout
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < (4, 4):
        pytest.skip(f"bash {version.strip()} is older than 4.4")
    shell = Shell(server, tmp_path)
    yield shell
    shell.close()


@pytest.mark.slow
def test_in_a_real_bash(bash: Shell, tmp_path: Path, run_id: str) -> None:
    write_notebook(tmp_path / "my folder" / "train.ipynb", "1")
    (tmp_path / "my folder" / "train.py").write_text("")
    # One folder: completed, quoted, with a slash and no blank; the notebook after it.
    bash.type("echo job create --notebook x; mlws job create --notebook m\t", "my\\ folder/")
    bash.type("t\t", "rain.ipynb ")
    bash.type("\x15", "")
    bash.type("mlws experiment show odd\t", r"odd\,\ name\*\ \'x\' ")
    bash.type("-o json | grep -c odd\n", "1\r\n")
    bash.type(f"mlws run show {run_id[:6]}\t", f"{run_id[:8]} ")
    bash.type("| head -1\n", f"Run         {run_id}")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_take_their_script(mlws: Mlws, tmp_path: Path, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed here")
    (tmp_path / "script").write_text(mlws("completion", shell).out)
    done = subprocess.run([shell, "-n", str(tmp_path / "script")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
