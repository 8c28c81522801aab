"""Rows of environments and their versions, and of what runs ran in: many share that, so each distinct list of packages is kept once."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from jupyter_mlws.db.base import Base, BigId, JsonText, varchar
from jupyter_mlws.domain.environments.schemas import Definition, EnvironmentCapture


class EnvironmentRow(Base):
    """A name in a workspace that has versions."""

    __tablename__ = "environments"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(varchar(100))
    created_at: Mapped[int] = mapped_column()
    created_by: Mapped[str] = mapped_column(varchar(255))
    archived_at: Mapped[int | None] = mapped_column()


class EnvironmentVersionRow(Base):
    """A version of an environment. Whether it is built is known to each machine alone, so it does not stand here."""

    __tablename__ = "environment_versions"
    __table_args__ = (UniqueConstraint("environment_id", "number"), UniqueConstraint("environment_id", "definition_hash"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    environment_id: Mapped[int] = mapped_column(ForeignKey("environments.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(Integer())
    definition: Mapped[Definition] = mapped_column(JsonText(Definition))
    definition_hash: Mapped[str] = mapped_column(varchar(64))
    """SHA-256 of the definition: the same again is the same version."""
    description: Mapped[str] = mapped_column()
    tags: Mapped[dict[str, str]] = mapped_column(JsonText(dict[str, str]))
    created_at: Mapped[int] = mapped_column()
    created_by: Mapped[str] = mapped_column(varchar(255))


class PackageSetRow(Base):
    """A list of installed packages."""

    __tablename__ = "package_sets"

    id: Mapped[str] = mapped_column(varchar(64), primary_key=True)
    """SHA-256 of the canonical list."""
    packages: Mapped[dict[str, str]] = mapped_column(JsonText(dict[str, str]))


class RunEnvironmentRow(Base):
    """What a run ran in; its packages stand in `package_sets`."""

    __tablename__ = "run_environments"

    run_id: Mapped[str] = mapped_column(varchar(32), primary_key=True)
    package_set_id: Mapped[str] = mapped_column(varchar(64), index=True)
    capture: Mapped[EnvironmentCapture] = mapped_column(JsonText(EnvironmentCapture))
