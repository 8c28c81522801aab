"""The HTTP layer of our REST API: contracts of verbs, one base handler, one JSON error shape.

A verb is declared once and everything else is derived from the declaration (parsing, authentication, permission, OpenAPI):

    class RunHandler(ApiHandler):
        @endpoint(Action.READ, reply=Run, summary="A run")
        async def get(self, run_id: str) -> None:
            self.reply(await self.db.read(partial(service.get_run, actor=self.actor, run_id=run_id)))
"""

from __future__ import annotations

import asyncio
import functools
import json
import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar, cast

import msgspec
from jupyter_server.auth.identity import User
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.prometheus.log_functions import prometheus_log_method
from tornado import web

from jupyter_mlws.kit.actors import TOKEN_PREFIX, Action, Actor
from jupyter_mlws.kit.decoding import clean_text, convert, decode_json, is_list
from jupyter_mlws.kit.errors import BadInput, Forbidden, MlwsError, NotFound, TooLarge, Unauthenticated, no_workspace
from jupyter_mlws.kit.request_log import counts_requests, nobody_reads_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tornado.httputil import HTTPHeaders

    from jupyter_mlws.kit.transactions import Transactions

API = "/mlws/api/v1"
MAX_JSON_BYTES = 16 * 1024 * 1024
SLOW_BODY_S = 120.0
"""A JSON body takes no longer; files may, as long as something comes (`kit.streams`)."""
LINGER_S, LINGER_BYTES = 2.0, 128 * 1024 * 1024
"""How long, and how much, a refused body is still read, so that the client gets to the answer instead of a broken pipe."""
SETTINGS_KEY = "mlws"
LOCAL_HEADER = "X-Mlws-Local"
"""The local token, beside the caller's own: that another server of the same user passes the request on."""

V = TypeVar("V", bound="Callable[..., Awaitable[None]]")


class Contract(NamedTuple):
    """What a verb takes and gives."""

    action: Action
    summary: str
    reply: Any
    body: Any
    query: Any
    status: int
    media_type: str
    raw_body: bool
    errors: tuple[type[MlwsError], ...]


class Route(NamedTuple):
    """A path template under `API`, with `{names}` for its variable segments, and its handler."""

    path: str
    handler: type[ApiHandler]

    @property
    def pattern(self) -> str:
        """Regular expression of the path; variable segments are one segment each."""
        return re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path)


class Masker(Protocol):
    """Hides secrets."""

    def json(self, data: bytes) -> bytes:
        """JSON without the secrets."""


class Runtime(Protocol):
    """What handlers need of the server; made by `server.app`."""

    @property
    def db(self) -> Transactions: ...

    @property
    def services(self) -> Any: ...

    async def ready(self) -> None:
        """Return once the database answers; raises `Unavailable` if it never will."""

    async def actor_of_token(self, token: str, headers: HTTPHeaders) -> Actor | None:
        """The actor of one of our tokens, or None if it is unknown, expired or revoked."""

    def known_actor(self, token: str, headers: HTTPHeaders) -> Actor | None:
        """The same where nothing must be waited for; None: `actor_of_token` tells."""

    def let_in(self, host: str) -> None:
        """Remember a Host header that was checked and may come, of a caller who is known."""

    def lets_in(self, host: str) -> bool:
        """Whether it was checked before, and may come."""

    def actor_of_user(self, user: User) -> Actor:
        """The actor of a person whom Jupyter let in."""

    async def masker(self, actor: Actor) -> Masker | None:
        """Hides secrets in what the actor sends, if it was given any."""

    def known_masker(self, actor: Actor) -> Masker | None:
        """The same where nothing must be waited for. Raises `LookupError`: `masker` tells."""

    def may(self, actor: Actor, action: Action, workspace: str | None) -> bool:
        """Whether the actor may do this in the workspace (None: where the path names none)."""

    def forget_tokens(self) -> None:
        """Ask the database again for every token."""

    @property
    def is_owner(self) -> bool:
        """Whether this server answers itself."""

    async def forward(self, handler: ApiHandler) -> bool:
        """Answer through the server that owns the data folder, if that is another one."""


def endpoint(
    action: Action,
    *,
    summary: str,
    reply: Any = None,
    body: Any = None,
    query: Any = None,
    status: int = 200,
    media_type: str = "application/json",
    raw_body: bool = False,
    errors: Sequence[type[MlwsError]] = (),
) -> Callable[[V], V]:
    """Declare a verb. `prepare()` reads the declaration; the OpenAPI document is made from it."""
    contract = Contract(action, summary, reply, body, query, status, media_type, raw_body, tuple(errors))

    def decorate(verb: V) -> V:
        @functools.wraps(verb)
        async def guarded(self: ApiHandler, *args: Any, **kwargs: Any) -> None:
            if self.current_user is None:
                raise Unauthenticated(NO_CREDENTIALS)
            if not self._finished:
                await verb(self, *args, **kwargs)

        setattr(guarded, "contract", contract)  # noqa: B010 - functions have no such attribute for the type checker
        # Jupyter's own check looks for this mark; False means "needs authentication".
        setattr(guarded, "__allow_unauthenticated", False)
        return cast("V", guarded)

    return decorate


NO_CREDENTIALS = "Sign in to Jupyter first, or send `Authorization: Bearer <token>`."


class ApiHandler(JupyterHandler):
    """Base of all our handlers: authenticates in `prepare()`, parses by contract, answers errors in one shape."""

    actor: Actor
    body: Any = None
    query: Any = None
    hung_up: Callable[[], None] | None = None
    """What to do when the client goes away."""
    forwards = True
    """Answered by the server that owns the data folder; else by the one that is asked."""
    SUPPORTED_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

    @property
    def runtime(self) -> Runtime:
        """The server's runtime."""
        return cast("Runtime", self.settings[SETTINGS_KEY])

    @property
    def db(self) -> Transactions:
        """The database."""
        return self.runtime.db

    @property
    def services(self) -> Any:
        """What else the slices need (stores, dispatcher …), by name."""
        return self.runtime.services

    def contract(self) -> Contract:
        """The contract of the verb that is being asked."""
        found = getattr(getattr(self, (self.request.method or "").lower(), None), "contract", None)
        if found is None:
            raise web.HTTPError(405)
        return cast("Contract", found)

    async def prepare(self, *, _redirect_to_login: bool = True) -> None:
        """Authenticate, check the workspace-level permission, parse query and body."""
        contract = self.contract()
        await self._authenticate()
        self._check_address()
        self._count_as_activity()
        if self.forwards and await self.runtime.forward(self):
            return
        await self._identify()
        workspace = self.path_kwargs.get("workspace")
        if not self.runtime.may(self.actor, Action.READ, workspace):
            raise NotFound(no_workspace(str(workspace)), field="workspace")
        if not self.runtime.may(self.actor, contract.action, workspace):
            raise Forbidden(f"{self.actor.name} may not {contract.action.value} here.")
        if self.request.body and not contract.raw_body and (masker := await self.runtime.masker(self.actor)) is not None:
            self.request.body = masker.json(self.request.body)
        self.query = self._parse_query(contract)
        if contract.body is not None:
            self.body = self._parse_body(contract)

    def _count_as_activity(self) -> None:
        """What a person does keeps an idle server from being culled; reading does not, for pages read by themselves."""
        if self._token is None and self.request.method != "GET":
            self.settings["api_last_activity"] = datetime.now(timezone.utc)

    def on_connection_close(self) -> None:
        """The client went away."""
        super().on_connection_close()
        if self.hung_up is not None:
            self.hung_up()

    _token: str | None = None

    @property
    def bearer(self) -> str | None:
        """The token of ours that the request came with."""
        return self._token

    @property
    def passed_on(self) -> bool:
        """Whether it comes through another server. Its credentials and its Host may then be that server's, and not its caller's."""
        return LOCAL_HEADER in self.request.headers

    def upload_body(self) -> Callable[[Callable[[bytes], Awaitable[None]]], Awaitable[None]] | None:
        """For handlers that take their body as a stream: what hands it on to another server. None: the body is whole already."""
        return None

    async def _authenticate(self) -> None:
        """Our tokens are resolved without Jupyter's identity provider; everything else is Jupyter's."""
        header = self.request.headers.get("Authorization", "")
        scheme, _, credentials = header.partition(" ")
        if scheme.lower() == "bearer" and credentials.startswith(TOKEN_PREFIX):
            if not self.check_host():
                raise web.HTTPError(403)
            self._token = credentials.strip()
            user = User("mlws-token")
            self.current_user = self._jupyter_current_user = user
            self._token_authenticated = True
            return
        await super().prepare(_redirect_to_login=False)
        if self.current_user is None:
            raise Unauthenticated(NO_CREDENTIALS)

    async def _identify(self) -> None:
        """Who calls; a token is looked up. Only where this server owns the data folder."""
        await self.runtime.ready()
        if self._token is None:
            self.actor = self.runtime.actor_of_user(cast("User", self.current_user))
            return
        actor = await self.runtime.actor_of_token(self._token, self.request.headers)
        if actor is None:
            raise Unauthenticated("This token is not known here: it was revoked, has expired, or belongs to another data folder.")
        self.runtime.let_in(self.request.host)
        self.actor = actor

    def _check_address(self) -> None:
        """Before anything is looked up: no name in the path has a NUL, and the body comes as it is."""
        if any("\0" in str(value) for value in self.path_kwargs.values()):
            raise NotFound("There is nothing at this address: a name in it has a NUL character.")
        coding = self.request.headers.get("Content-Encoding", "identity")
        if coding.strip().lower() not in ("identity", ""):
            raise BadInput(f"The body is sent with the encoding {coding[:40]!r}; send it as it is.", field="Content-Encoding")

    def _parse_query(self, contract: Contract) -> Any:
        names: dict[str, Any] = (
            {} if contract.query is None else {f.encode_name: f for f in msgspec.structs.fields(contract.query)}
        )
        given: dict[str, Any] = {}
        for name, values in self.request.query_arguments.items():
            # Jupyter's front end adds a bare number against caches, and marks polling.
            if name.isdigit() or name == "no_track_activity":
                continue
            if name not in names:
                known = ", ".join(names) or "none"
                raise BadInput(f"There is no query parameter {name[:80]!r} here; known are: {known}.", field=name[:80])
            texts = [clean_text(value, f"The query parameter {name!r}", field=name) for value in values]
            given[name] = texts if is_list(names[name].type) else texts[-1]
        if contract.query is None:
            return None
        return convert(given, contract.query, strict=False)

    def _parse_body(self, contract: Contract) -> Any:
        if len(self.request.body) > MAX_JSON_BYTES:
            raise TooLarge(f"The body has {len(self.request.body):,} bytes; at most {MAX_JSON_BYTES:,} are allowed here.")
        return decode_json(self.request.body, contract.body)

    def reply(self, value: Any, *, headers: dict[str, str] | None = None) -> None:
        """Answer with the contract's status and a JSON body."""
        self.set_status(self.contract().status)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        for name, text in (headers or {}).items():
            self.set_header(name, text)
        self.finish(msgspec.json.encode(value))

    def tell_closing(self) -> None:
        """Say so where the connection ends with this answer: tornado closes it when the body was not read to its end."""
        body = getattr(self.request, "_body_future", None)
        if body is not None and not body.done():
            self.set_header("Connection", "close")

    def _let_body_in(self) -> None:
        """Tornado reads a streamed body once this future is done, which it would settle itself only after `prepare()`."""
        waiting: Any = self._prepared_future
        self._prepared_future = None
        if waiting is not None:
            waiting.set_result(None)

    async def _drain(self, *enough: asyncio.Future[None]) -> None:
        """Read what comes of a refused body for a moment, or until `enough`. Who asked first (`Expect`) has not begun to send."""
        if "Expect" in self.request.headers:
            return
        self._let_body_in()
        await asyncio.wait([self.request._body_future, *enough], timeout=LINGER_S, return_when=asyncio.FIRST_COMPLETED)

    def _log(self) -> None:
        """As Jupyter logs requests; but where nobody reads of those that went well, they are not put into words."""
        if self._status_code >= 300 or not nobody_reads_of(self.settings, self.log):
            super()._log()
        elif counts_requests(self.settings):
            prometheus_log_method(self)  # type: ignore[no-untyped-call]

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        """Our own errors are answers, not accidents: no traceback for them."""
        if not isinstance(value, MlwsError):
            super().log_exception(typ, value, tb)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """One JSON shape for every error, Jupyter's and tornado's too."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, MlwsError):
            status_code, body = error.status, error.body()
        else:
            body = {"error": {"code": STATUS_CODES.get(status_code, "internal_error"), "message": words_of(status_code, error)}}
        self.set_status(status_code)
        self.tell_closing()
        if status_code == 429 or status_code == 503:
            self.set_header("Retry-After", "1")
        if status_code == 401:
            self.set_header("WWW-Authenticate", "Bearer")
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(json.dumps(body))


STATUS_CODES = {
    400: "bad_input",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    429: "busy",
    503: "unavailable",
}

PLAIN_WORDS = {
    400: "The address, a header or the body of this request cannot be read: it is not UTF-8, or not in the form that it names.",
    403: "The request was refused: it lacks a valid sign-in, the XSRF token, or an allowed Host.",
    404: "There is nothing at this address; openapi.json lists all that there are.",
    405: "This address does not take this method; openapi.json lists those that it takes.",
    500: "Something went wrong inside the server; its log has the details.",
}


def words_of(status: int, error: object) -> str:
    """A sentence for an error that is not ours. Never the text of an unexpected exception, which may hold private things."""
    if status == 403 and isinstance(error, web.HTTPError) and error.log_message:
        words = str(error.log_message) % error.args if error.args else str(error.log_message)
        return words if words.endswith(".") else f"{words}."
    return PLAIN_WORDS.get(status, PLAIN_WORDS[500] if status >= 500 else "The request was refused.")


def if_match(handler: ApiHandler) -> int | None:
    """The version in the `If-Match` header, if the caller gave one."""
    text = handler.request.headers.get("If-Match", "").strip().strip('"')
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise BadInput("If-Match takes the `version` of what you read, a whole number.", field="If-Match")
    return int(text)
