"""How parameters are written down in other languages than Python, where papermill's way is wrong."""

from __future__ import annotations

from typing import Any

from papermill.translators import RTranslator, papermill_translators

SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}

LONGEST_ARGUMENT = 10_000
"""Bytes of the name of an argument in R."""


class RText(RTranslator):  # type: ignore[misc]
    """R, with text as R reads it: `\\xe9`, as papermill writes é, is half a character there."""

    @classmethod
    def translate_escaped_str(cls, str_val: Any) -> str:
        """Text in quotes. Raises ValueError for what R has no text for."""
        return '"' + "".join(map(_escaped, str(str_val))) + '"'

    @classmethod
    def translate_dict(cls, val: Any) -> str:
        """A list with names. As names of arguments R takes neither an empty nor a very long one; as those of a list it takes all."""
        if all(name and len(name.encode(errors="replace")) <= LONGEST_ARGUMENT for name in map(str, val)):
            return str(super().translate_dict(val))
        names = ", ".join(cls.translate_str(name) for name in val)
        return f"structure({cls.translate_list(list(val.values()))}, names = c({names}))"


def _escaped(letter: str) -> str:
    code = ord(letter)
    if letter in SHORT:
        return SHORT[letter]
    if code == 0 or 0xD800 <= code <= 0xDFFF:
        raise ValueError(f"R has no text with the character U+{code:04X}")
    if 0x20 <= code < 0x7F:
        return letter
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def register() -> None:
    """Let papermill use them."""
    papermill_translators.register("R", RText)
