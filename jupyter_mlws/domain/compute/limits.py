"""How much of a compute target jobs may have: what the machine has, what the settings say, and what somebody changed since.

What was changed stands in the target's row, if it has one, and holds on all servers that share the database. Of `local` and the targets
that the settings name, which each server has for itself, it stands in a file of the data folder.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from jupyter_mlws.domain.compute.schemas import ComputeUpdate, Jobs, LimitsChanged, Load
from mlws.jobdir import write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jupyter_mlws.domain.compute.service import Compute

log = logging.getLogger(__name__)


class Limits(NamedTuple):
    """What counts now. None: without a limit (of a total: it is not known, and so nothing can be asked of it)."""

    max_jobs: int
    paused: bool = False
    cpus: float | None = None
    memory_bytes: int | None = None
    gpu_ids: tuple[int, ...] = ()
    max_jobs_per_user: int | None = None
    cpus_per_user: float | None = None
    memory_bytes_per_user: int | None = None
    gpus_per_user: int | None = None
    min_instances: int = 0
    """So many kernels are kept ready for notebook jobs."""
    own_queue: bool = False
    """What is not limited here the target minds by itself."""
    own_gpus: bool = False
    """So GPUs, too: nobody has said how many, be it none."""


class _Kept(msgspec.Struct, omit_defaults=True):
    """What the file holds, by target."""

    max_jobs: dict[str, Jobs] = {}
    changed: dict[str, LimitsChanged] = {}


_keeping = threading.Lock()


def limits_of(changed: LimitsChanged, target: Compute, usual: int, settings: Mapping[str, Any]) -> Limits:
    """The limits of a target. `usual`: how many jobs its settings let run; `settings`: more of them. Asks the target; may block."""
    said = _said(target.name, settings)

    def chosen(name: str, else_: Any = None) -> Any:
        found = getattr(changed, name)
        return found if found is not None else said.get(name, else_)

    load = _load(target)
    max_jobs = usual if changed.max_jobs is None else changed.max_jobs
    return Limits(
        max_jobs=max_jobs,
        min_instances=min(max_jobs, chosen("min_instances", 0)) if hasattr(target, "keep_spares") else 0,
        paused=changed.paused,
        own_queue=(own_queue := bool(getattr(target, "own_queue", False))),
        own_gpus=own_queue and chosen("gpus") is None,
        cpus=chosen("cpus", load.cpu_count),
        memory_bytes=chosen("memory_bytes", load.memory_bytes),
        gpu_ids=_gpus(list(getattr(target, "gpu_ids", ())), chosen("gpus")),
        **{name: chosen(name) for name in Limits._fields if name.endswith("_per_user")},
    )


def _load(target: Compute) -> Load:
    try:
        return target.load()
    except Exception:  # another package's code: whatever is wrong there must not stop ours
        log.exception("The load of the compute target %r cannot be told", target.name)
        return Load(None, None, None, None)


def _gpus(there: list[int], number: int | None) -> tuple[int, ...]:
    """The GPUs that jobs may have: the first ones that are there, and where more are named than are seen, those counted on."""
    if number is None:
        return tuple(there)
    return tuple([*there, *(one for one in range(number) if one not in there)][:number])


def _said(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the settings say of a target, if it can be understood."""
    try:
        return msgspec.to_builtins(msgspec.convert(settings.get(name, {}), LimitsChanged))  # type: ignore[no-any-return]
    except msgspec.ValidationError as error:
        log.warning("The setting compute_limits does not count for %s: %s", name, error)
        return {}


def changed_by(before: LimitsChanged, update: ComputeUpdate) -> LimitsChanged:
    """What is changed of a target after an update."""
    given = {name: getattr(update, name) for name in LimitsChanged.__struct_fields__}
    return msgspec.structs.replace(before, **{name: value for name, value in given.items() if value is not msgspec.UNSET})


def kept(path: Path, name: str) -> LimitsChanged:
    """What the file has of a target."""
    return _of(_read(path), name)


def _of(found: _Kept, name: str) -> LimitsChanged:
    return msgspec.structs.replace(found.changed.get(name, LimitsChanged()), max_jobs=found.max_jobs.get(name))


def keep(path: Path, name: str, update: ComputeUpdate) -> None:
    """Remember in the file what is changed of a target; None forgets it."""
    with _keeping:
        found = _read(path)
        changed = changed_by(_of(found, name), update)
        found.max_jobs.pop(name, None)
        if changed.max_jobs is not None:
            found.max_jobs[name] = changed.max_jobs
        found.changed[name] = msgspec.structs.replace(changed, max_jobs=None)
        write_atomic(str(path), msgspec.json.encode(found), durable=True)


def forget(path: Path, name: str) -> None:
    """The target is gone: one of the same name that comes after it begins anew."""
    with _keeping:
        found = _read(path)
        if found.max_jobs.pop(name, None) is not None or name in found.changed:
            found.changed.pop(name, None)
            write_atomic(str(path), msgspec.json.encode(found), durable=True)


def _read(path: Path) -> _Kept:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Kept)
    except FileNotFoundError:
        return _Kept()
    except (OSError, ValueError) as error:
        log.warning("%s cannot be read, so the limits in it do not count: %s", path, error)
        return _Kept()
