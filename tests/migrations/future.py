"""A later version of this program: one more revision, which makes the table of runs anew. For trying upgrades before there are any."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from alembic.config import Config
from sqlalchemy import CheckConstraint

import jupyter_mlws
from jupyter_mlws.domain.runs.tables import RunRow
from jupyter_mlws.migrations import upgrade as upgrading
from jupyter_mlws.server import schema

PACKAGE = Path(jupyter_mlws.__file__).parent
NEXT = f"{int(schema.HEAD) + 1:04d}"
REVISION = '''
"""Colours of runs."""

import os
import time
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "{next}", "{head}", None, None


def upgrade() -> None:
    checks = {checks}
    with op.batch_alter_table("runs", table_args=[sa.CheckConstraint(sql, name=op.f(name)) for name, sql in checks]) as batch:
        batch.add_column(sa.Column("test_colour", sa.Text(), nullable=False, server_default="grey"))
        batch.alter_column("source", existing_type=sa.Text(), nullable=True)
    op.execute("UPDATE runs SET test_colour = 'red' WHERE status = 'Failed'")
    {then}
    op.create_table("test_colours", sa.Column("name", sa.Text(), primary_key=True))
'''
WAIT = """if (midway := os.environ.get("MIDWAY")):
        Path(midway).touch()
        time.sleep(60)"""


def write_revision(folder: Path, then: str = "pass") -> Path:
    """The revision; `then` is a statement that comes when half of it is done."""
    found = [check for check in RunRow.__table__.constraints if isinstance(check, CheckConstraint)]  # type: ignore[attr-defined]  # a Table
    checks = [(str(check.name), str(check.sqltext)) for check in found]
    path = folder / f"{NEXT}_colours.py"
    path.write_text(REVISION.format(next=NEXT, head=schema.HEAD, checks=checks, then=then))
    return path


def live_in_the_future(monkeypatch: pytest.MonkeyPatch, folder: Path, then: str = "pass") -> None:
    """From now on this process is of the later version."""
    write_revision(folder, then)
    make = upgrading.config_for

    def config_for(connection: object = None) -> Config:
        config = make(connection)  # type: ignore[arg-type]
        config.set_main_option("path_separator", "newline")
        config.set_main_option("version_locations", f"{PACKAGE / 'migrations' / 'versions'}\n{folder}")
        return config

    monkeypatch.setattr(upgrading, "config_for", config_for)
    monkeypatch.setattr(schema, "REVISIONS", (*schema.REVISIONS, NEXT))
    monkeypatch.setattr(schema, "HEAD", NEXT)


def build_future(folder: Path, then: str = WAIT) -> dict[str, str]:
    """A copy of the program in its later version; the environment in which processes are of it."""
    copy = folder / "jupyter_mlws"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "labextension"))
    write_revision(copy / "migrations" / "versions", then)
    path = copy / "server" / "schema.py"
    text = path.read_text()
    later = re.sub(r"^(REVISIONS = \(.*?),?\s*\)$", rf'\1, "{NEXT}")', text, flags=re.MULTILINE | re.DOTALL)
    assert later != text
    path.write_text(later)
    return {"PYTHONPATH": os.pathsep.join([str(folder), str(copy / "kernel_path")])}
