"""`python -I environment.py <build folder>`: makes an environment, under a supervisor. Standard library only.

Reads the section `environment` of job.json: `steps` (programs with their arguments, one after the other), `interpreter` (what is there
afterwards), `needs_kernel` (install `ipykernel` at the end if it is missing). Leaves `result.json`: `python_version`, `has_kernel`.
The exit code is that of the step that failed.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

CANCELED = 130
ASK = (
    "import json, platform, importlib.util as u; "
    "print(json.dumps({'python_version': platform.python_version(), 'has_kernel': u.find_spec('ipykernel') is not None}))"
)


def main(folder: Path) -> int:
    """Do the steps; the exit code."""
    section = json.loads((folder / "job.json").read_bytes())["environment"]
    for step in section["steps"]:
        if code := run(step, folder):
            return code
    found = ask(section["interpreter"])
    if found is not None and section["needs_kernel"] and not found["has_kernel"]:
        if code := run([section["interpreter"], "-m", "pip", "install", "--no-input", "ipykernel"], folder):
            return code
        found = ask(section["interpreter"])
    if found is None:
        say(f"{section['interpreter']} is not there, or is no Python: an environment for jobs needs one.")
        return 1
    os.sync()  # it is used after a power cut, too
    (folder / "result.json").write_text(json.dumps(found))
    return 0


def run(step: list[str], folder: Path) -> int:
    """One program, told in the log."""
    say(f"$ {shlex.join(step)}")
    try:
        return subprocess.call(step, cwd=folder, stdin=subprocess.DEVNULL)
    except OSError as error:
        say(f"{step[0]} cannot be started: {error.strerror}")
        return 127


def ask(interpreter: str) -> dict[str, Any] | None:
    """What an interpreter says of itself."""
    try:
        asked = subprocess.run([interpreter, "-I", "-c", ASK], capture_output=True, timeout=60, check=True)
        found: dict[str, Any] = json.loads(asked.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
    return found


def say(words: str) -> None:
    """A line in the log of the build."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1])))
    except KeyboardInterrupt:
        sys.exit(CANCELED)
