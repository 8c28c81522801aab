"""What a database consists of, in the database's own words, and how that of the migrations differs from that of the tables."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, MetaData, inspect, text

from jupyter_mlws.migrations.upgrade import upgrade
from jupyter_mlws.server.schema import HEAD, STAMP

COLUMNS = """
SELECT c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod) || coalesce(' COLLATE ' || o.collname, '')
  || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
  || CASE WHEN a.attidentity <> '' THEN ' IDENTITY ' || a.attidentity::text ELSE '' END
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum LEFT JOIN pg_collation o ON o.oid = a.attcollation
WHERE a.attnum > 0 AND NOT a.attisdropped"""
CONSTRAINTS = """
SELECT 'constraint ' || conrelid::regclass::text || '.' || conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = current_schema()::regnamespace"""
INDEXES = "SELECT 'index ' || indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()"
SEQUENCES = "SELECT 'sequence ' || sequencename, data_type::text FROM pg_sequences WHERE schemaname = current_schema()"


def parts_of(engine: Engine) -> set[str]:
    """Every column, constraint, index and sequence, a line each; the order of columns does not count."""
    with engine.connect() as connection:
        return _parts_of_sqlite(connection) if engine.dialect.name == "sqlite" else _parts_of_postgres(connection)


def _parts_of_postgres(connection: Connection) -> set[str]:
    found = set()
    for query in (COLUMNS, CONSTRAINTS, INDEXES, SEQUENCES):
        found |= {f"{name}: {what}" for name, what in connection.execute(text(query))}
    return found


def _parts_of_sqlite(connection: Connection) -> set[str]:
    found = set()
    for kind, table, sql in connection.exec_driver_sql("SELECT type, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"):
        plain = " ".join(sql.replace('"', "").split())
        body = plain[plain.index("(") + 1 : plain.rindex(")")]
        found |= {f"{table}: {part}" for part in _split(body)} if kind == "table" else {plain}
    return found


def _split(body: str) -> list[str]:
    """The columns and constraints of a CREATE TABLE: what stands between commas outside of parentheses."""
    parts, depth = [""], 0
    for char in body:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]


def differences(by_tables: Engine, by_migrations: Engine) -> list[str]:
    """What only one of two databases has."""
    tables, migrations = parts_of(by_tables), parts_of(by_migrations)
    lines = [f"only in the tables:     {part}" for part in tables - migrations]
    return sorted(lines + [f"only in the migrations: {part}" for part in migrations - tables])


ADVICE = """
The tables (the files tables.py) are not what the migrations make. Change the schema in three steps:
  make revision SAYS='what it does'    writes a draft into jupyter_mlws/migrations/versions: look at it, and mend it
  add its number to REVISIONS in jupyter_mlws/server/schema.py
  make frozen                          keeps a small database of the new version, from which upgrades are tested ever after
What differs now:
"""


def compare(metadata: MetaData, by_tables: Engine, by_migrations: Engine) -> str:
    """Makes one empty database from the tables, one by all migrations; what differs, with what to do, or nothing."""
    metadata.create_all(by_tables)
    STAMP.create(by_tables)
    upgrade(by_migrations, HEAD)
    found = differences(by_tables, by_migrations)
    return ADVICE + "\n".join(found) if found else ""


def tables_of(engine: Engine) -> set[str]:
    """Names of its tables."""
    return set(inspect(engine).get_table_names())
