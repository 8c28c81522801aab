"""Starts Jupyter Server as `python -m jupyter_server` does, but sooner.

Most of its start is a grammar of internationalised URLs that `jsonschema` builds while it is imported, of a package that is optional to it.
No schema of Jupyter's events has such a URL.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path.cwd())  # as with `-m`
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # how Python itself says "cannot be imported"
    runpy.run_module("jupyter_server", run_name="__main__", alter_sys=True)
