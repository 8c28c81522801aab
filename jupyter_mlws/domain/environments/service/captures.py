"""What runs ran in."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from jupyter_mlws.domain.environments import store
from jupyter_mlws.domain.environments.capture import without_credentials
from jupyter_mlws.domain.environments.schemas import EnvironmentCapture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session


def of_run(session: Session, run_id: str) -> EnvironmentCapture:
    """What a run ran in; empty where nothing was captured."""
    found = store.of_run(session, run_id)
    if found is None:
        return EnvironmentCapture()
    row, packages = found
    return msgspec.structs.replace(row.capture, packages=packages)


def is_whole(capture: EnvironmentCapture) -> bool:
    """Whether more is known than the git state: a server that ended just after a submit had no time for the rest."""
    return capture.platform is not None


def is_known(session: Session, run_id: str) -> bool:
    """Whether more is known of what a run ran in than the git state; its packages are not read."""
    found = store.capture_of_run(session, run_id)
    return found is not None and is_whole(found)


def store_capture(session: Session, run_id: str, capture: EnvironmentCapture) -> EnvironmentCapture:
    """Keep what a run ran in, without credentials."""
    packages = dict(sorted(capture.packages.items()))
    git = capture.git
    if git is not None and git.remote:
        git = msgspec.structs.replace(git, remote=without_credentials(git.remote))
    environment = capture.environment
    if environment is None and (known := store.capture_of_run(session, run_id)) is not None:
        environment = known.environment
    kept = msgspec.structs.replace(capture, packages={}, git=git, environment=environment)
    listed = msgspec.json.encode(packages)
    store.put(session, run_id, kept, hashlib.sha256(listed).hexdigest(), listed.decode())
    return msgspec.structs.replace(kept, packages=packages)


def delete_of_runs(session: Session, run_ids: Sequence[str]) -> None:
    """Forget the environments of runs."""
    store.delete_of_runs(session, run_ids)
