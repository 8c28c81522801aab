"""A quick client for many small requests: one kept connection, paths sent byte for byte as they are given."""

from __future__ import annotations

import http.client
import json
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from tests.live import LiveServer

PREFIX = "/mlws/api/v1"


class Answer(NamedTuple):
    """What the server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Api:
    """Requests to our API with one token; None asks as a stranger."""

    def __init__(self, server: LiveServer, token: str | None) -> None:
        self._place = urlsplit(server.url)
        self.token = token
        self._connection: http.client.HTTPConnection | None = None

    def ask(
        self,
        method: str,
        path: str,
        json_body: Any = None,
        *,
        query: dict[str, Any] | list[tuple[str, str]] | str | None = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request. `path` and a `query` given as text go out as they are; a query given by names is encoded."""
        body = content if json_body is None else json.dumps(json_body).encode()
        sent = {"Authorization": f"Bearer {self.token}"} if self.token is not None else {}
        if body is not None or method in ("POST", "PUT", "PATCH"):
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        target = f"{self._place.path}{PREFIX}{path}{encoded(query)}"
        for last in (False, True):
            kept = self._connection is not None
            if self._connection is None:
                self._connection = http.client.HTTPConnection(str(self._place.hostname), self._place.port, timeout=30)
            try:
                self._connection.putrequest(method, target, skip_accept_encoding=True)
                if body is not None or method in ("POST", "PUT", "PATCH"):
                    self._connection.putheader("Content-Length", str(len(body or b"")))
                for name, value in sent.items():
                    self._connection.putheader(name, value)
                self._connection.endheaders(body)
                got = self._connection.getresponse()
                return Answer(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read())
            except (http.client.HTTPException, OSError):
                self.close()
                if last or not kept:
                    raise
        raise AssertionError("unreachable")

    def ok(self, method: str, path: str, json_body: Any = None, **options: Any) -> Any:
        """The JSON of a request that must succeed."""
        answer = self.ask(method, path, json_body, **options)
        assert answer.status < 300, f"{method} {path}: {answer.status} {answer.text[:1000]}"
        return answer.json() if answer.body else None

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def encoded(query: dict[str, Any] | list[tuple[str, str]] | str | None) -> str:
    """The part of an address behind the path."""
    if not query:
        return ""
    if isinstance(query, str):
        return f"?{query}"
    pairs = query.items() if isinstance(query, dict) else query
    flat = [(name, one) for name, value in pairs for one in (value if isinstance(value, list) else [value])]
    return "?" + "&".join(f"{segment(name)}={segment(_text(value))}" for name, value in flat)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def segment(text: str) -> str:
    """`text` as one segment of a path, or a value of a query; half surrogate pairs as their (invalid) bytes."""
    return quote(text.encode("utf-8", "surrogatepass"), safe="")
