"""Bodies that are larger than a server should hold, and what is large and fine."""

from __future__ import annotations

import select
import socket
from pathlib import Path

import pytest

from tests.live import LiveServer
from tests.mlflow_api.conftest import Wire
from tests.servers import lean, pid_of, rss_mb

IPV = "INVALID_PARAMETER_VALUE"
GIGABYTE = 2**30


def send_gigabyte(server: LiveServer, method: str, path: str, length: bytes | None) -> tuple[bytes, int]:
    """(the answer, bytes that were taken) of a body of 1 GB: announced by `length`, or else in chunks."""
    head = f"{method} /mlws/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {server.token}\r\n".encode()
    head += b"Content-Type: application/json\r\n" + (length or b"Transfer-Encoding: chunked") + b"\r\n\r\n"
    piece = b" " * 2**20 if length else b"100000\r\n" + b" " * 2**20 + b"\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(head)
        taken, ready = 0, False
        while taken < GIGABYTE and not ready:
            try:
                connection.sendall(piece)
            except OSError:
                break
            taken += 2**20
            ready = bool(select.select([connection], [], [], 0)[0])
        try:
            return connection.recv(65536), taken
        except OSError:
            return b"", taken


@pytest.mark.parametrize("length", [f"Content-Length: {GIGABYTE}".encode(), None], ids=["announced", "in chunks"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "api/2.0/mlflow/runs/log-batch"),
        ("POST", "w/default/api/2.0/mlflow/runs/create"),
        ("PATCH", "api/2.0/mlflow/model-versions/update"),
        ("DELETE", "api/2.0/mlflow/registered-models/delete"),
        ("GET", "api/2.0/mlflow/experiments/search"),
        ("POST", "api/2.0/mlflow-artifacts/mpu/create/x"),
        ("POST", "api/2.0/mlflow/nowhere"),
    ],
)
def test_a_body_of_one_gigabyte_is_refused_before_it_is_read(
    wire: Wire, server: LiveServer, method: str, path: str, length: bytes | None
):
    before = rss_mb(pid_of(server))
    answer, taken = send_gigabyte(server, method, path, length)
    assert taken < GIGABYTE, "it was read to its end"
    if answer:  # where the client still sends when the connection ends, it may not get to the answer
        assert b" 413 " in answer.partition(b"\r\n")[0], answer
        assert b'"error_code":"INVALID_PARAMETER_VALUE"' in answer
    assert rss_mb(pid_of(server)) - before < 60
    assert wire.http.get(f"{wire.root}/health").text == "OK"


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_too_large_gets_an_answer(wire: Wire, announced: bool):
    body = b"[" + b" " * 17_000_000
    answer = wire.http.post(
        f"{wire.root}/api/2.0/mlflow/runs/log-batch",
        content=body if announced else iter([body]),
        headers={"Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json()["error_code"]) == (413, IPV)


def test_a_body_in_chunks_that_is_small_enough_is_taken(wire: Wire):
    body = iter([b'{"experiment_id": "0", ', b'"start_time": 7}'])
    made = wire.ask("POST", "runs/create", content=body, headers={"Content-Type": "application/json"})
    assert made["run"]["info"]["start_time"] == 7


def test_ten_thousand_keys_and_long_values(wire: Wire):
    """Ten thousand keys at once are too many, in ten batches they are fine; a long param is cut, as MLflow's server does."""
    run_id = wire.run("0")
    metrics = [{"key": f"k{n}", "value": n, "timestamp": 1} for n in range(10_000)]
    code, message = wire.refused("POST", "runs/log-batch", {"run_id": run_id, "metrics": metrics})
    assert code == IPV
    assert "at most 1000 metrics. Got 10000 metrics." in message
    for start in range(0, 10_000, 1000):
        wire.post("runs/log-batch", run_id=run_id, metrics=metrics[start : start + 1000])
    assert len(wire.get("runs/get", run_id=run_id)["run"]["data"]["metrics"]) == 10_000
    wire.post("runs/log-parameter", run_id=run_id, key="long", value="x" * 6001)
    wire.post("runs/log-batch", run_id=run_id, params=[{"key": "batch", "value": "y" * 6001}])
    params = {param["key"]: param["value"] for param in wire.get("runs/get", run_id=run_id)["run"]["data"]["params"]}
    assert params == {"long": "x" * 6000, "batch": "y" * 6000}
    for path, body in (
        ("runs/log-parameter", {"key": "k" * 251, "value": "1"}),
        ("runs/set-tag", {"key": "k" * 251, "value": "1"}),
    ):
        assert wire.refused("POST", path, {"run_id": run_id, **body})[0] == IPV


def test_long_values_are_refused_where_the_server_is_told_so(tmp_path: Path):
    server = lean(tmp_path / "strict", environment={"MLFLOW_TRUNCATE_LONG_VALUES": "false"}).start()
    wire = Wire(server)
    try:
        run_id = wire.run("0")
        for path, body, what in (
            ("runs/log-parameter", {"key": "a", "value": "x" * 6001}, "'Param value' exceeds the maximum length of 6000"),
            (
                "runs/log-batch",
                {"params": [{"key": "a", "value": "x" * 6001}]},
                "'Param value' exceeds the maximum length of 6000",
            ),
            ("runs/set-tag", {"key": "a", "value": "x" * 8001}, "'value' exceeds the maximum length of 8000"),
        ):
            code, message = wire.refused("POST", path, {"run_id": run_id, **body})
            assert (code, what in message) == (IPV, True), message
        wire.post("runs/log-parameter", run_id=run_id, key="a", value="x" * 6000)
        data = wire.get("runs/get", run_id=run_id)["run"]["data"]
        assert [len(param["value"]) for param in data["params"]] == [6000]
    finally:
        wire.close()
        server.stop()
