"""What is hidden, in which forms, and across the borders of pieces."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlws.masking import NAMES, Masker, of_environment

VALUE = "s3cr3t-\"né\\<x>&'\nand a second line"


@pytest.mark.parametrize(
    "written",
    [
        VALUE,
        f"{VALUE}\n",
        json.dumps(VALUE),
        json.dumps(VALUE, ensure_ascii=False),
        repr(VALUE),
        ascii(VALUE),
        html.escape(VALUE),
        html.escape(VALUE, quote=False),
        quote(VALUE, safe=""),
        VALUE.splitlines()[1],
        *(base64.b64encode(b"x" * n + VALUE.encode()).decode() for n in range(4)),
        base64.urlsafe_b64encode(VALUE.encode()).decode(),
    ],
)
def test_a_value_is_hidden_however_it_is_written(written: str):
    hidden = Masker([VALUE]).text(f"before {written} after")
    assert "***" in hidden
    assert written not in hidden
    assert hidden.startswith("before ")
    assert hidden.endswith(" after")


def test_of_two_values_where_one_begins_the_other_both_are_hidden():
    masker = Masker(["token", "token123"])
    assert masker.text("token token123") == "*** ***"
    stream = masker.of_bytes()
    assert b"".join([stream.feed(b"token"), stream.feed(b"123 tok"), stream.feed(b"en"), stream.end()]) == b"*** ***"


def test_short_values_stand_everywhere_and_are_left():
    assert not Masker(["abc", ""])
    assert Masker(["abc"]).text("abcdef") == "abcdef"


def test_names_and_values_of_nested_json_are_hidden_and_what_has_none_stays_as_it_is():
    masker = Masker(["hidden-value"])
    data = b'{"a": [1.50, {"hidden-value": "x \\u0068idden-value"}], "b": NaN}'
    assert json.loads(masker.json(data).replace(b"NaN", b"0")) == {"a": [1.5, {"***": "x ***"}], "b": 0}
    for same in (b'{"a" :  1.50}', b"no json", b"[" * 100_000):
        assert masker.json(same) is same


def test_the_environment_says_what_is_secret():
    masker = of_environment({NAMES: "A,GONE", "A": "the value", "B": "another"})
    assert masker.text("the value, another") == "***, another"
    assert not of_environment({"A": "the value"})


@given(
    pieces=st.lists(st.sampled_from([VALUE, "s3cr3t", "token", "token123", "tok", "x", "\n", "né"]), max_size=8),
    cuts=st.lists(st.integers(1, 9), min_size=1, max_size=60),
)
def test_pieces_cut_anywhere_hide_as_much_as_a_whole(pieces: list[str], cuts: list[int]):
    text = "".join(pieces)
    for stream, whole in ((Masker([VALUE, "token", "token123"]).of_bytes(), text.encode()),):
        out, at = [], 0
        for n in [*cuts, len(whole)]:
            out.append(stream.feed(whole[at : at + n]))
            at += n
        out.append(stream.end())
        hidden = b"".join(out)
        assert VALUE.encode() not in hidden
        assert b"token" not in hidden
        assert hidden.decode().replace("***", "").replace("x", "") in text.replace("x", "") or "***" in hidden.decode()


LINES = "short1\nlongline-xxxx\nend"
"""Its second line is hidden alone as well, so that a piece may end with it."""


@given(
    pieces=st.lists(
        st.sampled_from([LINES, "short1\nlong", "longline-xxxx", "  padded ", "aaaab", "aaaa", "a", "end"]), max_size=8
    ),
    cuts=st.lists(st.integers(1, 9), min_size=1, max_size=60),
)
def test_what_is_hidden_does_not_hang_on_where_the_pieces_end(pieces: list[str], cuts: list[int]):
    masker, text = Masker([LINES, "  padded ", "aaaa", "aaaab"]), "".join(pieces)
    stream, at, shown = masker.of_text(), 0, ""
    for n in [*cuts, len(text)]:
        shown += stream.feed(text[at : at + n])
        at += n
    assert shown + stream.end() == masker.text(text)


@given(text=st.text(max_size=50))
def test_text_without_a_value_passes_whole(text: str):
    stream = Masker(["not-in-there-0123"]).of_text()
    assert "".join([*map(stream.feed, text), stream.end()]) == text
