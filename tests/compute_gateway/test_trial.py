"""The kernel with which a target is tested."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from jupyter_mlws.domain.compute.gateway.records import folder_of
from jupyter_mlws.domain.compute.gateway.target import GatewayCompute
from jupyter_mlws.domain.compute.schemas import GatewayPlace
from jupyter_mlws.runner.gateway import trial
from tests.gateway import OtherServer, Wire
from tests.servers import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def tried(url: str, token: str, kernels: Path) -> dict[str, object]:
    asked = {"url": url, "kernel": "python3", "target": "far", "records": str(folder_of(kernels))}
    return asyncio.run(trial._within(asked, token))


def test_a_kernel_that_starts_in_time_is_ended_by_the_test(other: OtherServer, tmp_path: Path) -> None:
    assert str(tried(other.url, other.token, tmp_path / "kernels")["about"]).startswith("python 3")
    assert other.kernels() == []
    assert list(folder_of(tmp_path / "kernels").iterdir()) == []


def test_a_kernel_that_starts_too_late_is_noted_and_ended_by_the_target(
    wire: Wire, other: OtherServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "TRIED_S", 6.0)
    monkeypatch.setattr(trial, "END_S", 0.5)
    wire.holds_from = b"POST /api/kernels"
    assert "did not start" in str(tried(wire.url, other.token, tmp_path / "kernels")["failed"])
    wire.holds = False
    until(lambda: len(other.kernels()) == 1, 30, "the kernel comes, and nobody waits for it any more")
    [record] = folder_of(tmp_path / "kernels").glob("*.json")
    told = json.loads(record.read_bytes())
    assert told["asked"] == [other.kernels()[0]["id"]]
    record.write_text(json.dumps({**told, "start_time": "of a process that is gone"}))
    place = GatewayPlace(url=wire.url, token=None, ca_file=None, server_url=None, kernel=None, patience_s=1, insecure=False)
    target = GatewayCompute(
        "far", 1, place, lambda: other.token, jobs=tmp_path / "jobs", kernels=tmp_path / "kernels", description=""
    )
    target.tidy()
    until(lambda: other.kernels() == [], 30, "it is ended")
    until(lambda: not record.exists(), 30, "nothing is noted any more")
    target.close()
