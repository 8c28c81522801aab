"""Another Jupyter server that speaks https, with a certificate of an authority that nobody else knows."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.domain.compute.errors import HostUnreachable
from jupyter_mlws.domain.compute.gateway import rest
from jupyter_mlws.runner.gateway.remote import Away, Place, Remote
from tests.certificates import DAY, Authority
from tests.compute_gateway.bridges import Kernel, bridges
from tests.compute_gateway.test_jobs_there import submit
from tests.gateway import OtherServer, Wire
from tests.live import LiveServer
from tests.servers import until
from tests.ssh import log_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
LONG_AGO: tuple[timedelta, timedelta] = (-2 * DAY, -DAY)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def safe(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtherServer]:
    """Its certificate is good for 127.0.0.1."""
    made = OtherServer(tmp_path_factory.mktemp("safe"), certificate=authority.certificate("127.0.0.1"), authority=authority.file)
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture
def insecure(tls: Callable[..., int]) -> int:
    """The port of a server that answers at once to whatever it does not understand."""
    return tls(None)


@pytest.fixture
def tls() -> Iterator[Callable[..., int]]:
    """Listens with certificates, each on a port of its own."""
    listening: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def one(certificate: tuple[Path, Path] | None) -> int:
        made = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
        if certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*certificate)
            made.socket = context.wrap_socket(made.socket, server_side=True)
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        listening.append((made, thread))
        return int(made.server_address[1])

    yield one
    for server, thread in listening:
        server.shutdown()
        server.server_close()
        thread.join(10)


@pytest.fixture
def start(tmp_path: Path, safe: OtherServer) -> Iterator[Callable[..., Kernel]]:
    """Starts bridges."""
    yield from bridges(tmp_path, safe)


def test_a_job_runs_where_the_authority_is_known_and_survives_a_cut(
    server: LiveServer, safe: OtherServer, authority: Authority, tmp_path: Path
) -> None:
    wire = Wire(safe.port)
    wire.scheme = "https"
    place: dict[str, Any] = {"url": wire.url, "token": {"workspace": "default", "name": "OTHER"}}
    server.ok("POST", "/compute", {"name": "safe", "gateway": {**place, "ca_file": str(authority.file)}})
    try:
        tested = server.ok("POST", "/compute/safe/test", timeout=90)
        assert [step["state"] for step in tested["steps"]] == ["ok"] * 5 + ["skipped"], tested
        go = tmp_path / "go"
        waits = (
            f"import os, time\nprint('begun', flush=True)\nwhile not os.path.exists({str(go)!r}): time.sleep(0.05)\nprint('over')"
        )
        run_id = submit(server, waits, target="safe")
        until(lambda: "begun" in log_of(server, run_id), 60, "the cell runs")
        wire.cut()
        go.touch()
        wire.mend()
        run = server.wait(run_id)
        assert (run["status"], run["error"]) == ("Completed", None), log_of(server, run_id)
        assert "over" in log_of(server, run_id)
        assert safe.kernels() == []
    finally:
        server.ok("DELETE", "/compute/safe?force=true")
        wire.close()


def test_an_authority_that_is_not_known_holds_the_job_up_in_words_until_it_is(
    server: LiveServer, safe: OtherServer, authority: Authority
) -> None:
    place: dict[str, Any] = {"url": safe.url, "token": {"workspace": "default", "name": "OTHER"}}
    server.ok("POST", "/compute", {"name": "unknown", "gateway": place})
    try:
        tested = server.ok("POST", "/compute/unknown/test", timeout=90)
        assert [step["state"] for step in tested["steps"]] == ["failed"] + ["skipped"] * 5, tested
        assert "--ca-file" in tested["steps"][0]["detail"]
        run_id = submit(server, "1", target="unknown")
        waiting = until(lambda: (server.ok("GET", f"/runs/{run_id}")["waiting"] or {}).get("reason", ""), 30)
        assert "nobody who is trusted here" in waiting
        assert "--ca-file" in waiting
        server.ok("PATCH", "/compute/unknown", {"gateway": {"ca_file": str(authority.file)}})
        assert server.wait(run_id)["status"] == "Completed"
    finally:
        server.ok("DELETE", "/compute/unknown?force=true")


def test_the_systems_file_of_authorities_counts_too(
    start: Callable[..., Kernel], safe: OtherServer, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(HostUnreachable, match="nobody who is trusted here"):
        rest.kernelspecs(rest.Server(safe.url, safe.token, None), 10)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    assert "python3" in rest.kernelspecs(rest.Server(safe.url, safe.token, None), 10)
    assert start().run("print(1)")[1] == "1\n"


def test_a_bridge_does_not_send_the_token_to_who_is_not_trusted(start: Callable[..., Kernel], safe: OtherServer) -> None:
    kernel = start()
    until(lambda: not kernel.manager.is_alive(), 60, "the bridge ends")
    assert "nobody who is trusted here" in kernel.said()
    assert "--ca-file" in kernel.said()
    assert safe.kernels() == []


@pytest.mark.parametrize(
    ("names", "valid", "host", "words"),
    [
        (("127.0.0.1",), LONG_AGO, "127.0.0.1", "has expired"),
        (("127.0.0.1",), (DAY, 2 * DAY), "127.0.0.1", "not valid yet"),
        (("far.example",), (-DAY, DAY), "127.0.0.1", "another name .*127.0.0.1"),
        (("far.example",), (-DAY, DAY), "localhost", "another name .*localhost"),
    ],
)
async def test_what_is_wrong_with_a_certificate_is_named(
    authority: Authority, tls: Callable[..., int], names: tuple[str, ...], valid: Any, host: str, words: str
) -> None:
    port = tls(authority.certificate(*names, valid=valid))
    url, known = f"https://{host}:{port}", str(authority.file)
    with pytest.raises(HostUnreachable, match=words):
        await asyncio.to_thread(rest.kernelspecs, rest.Server(url, "", known), 10)
    remote = Remote(Place(url, "", known))
    with pytest.raises(Away, match=words):
        await remote.get("/api")
    with pytest.raises(Away, match=words):
        await remote.connect("a-session")


def test_who_does_not_speak_https_is_told_and_who_does_not_speak_http(
    other: OtherServer, safe: OtherServer, insecure: int
) -> None:
    for port in (other.port, insecure):
        with pytest.raises(HostUnreachable, match="does not speak https"):
            rest.kernelspecs(rest.Server(f"https://127.0.0.1:{port}", "", None), 2)
    with pytest.raises(HostUnreachable, match="one with https://"):
        rest.kernelspecs(rest.Server(f"http://127.0.0.1:{safe.port}", "", None), 10)
