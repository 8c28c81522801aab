"""What the HTTP layer needs of a database: two ways to run a function in a transaction (`db.database` has them)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from sqlalchemy.orm import Session

T = TypeVar("T")


class Transactions(Protocol):
    """Runs functions in transactions."""

    @property
    def seq(self) -> int:
        """The sequence number of the last committed change."""

    def read_sync(self, fn: Callable[[Session], T]) -> T:
        """As `read`, for threads."""

    def write_sync(self, fn: Callable[[Session], T]) -> T:
        """As `write`, for threads; never on the event loop."""

    async def read(self, fn: Callable[[Session], T]) -> T:
        """Run `fn` in one read transaction."""

    async def write(self, fn: Callable[[Session], T], *, repeatable: bool = False, shortcut: Any = None) -> T:
        """Run `fn` in the writer, and answer once it is committed; `repeatable` if it may be called twice, which is quicker, and a
        `shortcut` (`db.shortcut`) where there is one."""

    def begin_write(self, fn: Callable[[Session], T], *, repeatable: bool = False, shortcut: Any = None) -> asyncio.Future[T]:
        """As `write`, whose answer the future is."""
