"""The keys of the server's SSH agent: a real one, with its own socket, for a server of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live import LiveServer
from tests.ssh import Sshd, command, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


class Agent:
    """`ssh-agent`, in the folder of a host; it ends with `stop`."""

    def __init__(self, far: Sshd) -> None:
        program = shutil.which("ssh-agent")
        if program is None:
            pytest.skip("OpenSSH's agent is not installed (Debian: apt install openssh-client)")
        self.socket = far.folder / "agent"
        self.socket.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [program, "-D", "-a", str(self.socket)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
        )
        eventually(self.socket.exists)

    def ask(self, *words: str | Path) -> None:
        """`ssh-add`."""
        env = {**os.environ, "SSH_AUTH_SOCK": str(self.socket)}
        subprocess.run(["ssh-add", "-q", *map(str, words)], env=env, check=True, stdin=subprocess.DEVNULL)

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)


@pytest.fixture(scope="module")
def agent(far: Sshd) -> Iterator[Agent]:
    made = Agent(far)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def with_agent(tmp_path_factory: pytest.TempPathFactory, far: Sshd, agent: Agent) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path_factory.mktemp("with-agent"), environment={"SSH_AUTH_SOCK": str(agent.socket)}).start()
    live.ok("POST", "/compute", far.target(key=None))
    yield live
    live.stop()


def login(server: LiveServer) -> dict[str, Any]:
    """The step `log in` of a test."""
    steps = server.ok("POST", "/compute/far/test", timeout=60)["steps"]
    found: dict[str, Any] = next(step for step in steps if step["name"] == "log in")
    return found


def test_the_agent_of_the_server_lets_it_in(with_agent: LiveServer, far: Sshd, agent: Agent):
    step = login(with_agent)
    assert step["state"] == "failed"
    assert "has no key; `ssh-add` gives it one" in step["detail"]
    far.new_key("stranger")
    agent.ask(far.folder / "stranger")
    step = login(with_agent)
    assert step["state"] == "failed"
    assert "does not let this server in" in step["detail"]
    agent.ask(far.folder / "key")
    assert login(with_agent)["state"] == "ok", "of two keys the right one is found"
    run_id = with_agent.submit(command("echo agent ${SSH_AUTH_SOCK:-none}"), target="far")
    run = with_agent.wait(run_id)
    assert run["status"] == "Completed", run["error"]
    assert "agent none" in with_agent.ok("GET", f"/jobs/{run_id}/log")["text"], "the agent is the server's, not the job's"


def test_an_agent_that_is_gone_is_told(with_agent: LiveServer, agent: Agent):
    agent.stop()
    step = login(with_agent)
    assert step["state"] == "failed"
    assert "does not answer" in step["detail"]
