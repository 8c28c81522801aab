"""What is no path on this disk: addresses, and references of assets."""

from __future__ import annotations

import re

ELSEWHERE = re.compile(r"(?:[a-z0-9+.-]+://|azureml:|runs:/|git@)", re.IGNORECASE)


def is_elsewhere(path: str) -> bool:
    """Whether it is an address or the reference of an asset, and no place on this disk."""
    return ELSEWHERE.match(path) is not None
