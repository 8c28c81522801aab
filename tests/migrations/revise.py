"""Writes a draft of the next revision: what the tables say and the migrations do not yet. `make revision SAYS='what it does'`."""

from __future__ import annotations

import sys

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from jupyter_mlws.migrations.upgrade import config_for, upgrade
from jupyter_mlws.server import tables


def main() -> int:
    """Compare the tables with an SQLite database that the migrations made."""
    says = " ".join(sys.argv[1:]).strip()
    if not says:
        print("Say what the revision does: make revision SAYS='runs have a colour'")
        return 2
    tables.load()
    head = ScriptDirectory.from_config(config_for()).get_current_head()
    number = f"{int(head or 0) + 1:04d}"
    engine = create_engine("sqlite://")
    upgrade(engine, "head")
    with engine.begin() as connection:
        command.revision(config_for(connection), says, autogenerate=True, rev_id=number)
    engine.dispose()
    print(f"Look at it, then add {number} to REVISIONS in jupyter_mlws/server/schema.py, and run `make frozen`.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
