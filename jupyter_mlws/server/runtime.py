"""The runtime: what lives as long as the server, and how it starts and stops."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from sqlalchemy.exc import DBAPIError

from jupyter_mlws.db.database import Database
from jupyter_mlws.db.engine import sqlite_url, words_of_failure
from jupyter_mlws.domain.access import service as access
from jupyter_mlws.domain.compute.service import SpareSettings
from jupyter_mlws.domain.jobs import secret_values
from jupyter_mlws.domain.secrets import service as secrets
from jupyter_mlws.domain.storage.blobs import BlobStore
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.actors import Action, Actor, ActorKind
from jupyter_mlws.kit.errors import MlwsError, Unavailable
from jupyter_mlws.kit.paths import Folders
from jupyter_mlws.server import filesystems, schema
from jupyter_mlws.server.background import Background
from jupyter_mlws.server.handover import Asking
from jupyter_mlws.server.hub import Hub
from jupyter_mlws.server.owner import OwnerLock
from jupyter_mlws.server.proxy import Forwarder, actor_named, root_named

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_server.auth.identity import User
    from tornado.httputil import HTTPHeaders

    from jupyter_mlws.kit.http import ApiHandler
    from mlws.masking import Masker

log = logging.getLogger(__name__)

TOKEN_CACHE_S = 5.0
START_TIMEOUT_S = 30.0
TAKEOVER_POLL_S = 0.5
RETRY_S = 10.0
RETRY_UPGRADE_S = 300.0
"""Each attempt copies the database."""
KEEP_S = 3.0
HOSTS_KEPT = 100


class Settings(Struct, kw_only=True):
    """What the traits and the environment say; see `server.app` for their meaning."""

    data_dir: Path
    database_url: str
    root_dir: Path
    url: str
    """Where kernels and jobs reach us: `http://127.0.0.1:<port><base>/mlws`; empty on a unix socket."""
    max_jobs: int
    compute_targets: dict[str, Any] = msgspec.field(default_factory=dict)
    spares: SpareSettings = SpareSettings()
    mirror_map: dict[str, str] = msgspec.field(default_factory=dict)
    job_memory_limit: int | None = None
    """Bytes; of jobs that name no limit of their own."""
    kept_kernel_s: int = 1800
    """How long the kernel of a failed notebook is kept, if the job asks for it."""
    compute_limits: dict[str, Any] = msgspec.field(default_factory=dict)
    retry_backoff_s: float = 10.0
    mlflow_in_kernels: bool = True
    """Whether kernels find MLflow's variables, too."""
    environment_aliases: dict[str, str] = msgspec.field(default_factory=dict)
    environment_build_timeout_s: int = 3600
    bin_days: int = 0
    """After so many days runs in the bin are removed for good; 0 for never."""
    secrets_key: str = ""
    """What MLWS_SECRETS_KEY held."""
    secrets_key_file: Path | None = None
    headless: bool = False
    single_user: bool = True
    """Jupyter's own sign-in: everybody who gets in is the operating-system user."""


class Services(Struct):
    """What slices need besides the database; filled once this server owns the data folder."""

    folders: Folders
    blobs: BlobStore
    settings: Settings
    hub: Hub
    secrets: secrets.KeyPlaces
    jobs: Any = None
    environments: Any = None
    aliases: Any = None


class Runtime:
    """One a server. `start()` runs after the port answers; until then requests wait."""

    def __init__(self, settings: Settings, loop: asyncio.AbstractEventLoop) -> None:
        self.settings = settings
        self.loop = loop
        folders = Folders(settings.data_dir)
        self.lock = OwnerLock(folders)
        places = secrets.KeyPlaces(folders.secrets_key, named_file=settings.secrets_key_file, given=settings.secrets_key)
        self.services = Services(folders, BlobStore(folders.objects), settings, Hub(loop), places)
        self.forwarder: Forwarder | None = None
        self._database: Database | None = None
        self._background: Background | None = None
        self._ready = asyncio.Event()
        self._failure: Exception | None = None
        self.leave: Callable[[], None] | None = None
        """Ends this server; only headless ones have it."""
        self.jobs_run: Callable[[], None] = lambda: None
        """Called now and then while jobs run: such a server is not idle."""
        self._tokens: dict[str, tuple[float, Actor | None]] = {}
        self._maskers: dict[str | None, Masker] = {}
        self._hosts: set[str] = set()
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
            await self._own()
        except Exception as error:  # noqa: BLE001 - logged there, told to every caller, and tried again
            self._failed(error)
        if self._database is None:
            self.forwarder = Forwarder(self.services.folders, self.settings.root_dir)
        self._watch = asyncio.create_task(self._mind())
        self._ready.set()

    async def _own(self) -> bool:
        """Take the data folder if nobody has it. Where that fails nothing is kept of it, so that others may try."""
        if not await asyncio.to_thread(self._lock_folder):
            self._failure = None
            return False
        database: Database | None = None
        background: Background | None = None
        try:
            database = await asyncio.to_thread(self._open_database)
            database.listeners.append(self.services.hub.publish)
            background = Background(self, database)
            await background.start()
            self._database, self._background = database, background
            await asyncio.to_thread(lambda: self.lock.announce(self.settings.url, headless=self.settings.headless))
        except BaseException:
            await self._let_go(background, database)
            raise
        self.forwarder = None
        self._failure = None
        self.forget_tokens()
        log.info("Jupyter ML Workspace keeps its data in %s", self.settings.data_dir)
        return True

    def _lock_folder(self) -> bool:
        self.services.folders.make()
        return self.lock.try_acquire()

    async def _let_go(self, background: Background | None, database: Database | None) -> None:
        self._database = self._background = None
        if background is not None:
            await background.stop()
        if database is not None:
            await asyncio.to_thread(database.close)
        await asyncio.to_thread(self.lock.release)

    def _failed(self, error: Exception) -> None:
        if str(error) != str(self._failure):
            log.error("Jupyter ML Workspace could not open %s; trying again", self.settings.data_dir, exc_info=error)
        self._failure = error

    def _open_database(self) -> Database:
        url = self.settings.database_url or sqlite_url(self.services.folders.database)
        filesystems.check(url)
        database = Database(url)
        try:
            schema.ensure_schema(database.writer_engine)
            database.start()
            user = access.local_name()
            database.write_sync(lambda s: workspaces.ensure_default(s, user))
        except BaseException:
            database.close()
            raise
        return database

    async def _mind(self) -> None:
        """As long as the server lives: follow the owner and take over when it leaves; as the owner, see that we still are."""
        asking = Asking(self.services.folders, Forwarder(self.services.folders, self.settings.root_dir))
        pause = TAKEOVER_POLL_S
        while True:
            if self._database is not None:
                await asyncio.sleep(KEEP_S)
                await self._keep()
                continue
            if not self.settings.headless:
                await asking.ask()
            await asyncio.sleep(pause)
            try:
                if await self._own():
                    log.info("This server took over %s", self.settings.data_dir)
            except Exception as error:  # noqa: BLE001 - the top of a loop; logged there
                self._failed(error)
                pause = RETRY_UPGRADE_S if isinstance(error, schema.UpgradeFailed) else min(2 * pause, RETRY_S)
            else:
                pause = TAKEOVER_POLL_S

    async def _keep(self) -> None:
        try:
            still = await asyncio.to_thread(self.lock.keep)
        except OSError as error:
            log.warning("The lock of %s could not be looked at: %s", self.settings.data_dir, error)
            return
        if not still:
            log.error("Another server took %s; this one follows it now", self.settings.data_dir)
            self.forwarder = Forwarder(self.services.folders, self.settings.root_dir)
            await self._let_go(self._background, self._database)

    async def ready(self) -> None:
        """Return once requests can be answered."""
        if not self._ready.is_set():
            try:
                await asyncio.wait_for(asyncio.shield(self._ready.wait()), START_TIMEOUT_S)
            except asyncio.TimeoutError:
                raise Unavailable("The workspace is still starting; try again in a moment.") from None
        error = self._failure
        if error is None or self._database is not None:
            return
        if isinstance(error, MlwsError):
            raise type(error)(error.message)
        words = words_of_failure(error) if isinstance(error, DBAPIError) else str(error)
        raise Unavailable(f"The workspace in {self.settings.data_dir} could not be opened: {words}")

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
        """The actor of one of our tokens, and where its paths begin."""
        actor = await self._actor_of_token(token, headers)
        root = root_named(headers, self.lock.local_token)
        return actor if actor is None or root is None else msgspec.structs.replace(actor, root=root)

    async def _actor_of_token(self, token: str, headers: HTTPHeaders) -> Actor | None:
        """Remembered for five seconds, so that a revoked one is dead within that time."""
        with contextlib.suppress(LookupError):
            return self._remembered(token, headers)
        remembered = self._tokens
        actor = await self.db.read(lambda s: access.actor_of_token(s, token))
        if len(remembered) > 10_000:
            remembered.clear()
        remembered[access.digest_of(token)] = (time.monotonic() + TOKEN_CACHE_S, actor)
        return actor

    def _remembered(self, token: str, headers: HTTPHeaders) -> Actor | None:
        """Raises `LookupError` where the database must be asked."""
        if hmac.compare_digest(token.encode(), self.lock.local_token.encode()):
            return Actor(name=actor_named(headers) or access.local_name(), kind=ActorKind.LOCAL)
        until, actor = self._tokens[access.digest_of(token)]
        if until <= time.monotonic():
            raise LookupError
        return actor

    def known_actor(self, token: str, headers: HTTPHeaders) -> Actor | None:
        """As `actor_of_token` where nothing must be waited for, and without where paths begin; None: that tells."""
        if self._database is not None:
            with contextlib.suppress(LookupError):
                return self._remembered(token, headers)
        return None

    def let_in(self, host: str) -> None:
        """Remember a Host that may come. Names of sockets are none: whether they may come is asked of the disk."""
        if host in self._hosts or "%" in host:
            return
        if len(self._hosts) >= HOSTS_KEPT:
            self._hosts.clear()
        self._hosts.add(host)

    def lets_in(self, host: str) -> bool:
        """Whether it was let in before."""
        return host in self._hosts

    def forget_tokens(self) -> None:
        """Ask the database again for every token."""
        self._tokens = {}  # anew: what is being read just now was true before, and is remembered where nobody looks

    async def masker(self, actor: Actor) -> Masker | None:
        """Hides what a job was given as secrets in what it sends; None for all who are no job. By token: each attempt has its own."""
        with contextlib.suppress(LookupError):
            return self.known_masker(actor)
        found = await asyncio.to_thread(secret_values.masker_of, self.db, self.services.secrets, str(actor.run_id))
        if len(self._maskers) > 1000:
            self._maskers.clear()
        self._maskers[actor.token_id] = found
        return found

    def known_masker(self, actor: Actor) -> Masker | None:
        """The same, where it was asked before. Raises `LookupError` where it was not."""
        return None if actor.run_id is None else self._maskers[actor.token_id]

    def may(self, actor: Actor, action: Action, workspace: str | None) -> bool:
        """Whether the actor may do this."""
        return access.authorize(actor, action, workspace)

    async def stop(self) -> None:
        """Let go of everything; jobs go on under their supervisors."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        await self._let_go(self._background, self._database)
