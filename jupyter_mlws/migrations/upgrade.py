"""Runs Alembic on an engine that is open already."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config

if TYPE_CHECKING:
    from sqlalchemy import Engine


def config_for(engine: Engine) -> Config:
    """Alembic's configuration for this package's migrations, bound to `engine`."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["engine"] = engine
    return config


def upgrade(engine: Engine, revision: str) -> None:
    """Bring the schema to `revision`."""
    command.upgrade(config_for(engine), revision)
