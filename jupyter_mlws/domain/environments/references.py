"""The ways to name an environment: `name`, `name:version`, `name@latest`, with `azureml:` before it, or the address of a registry. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

LATEST = "latest"
REGISTRY = re.compile(r"azureml://registries/[^/]+/environments/([^/]+)(?:/versions/([^/]+)|/labels/([^/]+))?/?")
PLAIN = re.compile(r"([^:@/\s]+)(?::([^:@/\s]+)|@([^:@/\s]+))?")
VERSION = re.compile(r"[1-9][0-9]{0,8}")


class Named(NamedTuple):
    """An environment and its version."""

    name: str
    version: int | None
    """None for the newest."""


def read(reference: str) -> Named | None:
    """What a reference names; None for one that is of no such form, or names a version or label that there cannot be."""
    match = REGISTRY.fullmatch(reference) or PLAIN.fullmatch(reference.removeprefix("azureml:"))
    if match is None:
        return None
    name, version, label = match.groups()
    if label is not None:
        return Named(name, None) if label == LATEST else None
    if version is None or version == LATEST:
        return Named(name, None)
    return Named(name, int(version)) if VERSION.fullmatch(version) else None
