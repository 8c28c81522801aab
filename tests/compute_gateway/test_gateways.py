"""Jupyter's own gateways, Enterprise and Kernel, as they come: each is installed beside ours, and started for real."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compute_gateway.test_interactive import channels, jupyter, ran, specs
from tests.compute_gateway.test_jobs_there import book, metrics_of, paths_of, submit
from tests.gateway import EnterpriseGateway, Gateway, KernelGateway, Wire
from tests.live import LiveServer
from tests.servers import until
from tests.ssh import log_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture(scope="module", params=[EnterpriseGateway, KernelGateway], ids=["enterprise", "kernel"])
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One of them."""
    made: Gateway = request.param(tmp_path_factory.mktemp("gateway"))
    try:
        yield made.start()
    finally:
        made.stop()


ENTERPRISE = pytest.mark.parametrize("gateway", [EnterpriseGateway], indirect=True, ids=["enterprise"])
"""For what Kernel Gateway does with the code of the Jupyter Server that the other tests have."""


@pytest.fixture
def link(gateway: Gateway) -> Iterator[Wire]:
    """A way to it that can be cut."""
    made = Wire(gateway.port)
    yield made
    made.close()


@pytest.fixture
def target(server: LiveServer, gateway: Gateway, link: Wire) -> Iterator[str]:
    """It as a target, by that way."""
    place = {"url": link.url, "token": {"workspace": "default", "name": "OTHER"}, "patience_s": 20, "kernel_user": "ada"}
    server.ok("POST", "/compute", {"name": "gate", "gateway": place})
    yield "gate"
    server.ok("DELETE", "/compute/gate?force=true")
    until(lambda: gateway.processes() == [], 30, "no kernel is left")


def test_a_job_runs_there_and_what_it_makes_comes_back(server: LiveServer, gateway: Gateway, target: str) -> None:
    run_id = submit(
        server,
        "import os, mlws\nprint('child of', os.getppid())",
        "mlws.log_metric('loss', x / 2)\nopen('outputs/model.bin', 'wb').write(bytes(5 << 20))",
        "print('for', os.environ.get('KERNEL_USERNAME'), os.environ['OWN'])",
        target=target,
        parameters="x = 1",
        spec={"parameters": {"x": 7}},
        env={"OWN": "mine"},
    )
    run = server.wait(run_id)
    assert (run["status"], run["error"]) == ("Completed", None), log_of(server, run_id)
    if isinstance(gateway, EnterpriseGateway):
        assert "for ada" in log_of(server, run_id)
    assert f"child of {gateway.pid}" in log_of(server, run_id)
    assert metrics_of(server, run_id) == {"loss": 3.5}
    assert "outputs/model.bin" in paths_of(server, run_id)
    until(lambda: gateway.processes() == [], 30, "its kernel is gone")


@ENTERPRISE
def test_a_cancel_in_mid_cell_ends_the_kernel_there(server: LiveServer, gateway: Gateway, target: str) -> None:
    run_id = submit(server, "import time\nprint('begun', flush=True)\ntime.sleep(600)", target=target)
    until(lambda: "begun" in log_of(server, run_id), 60, "the cell runs")
    server.ok("POST", f"/jobs/{run_id}/cancel")
    assert server.wait(run_id)["status"] == "Canceled"
    until(lambda: gateway.processes() == [], 30, "its kernel is gone")


async def test_a_notebook_has_a_kernel_there(server: LiveServer, gateway: Gateway, target: str) -> None:
    name = f"mlws-{target}.python3"
    until(lambda: name in specs(server), 30, "the kernel stands among ours")
    kernel_id = jupyter(server, "POST", "/api/kernels", json={"name": name})["id"]
    async with channels(server, kernel_id) as connection:
        _, text = await ran(connection, "import os\nprint(os.getppid(), os.getpid())")
        parent, first = map(int, text.split())
        assert parent == gateway.pid
        code = "import time\nprint('begun', flush=True)\ntime.sleep(600)"
        interrupt = f"/api/kernels/{kernel_id}/interrupt"
        reply, _ = await ran(connection, code, on_text=lambda: jupyter(server, "POST", interrupt))
        assert reply["ename"] == "KeyboardInterrupt"
        await asyncio.to_thread(jupyter, server, "POST", f"/api/kernels/{kernel_id}/restart")
    async with channels(server, kernel_id) as connection:
        assert int((await ran(connection, "print(os.getpid() if 'os' in globals() else 0)"))[1]) == 0
        assert first not in gateway.processes()
    jupyter(server, "DELETE", f"/api/kernels/{kernel_id}")
    until(lambda: gateway.processes() == [], 30, "the kernel there is gone")


def test_a_test_tells_step_by_step(server: LiveServer, gateway: Gateway, target: str) -> None:
    tested = server.ok("POST", f"/compute/{target}/test", timeout=90)
    assert [step["state"] for step in tested["steps"]] == ["ok"] * 5 + ["skipped"], tested
    assert "python3" in tested["steps"][3]["detail"]
    until(lambda: gateway.processes() == [], 30, "no kernel is left")


def test_a_wrong_token_is_told_in_words(server: LiveServer, gateway: Gateway) -> None:
    server.ok("PUT", "/workspaces/default/secrets/WRONG", {"value": "not-the-token"})
    place = {"url": gateway.url, "token": {"workspace": "default", "name": "WRONG"}}
    server.ok("POST", "/compute", {"name": "locked", "gateway": place})
    try:
        body = {"spec": {"kind": "notebook", "notebook": book(server)}, "target": "locked"}
        answer = server.post("/workspaces/default/jobs", body)
        assert answer.status_code == 409
        assert "does not take the token" in answer.json()["error"]["message"]
        tested = server.ok("POST", "/compute/locked/test", timeout=90)
        assert [step["state"] for step in tested["steps"]] == ["ok", "ok", "failed", "skipped", "skipped", "skipped"]
    finally:
        server.ok("DELETE", "/compute/locked")


@ENTERPRISE
def test_a_link_that_is_cut_in_mid_cell_comes_back(server: LiveServer, link: Wire, target: str, tmp_path: Path) -> None:
    go = tmp_path / "go"
    waits = f"import os, time\nprint('begun', flush=True)\nwhile not os.path.exists({str(go)!r}): time.sleep(0.05)\nprint('over')"
    run_id = submit(server, waits, "print('next')", target=target)
    until(lambda: "begun" in log_of(server, run_id), 60, "the cell runs")
    link.cut()
    go.touch()
    link.mend()
    run = server.wait(run_id)
    assert (run["status"], run["error"]) == ("Completed", None), log_of(server, run_id)
    assert {"over", "next"} <= set(log_of(server, run_id).split())


@ENTERPRISE
def test_a_gateway_that_is_killed_and_back_fails_the_job_and_runs_the_next(
    server: LiveServer, gateway: Gateway, target: str
) -> None:
    run_id = submit(server, "import time\nprint('begun', flush=True)\ntime.sleep(600)", target=target)
    until(lambda: "begun" in log_of(server, run_id), 60, "the cell runs")
    gateway.kill()
    gateway.start()
    run = server.wait(run_id)
    assert run["status"] == "Failed"
    assert "is gone" in run["error"]["message"]
    assert server.wait(submit(server, "print('again')", target=target))["status"] == "Completed"


def test_why_it_starts_no_kernel_is_told_from_a_wrong_token(server: LiveServer, gateway: Gateway, target: str) -> None:
    name = type(gateway).__name__
    gateway.stop()
    gateway.options = [f"--{name}App.max_kernels=0"]
    gateway.start()
    run = server.wait(submit(server, "1", target=target))
    assert run["status"] == "Failed"
    assert "as many kernels as it allows" in run["error"]["message"]
    gateway.stop()
    gateway.options = []
    gateway.start()


@ENTERPRISE
def test_a_user_for_whom_it_starts_no_kernels_is_told(server: LiveServer, gateway: Gateway, target: str) -> None:
    server.ok("PATCH", f"/compute/{target}", {"gateway": {"kernel_user": "root"}})
    tested = server.ok("POST", f"/compute/{target}/test", timeout=90)
    assert [step["state"] for step in tested["steps"]] == ["ok"] * 4 + ["failed", "skipped"], tested
    assert "--kernel-user" in tested["steps"][4]["detail"]
