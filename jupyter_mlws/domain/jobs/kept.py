"""Kernels of failed notebooks that are kept. The truth stands in the jobs' folders; a server only remembers where to look.

A kept kernel outlives the server like a running job. Whichever server owns the data folder ends those whose run was deleted.
"""

from __future__ import annotations

import os
import threading
import uuid
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakSet

from msgspec import UNSET

from jupyter_mlws.domain.jobs.errors import NoKernelKept
from jupyter_mlws.domain.jobs.schemas import KeptKernel, NotebookSpec, Spec
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.kit.ids import is_id
from jupyter_mlws.kit.surrogates import whole_text
from mlws import jobdir

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.jobs.kinds import Launch
    from jupyter_mlws.kit.paths import Folders
    from jupyter_mlws.kit.transactions import Transactions

KEPT_S = 30 * 60


def with_kernel_kept(launch: Launch, spec: Spec, seconds: int) -> Launch:
    """A launch that says for how long the kernel is kept, if the job asks for it."""
    if not isinstance(spec, NotebookSpec) or spec.keep_kernel_on_failure in (UNSET, False) or seconds <= 0:
        return launch
    notebook = {**launch.sections["notebook"], "keep_kernel_s": seconds}
    return launch._replace(sections={**launch.sections, "notebook": notebook})


def kept_kernel(folders: Folders, run_id: str) -> KeptKernel:
    """The kernel of a job that is kept now. Raises `NoKernelKept`."""
    return as_wire(run_id, found_kernel(folders, run_id))


def found_kernel(folders: Folders, run_id: str) -> dict[str, Any]:
    """What the runner of the job wrote of its kernel, if that lives. Raises `NoKernelKept`."""
    told = jobdir.read_kernel(str(folder_of_kernel(folders.job(run_id))))
    if told is None or not isinstance(told.get("until"), int) or not isinstance(told.get("connection_file"), str):
        raise NoKernelKept("No kernel of this job is kept: it was not asked for, or it has ended by now.")
    return told


def folder_of_kernel(job: Path) -> Path:
    """The folder of the attempt whose kernel was kept, which is the last one; that of the job where none was."""
    found = [job / jobdir.KERNEL, *job.glob(f"attempts/*/{jobdir.KERNEL}")]
    return next((path.parent for path in found if path.exists()), job)


def as_wire(run_id: str, told: dict[str, Any]) -> KeptKernel:
    """A kept kernel, as it is told to clients."""
    name = whole_text(str(told.get("kernel_name") or ""))[:255]
    return KeptKernel(
        run_id=run_id,
        kernel_id=str(uuid.UUID(run_id)),
        kernel_name=name,
        display_name=whole_text(str(told.get("display_name") or name))[:255],
        until=told["until"],
    )


def end_kernel(folders: Folders, run_id: str) -> None:
    """Ask the supervisor to end the kernel. Raises `NoKernelKept`."""
    found_kernel(folders, run_id)
    jobdir.request_cancel(str(folder_of_kernel(folders.job(run_id))))


class Kept:
    """The jobs of this data folder whose kernel may be kept."""

    here: ClassVar[WeakSet[Kept]] = WeakSet()

    def __init__(self, jobs: Path) -> None:
        self._jobs = jobs
        self._ids: set[str] | None = None
        self.here.add(self)
        self._adding = threading.Lock()

    def add(self, run_id: str) -> None:
        """A job has ended; its kernel may be kept."""
        if self._kernel(run_id) is not None:
            with self._adding:
                self._ids = self._known() | {run_id}

    def end_deleted(self, db: Transactions) -> None:
        """End the kernels whose run is in the bin or gone; forget those that have ended. At the first time all folders are looked at."""
        with self._adding:
            ids = {run_id for run_id in self._known() if self._kernel(run_id) is not None}
            self._ids = ids
        for run_id in ids - living(db, ids) if ids else ():
            jobdir.request_cancel(str(folder_of_kernel(self._jobs / run_id)))

    def among(self, ids: Collection[str]) -> set[str]:
        """Those of the jobs whose kernel was kept when it was last looked at; the disk is not asked."""
        return (self._ids or set()).intersection(ids)

    def _known(self) -> set[str]:
        if self._ids is None:
            with os.scandir(self._jobs) as entries:
                names = [entry.name for entry in entries if is_id(entry.name)]
            self._ids = {name for name in names if (folder_of_kernel(self._jobs / name) / jobdir.KERNEL).exists()}
        return self._ids

    def _kernel(self, run_id: str) -> dict[str, Any] | None:
        return jobdir.read_kernel(str(folder_of_kernel(self._jobs / run_id)))


def living(db: Transactions, ids: Collection[str]) -> set[str]:
    """Those of the runs that are there, and not in the bin."""
    return db.read_sync(lambda s: runs.active_among(s, ids))


@runs.sparing.register
def _spare_runs(session: Session, ids: Collection[str], why: dict[str, str]) -> None:
    """A rule of retention does not take the folder of a kernel that somebody looks into, nor ends it."""
    del session
    for kept in list(Kept.here):
        why.update(dict.fromkeys(kept.among(ids), "running"))
