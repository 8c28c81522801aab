"""Values of parameters as JSON has them: numpy's scalars and arrays become numbers and lists."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from jupyter_mlws.sdk.errors import BadInput


def plain_values(given: Mapping[str, Any] | None, what: str) -> dict[str, Any]:
    """As JSON has them, by name. Raises `BadInput` for NaN and infinities, which JSON would turn into nothing without a word."""
    try:
        return {name: _plain(value, f"{what} {name!r:.80}", str(name)) for name, value in (given or {}).items()}
    except RecursionError as error:
        raise BadInput(f"A {what} cannot be written as JSON: {error}", status=400, code="bad_input") from error


def _plain(value: Any, what: str, field: str) -> Any:
    for method in ("tolist", "item"):  # of arrays and scalars; imports nothing that the caller did not
        if callable(getattr(value, method, None)):
            return _plain(getattr(value, method)(), what, field)
    if isinstance(value, float) and not math.isfinite(value):
        words = f"The {what} is {value!r}, which JSON has no number for. Give it as text, '{value!r}', and convert it where it is read."
        raise BadInput(words, status=400, code="bad_input", field=field)
    if isinstance(value, Mapping):
        return {_plain(key, what, field): _plain(one, what, field) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one, what, field) for one in value]
    return value
