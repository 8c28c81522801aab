"""The fixed texts of what runs with each logged point, by database. `?` stands for a value."""

from __future__ import annotations

# SQLite takes a list of values as one JSON text, PostgreSQL as arrays, one a column.
_KEYS = {"sqlite": "key IN (SELECT value FROM json_each(?))", "postgresql": "key = ANY(?)", "range": "key BETWEEN ? AND ?"}
_COLUMNS = "id, value, is_nan, min_value, max_value, step, time, count, tail_count, untidy"
SERIES = {how: f"SELECT key, {_COLUMNS} FROM metric_latest WHERE run_id = ? AND {keys}" for how, keys in _KEYS.items()}  # noqa: S608
SERIES["postgresql"] += " FOR UPDATE"
IDS = {how: f"SELECT key, id FROM metric_latest WHERE run_id = ? AND {keys}" for how, keys in _KEYS.items()}  # noqa: S608
LATEST = """
SELECT id, run_id, key, value, min_value, max_value, step, time, count
FROM metric_latest WHERE run_id {among} ORDER BY run_id, key"""
LATEST_OF = """
SELECT id, run_id, key, value, min_value, max_value, step, time, count
FROM metric_latest WHERE run_id = ? AND key {among} ORDER BY key"""
TAIL_AT = {
    "sqlite": """
        SELECT t.series_id, t.step, t.time, t.value
        FROM json_each(?) AS p CROSS JOIN metric_tail AS t
        ON t.series_id = json_extract(p.value, '$[0]')
        AND t.step = json_extract(p.value, '$[1]') AND t.time = json_extract(p.value, '$[2]')""",
    "postgresql": """
        SELECT t.series_id, t.step, t.time, t.value
        FROM unnest(?::bigint[], ?::bigint[], ?::bigint[]) AS p (series_id, step, time)
        JOIN metric_tail AS t ON t.series_id = p.series_id AND t.step = p.step AND t.time = p.time""",
}
CHUNKS_OVER = {
    "sqlite": """
        SELECT c.series_id, c.id, c.first_step, c.first_time, c.last_step, c.last_time
        FROM json_each(?) AS p CROSS JOIN metric_chunk AS c
        ON c.series_id = json_extract(p.value, '$[0]')
        AND (c.first_step, c.first_time) <= (json_extract(p.value, '$[3]'), json_extract(p.value, '$[4]'))
        AND (c.last_step, c.last_time) >= (json_extract(p.value, '$[1]'), json_extract(p.value, '$[2]'))""",
    "postgresql": """
        SELECT c.series_id, c.id, c.first_step, c.first_time, c.last_step, c.last_time
        FROM unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[]) AS p (series_id, a, b, c, d)
        JOIN metric_chunk AS c ON c.series_id = p.series_id
        AND (c.first_step, c.first_time) <= (p.c, p.d) AND (c.last_step, c.last_time) >= (p.a, p.b)""",
}
_NEWER = (
    "(excluded.step, excluded.time, COALESCE(excluded.value, 0.0), NOT excluded.is_nan) > "
    "(metric_latest.step, metric_latest.time, COALESCE(metric_latest.value, 0.0), NOT metric_latest.is_nan)"
)
_NEW_SERIES = """
INSERT INTO metric_latest
  (run_id, experiment_id, key, value, is_nan, min_value, max_value, step, time, count, tail_count, untidy)
"""
_STAND = "?::float8[], ?::boolean[], ?::float8[], ?::float8[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::boolean[]"
# The conflict is another server's: on PostgreSQL two may make the same series at once.
_MERGED = f"""
ON CONFLICT (run_id, key) DO UPDATE SET
  value = CASE WHEN {_NEWER} THEN excluded.value ELSE metric_latest.value END,
  is_nan = CASE WHEN {_NEWER} THEN excluded.is_nan ELSE metric_latest.is_nan END,
  step = CASE WHEN {_NEWER} THEN excluded.step ELSE metric_latest.step END,
  time = CASE WHEN {_NEWER} THEN excluded.time ELSE metric_latest.time END,
  min_value = CASE WHEN metric_latest.min_value <= excluded.min_value OR excluded.min_value IS NULL
    THEN metric_latest.min_value ELSE excluded.min_value END,
  max_value = CASE WHEN metric_latest.max_value >= excluded.max_value OR excluded.max_value IS NULL
    THEN metric_latest.max_value ELSE excluded.max_value END,
  count = metric_latest.count + excluded.count,
  tail_count = metric_latest.tail_count + excluded.tail_count,
  untidy = metric_latest.untidy OR excluded.untidy
"""
ADD_SERIES = {
    "sqlite": _NEW_SERIES + "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" + _MERGED,
    "postgresql": _NEW_SERIES + f"SELECT ?, ?, new.* FROM unnest(?::text[], {_STAND}) AS new" + _MERGED,  # noqa: S608 - constants
}
SET_SERIES = """
UPDATE metric_latest SET
  value = ?, is_nan = ?, min_value = ?, max_value = ?, step = ?, time = ?, count = ?, tail_count = ?, untidy = ?
WHERE id = ?
"""
SET_MANY_SERIES = f"""
UPDATE metric_latest AS old SET
  value = new.value, is_nan = new.is_nan, min_value = new.min_value, max_value = new.max_value, step = new.step, time = new.time,
  count = new.count, tail_count = new.tail_count, untidy = new.untidy
FROM unnest({_STAND}, ?::bigint[])
  AS new (value, is_nan, min_value, max_value, step, time, count, tail_count, untidy, id)
WHERE old.id = new.id
"""  # noqa: S608 - only a constant of this module goes in
"""On PostgreSQL, where each statement is a way to the server and back."""
TAIL = "series_id, step, time, value"
ADD_TAIL = f"INSERT INTO metric_tail ({TAIL}) VALUES (?, ?, ?, ?)"  # noqa: S608 - constants
ONE_SERIES = f"SELECT {_COLUMNS} FROM metric_latest WHERE run_id = ? AND key = ?"  # noqa: S608 - constants


def appending(rows: str) -> str:
    """Two parts of a statement of PostgreSQL: `moved`, the series of which one of the `rows` (n, run_id, key, value, step, time, …) is a
    point behind the last, with these columns; and `stored`, which adds these points. No series may be in `rows` twice; NULL is NaN."""
    return f"""
moved AS (
  UPDATE metric_latest AS old SET
    value = new.value, is_nan = new.value IS NULL, min_value = LEAST(old.min_value, new.value),
    max_value = GREATEST(old.max_value, new.value), step = new.step, time = new.time, count = old.count + 1,
    tail_count = old.tail_count + 1
  FROM {rows} AS new
  WHERE old.run_id = new.run_id AND old.key = new.key
    AND (new.step > old.step OR (new.step = old.step AND new.time > old.time))
  RETURNING old.id AS series_id, new.*),
stored AS (INSERT INTO metric_tail ({TAIL}) SELECT {TAIL} FROM moved)"""  # noqa: S608 - names of ours
