"""What a server may answer that means no good, or is broken."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.domain.compute.errors import HostUnfit, HostUnreachable
from jupyter_mlws.domain.compute.gateway import rest, specs
from jupyter_mlws.domain.compute.schemas import GatewayPlace
from jupyter_mlws.runner.gateway.remote import Place, Refused, Remote


class Answers(BaseHTTPRequestHandler):
    """Says the same to everybody, a byte at a time if it is to be slow."""

    body = b""
    slow = False
    more = 0

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body) + self.more))
        self.end_headers()
        try:
            while self.slow:
                self.wfile.write(b" ")
                self.server.stopped.wait(0.05)  # type: ignore[attr-defined]
            self.wfile.write(self.body)
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[rest.Server]:
    """Such a server."""
    listening = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    listening.stopped = threading.Event()  # type: ignore[attr-defined]
    for name in ("body", "slow", "more"):
        monkeypatch.setattr(Answers, name, getattr(Answers, name))
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield rest.Server(f"http://127.0.0.1:{listening.server_address[1]}", "", None)
    listening.stopped.set()  # type: ignore[attr-defined]
    listening.shutdown()
    listening.server_close()
    thread.join(10)


@pytest.mark.parametrize("body", [b"[" * 500_000, b"{", b"\xff\xfe", b"[]", b'{"kernelspecs": []}'])
def test_what_is_no_list_of_kernels_is_told_in_words(server: rest.Server, body: bytes) -> None:
    Answers.body = body
    with pytest.raises(HostUnfit, match="no Jupyter server"):
        rest.kernelspecs(server, 10)


def test_only_names_that_kernels_have_and_lines_to_be_shown_are_taken(server: rest.Server) -> None:
    good = {"spec": {"display_name": "\x1b[2JGood\n" + "x" * 1000, "language": ["r"], "argv": ["/bin/sh"]}}
    told: dict[str, Any] = {"good": good, "../up": good, "a b": good, "": good, "none": None, "text": "t", "list": {"spec": []}}
    Answers.body = json.dumps({"kernelspecs": told}).encode()
    found = rest.kernelspecs(server, 10)
    assert list(found) == ["good"]
    assert found["good"]["display_name"].startswith("[2JGood x")
    assert len(found["good"]["display_name"]) <= rest.SHOWN
    assert set(found["good"]) == {"display_name", "language"}


def test_an_answer_without_end_is_not_waited_for(server: rest.Server) -> None:
    Answers.slow, Answers.more = True, 1 << 20
    with pytest.raises(HostUnreachable, match="end of its answer"):
        rest.kernelspecs(server, 0.5)


def test_an_answer_that_is_cut_short_is_not_taken_for_something_else(server: rest.Server) -> None:
    Answers.body, Answers.more = b'{"kernelspecs": {', 100
    with pytest.raises(HostUnreachable):
        rest.kernelspecs(server, 10)


def test_a_page_in_place_of_a_websocket_is_told_in_words(server: rest.Server) -> None:
    Answers.body = b"<html>"

    async def connect() -> None:
        remote = Remote(Place(server.url, ""))
        remote.kernel_id = "1"
        await remote.connect("s")

    with pytest.raises(Refused, match="opens no WebSocket"):
        asyncio.run(connect())


PLACE: dict[str, Any] = {
    **dict.fromkeys(("token", "ca_file", "server_url", "kernel")),
    "url": "http://127.0.0.1:1",
    "patience_s": 1,
    "insecure": False,
}


@pytest.mark.parametrize(("target", "kernel"), [("a-b", "c"), ("a", "b-c"), ("a", "-b.c"), ("Far_1-", "x.y"), ("a-", "mlws-a.b")])
def test_what_a_kernel_is_called_here_tells_its_target_and_its_name_there(target: str, kernel: str) -> None:
    assert specs.parts_of(specs.name_of(target, kernel)) == (target.lower(), kernel)


def test_kernels_of_no_target_are_told_as_such() -> None:
    assert [specs.parts_of(name) for name in ("python3", "mlws-a-b", "mlws-.b", "mlws-a.", "xmlws-a.b", "mlws-a.b\n")] == [
        None
    ] * 6


def test_two_targets_with_dashes_have_all_their_kernels(tmp_path: Path) -> None:
    place = GatewayPlace(**PLACE)
    specs.write(tmp_path, tmp_path / "records", "a-b", place, {"c": {}})
    specs.write(tmp_path, tmp_path / "records", "a", place, {"b-c": {}, "d": {}})
    assert {path.name: specs.target_in(path / specs.KERNEL) for path in tmp_path.iterdir()} == {
        "mlws-a-b.c": "a-b",
        "mlws-a.b-c": "a",
        "mlws-a.d": "a",
    }
    specs.write(tmp_path, tmp_path / "records", "A", place, {"d": {}})
    assert specs.target_in(tmp_path / "mlws-a.d" / specs.KERNEL) == "a", "who came first has it"
    specs.keep_only(tmp_path, ["a"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mlws-a.b-c", "mlws-a.d"]


def test_kernels_have_the_pictures_of_their_language_here(tmp_path: Path) -> None:
    place = GatewayPlace(**PLACE)
    specs.write(
        tmp_path, tmp_path / "records", "far", place, {"mine": {"language": "Python"}, "odd": {"language": "nobody speaks it"}}
    )
    assert (tmp_path / "mlws-far.mine" / "logo-svg.svg").read_bytes().rstrip().endswith(b"</svg>")
    assert [path.name for path in (tmp_path / "mlws-far.odd").iterdir()] == [specs.KERNEL]
