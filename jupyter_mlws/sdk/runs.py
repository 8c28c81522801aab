"""Runs: search, look at, change, delete, compare, download."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import msgspec
from msgspec import UNSET, Struct

from jupyter_mlws.domain.metrics.schemas import MetricHistory, MetricList
from jupyter_mlws.domain.runs.schemas import DeletePlan, RunUpdate, StatusHistory
from jupyter_mlws.domain.storage.schemas import FileList
from jupyter_mlws.kit.ids import is_id
from jupyter_mlws.sdk.comparison import Comparison
from jupyter_mlws.sdk.downloads import save
from jupyter_mlws.sdk.errors import AmbiguousId, BadInput, NotFound
from jupyter_mlws.sdk.results import Run, bound
from jupyter_mlws.sdk.transport import segment
from jupyter_mlws.sdk.views import views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from jupyter_mlws.sdk.workspace import Workspace

View = Literal["active", "deleted", "all"]
PAGE = 200
HISTORY_PAGE = 25_000


class RunPage(Struct):
    """One page, as the server gives it."""

    runs: list[Run]
    next_cursor: str | None
    total: int | None


class RunList(Sequence[Run]):
    """Runs in the order asked for. Pages are fetched as they are needed; `len()` fetches all."""

    def __init__(self, fetch: Callable[[str | None, int], RunPage], limit: int | None) -> None:
        self._fetch = fetch
        self._limit = limit
        self._runs: list[Run] = []
        self._cursor: str | None = None
        self._complete = limit == 0
        self.total: int | None = None
        """Number of all matches, whatever the limit; None where counting would be slow."""
        self._more()

    def _more(self) -> list[Run]:
        """Fetch the next page; empty after the last."""
        if self._complete:
            return []
        size = PAGE if self._limit is None else min(PAGE, self._limit - len(self._runs))
        page = self._fetch(self._cursor, size)
        if self._cursor is None:
            self.total = page.total
        self._cursor = page.next_cursor
        self._runs += page.runs
        self._complete = page.next_cursor is None or (self._limit is not None and len(self._runs) >= self._limit)
        return page.runs

    def pages(self) -> Iterator[list[Run]]:
        """The runs page by page."""
        if self._runs:
            yield list(self._runs)
        while page := self._more():
            yield page

    def __iter__(self) -> Iterator[Run]:
        at = 0
        while True:
            while at < len(self._runs):
                yield self._runs[at]
                at += 1
            if not self._more():
                return

    def __len__(self) -> int:
        while self._more():
            pass
        return len(self._runs)

    @overload
    def __getitem__(self, index: int) -> Run: ...

    @overload
    def __getitem__(self, index: slice) -> list[Run]: ...

    def __getitem__(self, index: int | slice) -> Run | list[Run]:
        if isinstance(index, slice):
            return list(self)[index]
        while (index < 0 or index >= len(self._runs)) and self._more():
            pass
        return self._runs[index]

    def __repr__(self) -> str:
        shown = "\n".join(f"  {run.id[:8]}  {run.status.value:<12} {run.name}" for run in self._runs[:20])
        return f"RunList({self.total if self.total is not None else 'many'} matches):\n{shown}"

    def _repr_html_(self) -> str:
        return views().html(self)

    def records(self) -> list[dict[str, Any]]:
        """A flat dictionary a run: its fields, `params.*`, `metrics.*` (last values) and `tags.*`."""
        return [record(run) for run in self]

    def to_pandas(self) -> Any:
        """A data frame with a row a run; times are UTC. Needs pandas."""
        import pandas as pd  # noqa: PLC0415 - only this needs it

        frame = pd.DataFrame(self.records())
        for name in ("created_at", "started_at", "ended_at"):
            if name in frame:
                frame[name] = pd.to_datetime(frame[name], unit="ms", utc=True)
        return frame

    def to_csv(self, path: str | Path | None = None) -> str:
        """As CSV, into a file if one is named. Cells that a spreadsheet would take for a formula begin with an apostrophe."""
        rows = self.records()
        columns = list(dict.fromkeys(name for row in rows for name in row))
        text = csv_text(columns, [[row.get(name) for name in columns] for row in rows])
        if path is not None:
            Path(path).write_text(text, encoding="utf-8", newline="")
        return text


def record(run: Run) -> dict[str, Any]:
    """A run as one flat row."""
    row: dict[str, Any] = {
        "run_id": run.id,
        "name": run.name,
        "experiment": run.experiment_name,
        "kind": run.kind.value,
        "status": run.status.value,
        "user": run.user,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "duration_ms": run.duration_ms,
        "source": run.source,
        "target": run.target,
        "parent_id": run.parent_id,
        "note": run.note,
    }
    row.update({f"params.{key}": value for key, value in run.params.items()})
    row.update({f"metrics.{key}": float(summary.last) for key, summary in run.metrics.items()})
    row.update({f"tags.{key}": value for key, value in run.tags.items()})
    return row


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table as CSV; text that a spreadsheet would compute is made harmless."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(map(_cell, columns))
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


class Runs:
    """`ws.runs`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._ask = workspace.transport.ask

    def search(
        self,
        *,
        filter: str | None = None,
        order_by: str | Sequence[str] = (),
        experiment: str | None = None,
        experiments: Sequence[str] = (),
        text: str | None = None,
        view: View = "active",
        parent: str | None = None,
        limit: int | None = 1000,
    ) -> RunList:
        """Runs that match `filter` (`metrics.acc > 0.9 and params.model = 'svm'`), in the order of `order_by` (`metrics.acc desc`),
        the newest first by default; of these experiments, by name.

        `text` is part of a name or the beginning of an id. `limit=None` gives all. Raises `BadInput`, which points into a filter
        that cannot be read.
        """
        if limit is not None and limit < 0:
            raise BadInput("`limit` is a number of runs, or None for all.", status=400, code="bad_input", field="limit")
        names = [*experiments, *([experiment] if experiment is not None else [])]
        query: dict[str, Any] = {
            "filter": filter or None,
            "order_by": [order_by] if isinstance(order_by, str) else list(order_by),
            "experiment_id": [self._workspace.experiments.show(name).id for name in names],
            "q": text or None,
            "view": view,
            "parent_id": parent,
        }
        path = f"{self._workspace.path}/runs"

        def fetch(cursor: str | None, size: int) -> RunPage:
            page = self._ask("GET", path, RunPage, query={**query, "cursor": cursor, "limit": size})
            for run in page.runs:
                bound(run, self._workspace)
            return page

        return RunList(fetch, limit)

    def find(self, start: str) -> str:
        """The whole id of the run whose id begins so. Raises `NotFound` or `AmbiguousId`."""
        if is_id(start):
            return start
        text = start.strip().lower()
        found: list[Run] = []
        if text and set(text) <= set("0123456789abcdef"):
            found = self.search(filter=f"attributes.run_id LIKE '{text}%'", view="all", limit=5)[:]
        if not found:
            raise NotFound(
                f"No run of the workspace {self._workspace.name!r} has an id that begins with {start[:80]!r}; "
                "ids are 32 hex digits, of which the first ones are enough.",
                status=404,
                code="run_not_found",
            )
        if len(found) > 1:
            named = ", ".join(f"{run.id[: len(text) + 4]} ({run.name[:40]})" for run in found)
            raise AmbiguousId(
                f"More than one run has an id that begins with {start!r}: {named}.", status=404, code="ambiguous_id"
            )
        return found[0].id

    def show(self, run: str) -> Run:
        """A run by its id."""
        return bound(self._ask("GET", f"/runs/{segment(run)}", Run), self._workspace)

    def update(
        self,
        run: str,
        *,
        name: str | None = None,
        note: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        experiment: str | None = None,
        if_version: int | None = None,
    ) -> Run:
        """Change what is given; a tag that is None is removed; `experiment` (a name) moves the run.

        With `if_version` (the run's `version` when you read it) somebody else's change is not overwritten: `Conflict`.
        """
        body = RunUpdate(
            name=UNSET if name is None else name,
            note=UNSET if note is None else note,
            tags=UNSET if tags is None else dict(tags),
            experiment_id=UNSET if experiment is None else self._workspace.experiments.show(experiment).id,
        )
        headers = {} if if_version is None else {"If-Match": str(if_version)}
        return bound(self._ask("PATCH", f"/runs/{segment(run)}", Run, body=body, headers=headers), self._workspace)

    def delete(self, run: str, *, dry_run: bool = False) -> DeletePlan:
        """Move a run, and the runs below it, to the bin. `dry_run` only tells what would go."""
        return self._ask("DELETE", f"/runs/{segment(run)}", DeletePlan, query={"dry_run": dry_run})

    def restore(self, run: str) -> Run:
        """Bring a deleted run back."""
        return bound(self._ask("POST", f"/runs/{segment(run)}/restore", Run), self._workspace)

    def purge(self, run: str, *, dry_run: bool = False) -> DeletePlan:
        """Delete a run that is in the bin, for good. `dry_run` tells the bytes that would be free."""
        return self._ask("DELETE", f"/runs/{segment(run)}", DeletePlan, query={"purge": True, "dry_run": dry_run})

    def history(self, run: str) -> StatusHistory:
        """All changes of its status, oldest first."""
        return self._ask("GET", f"/runs/{segment(run)}/history", StatusHistory)

    def metrics(self, run: str) -> MetricList:
        """Last, least and greatest value and number of points of each metric."""
        return self._ask("GET", f"/runs/{segment(run)}/metrics", MetricList)

    def metric_history(self, run: str, key: str) -> MetricHistory:
        """All points of a metric, in the order of (step, time)."""
        whole = MetricHistory(key=key, steps=[], times=[], values=[], next_cursor=None)
        while True:
            query = {"key": key, "limit": HISTORY_PAGE, "cursor": whole.next_cursor}
            page = self._ask("GET", f"/runs/{segment(run)}/metrics/history", MetricHistory, query=query)
            whole = msgspec.structs.replace(
                page, steps=whole.steps + page.steps, times=whole.times + page.times, values=whole.values + page.values
            )
            if whole.next_cursor is None:
                return whole

    def artifacts(self, run: str, path: str = "", *, recursive: bool = False) -> FileList:
        """What lies below `path`."""
        return self._ask("GET", f"/runs/{segment(run)}/artifacts", FileList, query={"path": path, "recursive": recursive})

    def download(self, run: str, path: str = "", *, to: str | Path = ".") -> list[Path]:
        """Save the artifacts of a run, or a file or folder of them, below the folder `to`; the paths written."""
        return save(self._workspace.transport, f"/runs/{segment(run)}/artifacts", path, Path(to))

    def compare(self, runs: Sequence[str]) -> Comparison:
        """Two or more runs side by side; the first is the baseline."""
        if len(runs) < 2:
            raise BadInput("Comparing takes at least two runs.", status=400, code="bad_input", field="runs")
        return Comparison([self.show(run) for run in runs])
