"""The notebook that a run was started in becomes its snapshot, as it is on disk at that moment."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

from jupyter_mlws.domain.access import service as access
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.kit.actors import ActorKind
from jupyter_mlws.kit.errors import MlwsError
from jupyter_mlws.mlflow_api.http import Call, MlflowHandler

log = logging.getLogger(__name__)

_TASKS: set[asyncio.Task[None]] = set()


class CreateRunHandler(MlflowHandler):
    """`runs/create`: answers, and then keeps the notebook of the kernel that called."""

    async def answer(self, call: Call, names: dict[str, str]) -> None:
        """As other calls; the client does not wait for the notebook."""
        made: list[str] = []

        def run(session: Any, context: Any, request: Any) -> dict[str, Any]:
            found: dict[str, Any] = call.run(session, context, request)
            made.append(found["run"]["info"]["run_id"])
            return found

        await super().answer(call._replace(run=run), names)
        if made and self.actor.kind is ActorKind.KERNEL:
            task = asyncio.create_task(self._keep_notebook(made[0]))
            _TASKS.add(task)
            task.add_done_callback(_TASKS.discard)

    async def _keep_notebook(self, run_id: str) -> None:
        actor = self.actor
        try:
            holder = await self.db.read(lambda session: access.holder_of(session, actor.token_id))
            if holder is None or holder.notebook is None:
                return
            root: Path = self.services.settings.root_dir
            path = Path(holder.notebook)
            if path.suffix != ".ipynb" or not path.is_relative_to(root):
                return  # another server's notebook, or none at all
            blob = (await asyncio.to_thread(self.services.blobs.put_file, path.relative_to(root), below=root)).blob
            await self.db.write(lambda s: runs.add_file(s, actor, run_id, path.name, blob.sha256, blob.size))
        except (MlwsError, OSError) as error:
            log.info("The notebook of run %s was not kept: %s", run_id, error)
