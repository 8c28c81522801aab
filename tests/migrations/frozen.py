"""The frozen databases: a small one of each schema version, and what the API then answered of it.

`python -m tests.migrations.frozen` (`make frozen`) makes the one of the present version. It is made once, when the version is
released with it, and never again: it stands for what lies on people's disks.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, MetaData, Table, create_engine, func, select, text

from jupyter_mlws.db.database import Database
from jupyter_mlws.db.engine import sqlite_url
from jupyter_mlws.server.schema import HEAD, ensure_schema
from tests.migrations import contents

FOLDER = Path(__file__).with_name("frozen_databases")
VERSIONS = sorted(path.name.partition(".")[0] for path in FOLDER.glob("*.db.gz"))
LIMIT = 100_000
"""Bytes that one may take in the repository."""


def expected_of(version: str) -> dict[str, Any]:
    """What the API answered of it, when it was made."""
    return json.loads(gzip.decompress((FOLDER / f"{version}.json.gz").read_bytes()))


def thaw(version: str, path: Path) -> Path:
    """Make the SQLite file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.decompress((FOLDER / f"{version}.db.gz").read_bytes()))
    return path


def copy_rows(source: Path, target: Engine) -> None:
    """Bring all rows of an SQLite file into the same tables of another database, whose schema is of the same version."""
    tables = MetaData()
    tables.reflect(target)
    origin = create_engine(sqlite_url(source))
    with origin.connect() as reading, target.begin() as writing:
        for table in tables.sorted_tables:
            rows = [dict(row) for row in reading.execute(select(table)).mappings()]
            if table.name != "alembic_version" and rows:
                writing.execute(table.insert(), rows)
            _go_on_counting(writing, table)
    origin.dispose()


def _go_on_counting(connection: Any, table: Table) -> None:
    key = table.autoincrement_column
    if key is None or connection.dialect.name != "postgresql":
        return
    greatest = connection.execute(select(func.max(key))).scalar_one()
    if greatest is not None:
        sequence = text("SELECT setval(pg_get_serial_sequence(:table, :column), :value)")
        connection.execute(sequence, {"table": table.name, "column": key.name, "value": greatest})


def freeze(folder: Path) -> list[Path]:
    """Write the file and the answers of the present version."""
    with tempfile.TemporaryDirectory() as work:
        path, compact = Path(work) / "mlws.db", Path(work) / "compact.db"
        database = Database(sqlite_url(path))
        ensure_schema(database.writer_engine)
        database.start()
        database.write_sync(contents.fill)
        answers = database.read_sync(contents.read)
        database.close()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("VACUUM INTO ?", (str(compact),))
        made = {f"{HEAD}.db.gz": compact.read_bytes(), f"{HEAD}.json.gz": json.dumps(answers, ensure_ascii=False).encode()}
    for name, content in made.items():
        (folder / name).write_bytes(gzip.compress(content, mtime=0))
    return [folder / name for name in made]


def main() -> int:
    """Freeze the present version, unless it is frozen."""
    FOLDER.mkdir(exist_ok=True)
    if HEAD in VERSIONS and "--again" not in sys.argv:
        print(f"Schema {HEAD} is frozen already. Before its release it may be made anew: --again.")
        return 1
    for path in freeze(FOLDER):
        print(f"{path.relative_to(Path.cwd())}: {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
