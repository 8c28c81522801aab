"""Asking the server, for the magics and the command line: what is there, and which runs are the latest."""

from __future__ import annotations

from html import escape
from typing import Any, Dict, List, NamedTuple
from urllib.parse import quote

from mlws import sender as sending
from mlws import tracking
from mlws.connection import Connection, spool_folder, workspace
from mlws.errors import DeliveryError
from mlws.spool import waiting

TIMEOUT_S = 3.0


class Status(NamedTuple):
    """Where tracking stands now."""

    server: str
    workspace: str
    run: str
    spool: str

    @classmethod
    def now(cls) -> Status:
        """Ask the server, and look into the spool."""
        connection = Connection(TIMEOUT_S)
        try:
            version = connection.json("GET", "/info").get("version", "")
            server = f"{connection.server.url if connection.server else ''} (version {version})"
        except DeliveryError as error:
            server = f"none: {error}. Start one with `jupyter lab`."
        finally:
            connection.close()
        run = tracking.active_run()
        files = len(waiting(spool_folder()))
        kept = f"{files} file(s) in {spool_folder()}" if files else "empty"
        return cls(server, workspace(), f"{run.name or run.id} ({run.status})" if run else "none", kept)

    def __repr__(self) -> str:
        return f"Server     {self.server}\nWorkspace  {self.workspace}\nActive run {self.run}\nSpool      {self.spool}"

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"


def latest_runs(experiment: str | None, limit: int) -> List[Dict[str, Any]]:
    """The latest runs, newest first. Raises `LookupError` for an unknown experiment, `ServerAway` or `Rejected`."""
    sending.flush(2.0)
    connection = Connection(TIMEOUT_S)
    base = f"/workspaces/{quote(workspace(), safe='')}"
    query: Dict[str, Any] = {"limit": limit}
    try:
        if experiment:
            found = connection.json("GET", f"{base}/experiments", query={"q": experiment, "limit": 200})["experiments"]
            ids = [each["id"] for each in found if each["name"] == experiment]
            if not ids:
                raise LookupError(f"There is no experiment {experiment!r} in workspace {workspace()!r}.")
            query["experiment_id"] = ids[0]
        runs: List[Dict[str, Any]] = connection.json("GET", f"{base}/runs", query=query)["runs"]
        return runs
    finally:
        connection.close()


def find_run(wanted: str | None) -> Dict[str, Any]:
    """A run by id or name; the active or else the latest one for None. Raises as `latest_runs`."""
    active = tracking.active_run()
    if wanted is None and active is not None:
        return {"id": active.id, "name": active.name or active.id}
    runs = latest_runs(None, 200 if wanted else 1)
    for run in runs:
        if wanted in (None, run["id"], run["name"]):
            return run
    raise LookupError(f"There is no run {wanted!r} among the latest 200." if wanted else "There are no runs yet.")
