"""Routes of tokens."""

from __future__ import annotations

from jupyter_mlws.domain.access import service
from jupyter_mlws.domain.access.errors import NotExchangeable, TokenNotFound
from jupyter_mlws.domain.access.schemas import Token, TokenCreate, TokenExchange, TokenUpdate
from jupyter_mlws.domain.workspaces.errors import WorkspaceNotFound
from jupyter_mlws.domain.workspaces.service import find
from jupyter_mlws.kit.actors import Action, ActorKind
from jupyter_mlws.kit.http import ApiHandler, Route, endpoint


class TokensHandler(ApiHandler):
    """Tokens of kernels."""

    @endpoint(Action.ADMIN, summary="Make a token for a kernel", body=TokenCreate, reply=Token, status=201)
    async def post(self) -> None:
        """A token that may log to and submit in one workspace."""
        body, user = self.body, self.actor.name
        new = await self.db.write(
            lambda s: service.issue_token(
                s,
                kind=ActorKind.KERNEL,
                user=user,
                workspace_id=find(s, body.workspace).id,
                lifetime_ms=body.lifetime_s * 1000,
                exchangeable=body.exchangeable,
            )
        )
        self.reply(Token(id=new.id, secret=new.secret))


class ExchangeHandler(ApiHandler):
    """One token for another."""

    @endpoint(
        Action.EXCHANGE,
        summary="Exchange a kernel's token for one of another workspace",
        body=TokenExchange,
        reply=Token,
        status=201,
        errors=[NotExchangeable, WorkspaceNotFound],
    )
    async def post(self) -> None:
        """For kernels that this server started: the token lives as long as theirs, and asking again answers the same."""
        body, secret = self.body, self.bearer
        new = await self.db.write(lambda s: service.exchange_token(s, secret, body.workspace))
        self.reply(Token(id=new.id, secret=new.secret))


class TokenHandler(ApiHandler):
    """One token."""

    @endpoint(Action.ADMIN, summary="Tell who has a token", body=TokenUpdate, status=204, errors=[TokenNotFound])
    async def patch(self, token_id: str) -> None:
        """Runs that are made with the token end as failed when this process is gone."""
        holder = self.body.holder
        await self.db.write(lambda s: service.note_holder(s, token_id, holder))
        self.set_status(204)

    @endpoint(Action.ADMIN, summary="Revoke a token", status=204)
    async def delete(self, token_id: str) -> None:
        """The token is worth nothing from now on (within five seconds)."""
        await self.db.write(lambda s: service.revoke_token(s, token_id))
        self.runtime.forget_tokens()
        self.set_status(204)


ROUTES = [
    Route("/tokens", TokensHandler),
    Route("/tokens/exchange", ExchangeHandler),
    Route("/tokens/{token_id}", TokenHandler),
]
