"""What every refusal must look like."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.security.api import Answer

LEAKS = re.compile(
    r"Traceback|File \"|0x[0-9a-f]{6,}|<class|<[A-Za-z_.]+ object|sqlalchemy|sqlite3|msgspec|tornado|site-packages|\bNoneType\b"
    r"|Exception\b|[A-Z]\w+Error\b|(?:^|[ (,:\[])b'"
)


def check_refusal(answer: Answer, *, sent: str = "", roots: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The answer is an error in the one shape, in words for a person; what it tells of the server is what was `sent` to it."""
    assert 400 <= answer.status < 500 or answer.status in (503, 507), f"{answer.status}: {answer.text[:1000]}"
    assert answer.headers["content-type"] == "application/json; charset=utf-8", answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"
    body = answer.json()
    assert set(body) == {"error"}, body
    error: dict[str, Any] = body["error"]
    assert set(error) <= {"code", "message", "field"}, error
    assert re.fullmatch(r"[a-z][a-z_]+", error["code"]), error
    assert isinstance(error.get("field", ""), str)
    message = error["message"]
    assert len(message) > 10, error
    assert len(message) < 20_000, len(message)
    assert message[-1] in ".!?" or message.partition("\n")[0][-1] == ")", error
    found = LEAKS.search(message)
    assert found is None or found.group(0) in sent, error
    for root in roots:
        assert str(root) not in message or str(root) in sent, error
    return error


def check_no_failure(answer: Answer, **options: Any) -> None:
    """The answer is a success, or a refusal that is well made."""
    if answer.status >= 400:
        check_refusal(answer, **options)
