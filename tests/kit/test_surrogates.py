"""Half an emoji in JSON becomes U+FFFD; everything else is what Python's own JSON says."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlws.kit.surrogates import loads, whole_text

TEXTS = st.text(st.characters() | st.sampled_from("\ud83d\ude00\udc00\\\"u/d8'\n"), max_size=20)
VALUES = st.recursive(
    st.none() | st.integers() | TEXTS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=8
)


def whole(value: Any) -> Any:
    """The same, said by a walk; pairs that stand apart are joined, as JSON joins them."""
    if isinstance(value, str):
        return whole_text(value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass"))
    if isinstance(value, list):
        return [whole(item) for item in value]
    return {whole(key): whole(item) for key, item in value.items()} if isinstance(value, dict) else value


@given(VALUES)
def test_all_texts_are_whole(value: Any):
    found = loads(json.dumps(value).encode())
    assert found == whole(value)
    msgspec.json.encode(found)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'"a\ud83d"', "a\ufffd"),
        (rb'"\ude00\ud83d"', "\ufffd\ufffd"),
        (rb'"\\ud83d"', r"\ud83d"),
        (rb'"\\\uD83D"', "\\\ufffd"),
        (b'"\xed\xa0\xbd"', "\ufffd"),
        (b"\xef\xbb\xbf" + rb'"\udc00"', "\ufffd"),
        ('"\U0001f600"'.encode("utf-16"), "\U0001f600"),
    ],
)
def test_pairs_stay_and_halves_go(data: bytes, text: str):
    assert loads(data) == text


def test_errors_keep_their_place():
    with pytest.raises(json.JSONDecodeError) as caught:
        loads(b'{"a": "\\ud83d",\n "b" 1}')
    assert (caught.value.lineno, caught.value.colno) == (2, 6)
    with pytest.raises(UnicodeDecodeError):
        loads(b'"\xff"')
