"""Where kernels cannot be told of the workspace, the Lab's page knows why."""

from __future__ import annotations

import html
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx

from tests.live import LiveServer
from tests.servers import until

EXTENSIONS = {"jupyter_mlws": True, "jupyterlab": True, "jupyter_lsp": False, "notebook_shim": False, "notebook": False}


def page_config(page: str) -> dict[str, Any]:
    """What JupyterLab's page tells its plugins."""
    found = re.search(r'<script id="jupyter-config-data" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found is not None, page[:2000]
    config: dict[str, Any] = json.loads(html.unescape(found[1]))
    return config


def listens(path: Path) -> bool:
    """Whether somebody answers at a unix socket."""
    with socket.socket(socket.AF_UNIX) as asking:
        return asking.connect_ex(str(path)) == 0


def test_behind_a_gateway(tmp_path: Path):
    server = LiveServer(tmp_path, options=["--GatewayClient.url=http://127.0.0.1:9"])
    server.extensions = EXTENSIONS
    server.start()
    try:
        page = httpx.get(f"{server.url}/lab", headers={"Authorization": f"Bearer {server.token}"}, timeout=60)
        assert page_config(page.text)["mlwsUntracked"] == "gateway"
    finally:
        server.stop()


def test_on_a_unix_socket(tmp_path: Path):
    folder = Path(tempfile.mkdtemp())  # the path of a socket has at most some hundred bytes
    template = LiveServer(tmp_path)
    command = [
        sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", f"--ServerApp.sock={folder / 's'}",
        f"--ServerApp.root_dir={template.root}", f"--IdentityProvider.token={template.token}",
        f"--ServerApp.jpserver_extensions={EXTENSIONS}",
    ]  # fmt: skip
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=template.env, stdout=log, stderr=log, start_new_session=True)
    try:
        until(lambda: listens(folder / "s"), 60)
        headers = {"Authorization": f"Bearer {template.token}"}
        transport = httpx.HTTPTransport(uds=str(folder / "s"))
        with httpx.Client(transport=transport, headers=headers, timeout=60, follow_redirects=True) as client:
            assert page_config(client.get("http://localhost/lab").text)["mlwsUntracked"] == "socket"
            assert client.get("http://localhost/mlws/api/v1/health").json() == {"status": "ok"}
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        shutil.rmtree(folder)


def test_elsewhere_nothing_is_said(server: LiveServer):
    page = httpx.get(f"{server.url}/lab", headers={"Authorization": f"Bearer {server.token}"}, timeout=60)
    assert "mlwsUntracked" not in page_config(page.text)
