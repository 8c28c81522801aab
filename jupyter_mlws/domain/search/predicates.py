"""What a field may be compared with: checks comparator and value against the field, and reads the value as the field's type."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from jupyter_mlws.domain.search.attributes import Holds, Vocabulary, find_word, nearest
from jupyter_mlws.domain.search.errors import FilterTooLarge
from jupyter_mlws.domain.search.like import MAX_PATTERN
from jupyter_mlws.domain.search.literals import read_duration, read_milliseconds, read_number, read_time
from jupyter_mlws.domain.search.nodes import Comparison, Entity, Field, Operator, Value
from jupyter_mlws.domain.search.tokens import Token, Tokenizer, TokenKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_mlws.domain.search.errors import FilterSyntax

_LIKES = frozenset({Operator.LIKE, Operator.ILIKE, Operator.NOT_LIKE, Operator.NOT_ILIKE})
_EQUALITY = frozenset({Operator.EQ, Operator.NE})
_ORDERED = frozenset({Operator.GT, Operator.GE, Operator.LT, Operator.LE})

_MAX_ID = 2**63 - 1


class Predicate:
    """The comparison of one field, written at `position`."""

    def __init__(self, tokens: Tokenizer, field: Field, position: int, vocabulary: Vocabulary) -> None:
        self.field = field
        self.position = position
        self._tokens = tokens
        self._vocabulary = vocabulary
        self._holds = vocabulary.attributes[field.key] if field.entity is Entity.ATTRIBUTE else None
        self._counts = field.entity is Entity.METRIC or self._holds in (Holds.TIME, Holds.DURATION, Holds.NUMBER)

    @property
    def _name(self) -> str:
        key = self.field.key if len(self.field.key) <= 40 else self.field.key[:40] + "…"
        return f"attribute {key}" if self._holds else f"{self.field.entity.value}.{key}"

    def _fail(self, problem: str, position: int) -> FilterSyntax:
        return self._tokens.fail(problem, position)

    def comparison(self, operator: Operator, position: int, value: Token) -> Comparison:
        """`field operator value`."""
        if self._counts:
            if operator in _LIKES:
                raise self._fail(f"{self._name} is a number: compare it by = != > >= < <= IN or BETWEEN", position)
        elif self._holds is Holds.NUMBER_ID and operator not in _EQUALITY:
            raise self._fail(f"{self._name} is compared by =, !=, IN and NOT IN", position)
        elif operator in _ORDERED:
            raise self._fail(f"{self._name} is text: compare it by =, !=, LIKE, ILIKE or IN", position)
        if operator in _LIKES:
            return Comparison(self.field, operator, self._pattern(value))
        read = self._value(value)
        if operator in _ORDERED and isinstance(read, float) and math.isnan(read):
            raise self._fail("Nothing is greater or less than NaN: write = NaN or != NaN", value.position)
        return Comparison(self.field, operator, read)

    def list_values(self, position: int, values: Sequence[Token]) -> tuple[Value, ...]:
        """The values of `field IN (…)`."""
        read = tuple(self._value(value) for value in values)
        if any(isinstance(value, float) and math.isnan(value) for value in read):
            raise self._fail("A list cannot have NaN in it: write = NaN with OR", position)
        return read

    def ends(self, position: int, low: Token, high: Token) -> tuple[int | float, int | float]:
        """The values of `field BETWEEN low AND high`."""
        if not self._counts:
            raise self._fail(f"BETWEEN is for metrics, times and durations; {self._name} is none", position)
        return self._end(low), self._end(high)

    def _end(self, token: Token) -> int | float:
        value = self._value(token)
        if isinstance(value, str) or math.isnan(value):
            raise self._fail("NaN is no end of a range", token.position)
        return value

    def check_null(self, position: int) -> None:
        """Refuses IS NULL where it has no meaning."""
        if self.field.entity is Entity.DATASET:
            raise self._fail("IS NULL is for params, tags, metrics and attributes", position)

    def _pattern(self, token: Token) -> str:
        if token.kind is not TokenKind.STRING:
            raise self._fail("LIKE and ILIKE take a pattern in quotes, such as '%forest%'", token.position)
        if len(token.text) > MAX_PATTERN:
            what = f"A pattern has at most {MAX_PATTERN:,} characters"
            raise FilterTooLarge(what, text=self._tokens.text, position=token.position)
        return token.text

    def _value(self, token: Token) -> Value:
        if self.field.entity is Entity.METRIC:
            return self._metric_value(token)
        if self._holds is Holds.TIME:
            return self._time_value(token)
        if self._holds is Holds.DURATION:
            return self._duration_value(token)
        if self._holds is Holds.NUMBER_ID:
            return self._id_value(token)
        if self._holds is Holds.NUMBER:
            return self._whole_value(token)
        if token.kind is not TokenKind.STRING and not self._vocabulary.bare_text:
            raise self._fail(f"{self._name} is text: put the value in quotes, '{token.text[:40]}'", token.position)
        return self._word_value(token) if self._holds is Holds.WORD else token.text

    def _metric_value(self, token: Token) -> float:
        if token.kind is not TokenKind.NUMBER:
            raise self._fail(f"{self._name} is a number: write one, without quotes", token.position)
        value = read_number(token.text)
        if value is None:
            raise self._fail("This number is too large; write inf for infinity", token.position)
        return value

    def _time_value(self, token: Token) -> int | float:
        value = read_milliseconds(token.text) if token.kind is TokenKind.NUMBER else read_time(token.text)
        if value is None:
            what = "milliseconds since 1970, or a date in quotes such as '2026-01-31' or '2026-01-31T10:00'"
            raise self._fail(f"{self._name} is a time: write {what}", token.position)
        return value

    def _duration_value(self, token: Token) -> int | float:
        value = read_milliseconds(token.text) if token.kind is TokenKind.NUMBER else read_duration(token.text)
        if value is None:
            raise self._fail(f"{self._name} is milliseconds, or a string such as '90s', '5m' or '1h 30m'", token.position)
        return value

    def _id_value(self, token: Token) -> int:
        text = token.text.strip()
        if not (text.isascii() and text.isdecimal() and len(text) <= 19 and int(text) <= _MAX_ID):
            raise self._fail(f"{self._name} is a whole number such as '3'", token.position)
        return int(text)

    def _whole_value(self, token: Token) -> int | float:
        """A whole number, in quotes too."""
        text = token.text.strip().removeprefix("-")
        if not (text.isascii() and text.isdecimal() and len(text) <= 18):
            raise self._fail(f"{self._name} is a whole number such as 3", token.position)
        return int(token.text)

    def _word_value(self, token: Token) -> str:
        if find_word(self.field.key, token.text) is not None:
            return token.text
        words = self._vocabulary.words[self.field.key]
        near = nearest(token.text, words)
        hint = f"did you mean '{near}'?" if near else "there are " + ", ".join(words)
        raise self._fail(f"There is no {self.field.key} '{token.text[:40]}': {hint}", token.position)
