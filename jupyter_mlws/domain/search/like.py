"""Patterns of LIKE and ILIKE: `%` is any text, `_` any one character; a backslash takes their meaning (and its own) away.

Before any other character a backslash is an ordinary one. A run of wildcards is brought into one order with a single `%`, so a
pattern never costs more than its length times the length of the text.
"""

from __future__ import annotations

MAX_PATTERN = 1_000
"""Characters. SQLite refuses patterns of 50,000 bytes, and one of ours may grow to fourteen bytes a character."""

ANY, ONE = object(), object()
"""The two wildcards in a parsed pattern."""


def parse_pattern(pattern: str) -> list[str | object]:
    """The pattern as a list of single characters, `ANY` and `ONE`."""
    parts: list[str | object] = []
    characters = iter(range(len(pattern)))
    for i in characters:
        char = pattern[i]
        if char == "\\" and pattern[i + 1 : i + 2] in ("%", "_", "\\"):
            parts.append(pattern[next(characters)])
        elif char == "_":
            # `%_` means the same as `_%`: the one character goes first.
            parts.insert(len(parts) - 1 if parts and parts[-1] is ANY else len(parts), ONE)
        elif char != "%":
            parts.append(char)
        elif not parts or parts[-1] is not ANY:
            parts.append(ANY)
    return parts


def like_sql(pattern: str) -> str:
    """The pattern for SQL's `LIKE … ESCAPE '\\'`."""
    escaped = {ANY: "%", ONE: "_", "%": "\\%", "_": "\\_", "\\": "\\\\"}
    return "".join(escaped.get(part, str(part)) for part in parse_pattern(pattern))


def glob_sql(pattern: str, *, ignore_case: bool) -> str:
    """The pattern for SQLite's GLOB, which minds the case; to ignore it each letter becomes a set of its forms."""
    special = {ANY: "*", ONE: "?", "*": "[*]", "?": "[?]", "[": "[[]"}
    return "".join(special.get(part) or _glob_letter(str(part), ignore_case) for part in parse_pattern(pattern))


def _glob_letter(char: str, ignore_case: bool) -> str:
    forms = sorted({char, *(form for form in (char.lower(), char.upper()) if len(form) == 1)}) if ignore_case else [char]
    return char if len(forms) == 1 else f"[{''.join(forms)}]"


def matches(text: str, pattern: str, *, ignore_case: bool) -> bool:
    """Whether `text`, a short word, matches `pattern`; at most as many steps as the product of their lengths."""
    if ignore_case:
        text, pattern = text.casefold(), pattern.casefold()
    parts = parse_pattern(pattern)
    at = part = 0
    star, resume = -1, 0
    while at < len(text):
        if part < len(parts) and parts[part] is ANY:
            star, resume = part, at
            part += 1
        elif part < len(parts) and (parts[part] is ONE or parts[part] == text[at]):
            at, part = at + 1, part + 1
        elif star >= 0:
            resume += 1
            at, part = resume, star + 1
        else:
            return False
    return all(left is ANY for left in parts[part:])
