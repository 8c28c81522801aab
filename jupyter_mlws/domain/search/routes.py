"""Routes of searching runs."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.schemas import Run, RunCreate, RunPage
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.domain.search import service
from jupyter_mlws.domain.search.errors import FilterSyntax
from jupyter_mlws.domain.workspaces.errors import WorkspaceNotFound
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.fields import SearchText
from jupyter_mlws.kit.http import ApiHandler, Route, endpoint
from jupyter_mlws.kit.pagination import Limit


class SearchQuery(Struct):
    """Which runs: of these experiments and statuses, whose name contains `q` (or id begins with it), that match `filter`; their order."""

    experiment_id: Annotated[list[str], Meta(max_length=1000)] = []
    status: Annotated[list[RunStatus], Meta(max_length=100)] = []
    q: SearchText = ""
    filter: str = ""
    order_by: list[str] = []
    view: Literal["active", "deleted", "all"] = "active"
    parent_id: str | None = None
    limit: Limit = 100
    cursor: str | None = None


class RunsHandler(ApiHandler):
    """The runs of a workspace."""

    @endpoint(Action.READ, summary="Search runs", query=SearchQuery, reply=RunPage, errors=[FilterSyntax])
    async def get(self, workspace: str) -> None:
        """The newest first, or in the order asked for (`metrics.acc desc`). The language of filters: see the reference."""
        q = self.query
        page = await self.db.read(
            lambda s: service.search_runs(
                s,
                workspace,
                experiment_ids=q.experiment_id,
                statuses=q.status,
                text=q.q,
                filter_text=q.filter,
                order_by=q.order_by,
                view=q.view,
                parent_id=q.parent_id,
                cursor=q.cursor,
                limit=q.limit,
            )
        )
        self.reply(page)

    @endpoint(
        Action.CREATE, summary="Start an interactive run", body=RunCreate, reply=Run, status=201, errors=[WorkspaceNotFound]
    )
    async def post(self, workspace: str) -> None:
        """A run that a notebook cell or a script follows. With an `id` of its own the call may be repeated."""
        actor, body = self.actor, self.body
        self.reply(await self.db.write(lambda s: runs.create_run(s, actor, workspace, body)))


ROUTES = [Route("/workspaces/{workspace}/runs", RunsHandler)]
