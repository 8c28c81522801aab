"""SQL of the registry: names, versions, their tags and aliases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, not_, select, type_coerce, update

from jupyter_mlws.db import driver
from jupyter_mlws.db.base import Words
from jupyter_mlws.db.values import listed
from jupyter_mlws.domain.models.store import batches
from jupyter_mlws.domain.models.tables import (
    LoggedModelRow,
    ModelAliasRow,
    ModelVersionRow,
    ModelVersionTagRow,
    RegisteredModelRow,
    RegisteredModelTagRow,
)
from jupyter_mlws.domain.search import service as search

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.orm import Session

    from jupyter_mlws.domain.models.states import Stage
    from jupyter_mlws.domain.search.service import CompiledOrder, Found, Records

PROMPT = "mlflow.prompt.is_prompt"
"""Tag of models, and of their versions, that are texts for language models."""
Row, Tag, Version, VersionTag, Alias = (
    RegisteredModelRow,
    RegisteredModelTagRow,
    ModelVersionRow,
    ModelVersionTagRow,
    ModelAliasRow,
)


# Registered models


def model(session: Session, workspace_id: int, name: str) -> RegisteredModelRow | None:
    """The registered model of this name."""
    return session.execute(select(Row).where(Row.workspace_id == workspace_id, Row.name == name)).scalar_one_or_none()


def model_id(session: Session, workspace_id: int, name: str) -> int | None:
    """The key of a registered model, which nobody else changes until the transaction ends: versions are numbered one by one."""
    query = select(Row.id).where(Row.workspace_id == workspace_id, Row.name == name).with_for_update()
    return session.execute(query).scalar_one_or_none()


def add(session: Session, row: RegisteredModelRow | ModelVersionRow) -> None:
    """Store a new model or version."""
    session.add(row)
    session.flush()


def remove(session: Session, row: RegisteredModelRow) -> None:
    """Remove a model with all it has."""
    session.flush()
    session.execute(delete(Row).where(Row.id == row.id))


def remove_of_workspace(session: Session, workspace_id: int) -> None:
    """Remove all registered models of a workspace."""
    session.execute(delete(Row).where(Row.workspace_id == workspace_id))


def runs_in_use(session: Session, run_ids: Collection[str]) -> set[str]:
    """Those of the runs that a version comes from, or whose logged model a version is made of; deleted versions do not count."""
    ids = listed(session, run_ids)
    direct = select(ModelVersionRow.run_id).where(ModelVersionRow.run_id.in_(ids), ModelVersionRow.deleted_at.is_(None))
    logged = (
        select(LoggedModelRow.source_run_id)
        .join(ModelVersionRow, ModelVersionRow.logged_model_id == LoggedModelRow.id)
        .where(LoggedModelRow.source_run_id.in_(ids), ModelVersionRow.deleted_at.is_(None))
    )
    return {*session.execute(direct).scalars(), *session.execute(logged).scalars()}


def names_of(session: Session, ids: Collection[int]) -> dict[int, str]:
    """Names by key."""
    found: dict[int, str] = {}
    for some in batches(ids):
        found.update(dict(session.execute(select(Row.id, Row.name).where(Row.id.in_(some))).all()))
    return found


def tags_of(session: Session, ids: Collection[int]) -> dict[int, dict[str, str]]:
    """Tags by key of the model."""
    found: dict[int, dict[str, str]] = {}
    for some in batches(ids):
        query = select(Tag.model_id, Tag.key, Tag.value).where(Tag.model_id.in_(some)).order_by(Tag.key)
        for owner, key, value in session.execute(query):
            found.setdefault(owner, {})[key] = value
    return found


def set_tags(session: Session, owner: int, tags: Mapping[str, str]) -> None:
    """Set tags of a model."""
    driver.put(
        session,
        Tag.__tablename__,
        [{"model_id": owner, "key": key, "value": value} for key, value in tags.items()],
        ["model_id", "key"],
        ["value"],
    )


def delete_tag(session: Session, owner: int, key: str) -> None:
    """Remove a tag of a model, if it is there."""
    session.execute(delete(Tag).where(Tag.model_id == owner, Tag.key == key))


# Versions


def version(session: Session, owner: int, number: int) -> ModelVersionRow | None:
    """A version that was not deleted."""
    query = select(Version).where(Version.model_id == owner, Version.number == number, Version.deleted_at.is_(None))
    return session.execute(query).scalar_one_or_none()


def newest(session: Session, owner: int) -> ModelVersionRow | None:
    """The version with the greatest number."""
    query = select(Version).where(Version.model_id == owner, Version.deleted_at.is_(None))
    return session.execute(query.order_by(Version.number.desc()).limit(1)).scalar_one_or_none()


def numbers_of(session: Session, owner: int) -> set[int]:
    """All numbers that were ever given, those of deleted versions too."""
    return set(session.execute(select(Version.number).where(Version.model_id == owner)).scalars())


def next_number(session: Session, owner: int) -> int:
    """The number after the greatest that was ever given."""
    return (session.execute(select(func.max(Version.number)).where(Version.model_id == owner)).scalar_one() or 0) + 1


def latest_of_stages(session: Session, ids: Collection[int], stages: Collection[Stage] | None = None) -> list[ModelVersionRow]:
    """The version with the greatest number of each stage of each model."""
    found: list[ModelVersionRow] = []
    for some in batches(ids):
        alive = [Version.model_id.in_(some), Version.deleted_at.is_(None)]
        if stages is not None:
            alive.append(Version.stage.in_(stages))
        last = select(Version.model_id, func.max(Version.number).label("number")).where(*alive)
        latest = last.group_by(Version.model_id, Version.stage).subquery()
        query = select(Version).join(latest, and_(latest.c.model_id == Version.model_id, latest.c.number == Version.number))
        found += session.execute(query.order_by(Version.model_id, Version.number)).scalars()
    return found


def archive_others(session: Session, owner: int, number: int, stage: Stage, into: Stage, at: int) -> None:
    """Move all other versions of a stage into another one."""
    others = (Version.model_id == owner, Version.number != number, Version.stage == stage, Version.deleted_at.is_(None))
    session.execute(update(Version).where(*others).values(stage=into, updated_at=at))


def touch_versions(session: Session, owner: int, at: int) -> None:
    """All versions of a model were changed."""
    session.execute(update(Version).where(Version.model_id == owner, Version.deleted_at.is_(None)).values(updated_at=at))


def empty_version(session: Session, row: ModelVersionRow, at: int) -> None:
    """Leave nothing of a version but its number."""
    row.description, row.source, row.location, row.run_id, row.run_link, row.logged_model_id = None, "", "", "", "", None
    row.deleted_at = row.updated_at = at
    session.flush()
    session.execute(delete(VersionTag).where(VersionTag.model_id == row.model_id, VersionTag.number == row.number))
    session.execute(delete(Alias).where(Alias.model_id == row.model_id, Alias.number == row.number))


def version_tags_of(session: Session, rows: Sequence[ModelVersionRow]) -> dict[tuple[int, int], dict[str, str]]:
    """Tags by model and number: of one version its own, of several those of all versions of their models."""
    found: dict[tuple[int, int], dict[str, str]] = {}
    query = select(VersionTag.model_id, VersionTag.number, VersionTag.key, VersionTag.value).order_by(VersionTag.key)
    for some in batches({row.model_id for row in rows}):
        these = query.where(VersionTag.model_id.in_(some))
        if len(rows) == 1:
            these = these.where(VersionTag.number == rows[0].number)
        for owner, number, key, value in session.execute(these):
            found.setdefault((owner, number), {})[key] = value
    return found


def set_version_tags(session: Session, owner: int, number: int, tags: Mapping[str, str]) -> None:
    """Set tags of a version."""
    rows = [{"model_id": owner, "number": number, "key": key, "value": value} for key, value in tags.items()]
    driver.put(session, VersionTag.__tablename__, rows, ["model_id", "number", "key"], ["value"])


def delete_version_tag(session: Session, owner: int, number: int, key: str) -> None:
    """Remove a tag of a version, if it is there."""
    mine = (VersionTag.model_id == owner, VersionTag.number == number, VersionTag.key == key)
    session.execute(delete(VersionTag).where(*mine))


# Aliases


def aliases_of(session: Session, ids: Collection[int]) -> dict[int, dict[str, int]]:
    """Numbers by alias, by key of the model."""
    found: dict[int, dict[str, int]] = {}
    for some in batches(ids):
        query = select(Alias.model_id, Alias.alias, Alias.number).where(Alias.model_id.in_(some)).order_by(Alias.alias)
        for owner, alias, number in session.execute(query):
            found.setdefault(owner, {})[alias] = number
    return found


def set_alias(session: Session, owner: int, alias: str, number: int) -> None:
    """Let an alias mean a version."""
    driver.put(
        session, Alias.__tablename__, [{"model_id": owner, "alias": alias, "number": number}], ["model_id", "alias"], ["number"]
    )


def delete_alias(session: Session, owner: int, alias: str) -> None:
    """Remove an alias, if it is there."""
    session.execute(delete(Alias).where(Alias.model_id == owner, Alias.alias == alias))


def number_of_alias(session: Session, owner: int, alias: str) -> int | None:
    """The version that an alias means."""
    return session.execute(select(Alias.number).where(Alias.model_id == owner, Alias.alias == alias)).scalar_one_or_none()


# Searches


def model_records() -> Records:
    """What filters over registered models speak of."""
    row, tag = Row.__table__.c, Tag.__table__.c
    attributes = {"name": row["name"], "creation_timestamp": row["created_at"], "last_updated_timestamp": row["updated_at"]}
    return search.Records(
        search.REGISTERED_MODELS, [row["id"]], attributes, search.KeyedColumns(tag["model_id"], tag["key"], tag["value"])
    )


def version_records() -> Records:
    """What filters over versions speak of."""
    row, tag = Version.__table__.c, VersionTag.__table__.c
    attributes = {
        "name": Row.__table__.c["name"],
        "run_id": row["run_id"],
        "source_path": row["source"],
        "version_number": row["number"],
        "current_stage": type_coerce(row["stage"], Words),
        "creation_timestamp": row["created_at"],
        "last_updated_timestamp": row["updated_at"],
    }
    tags = search.KeyedColumns(tag["model_id"], tag["key"], tag["value"])
    return search.Records(
        search.MODEL_VERSIONS, [row["model_id"], row["number"]], attributes, tags, tag_owner=[tag["model_id"], tag["number"]]
    )


def model_page(
    session: Session, workspace_id: int, *, condition: Any, prompts: bool, order: CompiledOrder, after: Any, limit: int
) -> Found[RegisteredModelRow]:
    """Registered models that match, in their order, after a sort key: prompts, or all others."""

    def statement(*keys: Any) -> Select[Any]:
        is_prompt = exists().where(Tag.model_id == Row.id, *_says_prompt(Tag))
        return select(Row, *keys).where(Row.workspace_id == workspace_id, condition, is_prompt if prompts else not_(is_prompt))

    return search.page(session, statement, order, after, limit)


def version_page(
    session: Session, workspace_id: int, *, condition: Any, prompts: bool, order: CompiledOrder, after: Any, limit: int
) -> Found[ModelVersionRow]:
    """Versions that match, in their order, after a sort key: those of prompts, or all others."""

    def statement(*keys: Any) -> Select[Any]:
        mine = (VersionTag.model_id == Version.model_id, VersionTag.number == Version.number)
        is_prompt = exists().where(*mine, *_says_prompt(VersionTag))
        query = select(Version, *keys).join(Row, Row.id == Version.model_id)
        query = query.where(Version.workspace_id == workspace_id, Version.deleted_at.is_(None), condition)
        return query.where(is_prompt if prompts else not_(is_prompt))

    return search.page(session, statement, order, after, limit)


def _says_prompt(tag: type[RegisteredModelTagRow | ModelVersionTagRow]) -> tuple[ColumnElement[bool], ...]:
    return tag.key == PROMPT, func.lower(tag.value) == "true"
