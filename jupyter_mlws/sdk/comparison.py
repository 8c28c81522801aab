"""Runs side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from jupyter_mlws.sdk import forms, text
from jupyter_mlws.sdk.table import Column, Form, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jupyter_mlws.sdk.results import Run


class Row(NamedTuple):
    """One thing that the runs have, or not (None)."""

    group: str
    """`params`, `metrics`, `tags` or `run`."""
    name: str
    values: list[Any]

    @property
    def differs(self) -> bool:
        """Whether the runs are not all the same in it. NaN equals NaN here, and a missing value no text."""
        return len({(value is None, str(value)) for value in self.values}) > 1

    @property
    def title(self) -> str:
        """`params.lr`; of the runs themselves the plain name."""
        return self.name if self.group == "run" else f"{self.group}.{self.name}"

    def cells(self) -> list[str]:
        """The values for people; numbers with so many digits that different ones look different."""
        numbers = {value for value in self.values if isinstance(value, float)}
        for digits in range(text.DIGITS, text.EXACT_DIGITS):
            if len({text.number(value, digits) for value in numbers}) == len(set(map(str, numbers))):
                return [self._cell(value, digits) for value in self.values]
        return [self._cell(value, text.EXACT_DIGITS) for value in self.values]

    def _cell(self, value: Any, digits: int) -> str:
        if value is None:
            return "–"
        if self.name == "duration_ms" and self.group == "run":
            return text.duration(value)
        return text.number(value, digits) if isinstance(value, float) else str(value)


class Comparison(Table[Row]):
    """Runs side by side, a row for each thing that they have: first those that differ. The first run is the baseline."""

    def __init__(self, runs: Sequence[Run], rows: Sequence[Row] | None = None) -> None:
        self.runs = list(runs)
        super().__init__(self._compared() if rows is None else rows, self._form())

    def rows(self) -> list[Row]:
        """All rows; those that differ first."""
        return list(self)

    def differences(self) -> Comparison:
        """The rows in which the runs differ."""
        return Comparison(self.runs, [row for row in self if row.differs])

    def _heading(self) -> str:
        return f"{len(self.runs)} runs, {text.many(len(self.differences().rows()), 'difference')}"

    def _form(self) -> Form[Row]:
        ids = [run.id for run in self.runs]
        names = [run.name or run.id[: forms.SHORT] for run in self.runs]
        columns = (Column("", shrinks=True), *(Column(name, right=True, shrinks=True, own=True) for name in names))
        return Form(
            "row",
            columns,
            lambda row: [row.title, *row.cells()],
            lambda row: {"group": row.group, "name": row.name, **dict(zip(ids, row.values, strict=True))},
        )

    def _compared(self) -> list[Row]:
        found = [
            *self._group("params", lambda run: dict(run.params)),
            *self._group("metrics", lambda run: {key: float(summary.last) for key, summary in run.metrics.items()}),
            *self._group("tags", lambda run: dict(run.tags)),
            *self._group("run", _about),
        ]
        return sorted(found, key=lambda row: not row.differs)

    def _group(self, group: str, of: Callable[[Run], dict[str, Any]]) -> list[Row]:
        columns = [of(run) for run in self.runs]
        names = sorted({name for column in columns for name in column})
        return [Row(group, name, [column.get(name) for column in columns]) for name in names]


def _about(run: Run) -> dict[str, Any]:
    return {
        "status": run.status.value,
        "experiment": run.experiment_name,
        "source": run.source,
        "duration_ms": run.duration_ms,
        "target": run.target,
        "snapshot": run.snapshot_id,
    }
