"""Data that lies elsewhere, and where it is found on this machine: the server fetches nothing, a person names a folder for it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from jupyter_mlws.domain.jobs.errors import MirrorMissing
from jupyter_mlws.kit.paths import inside

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTING = "MlwsApp.mirror_map"
SHOWN = 200


def mirrored(mirrors: Mapping[str, str], reference: str, *, field: str) -> Path:
    """Where a reference is found: below the folder of the longest entry that it begins with, in whole names.

    Raises `MirrorMissing` where there is none, `BadPath` for one that would leave the folder.
    """
    bare = re.split(r"[?#]", reference, maxsplit=1)[0] if "://" in reference else reference
    entry = max((name for name in mirrors if _begins(bare, name)), key=len, default=None)
    if entry is None:
        raise MirrorMissing(
            f"{reference[:SHOWN]!r} lies elsewhere, and nothing is fetched. Name the folder of this machine where it is found in the "
            f"server's setting `{SETTING}`; mapped there: {', '.join(sorted(mirrors)) or 'nothing'}.",
            field=field,
        )
    root = Path(mirrors[entry]).expanduser()
    if not root.is_absolute():
        raise MirrorMissing(f"`{SETTING}` has no absolute path for {entry!r}, but {mirrors[entry]!r}.", field=field)
    return inside(root, unquote(bare[len(entry) :]).lstrip("/"), field=field)


def _begins(reference: str, entry: str) -> bool:
    stem = entry.rstrip("/")
    return bool(stem) and (reference.rstrip("/") == stem or reference.startswith(f"{stem}/"))
