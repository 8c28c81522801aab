"""What the client answers with: the wire types, with the few things that one does next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from jupyter_mlws.domain.jobs import schemas as job_types
from jupyter_mlws.domain.runs import schemas as run_types
from jupyter_mlws.domain.runs.states import TERMINAL
from jupyter_mlws.sdk.views import views

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_mlws.domain.runs.states import RunStatus
    from jupyter_mlws.sdk.points import Points
    from jupyter_mlws.sdk.workspace import Workspace

B = TypeVar("B", bound="_Bound")


class _Bound(msgspec.Struct, dict=True):
    """Base of results that know the workspace they came from."""

    def _workspace(self) -> Workspace:
        found: Workspace | None = self.__dict__.get("workspace_client")
        if found is None:
            raise TypeError("This object was not made by a Workspace; ask ws.runs.show(id) or ws.jobs.show(id).")
        return found

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types, with the names of the REST API."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain

    def _repr_html_(self) -> str:
        return views().html(self)


def bound(result: B, workspace: Workspace) -> B:
    """`result`, which knows from now on where it came from."""
    result.__dict__["workspace_client"] = workspace
    inner = getattr(result, "run", None)
    if isinstance(inner, _Bound):
        inner.__dict__["workspace_client"] = workspace
    return result


class Run(_Bound, run_types.Run, kw_only=True, dict=True):
    """A run; fields as in the REST API."""

    def __repr__(self) -> str:
        return f"Run(id={self.id!r}, name={self.name!r}, experiment={self.experiment_name!r}, status={self.status.value!r})"

    @property
    def ended(self) -> bool:
        """Whether its status is final."""
        return self.status in TERMINAL

    @property
    def url(self) -> str | None:
        """Address that opens its page in JupyterLab; None where the server has no pages (it was started by a command)."""
        return self._workspace().page_url(f"runs/{self.id}")

    @property
    def link(self) -> str | None:
        """Where a link in a notebook leads to open its page: a path alone, if the browser reaches the server by it."""
        return self._workspace().page_link(f"runs/{self.id}")

    def metric(self, key: str) -> float:
        """The last value of a metric. Raises `KeyError`."""
        return float(self.metrics[key].last)

    def history(self, key: str) -> Points:
        """All points of a metric."""
        return self._workspace().runs.metric_history(self.id, key)

    def refresh(self) -> Run:
        """The run as it is now."""
        return self._workspace().runs.show(self.id)

    def download(self, path: str = "", *, to: str | Path = ".") -> list[Path]:
        """Its artifacts, or those below `path`, into a folder."""
        return self._workspace().runs.download(self.id, path, to=to)

    def download_snapshot(self, path: str = "", *, to: str | Path = ".") -> list[Path]:
        """Its snapshot, the code as it was, or what lies below `path` in it, into a folder."""
        return self._workspace().runs.download_snapshot(self.id, path, to=to)


class Job(_Bound, job_types.Job, kw_only=True, dict=True):
    """A job: `run` is its run, `spec` what it was asked to do."""

    run: Run

    def __repr__(self) -> str:
        kind, run = self.run.kind.value, self.run
        return f"Job(id={run.id!r}, kind={kind!r}, name={run.name!r}, experiment={run.experiment_name!r}, status={run.status.value!r})"

    @property
    def id(self) -> str:
        """Id of the job and of its run."""
        return self.run.id

    @property
    def status(self) -> RunStatus:
        """Status when this was read."""
        return self.run.status

    @property
    def url(self) -> str | None:
        """Address that opens its page in JupyterLab; None where the server has no pages."""
        return self.run.url

    def refresh(self) -> Job:
        """The job as it is now."""
        return self._workspace().jobs.show(self.id)

    def stream(self) -> Job:
        """Print its log until it ends; the job as it is then."""
        return self._workspace().jobs.stream(self.id)

    def wait(self, timeout: float | None = None) -> Job:
        """Wait until it ends; the job as it is then."""
        return self._workspace().jobs.wait(self.id, timeout=timeout)

    def cancel(self) -> Job:
        """Cancel it."""
        return self._workspace().jobs.cancel(self.id)

    def pause(self) -> Job:
        """Hold it while it waits."""
        return self._workspace().jobs.pause(self.id)

    def resume(self) -> Job:
        """Let it wait for its turn again."""
        return self._workspace().jobs.resume(self.id)

    def log(self, *, attempt: int | None = None) -> str:
        """All that it has printed until now, or did in an earlier attempt."""
        return self._workspace().jobs.full_log(self.id, attempt=attempt)

    def rerun(self, **changes: Any) -> Job:
        """Submit it again from its own snapshot, with what is given changed: the arguments of `ws.jobs.rerun`."""
        return self._workspace().jobs.rerun(self.id, **changes)

    def download(self, path: str = "", *, to: str | Path = ".") -> list[Path]:
        """Its artifacts, or those below `path`, into a folder."""
        return self.run.download(path, to=to)

    def watch(self) -> None:
        """A live view below the cell: progress, metrics, log. Plain text without `ipywidgets`."""
        views().watch(self)
