"""A real sshd of our own, for the tests: on loopback, with its own host key and one key that it lets in, in a folder that goes with it."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from typing_extensions import Self

from tests.live import LiveServer, free_port

START_S = 20.0
PLACES = ("/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/libexec/sshd")
CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile {folder}/sshd.pid
PasswordAuthentication no
KbdInteractiveAuthentication no
PubkeyAuthentication yes
PermitRootLogin yes
StrictModes no
UsePAM no
PrintMotd no
"""


def find_sshd() -> str | None:
    """The program; it wants to be called by its whole path."""
    return next((place for place in (*PLACES, shutil.which("sshd") or "") if place and Path(place).exists()), None)


def sshd_or_skip() -> str:
    """The program; without it the test is skipped."""
    found = find_sshd()
    if found is None:
        pytest.skip("OpenSSH's server is not installed (Debian: apt install openssh-server)")
    return found


class Sshd:
    """One server. `key` is the private key that it lets in; `jobs` is where a target of the tests keeps its things."""

    def __init__(self, program: str, environment: Mapping[str, str] | None = None) -> None:
        self.program = program
        self.environment = environment or {}
        """What processes have that log in, besides what every user has."""
        self.folder = Path(tempfile.mkdtemp(prefix="mlws-sshd-"))
        self.place = self.folder / "there"
        self.port = free_port()
        self.user = getpass.getuser()
        self._process: subprocess.Popen[bytes] | None = None
        self.new_key("host_key")
        self.new_key("key")
        shutil.copy(self.folder / "key.pub", self.folder / "authorized_keys")

    def new_key(self, name: str) -> str:
        """Make a pair of keys; the private one."""
        path = self.folder / name
        for old in (path, path.with_suffix(".pub")):
            old.unlink(missing_ok=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
        return path.read_text()

    @property
    def key(self) -> str:
        """The private key that it lets in."""
        return (self.folder / "key").read_text()

    def host_key(self) -> list[bytes]:
        """Its host key, both halves."""
        return [(self.folder / name).read_bytes() for name in ("host_key", "host_key.pub")]

    def set_host_key(self, halves: list[bytes]) -> None:
        """Start anew with another host key."""
        self.stop()
        for name, half in zip(("host_key", "host_key.pub"), halves, strict=True):
            (self.folder / name).write_bytes(half)
        self.start()

    @property
    def fingerprint(self) -> str:
        """Of its host key."""
        told = subprocess.run(
            ["ssh-keygen", "-l", "-f", str(self.folder / "host_key.pub")], check=True, capture_output=True, text=True
        )
        return told.stdout.split()[1]

    def start(self) -> Self:
        """Start, and return once it answers."""
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        config = self.folder / "sshd_config"
        given = " ".join(f"{name}={value}" for name, value in self.environment.items())
        config.write_text(CONFIG.format(port=self.port, folder=self.folder) + (f"SetEnv {given}\n" if given else ""))
        log = self.folder / "sshd.log"
        # -r: in a sandbox it may not start itself anew for each connection.
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [self.program, "-D", "-e", "-r", "-f", str(config)], stdin=subprocess.DEVNULL, stderr=out, start_new_session=True
            )
        deadline = time.monotonic() + START_S
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"sshd did not start:\n{log.read_text()[-4000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it, and the connections that it has: whoever is connected sees a cut link."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGSTOP)  # else it may let in another one, who stays
            for pid in [*_children(self._process.pid), self._process.pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def cut(self) -> bool:
        """End the connections that there are, and none else. Whether there was one."""
        assert self._process is not None
        found = _children(self._process.pid)
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return bool(found)

    def remove(self) -> None:
        """Stop, and remove what it wrote."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def target(self, **fields: object) -> dict[str, object]:
        """What a target on it is made from."""
        ssh = {
            "host": "127.0.0.1",
            "port": self.port,
            "user": self.user,
            "folder": str(self.place),
            "host_key": self.fingerprint,
            "key": {"workspace": "default", "name": "ssh-key"},
            **fields,
        }
        return {"name": "far", "ssh": ssh, "max_jobs": 4}


def with_target(server: LiveServer, far: Sshd, **fields: object) -> LiveServer:
    """Give a server the target `far`, and the key to it."""
    server.ok("PUT", "/workspaces/default/secrets/ssh-key", {"value": far.key})
    server.ok("POST", "/compute", far.target(**fields))
    return server


def command(line: str, **fields: object) -> dict[str, object]:
    """The spec of a command job."""
    return {"kind": "command", "command": line, **fields}


def log_of(server: LiveServer, run_id: str) -> str:
    """What a job has printed."""
    text: str = server.ok("GET", f"/jobs/{run_id}/log")["text"]
    return text


def far_jobs(far: Sshd) -> list[str]:
    """The folders of jobs there."""
    return sorted(path.name for path in (far.place / "jobs").iterdir())


def eventually(true: Callable[[], object], seconds: float = 60) -> None:
    """Wait until it is true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def pid_there(far: Sshd, run_id: str, name: str = "pid.txt") -> int:
    """The number that a job there has written to a file of its working folder."""
    path = far.place / "jobs" / run_id / "work" / name
    eventually(lambda: path.exists() and path.read_text())
    return int(path.read_text())


def _children(pid: int) -> list[int]:
    """The processes that serve its connections, the innermost first."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    sshd = [int(child) for child in found if _name(int(child)) == "sshd"]
    return [grown for child in sshd for grown in (*_children(child), child)]


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
