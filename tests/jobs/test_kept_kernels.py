"""The kernel of a failed notebook is kept: looked into over Jupyter's own websocket, and never forgotten."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tests.live import LiveServer, write_notebook
from tests.servers import closed, lean, processes_of, until

FAILS = "import os\nsecret = 6 * 7\nvalues = list(range(3))"
KEEP = {"kind": "notebook", "notebook": "fails.ipynb", "keep_kernel_on_failure": True}


@pytest.fixture
def server(tmp_path: Path):
    made = lean(tmp_path / "server", options=["--MlwsApp.max_jobs=1"]).start()
    yield made
    made.stop()
    for run_id in (entry.name for entry in (made.data_dir / "jobs").iterdir()):
        (made.data_dir / "jobs" / run_id / "cancel").write_text("canceled")
    until(lambda: not processes_of(made.data_dir), 30, "no process of a job is left")


def failed(server: LiveServer, **more: Any) -> str:
    """A notebook job whose second cell fails; its run id."""
    write_notebook(server.root / "fails.ipynb", FAILS, "raise ValueError(secret)", "print('never')")
    run_id = server.submit({**KEEP, **more})
    run = server.wait(run_id)
    assert (run["status"], run["reason"]) == ("Failed", "error")
    assert run["error"]["cell"] == 1
    return run_id


def kernel_of(server: LiveServer, run_id: str) -> dict[str, Any] | None:
    answer = server.get(f"/jobs/{run_id}/kernel")
    assert answer.status_code in (200, 404), answer.text
    if answer.status_code == 404:
        assert answer.json()["error"]["code"] in ("no_kernel_kept", "run_not_found", "not_a_job")
        return None
    found: dict[str, Any] = answer.json()
    return found


def jupyter(server: LiveServer, method: str, path: str) -> httpx.Response:
    headers = {"Authorization": f"token {server.token}"}
    return httpx.request(method, f"{server.url}/api{path}", headers=headers, timeout=20)


def run_code(server: LiveServer, kernel_id: str, code: str) -> str:
    """What code prints in a kernel of Jupyter's server, over the websocket that a console uses."""

    async def ask() -> str:
        url = f"{server.url.replace('http', 'ws', 1)}/api/kernels/{kernel_id}/channels?session_id={uuid.uuid4().hex}"
        socket = await websocket_connect(HTTPRequest(url, headers={"Authorization": f"token {server.token}"}))
        header = {
            "msg_id": uuid.uuid4().hex,
            "msg_type": "execute_request",
            "username": "",
            "session": uuid.uuid4().hex,
            "version": "5.3",
        }
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        request = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell", "buffers": []}
        await socket.write_message(json.dumps(request))
        printed = ""
        while True:
            message = json.loads(str(await asyncio.wait_for(socket.read_message(), 20)))
            if message["parent_header"].get("msg_id") != header["msg_id"]:
                continue
            if message["msg_type"] == "stream":
                printed += message["content"]["text"]
            elif message["msg_type"] == "error":
                printed += message["content"]["ename"]
            elif message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                await closed(socket)
                return printed

    return asyncio.run(ask())


def attached(server: LiveServer, run_id: str) -> str:
    found = server.ok("POST", f"/jobs/{run_id}/kernel/attach")
    kernel_id: str = found["kernel_id"]
    return kernel_id


def test_a_console_finds_the_variables_of_the_failed_notebook(server: LiveServer):
    run_id = failed(server)
    kept = kernel_of(server, run_id)
    assert kept is not None
    assert 25 * 60 < kept["until"] / 1000 - time.time() <= 30 * 60
    assert server.get(f"/runs/{run_id}/artifacts/content", params={"path": "notebook/fails.ipynb"}).status_code == 200
    assert "ValueError" in server.ok("GET", f"/jobs/{run_id}/log")["text"]
    other = server.submit({"kind": "command", "command": "true"})
    assert server.wait(other)["status"] == "Completed", "its slot is free"

    kernel_id = attached(server, run_id)
    assert kernel_id == kept["kernel_id"] == attached(server, run_id)
    assert jupyter(server, "GET", f"/kernels/{kernel_id}").json()["name"] == "python3"
    assert run_code(server, kernel_id, "print(secret, values)") == "42 [0, 1, 2]\n"
    assert run_code(server, kernel_id, "secret += 1\nprint(secret)") == "43\n"

    assert jupyter(server, "POST", f"/kernels/{kernel_id}/restart").status_code == 500, "its variables would be gone"
    assert jupyter(server, "DELETE", f"/kernels/{kernel_id}").status_code == 204, "Jupyter lets go of it"
    assert kernel_of(server, run_id) is not None, "which does not end it"
    assert run_code(server, attached(server, run_id), "print(secret)") == "43\n"

    assert server.request("DELETE", f"/jobs/{run_id}/kernel").status_code == 204
    until(lambda: kernel_of(server, run_id) is None, 60)
    until(lambda: not processes_of(server.data_dir), 30, "nothing of the job is left")
    until(lambda: jupyter(server, "GET", f"/kernels/{kernel_id}").status_code == 404, 20, "Jupyter knows that it has ended")
    assert server.request("DELETE", f"/jobs/{run_id}/kernel").json()["error"]["code"] == "no_kernel_kept"
    assert server.ok("GET", f"/runs/{run_id}")["status"] == "Failed"


def test_it_can_be_interrupted(server: LiveServer):
    run_id = failed(server)
    kernel_id = attached(server, run_id)

    async def both() -> str:
        running = asyncio.get_running_loop().run_in_executor(None, run_code, server, kernel_id, "import time\ntime.sleep(60)")
        await asyncio.sleep(2)
        assert jupyter(server, "POST", f"/kernels/{kernel_id}/interrupt").status_code == 204
        return await running

    assert asyncio.run(both()) == "KeyboardInterrupt"
    assert run_code(server, kernel_id, "print(secret)") == "42\n"


def test_it_outlives_the_server_and_is_ended_by_the_next(server: LiveServer):
    run_id = failed(server)
    kernel_id = attached(server, run_id)
    server.stop()
    server.start()
    assert kernel_of(server, run_id) is not None
    assert run_code(server, attached(server, run_id), "print(secret)") == "42\n", "it was not ended with the server"
    server.kill()
    server.start()
    assert attached(server, run_id) == kernel_id
    assert server.ok("GET", f"/runs/{run_id}")["status"] == "Failed"
    server.request("DELETE", f"/jobs/{run_id}/kernel")
    until(lambda: not processes_of(server.data_dir), 60)


@pytest.mark.parametrize("how", ["bin", "purged"])
def test_it_ends_with_its_run(server: LiveServer, how: str):
    run_id = failed(server)
    assert server.request("DELETE", f"/runs/{run_id}").status_code in (200, 204)
    if how == "purged":
        assert server.request("DELETE", f"/runs/{run_id}?purge=true").status_code in (200, 204)
    until(lambda: not processes_of(server.data_dir), 40, "the kernel of a deleted run has ended")


@pytest.mark.parametrize("what", ["runs", "outputs"])
def test_a_rule_of_retention_spares_its_run_while_it_is_kept(server: LiveServer, what: str):
    run_id = failed(server)
    experiment = server.ok("GET", f"/runs/{run_id}")["experiment_id"]
    server.wait(server.submit({"kind": "command", "command": "true"}, experiment="fails"), "Completed")
    apply, rule = f"/experiments/{experiment}/retention/apply", {"rule": {"keep_last": 1, "what": what}}
    done = server.ok("POST", apply, rule)
    assert (done["runs"], done["spared"]) == (0, {"running": 1})
    assert kernel_of(server, run_id) is not None
    server.request("DELETE", f"/jobs/{run_id}/kernel")
    until(lambda: server.ok("POST", apply, rule)["runs"] == 1, 40, "it goes once its kernel has ended")


def test_a_server_that_comes_later_ends_it_too(server: LiveServer):
    run_id = failed(server)
    assert server.request("DELETE", f"/runs/{run_id}").status_code in (200, 204)
    server.kill()
    server.start()
    until(lambda: not processes_of(server.data_dir), 40)


def test_its_time_ends(tmp_path: Path):
    server = lean(tmp_path / "short", options=["--MlwsApp.kept_kernel_s=3"]).start()
    try:
        run_id = failed(server)
        assert kernel_of(server, run_id) is not None
        kernel_id = attached(server, run_id)
        until(lambda: not processes_of(server.data_dir), 60)
        assert kernel_of(server, run_id) is None
        until(lambda: jupyter(server, "GET", f"/kernels/{kernel_id}").status_code == 404, 60)
    finally:
        server.stop()


def test_a_kernel_that_ends_itself_is_not_waited_for(server: LiveServer):
    run_id = failed(server)
    kernel_id = attached(server, run_id)
    run_code(server, kernel_id, "import threading\nthreading.Timer(0.5, lambda: os._exit(0)).start()")
    until(lambda: not processes_of(server.data_dir), 60)
    assert kernel_of(server, run_id) is None


WITHOUT: dict[str, Callable[[LiveServer], str]] = {
    "not asked for": lambda server: failed(server, keep_kernel_on_failure=False),
    "nothing failed": lambda server: completed(server),
}


def completed(server: LiveServer) -> str:
    write_notebook(server.root / "fine.ipynb", "1 + 1")
    run_id = server.submit({**KEEP, "notebook": "fine.ipynb"})
    assert server.wait(run_id)["status"] == "Completed"
    return run_id


@pytest.mark.parametrize("why", WITHOUT)
def test_otherwise_none_is_kept(server: LiveServer, why: str):
    run_id = WITHOUT[why](server)
    assert kernel_of(server, run_id) is None
    assert server.request("POST", f"/jobs/{run_id}/kernel/attach").json()["error"]["code"] == "no_kernel_kept"
    until(lambda: not processes_of(server.data_dir), 60)


def test_a_cancel_or_a_dead_kernel_keeps_none(server: LiveServer):
    write_notebook(server.root / "dies.ipynb", "import os\nos._exit(3)")
    run = server.wait(server.submit({**KEEP, "notebook": "dies.ipynb"}))
    assert run["error"]["kind"] == "KernelDied"
    until(lambda: not processes_of(server.data_dir), 60)
    write_notebook(server.root / "waits.ipynb", "import time\ntime.sleep(600)")
    run_id = server.submit({**KEEP, "notebook": "waits.ipynb"})
    server.wait(run_id, "Running")
    server.ok("POST", f"/jobs/{run_id}/cancel")
    assert server.wait(run_id)["status"] == "Canceled"
    until(lambda: not processes_of(server.data_dir), 60)


def test_another_server_on_the_folder_has_the_kernel_for_its_own_browsers(server: LiveServer, tmp_path: Path):
    run_id = failed(server)
    follower = lean(tmp_path / "follower", data_dir=server.data_dir).start()
    try:
        kernel_id = attached(follower, run_id)
        assert run_code(follower, kernel_id, "print(secret)") == "42\n"
        assert jupyter(server, "GET", f"/kernels/{kernel_id}").status_code == 404
    finally:
        follower.stop()
    assert kernel_of(server, run_id) is not None
