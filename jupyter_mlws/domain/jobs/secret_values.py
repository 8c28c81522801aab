"""From the secrets that a job names to the variables that it is given, and to what is hidden in what it logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.jobs.errors import SecretsNotTaken
from jupyter_mlws.domain.secrets import service as secrets
from jupyter_mlws.domain.secrets.errors import KeyMissing, KeyUnusable
from jupyter_mlws.kit.errors import BadInput, Unavailable
from mlws.masking import Masker

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jupyter_mlws.domain.compute.service import Compute
    from jupyter_mlws.domain.jobs.engine import JobEngine
    from jupyter_mlws.domain.secrets.service import KeyPlaces
    from jupyter_mlws.kit.transactions import Transactions


def check(compute: Compute, named: Mapping[str, str], env: Mapping[str, Any]) -> None:
    """Raise `SecretsNotTaken` for a target that cannot be given secrets, `BadInput` for a variable that is given twice."""
    if named and not getattr(compute, "takes_secrets", False):
        raise SecretsNotTaken(
            f"Jobs on {compute.name!r} cannot be given secrets: this kind of target does not take them.", field="secrets"
        )
    for variable in named:
        if variable in env:
            raise BadInput(f"The variable {variable} is given twice: by `env` and by `secrets`.", field=f"secrets.{variable}")


def start(engine: JobEngine, compute: Compute, run_id: str, folder: Path, *, has_secrets: bool) -> None:
    """Start the supervisor of a job, and give it the job's secrets if it has any."""
    if has_secrets:
        compute.start(folder, secrets.give(engine.db, engine.secrets, run_id))
    else:
        compute.start(folder)


def masker_of(db: Transactions, places: KeyPlaces, run_id: str) -> Masker:
    """Hides what a running job was given. Blocks: for threads. Raises `Unavailable` where that cannot be read now."""
    if not db.read_sync(lambda s: secrets.names_of_run(s, run_id)):
        return Masker([])
    try:
        keys = secrets.keys_needed(db, places)
        return Masker(db.read_sync(lambda s: secrets.given(s, keys, run_id)))
    except (KeyMissing, KeyUnusable) as error:
        raise Unavailable(
            f"What this job logs cannot be taken before its secrets can be hidden in it. {error.message}"
        ) from error
