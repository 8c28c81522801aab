"""The one table that says how a spool record becomes a request (method, path under `/api/v1`, body)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Dict, Tuple
from urllib.parse import quote

from mlws.errors import Rejected

if TYPE_CHECKING:
    from mlws.connection import Connection

REQUESTS = {
    "create": ("POST", "/workspaces/{workspace}/runs"),
    "log": ("POST", "/runs/{run_id}/log"),
    "io": ("POST", "/runs/{run_id}/io"),
    "end": ("POST", "/runs/{run_id}/end"),
    "update": ("PATCH", "/runs/{run_id}"),
    "environment": ("PUT", "/runs/{run_id}/environment"),
    "artifact": ("PUT", "/runs/{run_id}/artifacts/content"),
    "snapshot": ("PUT", "/runs/{run_id}/snapshot/content"),
}
_LOG_START = b'{"op":"log","run_id":"'
_ID_END = len(_LOG_START) + 32
_WORKSPACE = b'","workspace":'
_BODY = b',"body":'


def log_payload(run_id: str, workspace: str, body: str) -> bytes:
    """The payload of a log record whose body is JSON already."""
    return b"".join([_LOG_START, run_id.encode(), _WORKSPACE, json.dumps(workspace).encode(), _BODY, body.encode(), b"}"])


def payload(record: Dict[str, Any]) -> bytes:
    """The payload of any record."""
    return json.dumps(record, separators=(",", ":"), allow_nan=False).encode()


def log_parts(data: bytes) -> Tuple[str, str, bytes] | None:
    """Run id, workspace and body of a payload that `log_payload` made, cut out without parsing the body; None for any other."""
    named = _ID_END + len(_WORKSPACE)
    if not data.startswith(_LOG_START) or data[_ID_END:named] != _WORKSPACE:
        return None
    end = data.index(_BODY, named)  # it cannot stand within the name, where a quote has a backslash before it
    run_id = data[len(_LOG_START) : _ID_END].decode("ascii", "replace")
    return run_id, str(json.loads(data[named:end])), data[end + len(_BODY) : -1]


def deliver(connection: Connection, record: Dict[str, Any], blob: str | None) -> Any:
    """Send one record; `blob` is the file that an artifact's content lies in. Raises `ServerAway` or `Rejected`."""
    op = str(record.get("op"))
    if op not in REQUESTS:
        raise Rejected(f"The spool holds a record of an unknown kind: {op!r:.80}.")
    method, template = REQUESTS[op]
    named, run_id = record.get("workspace"), str(record.get("run_id"))
    workspace = str(named) if named else None  # records of older versions name theirs only where they make the run
    path = template.format(workspace=quote(workspace or "default", safe=""), run_id=quote(run_id, safe=""))
    if blob is None:
        return _send_body(connection, record, method, path, workspace)
    try:
        file = open(blob, "rb")  # noqa: SIM115  # closed below; what fails inside must not read as a missing file
    except OSError as error:
        raise Rejected(f"The copy of {record.get('path')!r} is gone from the spool: {error.strerror}.", 410, "gone") from error
    with file:
        return connection.request(method, path, file, {"path": record.get("path")}, workspace)


def deliver_log(connection: Connection, run_id: str, workspace: str, body: bytes) -> None:
    """Send the body of a log record as it stands."""
    connection.request("POST", f"/runs/{run_id}/log", body, workspace=workspace)


def _send_body(connection: Connection, record: Dict[str, Any], method: str, path: str, workspace: str | None) -> Any:
    op, body = record["op"], record.get("body")
    try:
        return connection.json(method, path, body if isinstance(body, dict) else {}, workspace=workspace)
    except Rejected as why:
        if op == "end" and why.status == 409:  # someone ended the run before: its status stands
            return connection.json("GET", path[: -len("/end")], workspace=workspace)
        if op == "log" and isinstance(body, dict) and len(body.get("params", {})) + len(body.get("tags", {})) > 1:
            _send_one_by_one(connection, path, workspace, body, why)
            return None
        raise


def _send_one_by_one(connection: Connection, path: str, workspace: str | None, body: Dict[str, Any], why: Rejected) -> None:
    """One param that is refused must not take the others with it."""
    failures = []
    pairs = [(kind, key, value) for kind in ("params", "tags") for key, value in body.get(kind, {}).items()]
    for number, (kind, key, value) in enumerate(pairs):
        try:
            one_body = {"batch_id": f"{body['batch_id']}-{number}", kind: {key: value}}
            connection.json("POST", path, one_body, workspace=workspace)
        except Rejected as one:
            failures.append(one)
    if failures:
        raise failures[0] from why


def in_words(record: Dict[str, Any]) -> str:
    """What a record asks the server to do: `the server refused to …`."""
    words = {
        "create": "make the run",
        "log": "log",
        "end": "end the run",
        "io": "note inputs and outputs",
        "update": "change the run",
    }
    what = words.get(record["op"], f"store the {record['op']}")
    body = record.get("body") or {}
    keys = list(body.get("params") or body.get("tags") or {}) if record["op"] == "log" else []
    return f"{what} {keys[0]!r:.60}" if keys else what
