"""The exception tree of the client.

```
ClientError
├── ConnectionFailed       no answer: what was tried, and what to do
│   ├── ServerNotFound     no server runs (and none was to be started)
│   ├── ServerAway         it is known where the server is, but it does not answer
│   └── StartFailed        a server was started and did not come up
├── WaitTimeout            the job had not ended in the time given
└── ApiError               the server's answer: status, code, message, field
    ├── BadInput           400
    ├── Unauthenticated    401
    ├── Forbidden          403
    ├── NotFound           404
    │   └── AmbiguousId    an abbreviated id fits more than one run (found out by the client)
    ├── Conflict           409
    ├── TooLarge           413
    └── ServerFailed       5xx
        ├── Busy           429
        └── Unavailable    503
```
"""

from __future__ import annotations


class ClientError(Exception):
    """Base of all errors of this client; never raised itself."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ConnectionFailed(ClientError):
    """Base: there was no answer."""


class ServerNotFound(ConnectionFailed):
    """No server runs on this data folder, and none was to be started."""


class ServerAway(ConnectionFailed):
    """The server does not answer, or something else answers at its address."""


class StartFailed(ConnectionFailed):
    """A server was started, and did not come up."""


class WaitTimeout(ClientError):
    """The job had not ended in the time given; it goes on."""


class ApiError(ClientError):
    """The server's answer. `code` is the word for programs, `field` the input that is wrong, where there is one."""

    def __init__(self, message: str, *, status: int, code: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.field = field


class BadInput(ApiError):
    """The request is wrong in itself."""


class Unauthenticated(ApiError):
    """The server does not know this token."""


class Forbidden(ApiError):
    """The token may not do this."""


class NotFound(ApiError):
    """It does not exist, or may not be seen."""


class AmbiguousId(NotFound):
    """An abbreviated id fits more than one run."""


class Conflict(ApiError):
    """It contradicts the present state."""


class TooLarge(ApiError):
    """The body or a field is larger than the limit."""


class ServerFailed(ApiError):
    """Something went wrong inside the server."""


class Busy(ServerFailed):
    """The server has more to write than it can queue, and went on saying so."""


class Unavailable(ServerFailed):
    """The server is starting or leaving, and went on saying so."""


_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadInput,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    429: Busy,
    503: Unavailable,
}


def api_error(status: int, *, code: str, message: str, field: str | None = None) -> ApiError:
    """The exception for an answer."""
    kind = _BY_STATUS.get(status) or (ServerFailed if status >= 500 else BadInput)
    return kind(message, status=status, code=code, field=field)
