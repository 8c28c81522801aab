"""Sizes of memory as people write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from jupyter_mlws.kit.sizes import parse_size

if TYPE_CHECKING:
    from click import Context, Parameter


class Size(click.ParamType):  # type: ignore[type-arg]  # generic for type checkers alone
    """Bytes, or a number with its unit: `4GiB`, `512MB`, `1.5G`."""

    name = "size"

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> int:
        """Bytes."""
        if isinstance(value, int):
            return value
        try:
            return parse_size(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
