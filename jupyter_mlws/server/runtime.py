"""The runtime: what lives as long as the server, and how it starts and stops."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from jupyter_mlws.db.database import Database
from jupyter_mlws.db.engine import sqlite_url
from jupyter_mlws.domain.access import service as access
from jupyter_mlws.domain.storage.blobs import BlobStore
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.actors import Action, Actor, ActorKind
from jupyter_mlws.kit.errors import Unavailable
from jupyter_mlws.kit.paths import Folders
from jupyter_mlws.server import schema
from jupyter_mlws.server.background import Background
from jupyter_mlws.server.handover import Asking
from jupyter_mlws.server.hub import Hub
from jupyter_mlws.server.owner import OwnerLock
from jupyter_mlws.server.proxy import Forwarder, actor_named

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_server.auth.identity import User
    from tornado.httputil import HTTPHeaders

    from jupyter_mlws.kit.http import ApiHandler

log = logging.getLogger(__name__)

TOKEN_CACHE_S = 5.0
START_TIMEOUT_S = 30.0
TAKEOVER_POLL_S = 0.5


class Settings(Struct, kw_only=True):
    """What the traits and the environment say; see `server.app` for their meaning."""

    data_dir: Path
    database_url: str
    root_dir: Path
    url: str
    """Where kernels and jobs reach us: `http://127.0.0.1:<port><base>/mlws`."""
    max_jobs: int
    headless: bool = False
    single_user: bool = True
    """Jupyter's own sign-in: everybody who gets in is the operating-system user."""


class Services(Struct):
    """What slices need besides the database; filled once this server owns the data folder."""

    folders: Folders
    blobs: BlobStore
    settings: Settings
    hub: Hub
    jobs: Any = None


class Runtime:
    """One a server. `start()` runs after the port answers; until then requests wait."""

    def __init__(self, settings: Settings, loop: asyncio.AbstractEventLoop) -> None:
        self.settings = settings
        self.loop = loop
        folders = Folders(settings.data_dir)
        self.lock = OwnerLock(folders)
        self.services = Services(folders, BlobStore(folders.objects), settings, Hub(loop))
        self.forwarder: Forwarder | None = None
        self._database: Database | None = None
        self._background: Background | None = None
        self._ready = asyncio.Event()
        self._failure: Exception | None = None
        self.leave: Callable[[], None] | None = None
        """Ends this server; only headless ones have it."""
        self._tokens: dict[str, tuple[float, Actor | None]] = {}
        self._watch: asyncio.Task[None] | None = None

    @property
    def db(self) -> Database:
        """The database of the folder that this server owns."""
        if self._database is None:
            raise Unavailable("The workspace database is not open yet; try again in a moment.")
        return self._database

    @property
    def is_owner(self) -> bool:
        """Whether this server answers itself."""
        return self._database is not None

    @property
    def failure(self) -> Exception | None:
        """Why the data folder could not be opened."""
        return self._failure

    async def start(self) -> None:
        """Own the data folder, or find who does; then answer."""
        try:
            await asyncio.to_thread(self.services.folders.make)
            if not await self._own():
                self._follow()
        except Exception as error:
            log.exception("Jupyter ML Workspace could not open %s", self.settings.data_dir)
            self._failure = error
        self._ready.set()

    async def _own(self) -> bool:
        if not await asyncio.to_thread(self.lock.try_acquire):
            return False
        database = await asyncio.to_thread(self._open_database)
        database.listeners.append(self.services.hub.publish)
        self._database = database
        self.forwarder = None
        self._background = Background(self, database)
        await self._background.start()
        await asyncio.to_thread(lambda: self.lock.announce(self.settings.url, headless=self.settings.headless))
        log.info("Jupyter ML Workspace keeps its data in %s", self.settings.data_dir)
        return True

    def _open_database(self) -> Database:
        url = self.settings.database_url or sqlite_url(self.services.folders.database)
        database = Database(url)
        schema.ensure_schema(database.writer_engine)
        database.start()
        user = access.local_name()
        database.write_sync(lambda s: workspaces.ensure_default(s, user))
        return database

    def _follow(self) -> None:
        """Another server owns the folder: forward to it, and take over when it leaves."""
        self.forwarder = Forwarder(self.services.folders)
        self._watch = asyncio.create_task(self._take_over())

    async def _take_over(self) -> None:
        asking = Asking(self.services.folders, self.forwarder or Forwarder(self.services.folders))
        while self._database is None:
            if not self.settings.headless:
                await asking.ask()
            await asyncio.sleep(TAKEOVER_POLL_S)
            try:
                if await self._own():
                    log.info("The server that owned %s is gone; this one took over", self.settings.data_dir)
            except Exception:
                log.exception("Taking over %s failed; trying again", self.settings.data_dir)
                await asyncio.to_thread(self.lock.release)

    async def ready(self) -> None:
        """Return once requests can be answered."""
        if not self._ready.is_set():
            try:
                await asyncio.wait_for(asyncio.shield(self._ready.wait()), START_TIMEOUT_S)
            except asyncio.TimeoutError:
                raise Unavailable("The workspace is still starting; try again in a moment.") from None
        if self._failure is not None:
            raise Unavailable(f"The workspace in {self.settings.data_dir} could not be opened: {self._failure}")

    async def forward(self, handler: ApiHandler) -> bool:
        """Answer through the owner, if that is another server."""
        await self.ready()
        forwarder = self.forwarder
        if forwarder is None or self._database is not None:
            return False
        await forwarder.forward(handler, self.actor_name(handler))
        return True

    def actor_name(self, handler: ApiHandler) -> str:
        """Name of the caller as this server knows it."""
        return self.actor_of_user(handler.current_user).name

    def actor_of_user(self, user: User) -> Actor:
        """The actor of a person whom Jupyter let in; alone on a machine that is the operating-system user."""
        name = access.local_name() if self.settings.single_user else user.username
        return Actor(name=name, kind=ActorKind.USER)

    async def actor_of_token(self, token: str, headers: HTTPHeaders) -> Actor | None:
        """The actor of one of our tokens; remembered for five seconds, so that a revoked one is dead within that time."""
        if hmac.compare_digest(token.encode(), self.lock.local_token.encode()):
            return Actor(name=actor_named(headers) or access.local_name(), kind=ActorKind.LOCAL)
        digest = access.digest_of(token)
        found = self._tokens.get(digest)
        if found is not None and found[0] > time.monotonic():
            return found[1]
        actor = await self.db.read(lambda s: access.actor_of_token(s, token))
        if len(self._tokens) > 10_000:
            self._tokens.clear()
        self._tokens[digest] = (time.monotonic() + TOKEN_CACHE_S, actor)
        return actor

    def forget_tokens(self) -> None:
        """Ask the database again for every token."""
        self._tokens.clear()

    def may(self, actor: Actor, action: Action, workspace: str | None) -> bool:
        """Whether the actor may do this."""
        return access.authorize(actor, action, workspace)

    async def stop(self) -> None:
        """Let go of everything; jobs go on under their supervisors."""
        if self._watch is not None:
            self._watch.cancel()
        if self._background is not None:
            await self._background.stop()
        if self._database is not None:
            await asyncio.to_thread(self._database.close)
        await asyncio.to_thread(self.lock.release)
