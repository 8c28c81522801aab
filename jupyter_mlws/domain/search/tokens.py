"""Cuts the text of a filter or an order into tokens, one at a time, from left to right."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from jupyter_mlws.domain.search.errors import FilterSyntax, FilterTooLarge

MAX_LENGTH = 100_000

# Each of these is a run of one class of characters, or a chain of such runs that share none: no backtracking.
_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"\w*")
_KEY = re.compile(r"[\w./:@-]*")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_SIGNED_WORD = re.compile(r"[+-](?:inf(?:inity)?|nan)\b", re.IGNORECASE)
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")

_OPERATORS = ("!=", ">=", "<=", "=", ">", "<")
_HINTS = {
    "==": "write = for equality",
    "<>": "write != for inequality",
    "&&": "write AND",
    "||": "write OR",
    "!": "write != or NOT",
    "--": "comments are not part of the language",
    "/*": "comments are not part of the language",
    ";": "a filter is a single expression without ;",
    "\u2018": "write straight quotes, '…'",
    "’": "write straight quotes, '…'",
    "“": "write straight quotes, '…'",
    "”": "write straight quotes, '…'",
}


class TokenKind(Enum):
    """The kinds of token; the value is what an error calls them."""

    WORD = "a word"
    FIELD = "a field"
    NAME = "a name in backticks"
    STRING = "a string"
    NUMBER = "a number"
    OPERATOR = "a comparator"
    OPEN = "'('"
    CLOSE = "')'"
    COMMA = "','"
    END = "the end"


@dataclass(frozen=True, slots=True)
class Token:
    """One token. `text` is its content without quotes; the last three are set for a FIELD, `entity.key[.suffix]`."""

    kind: TokenKind
    text: str
    position: int
    entity: str = ""
    key_position: int = 0
    suffix: str | None = None
    """What follows a quoted key, without the dot; None after an unquoted key, in which the parser looks for it."""
    quoted: bool = False
    """Of a STRING: it stands in double quotes. Of a FIELD: its key stands in quotes."""


class Tokenizer:
    """Reads tokens from `text`; `error` is the class of the failure, of filters or of orders."""

    def __init__(self, text: str, error: type[FilterSyntax] = FilterSyntax) -> None:
        self.text = text
        self.error = error
        self._at = 0
        if len(text) > MAX_LENGTH:
            what = f"This is {len(text):,} characters long; the limit is {MAX_LENGTH:,}"
            raise FilterTooLarge(what, text=text, position=MAX_LENGTH)
        if bad := _UNWRITABLE.search(text):
            raise self.fail("A NUL character or half of a surrogate pair is not text", bad.start())

    def fail(self, problem: str, position: int) -> FilterSyntax:
        """The error for `problem` at `position`."""
        return self.error(problem, text=self.text, position=position)

    def next(self) -> Token:
        """The next token; END for ever after the last."""
        start = self._at = self._skip(_SPACE, self._at)
        if start >= len(self.text):
            return Token(TokenKind.END, "", start)
        char = self.text[start]
        if char == "_" or char.isalpha() or char == "`":
            return self._word_or_field(start)
        if char in "'\"":
            return Token(TokenKind.STRING, self._quoted(start), start, quoted=char == '"')
        if char in "(),":
            self._at += 1
            return Token({"(": TokenKind.OPEN, ")": TokenKind.CLOSE, ",": TokenKind.COMMA}[char], char, start)
        if char.isdigit() or char in "+-.":
            return self._number(start)
        return self._operator(start)

    def _skip(self, pattern: re.Pattern[str], start: int) -> int:
        match = pattern.match(self.text, start)
        return match.end() if match else start

    def _peek(self) -> str:
        return self.text[self._at : self._at + 1]

    def _quoted(self, start: int) -> str:
        """The content of the quotes that open at `start`; a doubled quote stands for itself."""
        quote, end = self.text[start], start + 1
        while True:
            end = self.text.find(quote, end)
            if end < 0:
                raise self.fail(f"This {quote} is never closed", start)
            if self.text[end + 1 : end + 2] != quote:
                break
            end += 2
        self._at = end + 1
        return self.text[start + 1 : end].replace(quote * 2, quote)

    def _word_or_field(self, start: int) -> Token:
        if self.text[start] == "`":
            kind, word = TokenKind.NAME, self._quoted(start)
        else:
            self._at = self._skip(_WORD, start)
            kind, word = TokenKind.WORD, self.text[start : self._at]
        if self._peek() != ".":
            return Token(kind, word, start)
        self._at += 1
        return self._field(start, word)

    def _field(self, start: int, entity: str) -> Token:
        """`entity.` is read; now its key."""
        key_at = self._at
        if self._peek() in ("`", '"', "'"):
            return self._quoted_field(start, entity)
        self._at = self._skip(_KEY, key_at)
        key = self.text[key_at : self._at]
        if not key or key.endswith("."):
            quote = self._peek() in ("`", '"')
            raise self.fail("Put the whole key in quotes" if quote else f"Expected a key after '{entity[:40]}.'", self._at)
        return Token(TokenKind.FIELD, key, start, entity, key_at)

    def _quoted_field(self, start: int, entity: str) -> Token:
        key_at = self._at
        if self._peek() == "'":
            raise self.fail("A key stands in backticks or double quotes; single quotes are for values", key_at)
        key = self._quoted(key_at)
        if not key:
            raise self.fail("A key cannot be empty", key_at)
        suffix = ""
        if self._peek() == ".":
            end = self._skip(_WORD, self._at + 1)
            suffix, self._at = self.text[self._at + 1 : end] or ".", end
        return Token(TokenKind.FIELD, key, start, entity, key_at, suffix, quoted=True)

    def _number(self, start: int) -> Token:
        match = _NUMBER.match(self.text, start) or _SIGNED_WORD.match(self.text, start)
        if match is None:
            hint = _HINTS.get(self.text[start : start + 2])
            raise self.fail(f"'{self.text[start]}' starts no number" + (f": {hint}" if hint else ""), start)
        self._at = match.end()
        if self._peek() and (self._peek() in "._'\"`" or self._peek().isalnum()):
            raise self.fail("A number ends in the middle of a word; put text in quotes, '…'", self._at)
        return Token(TokenKind.NUMBER, match[0], start)

    def _operator(self, start: int) -> Token:
        two = self.text[start : start + 2]
        if two in _HINTS:
            raise self.fail(f"'{two}' is no comparator: {_HINTS[two]}", start)
        for operator in _OPERATORS:
            if two.startswith(operator):
                self._at += len(operator)
                return Token(TokenKind.OPERATOR, operator, start)
        char = self.text[start]
        shown = char if char.isprintable() else f"\\x{ord(char):02x}"
        hint = _HINTS.get(char)
        raise self.fail(f"'{shown}' has no meaning here" + (f": {hint}" if hint else ""), start)
