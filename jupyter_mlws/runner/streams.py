"""Carriage returns in stream output: a progress bar of a million updates is one line."""

from __future__ import annotations

import re

OVERWRITTEN = re.compile(r"(?m)^[^\n]*\r(?=[^\r\n])")
LINE_END = re.compile(r"\r+\n")


def settled(text: str) -> str:
    """`text` as it stands at the end: of an overwritten line only its last state."""
    if "\r" not in text:
        return text
    return OVERWRITTEN.sub("", LINE_END.sub("\n", text))


def continued(text: str) -> str:
    """`text` shortened so that, appended to what came before, it settles to the same.

    What came before may end in the middle of a line; if `text` overwrites that line, the result begins with `\\r`.
    """
    if "\r" not in text:
        return text
    first, newline, rest = LINE_END.sub("\n", text).partition("\n")
    ending = first[len(first.rstrip("\r")) :] and "\r"
    body = first.rstrip("\r")
    if "\r" in body:
        first = "\r" + body.rpartition("\r")[2] + ending
    return first + newline + settled(rest)
