"""What an environment may be defined by, checked without running anything, and what tells two definitions apart.

A definition is whole in itself: what it names by a relative path would be another file tomorrow, and another one on another machine.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import yaml
from msgspec import UNSET

from jupyter_mlws.domain.environments.errors import UnusableDefinition
from jupyter_mlws.domain.environments.schemas import (
    Definition,
    KernelDefinition,
    PythonDefinition,
    RequirementsDefinition,
)

LINES = 5_000
OPTIONS = {
    "index-url": True,
    "extra-index-url": True,
    "find-links": True,
    "no-index": False,
    "trusted-host": True,
    "pre": False,
    "prefer-binary": False,
    "require-hashes": False,
    "no-binary": True,
    "only-binary": True,
}
"""Long options that a requirements text may have, and whether a value follows."""
SHORT = {"-i": "index-url", "-f": "find-links"}
OF_UV = frozenset({"index-url", "extra-index-url", "find-links", "no-index", "no-binary", "only-binary"})
"""Those of them that uv understands in a file as pip does."""
OTHER_FILES = ("-r", "--requirement", "-c", "--constraint")
EDITABLE = ("-e", "--editable")
VARIABLE = re.compile(r"\$\{[A-Z0-9_]+\}")
"""How pip names a variable of the environment."""
VERSION = re.compile(r"3\.\d{1,2}(\.\d{1,3})?")
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
COMMENT = re.compile(r"(^|\s+)#.*$")
KERNEL_PACKAGE = "ipykernel"
CONDA_FIELD = "definition.conda_file"
CONDA_KEYS = ("name", "channels", "dependencies", "variables")
PINNED = re.compile(rf"{NAME.pattern}==[A-Za-z0-9][A-Za-z0-9.!+_-]*")
"""A package with its version, as a captured list of packages should have them."""


def checked(definition: Definition) -> Definition:
    """The definition with its lines tidied. Raises `UnusableDefinition` with the line that cannot be kept."""
    if isinstance(definition, KernelDefinition):
        _check_plain(definition.kernel, "definition.kernel", "The name of a kernel")
        return definition
    if isinstance(definition, PythonDefinition):
        _check_interpreter(definition.python)
        return definition
    if isinstance(definition, RequirementsDefinition):
        text = tidied(definition.requirements, "definition.requirements")
        for _ in requirements(text, "definition.requirements"):
            pass
        if definition.python is not UNSET and VERSION.fullmatch(definition.python) is None:
            _check_interpreter(definition.python)
        return msgspec.structs.replace(definition, requirements=text)
    text = tidied(definition.conda_file, "definition.conda_file")
    conda_packages(text)
    return msgspec.structs.replace(definition, conda_file=text)


def hash_of(definition: Definition) -> str:
    """SHA-256 of a definition."""
    return hashlib.sha256(msgspec.json.encode(definition, order="deterministic")).hexdigest()


def tidied(text: str, field: str) -> str:
    """A text with line ends and trailing spaces as all have them. Raises `UnusableDefinition` for control characters."""
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    if len(lines) > LINES:
        raise UnusableDefinition(f"The file has {len(lines):,} lines; {LINES:,} are the most.", field=field)
    for number, line in enumerate(lines, start=1):
        if any((ord(char) < 32 and char != "\t") or ord(char) == 127 or 0xD800 <= ord(char) <= 0xDFFF for char in line):
            raise UnusableDefinition(f"Line {number} has a control character, or is no valid text.", field=field)
    return "\n".join(lines).strip("\n") + "\n"


def requirements(text: str, field: str) -> list[tuple[int, str]]:
    """(line, requirement or option) of a requirements text. Raises `UnusableDefinition` for what lies outside of it."""
    found, started, joined = [], 0, ""
    for number, line in enumerate(text.split("\n"), start=1):
        bare = COMMENT.sub("", line)
        started = started if joined else number
        if bare.endswith("\\"):
            joined += bare[:-1] + " "
            continue
        whole, joined = (joined + bare).strip(), ""
        if whole:
            _check_line(whole, started, field)
            found.append((started, whole))
    return found


def options_of(text: str) -> set[str]:
    """The options that a requirements text has, by their long names."""
    words = [_option(line)[0] for _, line in requirements(text, "requirements") if line.startswith("-")]
    # A hash stands behind a requirement.
    return {*words, *({"hash"} if " --hash" in text else ())}


def _option(line: str) -> tuple[str, str]:
    """(name, value) of an option: its long name without dashes, or a short one that is not taken as it is written."""
    for short in (*SHORT, *OTHER_FILES, *EDITABLE):
        if len(short) == 2 and line.startswith(short):
            return SHORT.get(short, short), line[2:]
    word, _, value = line.replace("=", " ", 1).partition(" ")
    return (word if word in (*OTHER_FILES, *EDITABLE) else word.removeprefix("--")), value


def names_package(text: str, package: str) -> bool:
    """Whether a requirements text asks for a package by its name."""
    wanted = _normal(package)
    matches = (NAME.match(line) for _, line in requirements(text, "requirements"))
    return any(match is not None and _normal(match.group()) == wanted for match in matches)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _check_line(line: str, number: int, field: str) -> None:
    where = f"Line {number} ({line[:60]!r})"
    if line.startswith("-"):
        _check_option(line, where, field)
        return
    for address in ADDRESS.findall(line):
        _check_address(address, where, field)
    target = line.partition(" @ ")[2].strip() or line
    if target.startswith("/"):
        return
    relative = target.startswith((".", "~", "\\")) or ("/" in target and "://" not in target and not target.startswith("file:"))
    if relative or (target.startswith("file:") and not target.startswith(("file:///", "file://localhost/"))):
        words = "names a file by a relative path, which an environment cannot keep; name it by its absolute path, or a package by its name."
        raise UnusableDefinition(f"{where} {words}", field=field)


def _check_option(line: str, where: str, field: str) -> None:
    word, rest = _option(line)
    if word in OTHER_FILES:
        words = "names another file, which could change although the version does not: put its lines here."
        raise UnusableDefinition(f"{where} {words}", field=field)
    if word in EDITABLE:
        words = (
            "installs a folder that can be edited: it would change although the version does not. Name the folder without `-e`."
        )
        raise UnusableDefinition(f"{where} {words}", field=field)
    if word not in OPTIONS or not line.startswith(("--", *SHORT)):
        allowed = ", ".join(f"--{one}" for one in OPTIONS)
        raise UnusableDefinition(f"{where}: this option is not taken. Taken are {allowed}.", field=field)
    value = rest.strip().strip("\"'")
    if OPTIONS[word] and not value:
        raise UnusableDefinition(f"{where}: --{word} needs a value.", field=field)
    if "://" in value:
        _check_address(value, where, field)
    elif word == "find-links" and not value.startswith("/"):
        raise UnusableDefinition(f"{where}: the folder must be named by its absolute path.", field=field)


def _check_address(address: str, where: str, field: str) -> None:
    """Whoever may read the workspace reads its environments, so no address says a password."""
    try:
        parts = urlsplit(address.split()[0])
        named = parts.username not in (None, "git") and parts.scheme.startswith("http")
        secret = parts.password if parts.password is not None else parts.username if named else None
    except ValueError:
        raise UnusableDefinition(f"{where}: this is no address.", field=field) from None
    if secret is not None and not VARIABLE.fullmatch(secret):
        words = "has a user name or password in an address; write ${NAME}, a variable of the server's environment, in its place."
        raise UnusableDefinition(f"{where} {words}", field=field)


def _check_plain(text: str, field: str, what: str) -> None:
    if not text.isprintable() or text != text.strip() or text.startswith("-"):
        raise UnusableDefinition(f"{what} cannot be {text[:80]!r}.", field=field)


def _check_interpreter(path: str) -> None:
    _check_plain(path, "definition.python", "An interpreter")
    if not Path(path).is_absolute() or ".." in Path(path).parts:
        words = f"An interpreter is named by its absolute path, or by a version such as 3.11, not by {path[:80]!r}."
        raise UnusableDefinition(words, field="definition.python")


# --- files of conda's


class _Loader(yaml.SafeLoader):  # type: ignore[misc] # PyYAML ships no types
    """Refuses aliases: few characters could stand for gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (`*name`) are not taken")
        return super().compose_node(parent, index)


def conda_packages(text: str) -> tuple[list[str], list[str]]:
    """(packages of conda's, requirements of pip's) of a conda file. Raises `UnusableDefinition`."""
    found = _conda_file(text)
    packages, by_pip = [], []
    for one in found["dependencies"]:
        if isinstance(one, str):
            _check_plain(one, CONDA_FIELD, "A package of conda's")
            packages.append(one)
        elif isinstance(one, dict) and list(one) == ["pip"] and isinstance(one["pip"], list):
            by_pip += [str(line) for line in one["pip"]]
        else:
            raise UnusableDefinition(f"A dependency is a text, or `pip:` with a list, not {str(one)[:80]!r}.", field=CONDA_FIELD)
    if by_pip:
        requirements(tidied("\n".join(by_pip), CONDA_FIELD), CONDA_FIELD)
    return packages, by_pip


def _conda_file(text: str) -> dict[str, Any]:
    """The mapping that a conda file is, its channels checked."""
    try:
        found = yaml.load(text, _Loader)  # noqa: S506 - derived from the safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        words = f"The conda file cannot be read: {' '.join(str(error).split())[:300]}."
        raise UnusableDefinition(words, field=CONDA_FIELD) from None
    if not isinstance(found, dict) or not isinstance(found.get("dependencies"), list):
        raise UnusableDefinition("A conda file is a mapping with a list of `dependencies`.", field=CONDA_FIELD)
    if other := [str(name) for name in found if name not in CONDA_KEYS]:
        raise UnusableDefinition(f"A conda file has {', '.join(CONDA_KEYS)}, and no {other[0][:60]!r}.", field=CONDA_FIELD)
    channels = found.get("channels") or []
    if not isinstance(channels, list) or not all(isinstance(one, str) for one in channels):
        raise UnusableDefinition("`channels` is a list of texts.", field=CONDA_FIELD)
    for channel in channels:
        _check_plain(channel, CONDA_FIELD, "A channel")
        if "://" in channel:
            _check_address(channel, f"The channel {channel[:60]!r}", CONDA_FIELD)
    return found
