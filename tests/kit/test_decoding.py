"""What a body or a query is refused for, in words for a person."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest
from msgspec import Meta, Struct

from jupyter_mlws.kit.decoding import decode_json
from jupyter_mlws.kit.errors import BadInput


class Given(Struct, forbid_unknown_fields=True):
    """One field of each kind of limit."""

    name: Annotated[str, Meta(min_length=1, max_length=5)] = "x"
    batch: Annotated[str, Meta(min_length=8)] = "12345678"
    keys: Annotated[list[str], Meta(min_length=1, max_length=2)] = msgspec.field(default_factory=lambda: ["a"])
    tags: Annotated[dict[str, str], Meta(max_length=1)] = msgspec.field(default_factory=dict)
    limit: Annotated[int, Meta(ge=1, le=1000)] = 1
    share: Annotated[float, Meta(ge=0.5)] = 1.0


@pytest.mark.parametrize(
    ("body", "said", "field"),
    [
        ('{"name": ""}', "Expected text that is not empty (at name).", "name"),
        ('{"name": "123456"}', "Expected text of at most 5 characters (at name).", "name"),
        ('{"batch": "a"}', "Expected text of at least 8 characters (at batch).", "batch"),
        ('{"keys": []}', "Expected a list that is not empty (at keys).", "keys"),
        ('{"keys": ["a", "b", "c"]}', "Expected a list of at most 2 entries (at keys).", "keys"),
        ('{"tags": {"a": "b", "c": "d"}}', "Expected an object of at most 1 entry (at tags).", "tags"),
        ('{"limit": 0}', "Expected a whole number of at least 1 (at limit).", "limit"),
        ('{"limit": 1001}', "Expected a whole number of at most 1000 (at limit).", "limit"),
        ('{"share": 0.1}', "Expected a number of at least 0.5 (at share).", "share"),
        ('{"limit": "many"}', "Expected a whole number, got text (at limit).", "limit"),
        ('{"colour": 1}', "Object contains unknown field `colour`.", "colour"),
    ],
)
def test_limits_are_told_in_words(body: str, said: str, field: str):
    with pytest.raises(BadInput) as refused:
        decode_json(body.encode(), Given)
    assert (refused.value.message, refused.value.field) == (said, field)
