"""The failures of a delivery; both are caught by the sender and never reach a training loop."""

from __future__ import annotations


class DeliveryError(Exception):
    """Base of the two ways in which a delivery can fail."""


class ServerAway(DeliveryError):
    """No server answers, or one that cannot take the record now; the same record may be sent again later.

    `status` is the HTTP status where there was an answer. `no_server` tells that none is known at all.
    """

    def __init__(self, message: str, status: int | None = None, no_server: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.no_server = no_server


class Rejected(DeliveryError):
    """The server has read the record and will never take it: `status` and `code` say why, the message says it in words."""

    def __init__(self, message: str, status: int = 400, code: str = "bad_input") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
