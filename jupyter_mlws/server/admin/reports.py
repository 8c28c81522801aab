"""What is found wrong."""

from __future__ import annotations

from msgspec import Struct


class Fault(Struct, kw_only=True):
    """One thing that is not as it should be."""

    what: str
    """Its kind, for programs."""
    where: str
    message: str
    advice: str
    """What to do about it."""
