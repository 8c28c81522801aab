"""Which environment a job means by what it names."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.domain.environments import references, store
from jupyter_mlws.domain.environments.aliases import meant_by
from jupyter_mlws.domain.environments.errors import UnknownEnvironment, UnusableEnvironment
from jupyter_mlws.domain.environments.schemas import Definition, KernelDefinition
from jupyter_mlws.domain.workspaces import service as workspaces

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.environments.tables import EnvironmentRow, EnvironmentVersionRow

SHOWN = 10


class Chosen(NamedTuple):
    """A version of an environment, as jobs know it."""

    id: int
    name: str
    version: int
    definition: Definition
    workspace: str

    @property
    def shown(self) -> str:
        """`name:version`."""
        return f"{self.name}:{self.version}"


def choose(session: Session, workspace: str, reference: str, aliases: Mapping[str, str], *, field: str = "environment") -> Chosen:
    """The version that a job means now. Raises `UnknownEnvironment`, with the nearest names."""
    space = workspaces.find(session, workspace)
    alias = meant_by(aliases, reference)
    named = references.read(alias if alias is not None else reference)
    row = None if named is None else store.environment(session, space.id, named.name)
    if named is None or row is None or row.archived_at is not None:
        raise _unknown(session, space, reference, alias, aliases, field, archived=row is not None)
    last = store.latest(session, [row.id])[row.id]
    version = last if named.version is None else store.version(session, row.id, named.version)
    if version is None:
        words = f"The environment {row.name!r} has no version {named.version}; its newest is {last.number}."
        raise UnknownEnvironment(words, field=field)
    return _chosen(row, version, space.name)


def chosen_of(session: Session, version_id: int) -> Chosen | None:
    """What a job was given; None if the environment is gone."""
    version = store.version_by_id(session, version_id)
    row = None if version is None else store.environment_by_id(session, version.environment_id)
    if version is None or row is None:
        return None
    return _chosen(row, version, workspaces.workspace_names(session, [row.workspace_id])[row.workspace_id])


def _chosen(row: EnvironmentRow, version: EnvironmentVersionRow, workspace: str) -> Chosen:
    return Chosen(version.id, row.name, version.number, version.definition, workspace)


def usable(chosen: Chosen, kind: str, *, field: str = "environment") -> None:
    """Raise `UnusableEnvironment` for one that jobs of a kind cannot run in."""
    if isinstance(chosen.definition, KernelDefinition) and kind != "notebook":
        raise UnusableEnvironment(
            f"The environment {chosen.shown} is the kernel {chosen.definition.kernel!r}, and kernels run notebooks; a command needs an "
            "environment with an interpreter: `python`, `requirements` or `conda`.",
            field=field,
        )


def _unknown(
    session: Session,
    space: workspaces.WorkspaceRef,
    reference: str,
    alias: str | None,
    aliases: Mapping[str, str],
    field: str,
    *,
    archived: bool,
) -> UnknownEnvironment:
    if archived:
        return UnknownEnvironment(
            f"The environment {reference[:200]!r} is archived; restore it, or name another one.", field=field
        )
    there = [*store.names(session, space.id), *aliases]
    bare = references.read(reference)
    wanted = {reference, *([bare.name] if bare is not None else [])}
    near = [one for text in sorted(wanted, key=len) for one in difflib.get_close_matches(text, there, 3, cutoff=0.5)]
    means = f" (an alias of {alias[:200]!r})" if alias is not None else ""
    hint = f" Did you mean {' or '.join(repr(one) for one in dict.fromkeys(near))}?" if near else ""
    known = f"There are: {', '.join(there[:SHOWN])}." if there else "It has none, and no alias is set."
    return UnknownEnvironment(
        f"Workspace {space.name!r} has no environment {reference[:200]!r}{means}.{hint} {known} `mlws environment create` makes one, "
        "`mlws environment alias set` says what such a name means here.",
        field=field,
    )
