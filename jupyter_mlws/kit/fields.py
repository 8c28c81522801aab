"""Constrained types that wire types of many slices share."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

PATTERN_RULES: dict[str, str] = {}
"""The rule of each pattern in words; a person does not read regular expressions."""


def matching(pattern: str, rule: str, *, min_length: int | None = None, max_length: int | None = None) -> Meta:
    """A constraint of a text by a regular expression, which `rule` puts in a sentence for messages. Each has an expression of its own."""
    if PATTERN_RULES.setdefault(pattern, rule) != rule:
        raise ValueError(f"two rules have the expression {pattern}")
    return Meta(pattern=pattern, min_length=min_length, max_length=max_length)


# In patterns `$` also stands before a last line end in Python, hence `(?!\n)`, which JavaScript understands too.
ObjectId = Annotated[str, matching(r"^[0-9a-f]{32}$(?!\n)", "An id has 32 digits, 0 to 9 and a to f")]
"""A run id: 32 lower-case hex digits."""
MetricValue = float | Literal["NaN", "Infinity", "-Infinity"]
"""A number; what JSON cannot write stands as a string."""
Key = Annotated[str, Meta(min_length=1, max_length=250)]
ParamValue = Annotated[str, Meta(max_length=6000)]
TagValue = Annotated[str, Meta(max_length=8000)]
Many = Meta(max_length=1000)
"""So many entries an object has at most: each is a row."""
Params = Annotated[dict[Key, ParamValue], Many]
Tags = Annotated[dict[Key, TagValue], Many]
TagChanges = Annotated[dict[Key, TagValue | None], Many]
"""A tag set to null is removed."""
SearchText = Annotated[str, Meta(max_length=500)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Name = Annotated[str, Meta(min_length=1, max_length=500)]
Note = Annotated[str, Meta(max_length=100_000)]
TimeMs = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]
"""Milliseconds since the epoch, UTC; up to the year 9999."""
Step = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
BatchId = Annotated[
    str, matching(r"^[0-9A-Za-z_-]+$(?!\n)", "A batch id has letters, digits, `-` and `_`", min_length=8, max_length=64)
]
