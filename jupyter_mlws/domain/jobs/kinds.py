"""Kinds of jobs: what each freezes at submit. Kinds are entry points of the group `jupyter_mlws.job_kinds`; others can add more."""

from __future__ import annotations

import functools
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Protocol, cast

from jupyter_mlws.domain.jobs import sources
from jupyter_mlws.kit.errors import BadInput

if TYPE_CHECKING:
    from jupyter_mlws.domain.jobs.schemas import JobCreate
    from jupyter_mlws.domain.jobs.service import Prepared
    from jupyter_mlws.kit.actors import Actor
    from jupyter_mlws.kit.transactions import Transactions

GROUP = "jupyter_mlws.job_kinds"


class JobKind(Protocol):
    """One kind of job."""

    def freeze(self, db: Transactions, services: Any, actor: Actor, body: JobCreate) -> Prepared:
        """Check what is asked for, and store the bytes that it runs. Blocks; called from a thread."""


class NotebookKind:
    """A notebook, run by papermill."""

    def freeze(self, db: Transactions, services: Any, actor: Actor, body: JobCreate) -> Prepared:
        """The notebook and the files of its folder."""
        return sources.notebook(db, services, actor, body)


class CommandKind:
    """A shell line, run by bash."""

    def freeze(self, db: Transactions, services: Any, actor: Actor, body: JobCreate) -> Prepared:
        """The files of the code folder, if one is named."""
        return sources.command(db, services, actor, body)


@functools.cache
def kinds() -> dict[str, JobKind]:
    """All kinds that are installed, by name."""
    return {point.name: cast("JobKind", point.load()()) for point in entry_points(group=GROUP)}


def kind_of(body: JobCreate) -> JobKind:
    """The kind that a job asks for."""
    name = str(body.spec.__struct_config__.tag)
    found = kinds().get(name)
    if found is None:
        raise BadInput(
            f"Jobs of the kind {name!r} are not installed here; there are: {', '.join(sorted(kinds()))}.", field="spec.kind"
        )
    return found
