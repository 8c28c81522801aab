"""What the test of a target finds that goes by way of a host with PBS."""

from __future__ import annotations

import pytest

from tests.live import LiveServer
from tests.slurm import Slurm
from tests.ssh import Sshd

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_the_test_goes_to_the_host_and_then_to_pbs_there(server: LiveServer, cluster: Slurm, login: Sshd):
    found = server.ok("POST", "/compute/batch/test", timeout=120)
    steps = found["steps"][-5:]
    assert found["usable"], found
    assert [step["name"] for step in steps] == ["PSI/J", "PBS's programs", "PBS", "what jobs ask for", "a job"]
    assert [step["state"] for step in steps] == ["ok"] * 5
    assert f"port {login.port}" in steps[1]["detail"]
    assert "sees the folder of" in steps[4]["detail"]
    server.ok("POST", "/compute", {"name": "wrong", "pbs": {"queue": "nowhere", "via": "far"}})
    steps = server.ok("POST", "/compute/wrong/test", timeout=120)["steps"][-5:]
    assert [step["state"] for step in steps] == ["ok", "ok", "ok", "failed", "skipped"]
    assert "There is no queue 'nowhere'" in steps[3]["detail"]
    answer = server.request("PATCH", "/compute/wrong", json={"pbs": {"via": "nobody"}})
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "pbs.via"), answer.text
    assert server.request("DELETE", "/compute/wrong").status_code == 204
