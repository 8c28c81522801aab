"""Where MLflow's proxied store keeps files: the paths of artifact URIs, and the runs and logged models that they mean.

A path is `<place of the experiment>/<run id>/artifacts/<file>`, or `<place>/models/<model id>/artifacts/<file>`. The place is not looked
at: a run that was moved keeps its files. What names neither a run nor a model is not there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.domain.models import service as models
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.storage.errors import ArtifactClash
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.mlflow_api.artifacts import check_path
from jupyter_mlws.mlflow_api.errors import DoesNotExist, InvalidParameter

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.runs.service import RunRef
    from jupyter_mlws.kit.actors import Actor
    from jupyter_mlws.kit.streams import StoredBlob

STORE = "api/2.0/mlflow-artifacts"
PLACE = re.compile(r"(?:.*?/)?(?P<owner>[0-9a-f]{32}|models/m-[0-9a-f]{32})/artifacts(?:/(?P<path>.*))?")


class Place(NamedTuple):
    """A file or folder of a run or a logged model."""

    owner: str
    """A run's id, or a logged model's."""
    path: str

    @property
    def is_model(self) -> bool:
        """Whether a logged model owns it."""
        return self.owner.startswith("m-")

    @property
    def key(self) -> str:
        """What storage calls the owner."""
        return self.owner.removeprefix("m-")

    def check(self, session: Session, actor: Actor, action: Action) -> RunRef | None:
        """Raise unless `actor` may do this to the owner's files. Returns the run, if that owns them."""
        if self.is_model:
            models.open_for_files(session, actor, self.owner, action)
            return None
        if action is Action.READ:
            return runs.open_run(session, actor, action, self.owner)
        return runs.open_to_log(session, actor, self.owner)


def place_of(path: str) -> Place:
    """The owner and the path that an address of the store means. Raises `DoesNotExist`."""
    found = PLACE.fullmatch(check_path(path))
    if found is None:
        raise DoesNotExist(f"No such artifact: '{path[:200]}'", field="path")
    return Place(found["owner"].removeprefix("models/"), check_path((found["path"] or "").strip("/")))


def add_file(session: Session, actor: Actor, place: Place, blob: StoredBlob) -> None:
    """Give the owner the file."""
    run = place.check(session, actor, Action.LOG)
    try:
        storage.add_artifact(session, place.key, place.path, blob.sha256, blob.size, now_ms())
    except ArtifactClash as error:
        raise InvalidParameter(error.message, field="path") from None
    note(session, run)


def note(session: Session, run: RunRef | None) -> None:
    """Tell listeners that the files of the run changed, if a run owns them."""
    if run is not None:
        runs.note_artifacts(session, run)
