"""A target that is let go of while its host does not answer: whoever waits for it is told, and goes on."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.domain.compute.errors import HostUnreachable
from jupyter_mlws.domain.compute.ssh import target as module
from jupyter_mlws.domain.compute.ssh.link import Place
from jupyter_mlws.domain.compute.ssh.mirror import Mirror
from jupyter_mlws.domain.compute.ssh.target import SshCompute
from mlws import jobdir


def test_what_does_not_end_in_time_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLOSE_S", 0.1)
    place = Place("127.0.0.1", 1, "nobody", "~/.mlws", "python3", "")
    made = SshCompute("far", 1, place, list, jobs=tmp_path, owner="me", description="", server_url="")
    made._following = [Future() for _ in range(3)]
    made.close()
    assert not any(one.done() for one in made._following)


class StopsMeanwhile:
    """A connection by which a file of a job comes just when another mirror has taken the job over."""

    place = Place("127.0.0.1", 1, "nobody", "~/.mlws", "python3", "")

    def __init__(self) -> None:
        self.mirror: Mirror | None = None

    async def ask(self, question: str, **_: Any) -> tuple[dict[str, Any], bytes]:
        assert self.mirror is not None
        self.mirror.stop()
        if question == "read":
            return {}, b"new"
        files = [{"name": jobdir.RESULT, "kind": "whole", "offset": 0, "length": 3, "stamp": [3, 1], "more": False}]
        return {"begun": True, "alive": True, "ended": False, "files": files}, b"new"


def test_a_mirror_whose_job_another_one_has_writes_nothing(tmp_path: Path) -> None:
    link = StopsMeanwhile()
    made: Any = lambda: link  # noqa: E731 - as the target gives it
    link.mirror = mirror = Mirror("a1", tmp_path, made, lambda: None, live_spool=False)
    asyncio.run(mirror.follow())
    with pytest.raises(HostUnreachable):
        asyncio.run(mirror._fetch("work/outputs/a.txt", 3))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_target_that_is_let_go_follows_nothing_and_takes_no_job_for_lost(tmp_path: Path) -> None:
    made = SshCompute("far", 1, StopsMeanwhile.place, list, jobs=tmp_path, owner="me", description="", server_url="")
    (tmp_path / jobdir.SENT).write_text(json.dumps({"target": "far"}))
    made.close()
    assert made.is_alive(tmp_path)
    assert made._following == []
