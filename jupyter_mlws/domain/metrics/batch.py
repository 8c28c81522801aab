"""What a batch of points changes in a run's series. Pure, and quick: ten thousand keys may come in one batch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.domain.metrics.chunks import in_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jupyter_mlws.domain.metrics.chunks import Point
    from jupyter_mlws.domain.metrics.schemas import MetricPoint


class Stand(NamedTuple):
    """Where a series stands: the columns of `metric_latest` that logging changes, in their order. None is NaN."""

    value: float | None
    is_nan: bool
    min_value: float | None
    max_value: float | None
    step: int
    time: int
    points: int
    tail_count: int
    untidy: bool


class Series(NamedTuple):
    """A series that exists."""

    id: int
    stand: Stand

    def appended(self, points: list[Point]) -> bool:
        """Whether points (in order) all lie behind the last one of the series, so that none of them can be stored already."""
        step, time, _ = points[0]
        stand = self.stand
        return step > stand.step or (step == stand.step and time > stand.time)


def by_key(points: Iterable[MetricPoint]) -> dict[str, list[Point]]:
    """Points in order by key, identical ones collapsed; every NaN is `math.nan`."""
    grouped: dict[str, list[Point]] = {}
    for point in points:
        # Adding 0.0 turns -0.0, which SQLite does not keep, into 0.0.
        value = float(point.value) + 0.0
        found = (point.step, point.time, value if value == value else math.nan)
        key = point.key
        if key in grouped:
            grouped[key].append(found)
        else:
            grouped[key] = [found]
    return {key: in_order(some) if len(some) > 1 else some for key, some in grouped.items()}


def stand_of(points: list[Point], *, in_tail: bool, untidy: bool) -> Stand:
    """The stand of a series that has only these points (in order, at least one)."""
    step, time, value = points[-1]
    if len(points) == 1:
        shown = value if value == value else None
        return Stand(shown, shown is None, shown, shown, step, time, 1, int(in_tail), untidy)
    if points[-2][:2] == (step, time):
        value = max((p[2] for p in points if p[:2] == (step, time)), key=_rank)
    numbers = [p[2] for p in points if p[2] == p[2]]
    shown = value if value == value else None
    least, greatest = min(numbers, default=None), max(numbers, default=None)
    return Stand(shown, shown is None, least, greatest, step, time, len(points), len(points) if in_tail else 0, untidy)


def together(old: Stand, new: Stand) -> Stand:
    """The stand of a series after points were added whose stand by themselves is `new`."""
    _, _, low, high, step, time, points, tail_count, untidy = new
    last = new if step > old.step or (step, time) > (old.step, old.time) or newness(new) > newness(old) else old
    if old.min_value is not None and (low is None or old.min_value < low):
        low = old.min_value
    if old.max_value is not None and (high is None or old.max_value > high):
        high = old.max_value
    points, tail_count, untidy = old.points + points, old.tail_count + tail_count, bool(old.untidy or untidy)
    return Stand(last.value, last.is_nan, low, high, last.step, last.time, points, tail_count, untidy)


def newness(stand: Stand) -> tuple[int, int, float, bool]:
    """The last point is that with the greatest of these: MLflow's (step, timestamp, value), where a NaN counts as 0."""
    return stand.step, stand.time, stand.value or 0.0, not stand.is_nan


def _rank(value: float) -> tuple[float, bool]:
    return (value, True) if value == value else (0.0, False)
