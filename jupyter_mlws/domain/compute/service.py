"""What every kind of compute target can do, and how many jobs each runs. Kinds are entry points of the group `jupyter_mlws.compute`.

`local` is always there. Others are named in the setting `MlwsApp.compute_targets`: their kind, and what that kind asks for. Limits that
somebody set stand in a file of the data folder, not in the database, which machines may share: each has its own `local`.
"""

from __future__ import annotations

import logging
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Protocol, cast

from jupyter_mlws.domain.compute.limits import Limits, keep, limits_of
from jupyter_mlws.domain.compute.local import LocalCompute
from jupyter_mlws.domain.compute.spares import NO_SPARES, SpareSettings
from jupyter_mlws.domain.compute.unavailable import UnavailableCompute

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jupyter_mlws.domain.compute.schemas import Load

__all__ = ["LOCAL", "Compute", "ComputeKind", "Limits", "SpareSettings", "keep", "limits_of", "make_targets"]

log = logging.getLogger(__name__)

GROUP = "jupyter_mlws.compute"
LOCAL = "local"


class Compute(Protocol):
    """A compute target. All methods may block; they are called from threads."""

    name: str
    kind: str
    description: str
    max_jobs: int
    """How many jobs run on it at once."""
    problem: str
    """Why it takes no jobs now, in a sentence; empty while it does."""

    def start(self, job_dir: Path, secrets: Mapping[str, str] | None = None) -> None:
        """Start the supervisor of a job whose folder is ready.

        `secrets` are variables for the job that must lie on no disk and in no argument; a target is given them only if it says
        `takes_secrets = True`, others need not have the parameter.
        """

    def is_alive(self, job_dir: Path) -> bool:
        """Whether the job's supervisor lives."""

    def cancel(self, job_dir: Path, reason: str = "canceled") -> None:
        """Ask the supervisor to end the job."""

    def tidy(self) -> None:
        """Called now and then: let go of what has ended."""

    def load(self) -> Load:
        """Load of the target now."""


class ComputeKind(Protocol):
    """Makes targets of one kind."""

    def __call__(self, name: str, max_jobs: int, **options: Any) -> Compute:
        """A target of this kind. Raises ValueError or TypeError, with a sentence, for options that it cannot use."""


def make_targets(max_local: int, others: Mapping[str, Any], spares: SpareSettings = NO_SPARES) -> dict[str, Compute]:
    """The compute targets: `local`, and those that the settings name. One that cannot be made is there, and says why."""
    made: dict[str, Compute] = {LOCAL: LocalCompute(LOCAL, max_local, spares)}
    for name, options in others.items():
        if name == LOCAL:
            log.warning(
                "The compute target `local` is always this machine; the entry of that name in compute_targets is left out."
            )
            continue
        made[name] = _make(name, options)
    return made


def _make(name: str, options: Any) -> Compute:
    kind = options.get("kind") if isinstance(options, dict) else None
    try:
        kind, max_jobs, rest = _checked(options)
        return cast("ComputeKind", _kind(kind).load())(name, max_jobs, **rest)
    except Exception as error:  # another package's code: whatever is wrong there must not stop ours
        log.exception("The compute target %r could not be made", name)
        return UnavailableCompute(name, str(kind), f"The target {name!r} cannot be used: {error}.")


def _checked(options: Any) -> tuple[str, int, dict[str, Any]]:
    """(kind, max_jobs, what is left for the kind) of an entry in the settings."""
    rest = dict(options) if isinstance(options, dict) else {}
    kind, max_jobs = rest.pop("kind", None), rest.pop("max_jobs", 1)
    if not isinstance(kind, str):
        raise ValueError("its entry in compute_targets must be a dict that names a `kind`")  # noqa: TRY004 - told in words, as others
    if not isinstance(max_jobs, int) or max_jobs < 1:
        raise ValueError(f"max_jobs must be a whole number from 1 on, not {max_jobs!r}")
    return kind, max_jobs, rest


def _kind(name: str) -> EntryPoint:
    points = {point.name: point for point in entry_points(group=GROUP)}
    if name not in points:
        raise ValueError(f"no installed package brings targets of the kind {name!r}; there are: {', '.join(sorted(points))}")
    return points[name]
