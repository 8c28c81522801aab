"""Failures of tokens."""

from __future__ import annotations

from jupyter_mlws.kit.errors import Forbidden


class NotExchangeable(Forbidden):
    """Only the token that a server gave to a kernel can be exchanged, and not for one that was revoked."""

    code = "not_exchangeable"
