"""Wire types of metrics."""

from __future__ import annotations

from msgspec import Struct

from jupyter_mlws.kit.fields import Key, MetricValue, Step, TimeMs

JOB_PREFIX = "system/job_"
"""What the supervisor of a job notes of its processes begins so. Lists of a run's metrics leave it out; it has a place of its own."""


class MetricSummary(Struct, kw_only=True):
    """One metric of a run: `last` is the value of the greatest (step, time), `count` the number of points.

    NaN is never `min` or `max` while a number is there.
    """

    key: str
    last: MetricValue
    min: MetricValue
    max: MetricValue
    step: int
    time: int
    count: int


class MetricPoint(Struct, kw_only=True, forbid_unknown_fields=True):
    """One value of a metric."""

    key: Key
    value: MetricValue
    step: Step = 0
    time: TimeMs


class MetricList(Struct, kw_only=True):
    """All metrics of a run, by key."""

    metrics: list[MetricSummary]


class MetricHistory(Struct, kw_only=True):
    """Points of one metric in the order of (step, time); columns of equal length. `next_cursor` is null on the last page."""

    key: str
    steps: list[int]
    times: list[int]
    values: list[MetricValue]
    next_cursor: str | None


class MetricSeries(Struct, kw_only=True):
    """A metric prepared for a chart: where there are more points than asked for, the least and the greatest of each bucket.

    Columns of equal length; a value that is no finite number is null (a gap), and counted in `not_finite`.
    """

    key: str
    steps: list[int]
    times: list[int]
    values: list[float | None]
    count: int
    """Number of points in the whole metric."""
    sampled: bool
    not_finite: int


class SeriesReply(Struct, kw_only=True):
    """Charts of several metrics of one run."""

    series: list[MetricSeries]
