"""Failures of tokens."""

from __future__ import annotations

from jupyter_mlws.kit.errors import Forbidden, NotFound


class NotExchangeable(Forbidden):
    """Only the token that a server gave to a kernel can be exchanged, and not for one that was revoked."""

    code = "not_exchangeable"


class TokenNotFound(NotFound):
    """No token has this id."""

    code = "token_not_found"
