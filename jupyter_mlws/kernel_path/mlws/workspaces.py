"""Asking the server, for the magics and the command line: what is there, and which runs are the latest."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple
from urllib.parse import quote

from mlws import sender as sending
from mlws import tracking
from mlws.connection import Connection, spool_folder, workspace
from mlws.errors import DeliveryError, Rejected
from mlws.spool import waiting

if TYPE_CHECKING:
    from mlws.run import Run

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
        name = shown = workspace()
        server = "none"
        try:
            version = connection.json("GET", "/info").get("version", "")
            server = f"{connection.server.url if connection.server else ''} (version {version})"
            connection.json("GET", f"/workspaces/{quote(name, safe='')}", workspace=name)
        except Rejected as error:
            shown = f"{name}: {error}"
        except DeliveryError as error:
            server = f"none: {error}. Start one with `jupyter lab`."
        finally:
            connection.close()
        run = tracking.active_run()
        files = len(waiting(spool_folder()))
        kept = f"{files} file(s) in {spool_folder()}" if files else "empty"
        return cls(server, shown, _in_short(run) if run else "none", kept)

    def __repr__(self) -> str:
        return f"Server     {self.server}\nWorkspace  {self.workspace}\nActive run {self.run}\nSpool      {self.spool}"

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"


def _in_short(run: Run) -> str:
    state = run.status if run.refusal is None else f"refused by the server: {run.refusal}"
    where = "" if run.workspace == workspace() else f", in workspace {run.workspace}"
    return f"{run.name or run.id} ({state}{where})"


def latest_runs(experiment: str | None, limit: int, of_workspace: str | None = None) -> List[Dict[str, Any]]:
    """The latest runs, newest first. Raises `LookupError` for an unknown experiment, `ServerAway` or `Rejected`."""
    sending.flush(2.0)
    connection = Connection(TIMEOUT_S)
    space = of_workspace or workspace()
    base = f"/workspaces/{quote(space, safe='')}"
    query: Dict[str, Any] = {"limit": limit}
    try:
        if experiment:
            asked = {"q": experiment, "limit": 200}
            found = connection.json("GET", f"{base}/experiments", query=asked, workspace=space)["experiments"]
            ids = [each["id"] for each in found if each["name"] == experiment]
            if not ids:
                raise LookupError(f"There is no experiment {experiment!r} in workspace {space!r}.")
            query["experiment_id"] = ids[0]
        runs: List[Dict[str, Any]] = connection.json("GET", f"{base}/runs", query=query, workspace=space)["runs"]
        return runs
    finally:
        connection.close()


def find_run(wanted: str | None, of_workspace: str | None = None) -> Dict[str, Any]:
    """A run by id or name; the active or else the latest one for None. Raises as `latest_runs`."""
    active = tracking.active_run()
    if wanted is None and of_workspace is None and active is not None:
        if active.refusal is not None:
            raise LookupError(f"There is no page of run {active.name or active.id}: the server refused it. {active.refusal}")
        return {"id": active.id, "name": active.name or active.id}
    runs = latest_runs(None, 200 if wanted else 1, of_workspace)
    for run in runs:
        if wanted in (None, run["id"], run["name"]):
            return run
    raise LookupError(f"There is no run {wanted!r} among the latest 200." if wanted else "There are no runs yet.")
