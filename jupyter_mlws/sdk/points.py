"""All points of a metric, kept as columns: a million of them is usual."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from jupyter_mlws.sdk import forms
from jupyter_mlws.sdk.forms import Point
from jupyter_mlws.sdk.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_mlws.domain.metrics.schemas import MetricHistory


class Points(Table[Point]):
    """The points of one metric, in the order of (step, time). `steps`, `times` and `values` are its columns, of equal length."""

    def __init__(self, key: str) -> None:
        super().__init__([], forms.POINTS)
        self.key = key
        self.steps: list[int] = []
        self.times: list[int] = []
        self.values: list[float] = []

    def add(self, page: MetricHistory) -> None:
        """Put a page of points at the end."""
        self.steps += page.steps
        self.times += page.times
        self.values += map(float, page.values)

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Point]:
        for step, time, value in zip(self.steps, self.times, self.values, strict=True):
            yield Point(self.key, step, time, value)

    @overload
    def __getitem__(self, index: int) -> Point: ...

    @overload
    def __getitem__(self, index: slice) -> Points: ...

    def __getitem__(self, index: int | slice) -> Point | Points:
        if not isinstance(index, slice):
            return Point(self.key, self.steps[index], self.times[index], self.values[index])
        part = Points(self.key)
        part.steps, part.times, part.values = self.steps[index], self.times[index], self.values[index]
        return part

    def to_pandas(self) -> Any:
        """A data frame with the columns key, step, time (UTC) and value. Needs pandas."""
        import pandas as pd  # noqa: PLC0415 - only this needs it

        times = pd.to_datetime(self.times, unit="ms", utc=True)
        return pd.DataFrame({"key": self.key, "step": self.steps, "time": times, "value": self.values})
