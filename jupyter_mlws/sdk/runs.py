"""Runs: search, look at, change, delete, compare, download."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from msgspec import UNSET, Struct

from jupyter_mlws.domain.metrics.schemas import MetricHistory, MetricList
from jupyter_mlws.domain.runs.schemas import DeletePlan, RunCreate, RunEnd, RunError, RunUpdate, StatusHistory
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.domain.storage.schemas import FileEntry, FileList
from jupyter_mlws.kit.ids import is_id, new_id
from jupyter_mlws.sdk import forms
from jupyter_mlws.sdk.errors import AmbiguousId, BadInput, NotFound
from jupyter_mlws.sdk.results import Run, bound
from jupyter_mlws.sdk.table import Table
from jupyter_mlws.sdk.transport import segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from jupyter_mlws.domain.metrics.schemas import MetricSummary
    from jupyter_mlws.domain.runs.schemas import StatusChange
    from jupyter_mlws.sdk.comparison import Comparison
    from jupyter_mlws.sdk.points import Points
    from jupyter_mlws.sdk.table import Form
    from jupyter_mlws.sdk.workspace import Workspace

View = Literal["active", "deleted", "all"]
Ending = Literal["Completed", "Failed", "Canceled"]
PAGE = 200
HISTORY_PAGE = 25_000


def _known_status(word: str) -> str:
    """A status as it is written, whatever its case. Raises `BadInput`."""
    for one in RunStatus:
        if one.value.lower() == word.strip().lower():
            return one.value
    there = ", ".join(one.value for one in RunStatus)
    raise BadInput(f"There is no status {word[:80]!r}; there are {there}.", status=400, code="bad_input", field="status")


class RunPage(Struct):
    """One page, as the server gives it."""

    runs: list[Run]
    next_cursor: str | None
    total: int | None


class RunList(Table[Run]):
    """Runs in the order asked for. Pages are fetched as they are needed; `len()` fetches all."""

    def __init__(self, fetch: Callable[[str | None, int], RunPage], limit: int | None, form: Form[Run] | None = None) -> None:
        super().__init__([], form or forms.runs())
        self._fetch = fetch
        self._limit = limit
        self._cursor: str | None = None
        self._complete = limit == 0
        self._total: int | None = None
        self._more()

    @property
    def total(self) -> int | None:
        """Number of all matches, whatever the limit; None where counting would be slow."""
        return self._total

    def _more(self) -> bool:
        return bool(self._next())

    def _next(self) -> list[Run]:
        """Fetch the next page; empty after the last."""
        if self._complete:
            return []
        size = PAGE if self._limit is None else min(PAGE, self._limit - len(self._items))
        page = self._fetch(self._cursor, size)
        if self._cursor is None:
            self._total = page.total
        self._cursor = page.next_cursor
        self._items += page.runs
        self._complete = page.next_cursor is None or (self._limit is not None and len(self._items) >= self._limit)
        return page.runs

    def pages(self) -> Iterator[list[Run]]:
        """The runs page by page."""
        if self._items:
            yield list(self._items)
        while page := self._next():
            yield page


class Files(Table[FileEntry]):
    """What lies in a folder. `truncated`: there is more than could be listed."""

    def __init__(self, found: FileList) -> None:
        super().__init__(found.entries, forms.FILES)
        self.truncated = found.truncated


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
        status: str | Sequence[str] = (),
        text: str | None = None,
        view: View = "active",
        parent: str | None = None,
        limit: int | None = 1000,
    ) -> RunList:
        """Runs that match `filter` (`metrics.acc > 0.9 and params.model = 'svm'`), in the order of `order_by` (`metrics.acc desc`),
        the newest first by default; of these experiments, by name, and of these statuses (`Running`, `Failed`, …).

        `text` is part of a name or the beginning of an id. `limit=None` gives all. Raises `BadInput`, which points into a filter
        that cannot be read.
        """
        if limit is not None and limit < 0:
            raise BadInput("`limit` is a number of runs, or None for all.", status=400, code="bad_input", field="limit")
        names = [*experiments, *([experiment] if experiment is not None else [])]
        query: dict[str, Any] = {
            "filter": filter or None,
            "status": [_known_status(one) for one in ([status] if isinstance(status, str) else status)],
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
            found = list(self.search(filter=f"attributes.run_id LIKE '{text}%'", view="all", limit=5))
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

    def create(
        self,
        *,
        experiment: str | None = None,
        name: str | None = None,
        params: Mapping[str, object] | None = None,
        tags: Mapping[str, str] | None = None,
        note: str | None = None,
        parent: str | None = None,
    ) -> Run:
        """Begin a run that no notebook and no job follows: what happens to it is told over the API, and `end` ends it.

        Training code logs with `mlws` instead, which ends its run by itself.
        """
        body = RunCreate(
            id=new_id(),
            experiment=UNSET if experiment is None else experiment,
            name=UNSET if name is None else name,
            params={key: str(value) for key, value in params.items()} if params else UNSET,
            tags=dict(tags) if tags else UNSET,
            note=UNSET if note is None else note,
            parent_id=UNSET if parent is None else parent,
        )
        return bound(self._ask("POST", f"{self._workspace.path}/runs", Run, body=body), self._workspace)

    def end(self, run: str, status: Ending = "Completed", *, message: str | None = None) -> Run:
        """End a run that was begun by `create` or by a notebook; `message` says why it failed. A job's run ends by itself."""
        body = RunEnd(status=status, error=UNSET if message is None else RunError(message=message))
        return bound(self._ask("POST", f"/runs/{segment(run)}/end", Run, body=body), self._workspace)

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

    def history(self, run: str) -> Table[StatusChange]:
        """All changes of its status, oldest first."""
        return Table(self._ask("GET", f"/runs/{segment(run)}/history", StatusHistory).changes, forms.CHANGES)

    def metrics(self, run: str) -> Table[MetricSummary]:
        """Last, least and greatest value and number of points of each metric."""
        return Table(self._ask("GET", f"/runs/{segment(run)}/metrics", MetricList).metrics, forms.METRICS)

    def metric_history(self, run: str, key: str) -> Points:
        """All points of a metric, in the order of (step, time)."""
        from jupyter_mlws.sdk.points import Points  # noqa: PLC0415 - lists of runs do without

        points, cursor = Points(key), None
        while True:
            query = {"key": key, "limit": HISTORY_PAGE, "cursor": cursor}
            page = self._ask("GET", f"/runs/{segment(run)}/metrics/history", MetricHistory, query=query)
            points.add(page)
            cursor = page.next_cursor
            if cursor is None:
                return points

    def artifacts(self, run: str, path: str = "", *, recursive: bool = False) -> Files:
        """What lies below `path`."""
        return self._files(f"/runs/{segment(run)}/artifacts", path, recursive=recursive)

    def snapshot(self, run: str, path: str = "", *, recursive: bool = False) -> Files:
        """What lies below `path` in its snapshot, the code as it was."""
        return self._files(f"/runs/{segment(run)}/snapshot", path, recursive=recursive)

    def _files(self, address: str, path: str, *, recursive: bool) -> Files:
        return Files(self._ask("GET", address, FileList, query={"path": path, "recursive": recursive}))

    def download(self, run: str, path: str = "", *, to: str | Path = ".") -> list[Path]:
        """Save the artifacts of a run, or a file or folder of them, below the folder `to`; the paths written."""
        return self._save(f"/runs/{segment(run)}/artifacts", path, to)

    def download_snapshot(self, run: str, path: str = "", *, to: str | Path = ".") -> list[Path]:
        """Save the snapshot of a run, the code as it was, or a file or folder of it, below the folder `to`; the paths written."""
        return self._save(f"/runs/{segment(run)}/snapshot", path, to)

    def _save(self, address: str, path: str, to: str | Path) -> list[Path]:
        from jupyter_mlws.sdk.downloads import save  # noqa: PLC0415 - only downloads need it

        return save(self._workspace.transport, address, path, to)

    def compare(self, runs: Sequence[str]) -> Comparison:
        """Two or more runs side by side; the first is the baseline."""
        from jupyter_mlws.sdk.comparison import Comparison  # noqa: PLC0415 - lists of runs do without

        if len(runs) < 2:
            raise BadInput("Comparing takes at least two runs.", status=400, code="bad_input", field="runs")
        return Comparison([self.show(run) for run in runs])
