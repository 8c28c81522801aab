"""Stores written by hand: as large, as old or as hostile as a test wants them."""

from __future__ import annotations

import sqlite3
import uuid
from pathlib import Path

WHEN = 1_700_000_000_000
ORIGIN = uuid.uuid4().hex[:20]
"""How the ids of this process begin: no two tests of one server take the same."""


def experiment(root: Path, experiment_id: str = "1", name: str = "by hand") -> Path:
    """An experiment of an `mlruns` folder."""
    folder = root / experiment_id
    folder.mkdir(parents=True)
    lines = [f"artifact_location: {folder.as_uri()}", f"creation_time: {WHEN}", f"experiment_id: '{experiment_id}'"]
    lines += [f"last_update_time: {WHEN}", "lifecycle_stage: active", f"name: {name}"]
    (folder / "meta.yaml").write_text("\n".join(lines) + "\n")
    return folder


def run_id(number: int) -> str:
    """The id of the run with this number."""
    return f"{ORIGIN}{number:012x}"


def run(folder: Path, number: int, *, uri: str | None = None, status: int = 3) -> Path:
    """A run of an experiment, without anything logged."""
    at = folder / run_id(number)
    for part in ("params", "metrics", "tags", "artifacts"):
        (at / part).mkdir(parents=True)
    lines = [f"artifact_uri: {uri or (at / 'artifacts').as_uri()}", f"end_time: {WHEN + 1000 if status > 2 else 'null'}"]
    lines += [f"experiment_id: '{folder.name}'", "lifecycle_stage: active", f"run_id: '{at.name}'", f"run_name: run {number}"]
    lines += [f"start_time: {WHEN}", f"status: {status}", "user_id: someone"]
    (at / "meta.yaml").write_text("\n".join(lines) + "\n")
    return at


def filled(folder: Path, number: int, *, points: int, size: int = 1000) -> Path:
    """A run with a param, two metrics and two files."""
    at = run(folder, number)
    (at / "params" / "number").write_text(str(number))
    for key in ("loss", "acc"):
        (at / "metrics" / key).write_text("".join(f"{WHEN + n} {n + number / 7!r} {n}\n" for n in range(points)))
    (at / "artifacts" / "deep").mkdir()
    (at / "artifacts" / "one.txt").write_text(f"run {number} " * (size // 8))
    (at / "artifacts" / "deep" / "two.bin").write_bytes(bytes(range(256)) * (size // 256 + 1) + str(number).encode())
    return at


OLD = """
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name VARCHAR(256), artifact_location VARCHAR(256),
    lifecycle_stage VARCHAR(32));
CREATE TABLE runs (run_uuid VARCHAR(32) PRIMARY KEY, name VARCHAR(250), status VARCHAR(20), start_time BIGINT, end_time BIGINT,
    lifecycle_stage VARCHAR(20), artifact_uri VARCHAR(200), experiment_id INTEGER, user_id VARCHAR(256));
CREATE TABLE metrics (key VARCHAR(250), value FLOAT, timestamp BIGINT, run_uuid VARCHAR(32));
CREATE TABLE params (key VARCHAR(250), value VARCHAR(250), run_uuid VARCHAR(32));
CREATE TABLE tags (key VARCHAR(250), value VARCHAR(250), run_uuid VARCHAR(32));
INSERT INTO experiments VALUES (0, 'Default', './mlruns/0', 'active'), (1, 'old', './mlruns/1', 'active');
"""


def old_database(path: Path, uris: dict[int, str]) -> None:
    """A database as MLflow 1 wrote it: no steps, no registry, no inputs. A run for each of the addresses of artifacts."""
    with sqlite3.connect(path) as database:
        database.executescript(OLD)
        for number, uri in uris.items():
            row = (run_id(number), f"run {number}", "FINISHED", WHEN, WHEN + 5, "active", uri, 1, "someone")
            database.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            database.execute("INSERT INTO metrics VALUES ('loss', 0.5, ?, ?)", (WHEN, run_id(number)))
            database.execute("INSERT INTO params VALUES ('../../up', 'v', ?)", (run_id(number),))
    database.close()
