"""What every list of this client is: a sequence that is a table, too, for people, for pandas and for spreadsheets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, overload

from jupyter_mlws.sdk import text
from jupyter_mlws.sdk.views import views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

T = TypeVar("T")

SHOWN = 20
WIDEST = 40
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class Column(NamedTuple):
    """A column of a table. `shrinks`: it gives way first where there is little room; `own`: its title is a name that somebody gave."""

    title: str
    right: bool = False
    shrinks: bool = False
    own: bool = False


class Form(Generic[T]):
    """How the items of a list become rows.

    `what` is one of them in a word; `columns` and `row` are for people, `record` is for programs (flat; `times` names those of its
    fields that are milliseconds since the epoch), `link` the address of its page.
    """

    def __init__(
        self,
        what: str,
        columns: Sequence[Column],
        row: Callable[[T], Sequence[str]],
        record: Callable[[T], dict[str, Any]],
        *,
        times: Sequence[str] = (),
        link: Callable[[T], str | None] = lambda _item: None,
    ) -> None:
        self.what = what
        self.columns = columns
        self.row = row
        self.record = record
        self.times = times
        self.link = link


class Table(Sequence[T]):
    """A list of things of one kind.

    It is a sequence, shows itself as a table, and goes into pandas (`to_pandas()`) or a CSV file (`to_csv("runs.csv")`). A slice of it
    is a table again.
    """

    def __init__(self, items: Iterable[T], form: Form[T]) -> None:
        self._items = list(items)
        self.form = form

    def _more(self) -> bool:
        """Fetch what is missing, or a part of it; False where nothing is."""
        return False

    @property
    def total(self) -> int | None:
        """How many there are, whatever was asked for; None where counting would be slow."""
        return len(self)

    def __len__(self) -> int:
        while self._more():
            pass
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        at = 0
        while True:
            while at < len(self._items):
                yield self._items[at]
                at += 1
            if not self._more():
                return

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> Table[T]: ...

    def __getitem__(self, index: int | slice) -> T | Table[T]:
        last = index.stop if isinstance(index, slice) else index + 1
        backwards = index < 0 if isinstance(index, int) else any((n or 0) < 0 for n in (index.start, index.stop, index.step))
        while (last is None or backwards or len(self._items) < last) and self._more():
            pass
        return Table(self._items[index], self.form) if isinstance(index, slice) else self._items[index]

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, (Table, list, tuple)) else NotImplemented

    __hash__ = None  # type: ignore[assignment] # as a list

    def __repr__(self) -> str:
        shown = self[:SHOWN]
        head = self._heading()
        if not len(shown):
            return head
        more = [] if self.total is not None and self.total <= SHOWN else ["…"]
        return "\n".join([f"{head}:", *self._lines(list(shown)), *more])

    def _heading(self) -> str:
        """How many of what: `3 runs`."""
        count = self.total
        return (
            f"no {self.form.what}s"
            if count == 0
            else f"many {self.form.what}s"
            if count is None
            else text.many(count, self.form.what)
        )

    def _lines(self, items: Sequence[T]) -> list[str]:
        columns = self.form.columns
        cells = [[column.title for column in columns], *(self.form.row(item) for item in items)]
        rows = [[text.cut(text.printable(cell), WIDEST) for cell in row] for row in cells]
        widths = [max(text.width_of(row[n]) for row in rows) for n in range(len(columns))]
        return [
            "  ".join(text.pad(cell, w, right=c.right) for cell, c, w in zip(row, columns, widths, strict=True)).rstrip()
            for row in rows
        ]

    def _repr_html_(self) -> str:
        return views().html(self)

    def records(self) -> list[dict[str, Any]]:
        """A flat dictionary for each."""
        return [self.form.record(item) for item in self]

    def to_pandas(self) -> Any:
        """A data frame with a row for each; times are UTC. Needs pandas."""
        import pandas as pd  # noqa: PLC0415 - only this needs it

        frame = pd.DataFrame(self.records())
        for name in self.form.times:
            if name in frame:
                frame[name] = pd.to_datetime(frame[name], unit="ms", utc=True)
        return frame

    def to_csv(self, path: str | Path | None = None) -> str:
        """As CSV, into a file if one is named. Cells that a spreadsheet would take for a formula begin with an apostrophe."""
        rows = self.records()
        names = list(dict.fromkeys(name for row in rows for name in row))
        content = csv_text(names, [[row.get(name) for name in names] for row in rows])
        if path is not None:
            from pathlib import Path  # noqa: PLC0415 - only files need it

            Path(path).write_text(content, encoding="utf-8", newline="")
        return content


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table as CSV; text that a spreadsheet would compute is made harmless."""
    import csv  # noqa: PLC0415 - only this needs them
    import io  # noqa: PLC0415

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(map(_cell, columns))
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return text.exact(value)
    if isinstance(value, str) and value[:1] in FORMULA and not _is_number(value):
        return f"'{value}"
    return value


def _is_number(value: str) -> bool:
    """Whether a text is a plain number, which no spreadsheet computes."""
    try:
        float(value)
    except ValueError:
        return False
    return value.isascii() and "_" not in value and value.strip() == value
