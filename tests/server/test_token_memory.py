"""What is remembered of a token is never older than the change that made us forget it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.httputil import HTTPHeaders

from jupyter_mlws.domain.access import service as access
from jupyter_mlws.kit.actors import ActorKind
from jupyter_mlws.server.runtime import Runtime, Settings


async def test_a_token_that_is_read_while_it_is_revoked_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    settings = Settings(
        data_dir=tmp_path, database_url=f"sqlite:///{tmp_path / 'mlws.db'}", root_dir=tmp_path, url="", max_jobs=1, headless=True
    )
    runtime = Runtime(settings, asyncio.get_running_loop())
    await runtime.start()
    try:
        token = await runtime.db.write(lambda s: access.issue_token(s, kind=ActorKind.KERNEL, user="ann"))
        read, has_read, go_on = runtime.db.read, asyncio.Event(), asyncio.Event()

        async def slow_read(work: Callable[..., Any]) -> Any:
            found = await read(work)
            has_read.set()
            await go_on.wait()
            return found

        monkeypatch.setattr(runtime.db, "read", slow_read)
        asked = asyncio.create_task(runtime.actor_of_token(token.secret, HTTPHeaders()))
        await has_read.wait()
        await runtime.db.write(lambda s: access.revoke_token(s, token.id))
        runtime.forget_tokens()
        go_on.set()
        assert await asked is not None
        assert await runtime.actor_of_token(token.secret, HTTPHeaders()) is None
    finally:
        await runtime.stop()
