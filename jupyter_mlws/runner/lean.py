"""Imports papermill and nbclient without what they can do without: 0.4 s instead of 3 s.

`jsonschema` would build a grammar of internationalised URLs (2.5 s) and other format checkers that notebooks have no use for;
papermill would load cloud storage clients. All of these are optional to them, so they are told that they are not there.
"""

from __future__ import annotations

import importlib.util
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKERS = "rfc3987_syntax rfc3987 rfc3986_validator rfc3339_validator isoduration fqdn webcolors uri_template jsonpointer"
STORAGE = "boto3 azure gcsfs pyarrow github aiohttp"
UNNEEDED = (*CHECKERS.split(), *STORAGE.split())


@contextmanager
def lean_imports() -> Iterator[None]:
    """Inside of this, optional dependencies that cost much are missing; afterwards they can be imported as ever."""
    hidden = [name for name in UNNEEDED if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # how Python itself says "cannot be imported"
    _defer("requests")
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)


def _defer(name: str) -> None:
    """Load module `name` at its first use: papermill imports `requests` for notebooks on the web alone."""
    if name in sys.modules:
        return
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        return
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
