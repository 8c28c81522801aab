"""Runs side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from jupyter_mlws.sdk.views import views

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_mlws.sdk.results import Run


class Row(NamedTuple):
    """One thing that the runs have, or not (None)."""

    group: str
    """`params`, `metrics`, `tags` or `run`."""
    name: str
    values: list[Any]

    @property
    def differs(self) -> bool:
        """Whether the runs are not all the same in it. NaN equals NaN here."""
        return len({str(value) for value in self.values}) > 1


class Comparison:
    """Runs side by side; the first is the baseline."""

    def __init__(self, runs: list[Run]) -> None:
        self.runs = runs

    def rows(self) -> list[Row]:
        """All rows; in each group those that differ first."""
        found = [
            *self._group("params", lambda run: dict(run.params)),
            *self._group("metrics", lambda run: {key: float(summary.last) for key, summary in run.metrics.items()}),
            *self._group("tags", lambda run: dict(run.tags)),
            *self._group("run", _about),
        ]
        return sorted(found, key=lambda row: not row.differs)

    def differences(self) -> list[Row]:
        """The rows in which the runs differ."""
        return [row for row in self.rows() if row.differs]

    def _group(self, group: str, of: Callable[[Run], dict[str, Any]]) -> list[Row]:
        columns = [of(run) for run in self.runs]
        names = sorted({name for column in columns for name in column})
        return [Row(group, name, [column.get(name) for column in columns]) for name in names]

    def _repr_html_(self) -> str:
        return views().html(self)


def _about(run: Run) -> dict[str, Any]:
    return {
        "status": run.status.value,
        "experiment": run.experiment_name,
        "source": run.source,
        "duration_ms": run.duration_ms,
        "target": run.target,
        "snapshot": run.snapshot_id,
    }
