"""Rows of metrics. There is no foreign key to runs: the slice of runs lies above and deletes through the service."""

from __future__ import annotations

from sqlalchemy import Boolean, Float, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from jupyter_mlws.db.base import Base, BigId, varchar

COMPACTION_DUE = "tail_count > 1000 OR untidy"
"""SQL of what compaction has to look at; written the same in the partial index and in the query that uses it."""


class MetricLatestRow(Base):
    """A series: one metric of one run, with its last, least and greatest value. Its `id` is the series id."""

    __tablename__ = "metric_latest"
    __table_args__ = (
        UniqueConstraint("run_id", "key"),
        Index(None, "experiment_id", "key", "value"),
        Index("ix_metric_latest_compaction_due", "id", sqlite_where=text(COMPACTION_DUE), postgresql_where=text(COMPACTION_DUE)),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    run_id: Mapped[str] = mapped_column(varchar(32))
    experiment_id: Mapped[int] = mapped_column()
    key: Mapped[str] = mapped_column(varchar(250))
    value: Mapped[float | None] = mapped_column(Float(53))
    """Value of the point with the greatest (step, time, value), where NaN counts as 0; NULL when that value is NaN."""
    is_nan: Mapped[bool] = mapped_column(Boolean())
    min_value: Mapped[float | None] = mapped_column(Float(53))
    """Least value, infinities included; NULL while all values are NaN."""
    max_value: Mapped[float | None] = mapped_column(Float(53))
    step: Mapped[int] = mapped_column()
    time: Mapped[int] = mapped_column()
    count: Mapped[int] = mapped_column()
    """Number of points in tail and chunks."""
    tail_count: Mapped[int] = mapped_column()
    """Number of rows in `metric_tail`."""
    untidy: Mapped[bool] = mapped_column(Boolean())
    """Chunks overlap so much, or may hold so many duplicates, that compaction should merge them."""


class MetricTailRow(Base):
    """One recent point of a series. NaN is a NULL value."""

    __tablename__ = "metric_tail"
    __table_args__ = (Index(None, "series_id", "step", "time"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    series_id: Mapped[int] = mapped_column()
    step: Mapped[int] = mapped_column()
    time: Mapped[int] = mapped_column()
    value: Mapped[float | None] = mapped_column(Float(53))


class MetricChunkRow(Base):
    """Up to about 1,000 points of a series in the order of (step, time). Chunks of a series may overlap.

    `data` is last and large: SQLite reads the columns before it without touching it.
    """

    __tablename__ = "metric_chunk"
    __table_args__ = (Index("ix_metric_chunk_series_id_span", "series_id", "first_step", "first_time", "last_step", "last_time"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    series_id: Mapped[int] = mapped_column()
    first_step: Mapped[int] = mapped_column()
    first_time: Mapped[int] = mapped_column()
    last_step: Mapped[int] = mapped_column()
    last_time: Mapped[int] = mapped_column()
    """(step, time) of the first and of the last point."""
    count: Mapped[int] = mapped_column()
    not_finite: Mapped[int] = mapped_column()
    """Number of values that are NaN or infinite."""
    min_value: Mapped[float | None] = mapped_column(Float(53))
    """Least finite value; NULL where there is none."""
    max_value: Mapped[float | None] = mapped_column(Float(53))
    pieces: Mapped[bytes] = mapped_column()
    """The least and the greatest point of each quarter (see chunks.py): what charts are drawn from."""
    data: Mapped[bytes] = mapped_column()
