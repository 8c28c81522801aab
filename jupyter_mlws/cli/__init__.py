"""The `mlws` command. `groups.py` READ FIRST: which commands there are; each module is loaded when one of its commands is called.

`failures.py` says how a failure ends, `context.py` how the server is reached, `tables.py` and `azure_views.py` how answers look.
"""

from __future__ import annotations

from jupyter_mlws.cli.groups import main

__all__ = ["main"]
