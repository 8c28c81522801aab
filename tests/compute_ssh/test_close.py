"""A target that is let go of while its host does not answer: whoever waits for it is told, and goes on."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import pytest

from jupyter_mlws.domain.compute.ssh import target as module
from jupyter_mlws.domain.compute.ssh.link import Place
from jupyter_mlws.domain.compute.ssh.target import SshCompute


def test_what_does_not_end_in_time_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLOSE_S", 0.1)
    place = Place("127.0.0.1", 1, "nobody", "~/.mlws", "python3", "")
    made = SshCompute("far", 1, place, list, jobs=tmp_path, owner="me", description="", server_url="")
    made._following = [Future() for _ in range(3)]
    made.close()
    assert not any(one.done() for one in made._following)
