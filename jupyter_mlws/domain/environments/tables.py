"""Rows of captured environments: many runs share one, so each distinct list of packages is kept once."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from jupyter_mlws.db.base import Base, JsonText, varchar
from jupyter_mlws.domain.environments.schemas import EnvironmentCapture


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
