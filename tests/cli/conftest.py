"""The command, as a process of its own, against the shared server."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.live import LiveServer

MLWS = str(Path(sys.executable).with_name("mlws"))


class Said(NamedTuple):
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


Mlws = Callable[..., Said]


@pytest.fixture
def mlws(server: LiveServer, tmp_path: Path) -> Mlws:
    """Runs `mlws <words>`; `env` adds to the environment that finds the server, a None takes away."""

    def run(*words: str, input: str | None = None, cwd: Path | None = None, timeout: float = 90, **env: str | None) -> Said:
        merged: dict[str, Any] = {**server.env, **env}
        done = subprocess.run(
            [MLWS, *words],
            input=input or "",
            cwd=cwd or tmp_path,
            env={name: value for name, value in merged.items() if value is not None},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Said(done.returncode, done.stdout, done.stderr)

    return run


def on_terminal(words: list[str], server: LiveServer, cwd: Path, env: dict[str, str]) -> str:
    """What a command prints on a terminal."""
    primary, secondary = pty.openpty()
    process = subprocess.Popen(
        [MLWS, *words], env={**server.env, "TERM": "xterm", **env}, cwd=cwd, stdin=secondary, stdout=secondary, stderr=secondary
    )
    os.close(secondary)
    pieces = []
    while True:
        try:
            piece = os.read(primary, 65536)
        except OSError:
            break
        if not piece:
            break
        pieces.append(piece)
    assert process.wait(30) == 0
    os.close(primary)
    return b"".join(pieces).decode()
