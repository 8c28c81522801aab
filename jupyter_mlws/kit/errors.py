"""The exception tree of the project: one class a failure, each with its HTTP status and code.

```
MlwsError
├── BadInput            400  the request is wrong in itself
│   └── InvalidName     400
├── Unauthenticated     401
├── Forbidden           403
├── NotFound            404
├── Conflict            409
├── TooLarge            413
├── Busy                429
└── Unavailable         503
```

A message says what was wrong, where, and what to do. `field` names the offending input field where there is one.
Slices derive their own classes from these in their `errors.py`.
"""

from __future__ import annotations

from typing import ClassVar


class MlwsError(Exception):
    """Base of all errors that reach a person; never raised itself."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def body(self) -> dict[str, object]:
        """The one JSON error shape: `{"error": {"code", "message", "field"?}}`."""
        error: dict[str, object] = {"code": self.code, "message": self.message}
        if self.field is not None:
            error["field"] = self.field
        return {"error": error}


def no_workspace(name: str) -> str:
    """What is said of a workspace that is not there, and of one that the caller may not see: the same words."""
    return f"There is no workspace {name[:80]!r}; `mlws workspace list` shows those there are, `mlws workspace create` makes one."


class BadInput(MlwsError):
    """The request is wrong in itself: a type, a range, a shape."""

    status = 400
    code = "bad_input"


class InvalidName(BadInput):
    """A name is empty, too long, or has characters that names may not have."""

    code = "invalid_name"


class Unauthenticated(MlwsError):
    """The request carries no credentials that this server knows."""

    status = 401
    code = "unauthenticated"


class Forbidden(MlwsError):
    """The caller is known, but may not do this."""

    status = 403
    code = "forbidden"


class NotFound(MlwsError):
    """What was asked for does not exist, or the caller may not know that it does."""

    status = 404
    code = "not_found"


class Conflict(MlwsError):
    """What was asked contradicts the present state."""

    status = 409
    code = "conflict"


class TooLarge(MlwsError):
    """The body or a field is larger than the limit."""

    status = 413
    code = "too_large"


class Busy(MlwsError):
    """The server has more to write than it can queue; try again after `Retry-After` seconds."""

    status = 429
    code = "busy"


class Unavailable(MlwsError):
    """The server cannot answer now (starting, or its owner is away); try again."""

    status = 503
    code = "unavailable"
