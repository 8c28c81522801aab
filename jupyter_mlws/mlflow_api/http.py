"""Handlers of MLflow's routes, made from the table of calls: parse, one function in a transaction, reply."""

from __future__ import annotations

import base64
import binascii
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.actors import TOKEN_PREFIX, Action
from jupyter_mlws.kit.http import ApiHandler, endpoint, words_of
from jupyter_mlws.kit.refusals import BodyTooLarge
from jupyter_mlws.mlflow_api.errors import EndpointNotFound, InvalidParameter, status_and_body
from jupyter_mlws.mlflow_api.parsing import Request, parse_body, parse_query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session

    from jupyter_mlws.db.shortcut import Shortcut
    from jupyter_mlws.kit.actors import Actor

API = "api/2.0/mlflow"
WORKSPACE = r"(?:/w/(?P<workspace>[^/]+))?"
"""What may stand before all paths: the workspace, where it is not the token's or `default`."""


class Context(NamedTuple):
    """Who calls, and in which workspace."""

    actor: Actor
    workspace: str


def context_of(actor: Actor, named: str | None) -> Context:
    """Who calls, and where: in the workspace that the address names, else in the token's, else in the one that is always there."""
    return Context(actor, named or actor.workspace or workspaces.DEFAULT)


class Call(NamedTuple):
    """One route of the protocol."""

    method: str
    path: str
    """Below `api/2.0/mlflow/`; `{names}` are single segments, and are given to `run` as fields of the request."""
    action: Action
    request: type[Request]
    run: Callable[[Session, Context, Any], Any]
    writes: bool = True
    repeatable: bool = False
    """As in `Database.write`: for what training logs again and again."""
    shortcut: Callable[[Context, Any], Shortcut | None] | None = None
    """The quick way for the common case, if this request is one."""

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (self.run.__doc__ or "").strip().partition("\n")[0].rstrip(".")


class MlflowHandler(ApiHandler):
    """Base of these handlers: MLflow's shape of errors, its sign-in, and the workspace that the URL or the token names."""

    too_large: type[BodyTooLarge]
    quick: Call | None = None
    """The call of this path that may be answered without a handler (see `lane`)."""

    @property
    def context(self) -> Context:
        """Who calls, and where."""
        return context_of(self.actor, self.path_kwargs.get("workspace"))

    def set_default_headers(self) -> None:
        """JSON for programs needs none of the headers that Jupyter gives its pages."""
        self.set_header("X-Content-Type-Options", "nosniff")

    def compute_etag(self) -> None:
        """MLflow's clients ask for no validators: no answer is hashed for one."""

    async def _authenticate(self) -> None:
        """A token of ours may come as the password of HTTP Basic, too: clients prefer that to a token where both are set."""
        header = self.request.headers.get("Authorization", "")
        scheme, _, credentials = header.partition(" ")
        if scheme.lower() == "basic":
            try:
                password = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[2]
            except (binascii.Error, ValueError):
                password = ""
            if password:
                kind = "Bearer" if password.startswith(TOKEN_PREFIX) else "token"
                self.request.headers["Authorization"] = f"{kind} {password}"
        await super()._authenticate()

    def send_json(self, value: Any) -> None:
        """Answer with 200, the only status that clients take for success."""
        self.set_status(200)
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        self.finish(json_of(value))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """MLflow's JSON for every error."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        status, body = status_and_body(status_code, error, words_of(status_code, error))
        self.set_status(status)
        self.tell_closing()
        if status in (429, 503):
            self.set_header("Retry-After", "1")
        if status == 401:
            self.set_header("WWW-Authenticate", "Bearer")
        self.set_header("Content-Type", "application/json")
        self.finish(msgspec.json.encode(body))

    def _parse_query(self, _contract: Any) -> Any:
        """Each call parses what it takes."""
        return None

    async def answer(self, call: Call, names: dict[str, str]) -> None:
        """Parse the request, run the call in one transaction, reply."""
        request = self.parse(call)
        for name, value in names.items():
            if name != "workspace":
                setattr(request, name, value)
        run = partial(encoded, call.run, self.context, request)
        if call.writes:
            shortcut = None if call.shortcut is None else call.shortcut(self.context, request)
            self.send_json(await self.db.write(run, repeatable=call.repeatable, shortcut=shortcut))
        else:
            self.send_json(await self.db.read(run))

    def parse(self, call: Call) -> Request:
        """The request as the call wants it: from the query of a GET, else from the body."""
        if call.method == "GET" and (self.request.query_arguments or not self.request.body):
            return parse_query(self.request.query_arguments, call.request)
        if call.method == "POST":
            kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            if not kind:
                raise InvalidParameter("Bad Request. Content-Type header is missing.")
            if kind != "application/json":
                raise InvalidParameter("Bad Request. Content-Type must be one of ['application/json'].")
        return parse_body(self.request.body, call.request)


class MlflowBodyTooLarge(BodyTooLarge, MlflowHandler):
    """Answers where the body is announced to be too large to be held in memory."""

    write_error = MlflowHandler.write_error


MlflowHandler.too_large = MlflowBodyTooLarge


def encoded(function: Callable[[Session, Context, Any], Any], context: Context, request: Any, session: Session) -> bytes:
    """What a call answers, encoded in the same thread: a page of a thousand runs is not the event loop's work."""
    return msgspec.json.encode(function(session, context, request))


def json_of(answer: Any) -> bytes:
    """What a call answers, as JSON; most of it comes `encoded`."""
    return answer if isinstance(answer, bytes) else msgspec.json.encode(answer)


def handlers_of(calls: list[Call], special: Mapping[str, type[MlflowHandler]]) -> list[tuple[str, type[MlflowHandler]]]:
    """(regular expression of the path below `/mlws`, handler) for each path of the table. `special` are handlers that do more."""
    by_path: dict[str, list[Call]] = {}
    for call in calls:
        by_path.setdefault(call.path, []).append(call)
    return [
        (pattern_of(f"{API}/{path}"), _handler(path, some, special.get(path, MlflowHandler))) for path, some in by_path.items()
    ]


def pattern_of(path: str) -> str:
    """The regular expression of a path with `{names}`, with or without a workspace before it."""
    parts = [f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else part.replace(".", r"\.") for part in path.split("/")]
    return f"{WORKSPACE}/{'/'.join(parts)}"


def _handler(path: str, calls: list[Call], base: type[MlflowHandler]) -> type[MlflowHandler]:
    verbs = {call.method.lower(): _verb(call) for call in calls}
    quick = next((call for call in calls if call.repeatable), None)
    return type(f"Mlflow<{path}>", (base,), {"__doc__": f"`{path}` of MLflow's protocol.", "quick": quick, **verbs})


def _verb(call: Call) -> Callable[..., Any]:
    @endpoint(call.action, summary=call.summary)
    async def verb(self: MlflowHandler, **names: str) -> None:
        await self.answer(call, names)

    return verb


class NoEndpoint(MlflowHandler):
    """Whatever else is asked under an `api` of ours."""

    SUPPORTED_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

    @endpoint(Action.READ, summary="No such endpoint")
    async def get(self, **_names: str) -> None:
        """404 with the code that lets clients try another way."""
        raise EndpointNotFound(f"There is no endpoint {self.request.method} {self.request.path[:200]} here.")

    post = put = patch = delete = get
