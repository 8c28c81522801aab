"""JSON of the runner where msgspec is not there, as on other hosts."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.runner import encoding


def test_what_has_no_form_in_json_becomes_a_text_with_and_without_msgspec(monkeypatch: pytest.MonkeyPatch):
    value: dict[str, Any] = {"path": Path("/a"), "text": "\u00e4\n", "numbers": [1, 2.5], "none": None}
    with monkeypatch.context() as hidden:
        hidden.setitem(sys.modules, "msgspec", None)
        bare = encoding._encoder()(value)
    assert bare != encoding.encode(value), "they are two encoders"
    assert json.loads(bare) == json.loads(encoding.encode(value)) == {**value, "path": "/a"}
    assert b"\n" not in bare, "a delta is a line"
