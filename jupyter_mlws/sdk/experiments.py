"""Experiments, known by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import UNSET, UnsetType

from jupyter_mlws.domain.experiments.schemas import (
    Experiment,
    ExperimentCreate,
    ExperimentDeletion,
    ExperimentPage,
    ExperimentUpdate,
    Goal,
)
from jupyter_mlws.domain.runs.schemas import Retention, RetentionApply, RetentionPlan, RetentionState
from jupyter_mlws.sdk import forms
from jupyter_mlws.sdk.errors import BadInput, NotFound
from jupyter_mlws.sdk.table import Table
from jupyter_mlws.sdk.transport import SUBMIT_TIMEOUT_S, segment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jupyter_mlws.sdk.workspace import Workspace

PAGE = 500
Direction = Literal["maximize", "minimize"]
What = Literal["runs", "outputs"]


class Experiments:
    """`ws.experiments`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._ask = workspace.transport.ask

    def list(self, *, text: str = "", archived: bool = False) -> Table[Experiment]:
        """Those whose name contains `text`, the most recently used first; the archived ones instead of the others."""
        return Table(self._pages(text, archived=archived), forms.EXPERIMENTS)

    def _pages(self, text: str, *, archived: bool) -> Iterator[Experiment]:
        cursor: str | None = None
        while True:
            query = {"q": text or None, "archived": archived, "limit": PAGE, "cursor": cursor}
            page = self._ask("GET", f"{self._workspace.path}/experiments", ExperimentPage, query=query)
            yield from page.experiments
            cursor = page.next_cursor
            if cursor is None:
                return

    def show(self, name: str) -> Experiment:
        """The experiment of this name, archived or not. Raises `NotFound`."""
        for archived in (False, True):
            for found in self._pages(name, archived=archived):
                if found.name == name:
                    return found
        raise NotFound(
            f"The workspace {self._workspace.name!r} has no experiment {name[:80]!r}.",
            status=404,
            code="experiment_not_found",
            field="experiment",
        )

    def create(
        self,
        name: str,
        *,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        goal: str | None = None,
        direction: Direction = "maximize",
    ) -> Experiment:
        """A new experiment; `goal` is the metric that says which of its runs is best."""
        body = ExperimentCreate(
            name=name,
            description=UNSET if description is None else description,
            tags=dict(tags) if tags else UNSET,
            goal=UNSET if goal is None else Goal(metric=goal, direction=direction),
        )
        return self._ask("POST", f"{self._workspace.path}/experiments", Experiment, body=body)

    def update(
        self,
        name: str,
        *,
        new_name: str | None = None,
        description: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        goal: str | None = None,
        direction: Direction | None = None,
    ) -> Experiment:
        """Change what is given; a tag that is None is removed, and so is a goal that is the empty text.

        `goal` alone keeps the direction that there is, `direction` alone the metric.
        """
        present = self.show(name)
        body = ExperimentUpdate(
            name=UNSET if new_name is None else new_name,
            description=UNSET if description is None else description,
            tags=UNSET if tags is None else dict(tags),
            goal=_changed_goal(present, goal, direction),
        )
        return self._ask("PATCH", f"/experiments/{segment(present.id)}", Experiment, body=body)

    def archive(self, name: str) -> Experiment:
        """Hide it; its runs stay."""
        return self._ask("POST", f"{self._path(name)}/archive", Experiment)

    def restore(self, name: str) -> Experiment:
        """Bring an archived one back."""
        return self._ask("POST", f"{self._path(name)}/restore", Experiment)

    def delete(self, name: str, *, dry_run: bool = False) -> ExperimentDeletion:
        """Delete an archived experiment and its runs for good. `dry_run` tells what would go, and what is in the way (`blocked_by`)."""
        return self._ask("DELETE", self._path(name), ExperimentDeletion, query={"dry_run": dry_run})

    def _path(self, name: str) -> str:
        return f"/experiments/{segment(self.show(name).id)}"

    # --- retention: of an experiment, or (None) of all of the workspace that have no rule of their own ---

    def retention(self, name: str | None = None) -> RetentionState:
        """The rule that counts, and what it did last."""
        return self._ask("GET", self._retention(name), RetentionState)

    def set_retention(
        self, name: str | None = None, *, keep_days: int | None = None, keep_last: int | None = None, what: What = "runs"
    ) -> RetentionState:
        """Keep runs that ended less than `keep_days` ago, the newest `keep_last`, or (both) what either keeps; the others go every hour.

        `what`: `runs` go to the bin; or of them only their `outputs`, for good. Spared are runs that run, the best by the goal, those with
        the tag `mlws.keep`, and those whose model is registered. `apply_retention(..., dry_run=True)` tells before what would go.
        """
        body = Retention(keep_days=keep_days, keep_last=keep_last, what=what)
        return self._ask("PUT", self._retention(name), RetentionState, body=body)

    def clear_retention(self, name: str | None = None) -> RetentionState:
        """Take the rule away; of an experiment that of the workspace counts then, if there is one."""
        return self._ask("DELETE", self._retention(name), RetentionState)

    def apply_retention(
        self, name: str, *, keep_days: int | None = None, keep_last: int | None = None, what: What = "runs", dry_run: bool = False
    ) -> RetentionPlan:
        """Apply the rule that is set, or the one that is given, now; `dry_run` only tells what would go."""
        given = keep_days is not None or keep_last is not None
        rule = Retention(keep_days=keep_days, keep_last=keep_last, what=what) if given else UNSET
        path = f"{self._retention(name)}/apply"
        return self._ask("POST", path, RetentionPlan, body=RetentionApply(rule=rule, dry_run=dry_run), timeout=SUBMIT_TIMEOUT_S)

    def _retention(self, name: str | None) -> str:
        return f"{self._workspace.path if name is None else f'/experiments/{self.show(name).id}'}/retention"


def _changed_goal(present: Experiment, metric: str | None, direction: Direction | None) -> Goal | UnsetType | None:
    """The new goal, of which a part may have been left as it is."""
    if metric is None and direction is None:
        return UNSET
    if metric == "":
        return None
    before = present.goal
    if metric is None and before is None:
        words = f"The experiment {present.name[:80]!r} has no goal yet; say its metric, too."
        raise BadInput(words, status=400, code="bad_input", field="goal")
    kept = before.direction if before is not None else "maximize"
    return Goal(metric=metric or (before.metric if before is not None else ""), direction=direction or kept)
