"""Failures of run search: what is wrong in a filter or an order, and where."""

from __future__ import annotations

from jupyter_mlws.kit.errors import BadInput

_AROUND = 36
"""Characters of the text shown on each side of the place that is wrong."""


class FilterSyntax(BadInput):
    """The filter cannot be read; the message shows the place and says what was expected there.

    `position` counts characters from 0; the message counts from 1, as people do.
    """

    code = "invalid_filter"
    input_field = "filter"

    def __init__(self, problem: str, *, text: str, position: int) -> None:
        super().__init__(f"{problem} (character {position + 1})\n{excerpt(text, position)}", field=self.input_field)
        self.problem = problem
        self.position = position


class FilterTooLarge(FilterSyntax):
    """The filter is longer, deeper or has more terms than a search takes."""

    code = "filter_too_large"


class OrderSyntax(FilterSyntax):
    """The order cannot be read; the message shows the place and says what was expected there."""

    code = "invalid_order_by"
    input_field = "order_by"


class FilterUnsupported(BadInput):
    """The filter is well formed, but this workspace does not keep what it asks for."""

    code = "unsupported_filter"


def excerpt(text: str, position: int) -> str:
    """Two lines: the text around `position`, and a caret under it."""
    start, end = max(0, position - _AROUND), min(len(text), position + _AROUND)
    head, tail = "…" if start else "", "…" if end < len(text) else ""
    shown = "".join(char if char.isprintable() else "·" if not char.isspace() else " " for char in text[start:end])
    return f"  {head}{shown}{tail}\n  {' ' * (len(head) + position - start)}^"
