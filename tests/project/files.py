"""The files of the project, for the tests of this folder."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
GENERATED = ("src/api/schema.d.ts", "openapi.json", "yarn.lock", "ui-tests/yarn.lock")


def project_files(*suffixes: str) -> list[Path]:
    """Files that git tracks or would track, without the generated ones; all of them, or those with one of the suffixes."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    paths = [ROOT / name for name in listed.decode().split("\0") if name and name not in GENERATED]
    return sorted(p for p in paths if p.is_file() and (not suffixes or p.suffix in suffixes))
