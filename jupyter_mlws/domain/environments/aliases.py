"""The alias table of a server: names that job files use elsewhere, and the environments that they mean here.

What the settings say, and over it what was changed since, which stands in a file of the data folder. A file, not the database, which
servers may share: an alias stands for what one machine has.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import msgspec

from jupyter_mlws.domain.environments.schemas import AliasList, EnvironmentAlias
from mlws.jobdir import write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

log = logging.getLogger(__name__)


class Aliases:
    """The table."""

    def __init__(self, path: Path, settings: Mapping[str, str]) -> None:
        self._path = path
        self._settings = dict(settings)
        self._lock = threading.Lock()

    def table(self) -> dict[str, str]:
        """All aliases. Reads a file."""
        return {**self._settings, **self._changed()}

    def listed(self) -> AliasList:
        """All aliases for the wire."""
        found = sorted(self.table().items())
        changed = self._changed()
        return AliasList(
            aliases=[
                EnvironmentAlias(alias=alias, environment=name, from_settings=alias not in changed and alias in self._settings)
                for alias, name in found
            ]
        )

    def in_settings(self, alias: str) -> bool:
        """Whether the settings name it: then it cannot be removed here."""
        return alias in self._settings

    def change(self, changes: Mapping[str, str | None]) -> AliasList:
        """Set aliases, or remove them (None). Writes a file."""
        with self._lock:
            changed = self._changed()
            for alias, name in changes.items():
                if name is None:
                    changed.pop(alias, None)
                else:
                    changed[alias] = name
            write_atomic(str(self._path), msgspec.json.encode(changed), durable=True)
        return self.listed()

    def _changed(self) -> dict[str, str]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, str])
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            log.warning("%s cannot be read, so the aliases in it do not count: %s", self._path, error)
            return {}


def meant_by(table: Mapping[str, str], reference: str) -> str | None:
    """What an alias means: the one that is written so, else the longest pattern that fits."""
    if reference in table:
        return table[reference]
    fitting = [alias for alias in table if "*" in alias and fits(alias, reference)]
    return table[max(fitting, key=len)] if fitting else None


def fits(alias: str, reference: str) -> bool:
    """Whether a reference has the parts of an alias between its `*`, in their order. Linear, whatever the alias is."""
    first, *rest = alias.split("*")
    if not rest:
        return alias == reference
    last = rest.pop()
    if not reference.startswith(first) or not reference[len(first) :].endswith(last):
        return False
    place, end = len(first), len(reference) - len(last)
    for part in rest:
        place = reference.find(part, place, end)
        if place < 0:
            return False
        place += len(part)
    return True
