"""`python -I environment.py <build folder>`: makes an environment, under a supervisor. Standard library only.

Reads the section `environment` of job.json: `steps` (programs with their arguments, one after the other), `interpreter` (what is there
afterwards), `needs_kernel` (install `ipykernel` at the end if it is missing), `as_pip` (the steps are uv's, and ask
the indexes that pip is set up for). Leaves `result.json`: `python_version`, `has_kernel`. The exit code is that of the step that failed.
"""

from __future__ import annotations

import ast
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

CANCELED = 130
OF_PIP = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "constraint": ("UV_CONSTRAINT", " "),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", " "),
}
"""Settings of pip, the variables that mean the same to uv, and what stands between several values there."""
ASK = (
    "import json, platform, importlib.util as u; "
    "print(json.dumps({'python_version': platform.python_version(), 'has_kernel': u.find_spec('ipykernel') is not None}))"
)


def main(folder: Path) -> int:
    """Do the steps; the exit code."""
    section = json.loads((folder / "job.json").read_bytes())["environment"]
    steps = section["steps"]
    if section.get("as_pip"):
        settings = settings_of_pip()
        os.environ.update(variables_of_uv(settings, os.environ))
        steps = [[*step, *options_of_uv(step, settings)] for step in steps]
    for step in steps:
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


def settings_of_pip() -> dict[str, str]:
    """What pip is set up with here, by files and variables: its option's name → value."""
    try:
        asked = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        say("pip does not say what it is set up with; uv goes by its own settings.")
        return {}
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in asked.stdout.splitlines():
        key, _, value = line.partition("=")
        place, _, name = key.rpartition(".")
        if place in found:
            try:
                found[place][name] = str(ast.literal_eval(value))
            except (ValueError, SyntaxError):
                continue
    return {**found["global"], **found["install"], **found[":env:"]}


def variables_of_uv(settings: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Variables by which uv installs what pip would with these settings; what is `given` for uv already stays."""
    wanted = {"UV_INDEX_STRATEGY": "unsafe-best-match"}  # pip's only one: the best version of all indexes
    if proxy := settings.get("proxy"):
        wanted |= {"HTTPS_PROXY": proxy, "HTTP_PROXY": proxy}
    for name, (variable, between) in OF_PIP.items():
        if values := settings.get(name, "").split():
            wanted[variable] = between.join(values)
    return {name: value for name, value in wanted.items() if name not in given}


def options_of_uv(step: list[str], settings: Mapping[str, str]) -> list[str]:
    """What uv has no variable for."""
    without = settings.get("no-index", "").lower() in ("1", "true", "yes", "on")
    return ["--no-index"] if without and "install" in step else []


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
