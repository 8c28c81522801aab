"""Kernels of another Jupyter server as kernels of ours, in notebooks and consoles."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from jupyter_client.session import Session
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from mlws import jobdir
from tests.compute_ssh.test_commands import mlws
from tests.gateway import OtherServer, Wire
from tests.live import LiveServer, free_port, write_notebook
from tests.servers import closed, until
from tests.ssh import log_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def jupyter(server: LiveServer, method: str, path: str, **options: Any) -> Any:
    """What Jupyter's own API of our server answers."""
    headers = {"Authorization": f"token {server.token}"}
    answer = httpx.request(method, f"{server.url}{path}", headers=headers, timeout=60, **options)
    assert answer.status_code < 300, answer.text[:2000]
    return answer.json() if answer.content else None


def specs(server: LiveServer) -> dict[str, Any]:
    found: dict[str, Any] = jupyter(server, "GET", "/api/kernelspecs")["kernelspecs"]
    return found


@asynccontextmanager
async def channels(server: LiveServer, kernel_id: str) -> AsyncIterator[WebSocketClientConnection]:
    url = f"{server.url}/api/kernels/{kernel_id}/channels".replace("http", "ws", 1)
    connection = await websocket_connect(HTTPRequest(url, headers={"Authorization": f"token {server.token}"}))
    try:
        yield connection
    finally:
        await closed(connection)


async def ran(connection: WebSocketClientConnection, code: str, *, on_text: Any = None) -> tuple[dict[str, Any], str]:
    """The reply to a cell, and what it printed."""
    made = Session().msg("execute_request", {"code": code, "silent": False, "allow_stdin": False})
    await connection.write_message(json.dumps({**made, "channel": "shell"}, default=str))
    text, reply, idle = "", None, False
    while reply is None or not idle:
        raw = await asyncio.wait_for(connection.read_message(), 60)
        assert raw is not None
        message = json.loads(raw)
        if message["parent_header"].get("msg_id") != made["header"]["msg_id"]:
            continue
        idle = idle or message["content"].get("execution_state") == "idle"
        if message["msg_type"] == "stream":
            text += message["content"]["text"]
            if on_text is not None:
                await asyncio.to_thread(on_text)
        if message["msg_type"] == "execute_reply":
            reply = message["content"]
    return reply, text


async def test_a_notebook_has_a_kernel_there(server: LiveServer, other: OtherServer) -> None:
    until(lambda: "mlws-there.python3" in specs(server), 30, "the kernel stands among ours")
    spec = specs(server)["mlws-there.python3"]["spec"]
    assert spec["display_name"] == "Python 3 (ipykernel) on there"
    assert other.token not in json.dumps(spec)
    kernel_id = jupyter(server, "POST", "/api/kernels", json={"name": "mlws-there.python3"})["id"]
    async with channels(server, kernel_id) as connection:
        _, text = await ran(connection, "import os\nprint(os.getppid(), sorted(os.environ))")
        assert int(text.split()[0]) == other.pid
        assert "MLWS_" not in text
        assert other.token not in text
        interrupt = f"/api/kernels/{kernel_id}/interrupt"
        code = "import time\nprint('begun', flush=True)\ntime.sleep(600)"
        reply, _ = await ran(connection, code, on_text=lambda: jupyter(server, "POST", interrupt))
        assert reply["ename"] == "KeyboardInterrupt"
        [first] = other.kernels()
        await asyncio.to_thread(jupyter, server, "POST", f"/api/kernels/{kernel_id}/restart")
    async with channels(server, kernel_id) as connection:
        assert (await ran(connection, "print('again')"))[1] == "again\n"
        [second] = other.kernels()
        assert second["id"] != first["id"]
    jupyter(server, "DELETE", f"/api/kernels/{kernel_id}")
    until(lambda: other.kernels() == [], 30, "the kernel there is gone")


async def test_a_bridge_that_is_killed_leaves_no_kernel(server: LiveServer, other: OtherServer) -> None:
    until(lambda: "mlws-there.python3" in specs(server), 30)
    kernel_id = jupyter(server, "POST", "/api/kernels", json={"name": "mlws-there.python3"})["id"]
    async with channels(server, kernel_id) as connection:
        await ran(connection, "1")
    [first] = other.kernels()
    records = server.data_dir / "far-kernels"
    [record] = records.glob("*.json")
    assert record.stat().st_mode & 0o077 == 0
    os.kill(json.loads(record.read_text())["pid"], signal.SIGKILL)  # Jupyter starts another, with a kernel of its own
    until(lambda: first["id"] not in [one["id"] for one in other.kernels()], 60, "the first kernel is gone")
    jupyter(server, "DELETE", f"/api/kernels/{kernel_id}")
    until(lambda: other.kernels() == [], 60, "no kernel is left")
    until(lambda: list(records.glob("*.json")) == [], 30)


async def test_kernels_that_reach_this_server_log_to_its_workspace(server: LiveServer, other: OtherServer) -> None:
    place = {"url": other.url, "token": {"workspace": "default", "name": "OTHER"}, "server_url": f"{server.url}/mlws"}
    server.ok("POST", "/compute", {"name": "near", "gateway": place})
    until(lambda: "mlws-near.python3" in specs(server), 30)
    kernel_id = jupyter(server, "POST", "/api/kernels", json={"name": "mlws-near.python3"})["id"]
    code = "import mlws\nrun = mlws.start_run(name='from-there')\nmlws.log_metric('m', 3)\nmlws.end_run()\nprint(run.id)"
    async with channels(server, kernel_id) as connection:
        reply, text = await ran(connection, code)
    assert reply["status"] == "ok"
    run_id = text.split()[-1]
    run = server.wait(run_id, "Completed")
    assert (run["name"], run["metrics"]["m"]["last"]) == ("from-there", 3)
    jupyter(server, "DELETE", f"/api/kernels/{kernel_id}")
    server.ok("DELETE", "/compute/near")
    until(lambda: "mlws-near.python3" not in specs(server), 30, "its kernels go with a target")
    assert "mlws-there.python3" in specs(server)
    until(lambda: other.kernels() == [], 30)


async def test_a_notebook_that_is_renamed_keeps_the_address_that_is_seen_from_there(
    server: LiveServer, other: OtherServer
) -> None:
    seen = f"{server.url.replace('127.0.0.1', 'localhost')}/mlws"
    place = {"url": other.url, "token": {"workspace": "default", "name": "OTHER"}, "server_url": seen}
    server.ok("POST", "/compute", {"name": "seen", "gateway": place})
    until(lambda: "mlws-seen.python3" in specs(server), 30)
    body = {"path": "before.ipynb", "name": "before.ipynb", "type": "notebook", "kernel": {"name": "mlws-seen.python3"}}
    session = jupyter(server, "POST", "/api/sessions", json=body)
    jupyter(server, "PATCH", f"/api/sessions/{session['id']}", json={"path": "after.ipynb", "name": "after.ipynb"})
    kernel_id = session["kernel"]["id"]
    await asyncio.to_thread(jupyter, server, "POST", f"/api/kernels/{kernel_id}/restart")
    code = "import os\nprint(os.environ['MLFLOW_TRACKING_URI'], os.environ['MLWS_URL'], os.environ['MLFLOW_EXPERIMENT_NAME'])"
    async with channels(server, kernel_id) as connection:
        reply, text = await ran(connection, code)
    assert reply["status"] == "ok"
    tracking, ours, experiment = text.split()
    assert tracking.startswith(seen)
    assert (ours, experiment) == (seen, "after")
    jupyter(server, "DELETE", f"/api/sessions/{session['id']}")
    server.ok("DELETE", "/compute/seen")
    until(lambda: other.kernels() == [], 30)


def test_the_token_of_a_target_that_moved_is_not_sent_to_where_it_was(server: LiveServer, other: OtherServer) -> None:
    token = {"workspace": "default", "name": "OTHER"}
    server.ok("POST", "/compute", {"name": "moves", "gateway": {"url": other.url, "token": token}})
    until(lambda: "mlws-moves.python3" in specs(server), 30)
    server.ok("PATCH", "/compute/moves", {"gateway": {"url": f"http://127.0.0.1:{free_port()}"}})
    written = str(specs(server)["mlws-moves.python3"]["spec"]["argv"])
    assert other.url in written, "nobody answers at the new address, so its kernels still stand as they were"
    asked = len(other.log())
    kernel_id = jupyter(server, "POST", "/api/kernels", json={"name": "mlws-moves.python3"})["id"]
    until(lambda: "is not at" in server.log(), 30, "the bridge says why it ends")
    jupyter(server, "DELETE", f"/api/kernels/{kernel_id}")
    server.ok("DELETE", "/compute/moves")
    assert "Kernel started" not in other.log()[asked:]


@pytest.mark.parametrize("goes", ["deleted", "moved"])
def test_what_a_target_has_left_is_ended_after_it_went(server: LiveServer, other: OtherServer, wire: Wire, goes: str) -> None:
    place = {"url": wire.url, "token": {"workspace": "default", "name": "OTHER"}, "patience_s": 1}
    server.ok("POST", "/compute", {"name": "goes", "gateway": place})
    until(lambda: "mlws-goes.python3" in specs(server), 30)
    kernel_id = jupyter(server, "POST", "/api/kernels", json={"name": "mlws-goes.python3"})["id"]
    until(lambda: len(other.kernels()) == 1, 30, "the kernel starts")
    [record] = until(lambda: list((server.data_dir / "far-kernels").glob("*.json")), 30)
    wire.cut()
    jupyter(server, "DELETE", f"/api/kernels/{kernel_id}")
    until(lambda: jobdir.start_time(json.loads(record.read_text())["pid"]) is None, 30, "the bridge is gone")
    if goes == "deleted":
        server.ok("DELETE", "/compute/goes")
    else:
        server.ok("PATCH", "/compute/goes", {"gateway": {"url": f"http://127.0.0.1:{free_port()}"}})
    assert len(other.kernels()) == 1
    assert record.exists()
    wire.mend()
    until(lambda: other.kernels() == [], 60, "the kernel is gone")
    until(lambda: not record.exists(), 10, "and the note of it")
    if goes == "moved":
        server.ok("DELETE", "/compute/goes")


def test_a_notebook_of_such_a_kernel_is_told_where_that_is_when_it_goes_elsewhere(server: LiveServer) -> None:
    path = write_notebook(server.root / "lost" / "book.ipynb", "1", kernel="mlws-there.python3")
    spec = {"kind": "notebook", "notebook": str(path.relative_to(server.root))}
    answer = server.post("/workspaces/default/jobs", {"spec": spec})
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "kernel")
    assert "book.ipynb is python3 on the compute target there: choose that target" in answer.json()["error"]["message"]
    asked = mlws(server, "job", "create", "--notebook", str(path))
    assert asked.returncode == 2
    assert "on the compute target there" in asked.stderr


def test_a_notebook_of_such_a_kernel_runs_as_a_job_there(server: LiveServer, other: OtherServer) -> None:
    path = write_notebook(server.root / "named" / "book.ipynb", "import os\nprint(os.getppid())", kernel="mlws-there.python3")
    spec = {"kind": "notebook", "notebook": str(path.relative_to(server.root))}
    run_id = server.submit(spec, target="there")
    assert server.wait(run_id)["status"] == "Completed"
    assert str(other.pid) in log_of(server, run_id)
