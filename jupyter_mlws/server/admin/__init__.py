"""Looking after a data folder and its database from outside of a server: check, upgrade, backup, compact. Used by `mlws db`.

`place.py` READ FIRST: which folder and database are meant, and who works with them. What changes anything holds the lock of the
folder's owner, so that no server starts meanwhile.
"""

from __future__ import annotations

from jupyter_mlws.server.admin.backup import back_up
from jupyter_mlws.server.admin.checking import check
from jupyter_mlws.server.admin.compacting import compact
from jupyter_mlws.server.admin.place import find
from jupyter_mlws.server.admin.upgrading import upgrade

__all__ = ["back_up", "check", "compact", "find", "upgrade"]
