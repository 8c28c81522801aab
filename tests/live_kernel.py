"""A kernel as JupyterLab has it: started as a notebook's session over REST, and talked to over the server's WebSocket."""

from __future__ import annotations

import contextlib
import json
import socket
import time
import uuid
from typing import Any

import httpx
import websocket
from typing_extensions import Self

from tests.live import LiveServer

START_S = 60.0


class Output:
    """What a cell gave."""

    def __init__(self) -> None:
        self.text = ""
        """What it printed, and what was printed on stderr."""
        self.error: str | None = None
        """The class of its exception."""
        self.message = ""
        self.shown: list[dict[str, Any]] = []
        """What it displayed: by type of content."""

    def shows(self, kind: str = "text/plain") -> str:
        """The last thing that it displayed."""
        return str(self.shown[-1][kind])


class Kernel:
    """A kernel of a server. A context manager that shuts it down."""

    def __init__(self, server: LiveServer, notebook: str = "", *, name: str = "python3") -> None:
        self.server = server
        notebook = notebook or f"{uuid.uuid4().hex}.ipynb"  # two sessions of one notebook would share a kernel
        self._headers = {"Authorization": f"Bearer {server.token}"}
        body = {"path": notebook, "name": notebook.rpartition("/")[2], "type": "notebook", "kernel": {"name": name}}
        session = self._ask("POST", "sessions", body)
        self.session, self.id = session["id"], session["kernel"]["id"]
        self._socket = self._connected()

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        url = f"{self.server.url}/api/{path}"
        answer = httpx.request(method, url, json=body, headers=self._headers, timeout=START_S)
        assert answer.status_code < 300, (method, path, answer.text)
        return answer.json() if answer.content else None

    def _connected(self) -> websocket.WebSocket:
        url = f"{self.server.url}/api/kernels/{self.id}/channels".replace("http", "ws", 1)
        made: websocket.WebSocket = websocket.create_connection(
            url, timeout=START_S, header=[f"{name}: {value}" for name, value in self._headers.items()]
        )
        return made

    def send(self, code: str) -> str:
        """Begin to run a cell; the id to wait for."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        return self._send("execute_request", content)

    def press(self, button: str) -> None:
        """As a click on a button of `ipywidgets`, by its model's id."""
        self._send("comm_msg", {"comm_id": button, "data": {"method": "custom", "content": {"event": "click"}}})

    def _send(self, kind: str, content: dict[str, Any]) -> str:
        number = uuid.uuid4().hex
        header = {"msg_id": number, "msg_type": kind, "username": "", "session": "tests", "version": "5.3"}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell", "buffers": []}
        self._socket.send(json.dumps(message))
        return number

    def _acknowledge_at_once(self) -> None:
        """Jupyter's server holds a message back until the one before is acknowledged, for which Linux takes 40 ms where it may."""
        if hasattr(socket, "TCP_QUICKACK") and self._socket.sock is not None:
            self._socket.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def echo(self) -> float:
        """Seconds until the kernel has said who it is."""
        number, began = uuid.uuid4().hex, time.perf_counter()
        header = {"msg_id": number, "msg_type": "kernel_info_request", "username": "", "session": "tests", "version": "5.3"}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": {}, "channel": "shell", "buffers": []}
        self._socket.send(json.dumps(message))
        while True:
            self._socket.settimeout(START_S)
            self._acknowledge_at_once()
            answer = json.loads(self._socket.recv())
            if answer["msg_type"] == "kernel_info_reply" and answer["parent_header"].get("msg_id") == number:
                return time.perf_counter() - began

    def wait(self, number: str, timeout: float = 60.0, until: str | None = None) -> Output:
        """What the cell gave once it is done, or once it has printed `until`."""
        found, deadline = Output(), time.monotonic() + timeout
        done: set[str] = set()
        while not {"execute_reply", "idle"} <= done and (until is None or until not in found.text):
            assert time.monotonic() < deadline, f"the cell did not end within {timeout} s: {found.text[-2000:]}"
            self._socket.settimeout(max(deadline - time.monotonic(), 0.1))
            message = json.loads(self._socket.recv())
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":  # of a thread, too, which may be told as an earlier cell's
                found.text += content["text"]
            if message["parent_header"].get("msg_id") != number:
                continue
            if kind in ("display_data", "execute_result"):
                found.shown.append(content["data"])
            if kind == "error":
                found.error, found.message = content["ename"], content["evalue"]
            done.add(content["execution_state"] if kind == "status" else kind)
        return found

    def run(self, code: str, timeout: float = 60.0) -> Output:
        """Run a cell that must end well."""
        found = self.wait(self.send(code), timeout)
        assert found.error is None, f"{found.error}: {found.message}\n{found.text}"
        return found

    def fails(self, code: str) -> Output:
        """Run a cell that must raise."""
        found = self.wait(self.send(code))
        assert found.error is not None, found.text
        return found

    def value(self, expression: str) -> Any:
        """The value of an expression, of plain types."""
        printed = self.run(f"import json as _json; print(_json.dumps({expression}))").text
        return json.loads(printed.strip().splitlines()[-1])  # a kernel that has just started may say something first

    def restart(self) -> None:
        """As the button in the Lab."""
        self._ask("POST", f"kernels/{self.id}/restart")
        self._socket.close()
        self._socket = self._connected()

    def rename(self, notebook: str) -> None:
        """As the Lab when its notebook is renamed or moved: the file, then the session's path and name."""
        session = f"sessions/{self.session}"
        self._ask("PATCH", f"contents/{self._ask('GET', session)['path']}", {"path": notebook})
        self._ask("PATCH", session, {"path": notebook})
        self._ask("PATCH", session, {"name": notebook.rpartition("/")[2]})

    def shut_down(self) -> None:
        """As *Shut Down Kernel* in the Lab."""
        with contextlib.suppress(OSError, websocket.WebSocketException):
            self._socket.close()
        self._ask("DELETE", f"sessions/{self.session}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        url = f"{self.server.url}/api/sessions/{self.session}"
        with contextlib.suppress(OSError, websocket.WebSocketException):
            self._socket.close()
        with contextlib.suppress(httpx.HTTPError):
            httpx.delete(url, headers=self._headers, timeout=START_S)
