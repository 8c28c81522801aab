"""`Workspace`: the door to everything that a server keeps."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import UNSET

from jupyter_mlws.domain.access.schemas import EXCHANGEABLE, Token, TokenExchange
from jupyter_mlws.domain.storage.schemas import GarbageReport
from jupyter_mlws.domain.workspaces.schemas import (
    Resource,
    ResourceList,
    WorkspaceCreate,
    WorkspaceDeletion,
    WorkspaceList,
    WorkspaceUpdate,
)
from jupyter_mlws.domain.workspaces.schemas import Workspace as WorkspaceInfo
from jupyter_mlws.sdk import forms
from jupyter_mlws.sdk.discovery import Server, locate, locate_or_start, named_server
from jupyter_mlws.sdk.errors import NotFound
from jupyter_mlws.sdk.table import Table
from jupyter_mlws.sdk.transport import SUBMIT_TIMEOUT_S, Transport, segment

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_mlws.sdk.compute import Compute
    from jupyter_mlws.sdk.environments import Environments
    from jupyter_mlws.sdk.experiments import Experiments
    from jupyter_mlws.sdk.jobs import Jobs
    from jupyter_mlws.sdk.runs import Runs
    from jupyter_mlws.sdk.secrets import Secrets


class Workspace:
    """A workspace of a server.

        ws = Workspace()                     # the server that runs on this machine, or that MLWS_URL names
        ws = Workspace.start_or_connect()    # the same, and where none runs one is started; it ends when it is idle
        ws = Workspace("vision", url="https://hub.example.org/user/me/", token="…")

    `name` is `MLWS_WORKSPACE`, else `default`, if left out. Nothing is asked of the server before the first call; `connect()`
    checks at once that it answers. `jobs`, `runs`, `experiments`, `compute`, `secrets` and `environments` hold the rest.
    """

    def __init__(self, name: str | None = None, url: str | None = None, token: str | None = None) -> None:
        self.name = name or os.environ.get("MLWS_WORKSPACE") or "default"
        find: Callable[[], Server] = locate if url is None else lambda: named_server(url, token, "the given address")
        self.transport = Transport(lambda: in_workspace(find(), self.name))

    @classmethod
    def start_or_connect(cls, name: str | None = None) -> Workspace:
        """The workspace of the server that runs; where none runs, one is started without a browser, and ends when it is idle."""
        found = cls(name)
        found.transport = Transport(lambda: in_workspace(locate_or_start(), found.name))
        return found

    def copy(self) -> Workspace:
        """The same workspace over a connection of its own, for another thread."""
        found = Workspace(self.name)
        found.transport = self.transport.copy()
        return found

    def close(self) -> None:
        """Close the connection. The server goes on, and so do jobs."""
        self.transport.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Workspace({self.name!r})"

    @property
    def path(self) -> str:
        """Path of the workspace in the REST API."""
        return f"/workspaces/{segment(self.name)}"

    def page_url(self, page: str) -> str | None:
        """Address that opens a page (`runs/<id>`) in JupyterLab; None where a command started the server, which has no pages."""
        server = self.transport.server
        return None if server.headless else f"{server.url}/open/{page}"

    def page_link(self, page: str) -> str | None:
        """As `page_url`, for a link in a notebook: without scheme and host where they hold behind no hub, proxy or tunnel."""
        url = self.page_url(page)
        return urlsplit(url).path if url is not None and self.transport.server.is_ours else url

    # The parts are loaded when they are first used: a command line needs one of them.

    @cached_property
    def jobs(self) -> Jobs:
        """Submit, follow, cancel and re-run jobs."""
        from jupyter_mlws.sdk.jobs import Jobs  # noqa: PLC0415

        return Jobs(self)

    @cached_property
    def runs(self) -> Runs:
        """Search, show, change, delete, compare and download runs."""
        from jupyter_mlws.sdk.runs import Runs  # noqa: PLC0415

        return Runs(self)

    @cached_property
    def experiments(self) -> Experiments:
        """Experiments, by name."""
        from jupyter_mlws.sdk.experiments import Experiments  # noqa: PLC0415

        return Experiments(self)

    @cached_property
    def compute(self) -> Compute:
        """Compute targets with their queues."""
        from jupyter_mlws.sdk.compute import Compute  # noqa: PLC0415

        return Compute(self)

    @cached_property
    def secrets(self) -> Secrets:
        """Values that jobs are given as variables; they can be set and never read."""
        from jupyter_mlws.sdk.secrets import Secrets  # noqa: PLC0415

        return Secrets(self)

    @cached_property
    def environments(self) -> Environments:
        """What runs ran in, and the kernels there are."""
        from jupyter_mlws.sdk.environments import Environments  # noqa: PLC0415

        return Environments(self)

    # --- workspaces themselves; they act on the one that is named, by default this one ---

    def gc(self, *, grace_s: int = 24 * 3600, dry_run: bool = False) -> GarbageReport:
        """Remove what nobody needs any more in the whole data folder, or (`dry_run`) tell what would go. `grace_s`: leave what is younger.

        Files that nothing names, folders of ended and deleted jobs, what crashes left behind; no run, file or model that is not deleted.
        """
        query = {"grace_s": grace_s, "dry_run": dry_run}
        return self.transport.ask("POST", "/gc", GarbageReport, query=query, timeout=SUBMIT_TIMEOUT_S)

    def info(self) -> dict[str, Any]:
        """The server: its version, data folder, and who it takes the caller for."""
        answer: dict[str, Any] = self.transport.ask("GET", "/info", dict)
        return answer

    def create(self, name: str, *, display_name: str | None = None, description: str | None = None) -> WorkspaceInfo:
        """A new workspace. Names have letters, digits, `-` and `_`."""
        body = WorkspaceCreate(name=name, display_name=_given(display_name), description=_given(description))
        return self.transport.ask("POST", "/workspaces", WorkspaceInfo, body=body)

    def show(self, name: str | None = None) -> WorkspaceInfo:
        """A workspace. Raises `NotFound`."""
        return self.transport.ask("GET", self._of(name), WorkspaceInfo)

    def update(
        self,
        name: str | None = None,
        *,
        new_name: str | None = None,
        display_name: str | None = None,
        description: str | None = None,
    ) -> WorkspaceInfo:
        """Change what is given; a new name moves its addresses."""
        body = WorkspaceUpdate(name=_given(new_name), display_name=_given(display_name), description=_given(description))
        return self.transport.ask("PATCH", self._of(name), WorkspaceInfo, body=body)

    def archive(self, name: str) -> WorkspaceInfo:
        """Hide a workspace; nothing is lost."""
        return self.transport.ask("POST", f"{self._of(name)}/archive", WorkspaceInfo)

    def restore(self, name: str) -> WorkspaceInfo:
        """Bring an archived workspace back."""
        return self.transport.ask("POST", f"{self._of(name)}/restore", WorkspaceInfo)

    def delete(self, name: str, *, dry_run: bool = False) -> WorkspaceDeletion:
        """Delete an archived workspace for good. `dry_run` tells what would go, the bytes, and what is in the way (`blocked_by`)."""
        return self.transport.ask("DELETE", self._of(name), WorkspaceDeletion, query={"dry_run": dry_run})

    def resources(self, name: str | None = None) -> Table[Resource]:
        """What a workspace stands on: paths, sizes, health."""
        return Table(self.transport.ask("GET", f"{self._of(name)}/resources", ResourceList).resources, forms.RESOURCES)

    def list(self, *, archived: bool = False) -> Table[WorkspaceInfo]:
        """All workspaces; the archived ones instead of the others."""
        found = self.transport.ask("GET", "/workspaces", WorkspaceList, query={"archived": archived}).workspaces
        return Table(found, forms.WORKSPACES)

    def _of(self, name: str | None) -> str:
        return f"/workspaces/{segment(self.name if name is None else name)}"


def in_workspace(server: Server, name: str) -> Server:
    """The server with a token for the workspace: that of a kernel is for one alone, and is exchanged for that of another."""
    if not server.token.endswith(EXCHANGEABLE):
        return server
    transport = Transport(lambda: server)
    try:
        secret = transport.ask("POST", "/tokens/exchange", Token, body=TokenExchange(workspace=name)).secret
    except NotFound:
        secret = server.token  # there is no such workspace: what is asked of it will say so
    finally:
        transport.close()
    return server._replace(token=secret, kernels=True)


def _given(text: str | None) -> Any:
    return UNSET if text is None else text


def connect(name: str | None = None, url: str | None = None, token: str | None = None, *, start: bool = False) -> Workspace:
    """A workspace whose server answers, checked now. `start`: start a server where none runs.

    Raises `ServerNotFound`, `ServerAway`, `Unauthenticated`, or `NotFound` if there is no such workspace.
    """
    found = Workspace.start_or_connect(name) if start and url is None else Workspace(name, url, token)
    try:
        found.show()
    except BaseException:
        found.close()
        raise
    return found
