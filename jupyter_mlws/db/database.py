"""`Database`: every write goes through one thread that commits in groups; reads run in a small pool.

A handler hands over a function: `await db.write(fn)` or `await db.read(fn)`. `fn(session)` is synchronous, touches only the
database, and its work is one savepoint: if it raises, its own work is undone and the others of its group stand. The answer
leaves only after the commit. What `fn` returns must not hold live rows; services return wire types.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from jupyter_mlws.db import driver, outbox, shortcut
from jupyter_mlws.db.engine import READERS, is_failure, make_readers, make_writer, words_of_failure
from jupyter_mlws.kit.errors import Busy, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import URL, Connection

    from jupyter_mlws.db.shortcut import Shortcut

T = TypeVar("T")
log = logging.getLogger(__name__)

QUEUE_LIMIT = 2_000
GROUP_LIMIT = 64


class DatabaseFailed(Unavailable):
    """The database could not take a write or answer a read: a full disk, a lost connection. Nothing of a write was stored."""

    code = "database_failed"


class _Item(Generic[T]):
    """A write, and who waits for it: a thread, or a task of an event loop."""

    __slots__ = ("fn", "future", "repeatable", "shortcut")

    def __init__(
        self,
        fn: Callable[[Session], T],
        future: Future[T] | asyncio.Future[T],
        *,
        repeatable: bool,
        shortcut: Shortcut | None = None,
    ) -> None:
        self.fn = fn
        self.repeatable = repeatable
        self.shortcut = shortcut
        self.future = future

    def begins(self) -> bool:
        """Whether somebody still waits for it; for a thread, from here on it cannot be cancelled any more."""
        if isinstance(self.future, Future):
            return self.future.set_running_or_notify_cancel()
        return not self.future.cancelled()


_Outcome: TypeAlias = "tuple[_Item[Any], Any, BaseException | None]"
"""A write, what it answered, and what it failed with."""


class _Undone(Exception):
    """A write of a group failed that had no savepoint of its own."""


class Database:
    """One workspace database. Thread-safe; `close()` waits for what was accepted."""

    def __init__(self, url: str | URL) -> None:
        self.writer_engine = make_writer(url)
        self.reader_engine = make_readers(url)
        self._shortcuts = shortcut.Writer(self.writer_engine)
        self.listeners: list[Callable[[list[outbox.Change]], None]] = []
        self._queue: queue.SimpleQueue[_Item[Any] | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="mlws-read")
        self._closed = False
        self._gate = threading.Lock()
        self._seq = 0
        self._thread = threading.Thread(target=self._run, name="mlws-writer", daemon=True)

    @property
    def seq(self) -> int:
        """The sequence number of the last committed change."""
        return self._seq

    def start(self) -> None:
        """Begin to accept writes. The schema must be there."""
        with Session(self.writer_engine) as session:
            self._seq = outbox.last_seq(session)
        self._thread.start()

    def submit(self, fn: Callable[[Session], T], *, repeatable: bool = False) -> Future[T]:
        """Queue a write. Raises `Busy` when the queue is full, `Unavailable` after `close()`.

        `repeatable`: `fn` may be called twice, for all that it does is undone with the transaction. Groups of such writes save
        the savepoints, which cost more than a point of a metric does; only where one fails they begin anew with them.
        """
        future: Future[T] = Future()
        self._accept(_Item(fn, future, repeatable=repeatable))
        return future

    async def write(self, fn: Callable[[Session], T], *, repeatable: bool = False, shortcut: Shortcut | None = None) -> T:
        """Run `fn` in the writer thread and answer once its group is committed. Raises as `submit`, whose `repeatable` it takes.

        `shortcut`: tried first where all of the group brought the same one; `fn` then runs only if that did not do it.
        """
        return await self.begin_write(fn, repeatable=repeatable, shortcut=shortcut)

    def begin_write(
        self, fn: Callable[[Session], T], *, repeatable: bool = False, shortcut: Shortcut | None = None
    ) -> asyncio.Future[T]:
        """As `write`, whose answer the future is."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._accept(_Item(fn, future, repeatable=repeatable, shortcut=shortcut))
        return future

    def _accept(self, item: _Item[Any]) -> None:
        with self._gate:  # nothing may come into the queue behind the mark of `close()`
            if self._closed:
                raise Unavailable("The server is stopping; try again in a moment.")
            if self._queue.qsize() >= QUEUE_LIMIT:
                raise Busy("The server has more to write than it can queue; try again in a second.")
            self._queue.put(item)

    def write_sync(self, fn: Callable[[Session], T]) -> T:
        """As `write`, for threads of our own; never call it on the event loop."""
        return self.submit(fn).result()

    async def read(self, fn: Callable[[Session], T]) -> T:
        """Run `fn` in a reader thread, in one read transaction."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_sync, fn)

    def read_sync(self, fn: Callable[[Session], T]) -> T:
        """As `read`, for threads of our own."""
        try:
            with Session(self.reader_engine) as session:
                return fn(session)
        except DBAPIError as error:
            if not is_failure(error):
                raise
            log.exception("A read failed")
            raise DatabaseFailed(
                f"The workspace's database could not be read; try again in a moment: {str(error.orig)[:300]}"
            ) from error

    def close(self) -> None:
        """Commit what was accepted, then let go of all connections."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        self._readers.shutdown(wait=True)
        self.writer_engine.dispose()
        self.reader_engine.dispose()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group = [first]
            stop = False
            while len(group) < GROUP_LIMIT:
                try:
                    item = self._queue.get_nowait()
                except queue.Empty:
                    break
                if item is None:
                    stop = True
                    break
                group.append(item)
            self._commit(group)
            if stop:
                return

    def _commit(self, group: list[_Item[Any]]) -> None:
        """Run a group as one transaction and settle its futures."""
        # Whoever stopped to wait before this is left out.
        group = self._cut_short([item for item in group if item.begins()])
        if not group:
            return
        try:
            outcomes, changes = self._transaction(group)
        except BaseException as error:
            log.exception("A group of %d writes was not committed", len(group))
            failure = _in_words(error)
            _settle([(item, None, failure) for item in group])
            return
        if changes:
            self._seq = changes[-1].seq
        _settle(outcomes)
        self._tell(changes)

    def _cut_short(self, group: list[_Item[Any]]) -> list[_Item[Any]]:
        """Those of a group that their shortcut did not do. Whatever fails there is begun anew in the ordinary way, which tells why."""
        cuts = [item.shortcut for item in group if item.shortcut is not None]
        if not cuts or len(cuts) < len(group) or any(cut.function is not cuts[0].function for cut in cuts):
            return group
        try:
            done, changes = self._shortcuts.run(cuts[0].function, [cut.request for cut in cuts], self._seq)
        except (SQLAlchemyError, self.writer_engine.dialect.loaded_dbapi.Error) as error:
            log.debug("A shortcut failed; going the long way: %s", error)
            return group
        except Exception:
            log.exception("A shortcut failed; going the long way")
            return group
        if changes:
            self._seq = changes[-1].seq
        _settle([(item, cut.answer, None) for item, cut, did in zip(group, cuts, done, strict=True) if did])
        self._tell(changes)
        return [item for item, did in zip(group, done, strict=True) if not did]

    def _transaction(self, group: list[_Item[Any]]) -> tuple[list[_Outcome], list[outbox.Change]]:
        if len(group) == 1:
            return self._run_all(group, self._alone)
        if all(item.repeatable for item in group):
            with contextlib.suppress(_Undone):
                return self._run_all(group, self._bare)
        return self._run_all(group, self._one)

    def _run_all(
        self, group: list[_Item[Any]], run: Callable[[Session, _Item[Any]], _Outcome]
    ) -> tuple[list[_Outcome], list[outbox.Change]]:
        with Session(self.writer_engine, expire_on_commit=False) as session:
            driver.hold(session)
            outcomes = [run(session, item) for item in group]
            changes = self._number(session)
            outbox.store_changes(session, changes)
            session.commit()
        return outcomes, changes

    def _bare(self, session: Session, item: _Item[Any]) -> _Outcome:
        """A write among others that may be repeated."""
        try:
            value = item.fn(session)
            session.flush()
        except Exception as error:
            raise _Undone from error
        return item, value, None

    def _alone(self, session: Session, item: _Item[Any]) -> _Outcome:
        """The only write of a group needs no savepoint: what it did is undone with the transaction."""
        try:
            value = item.fn(session)
            session.flush()
        except Exception as error:  # noqa: BLE001 - handed to the caller
            driver.let_go(session)
            session.rollback()
            session.info[outbox.PENDING] = {}
            return item, None, _in_words(error) if isinstance(error, DBAPIError) and is_failure(error) else error
        return item, value, None

    def _one(self, session: Session, item: _Item[Any]) -> _Outcome:
        before = dict(session.info.get(outbox.PENDING, {}))
        connection = session.connection()
        try:
            with session.begin_nested():
                value = item.fn(session)
        except Exception as error:
            if isinstance(error, DBAPIError) and not _in_transaction(connection):
                raise  # a full disk makes SQLite roll back all of it: no write of this group may count as done
            session.info[outbox.PENDING] = before
            return item, None, _in_words(error) if is_failure(error) else error
        return item, value, None

    def _number(self, session: Session) -> list[outbox.Change]:
        pending: dict[tuple[str, str], outbox.Change] = session.info.get(outbox.PENDING, {})
        return [change._replace(seq=self._seq + n) for n, change in enumerate(pending.values(), start=1)]

    def _tell(self, changes: list[outbox.Change]) -> None:
        if not changes:
            return
        for listener in self.listeners:
            try:
                listener(changes)
            except Exception:
                log.exception("A listener of changes failed")

    def health(self) -> str | None:
        """None when a read works, else the error in words."""
        try:
            with contextlib.closing(self.reader_engine.connect()) as connection:
                connection.exec_driver_sql("SELECT 1")
        except SQLAlchemyError as error:
            return str(error)
        return None


def _settle(outcomes: list[_Outcome]) -> None:
    """Tell those who wait. An event loop is woken once for all of its tasks."""
    tasks: dict[asyncio.AbstractEventLoop, list[_Outcome]] = {}
    for outcome in outcomes:
        future = outcome[0].future
        if isinstance(future, Future):
            _settle_one(outcome)
        else:
            tasks.setdefault(future.get_loop(), []).append(outcome)
    for loop, some in tasks.items():
        with contextlib.suppress(RuntimeError):  # the loop was closed, and nobody waits
            loop.call_soon_threadsafe(_settle_tasks, some)


def _settle_tasks(outcomes: list[_Outcome]) -> None:
    for outcome in outcomes:
        if not outcome[0].future.done():  # cancelled meanwhile
            _settle_one(outcome)


def _settle_one(outcome: _Outcome) -> None:
    item, value, failure = outcome
    if failure is not None:
        item.future.set_exception(failure)
    else:
        item.future.set_result(value)


def _in_transaction(connection: Connection) -> bool:
    """Whether the driver still has the transaction of this group open."""
    if connection.invalidated:
        return False
    driver = connection.connection.dbapi_connection
    return bool(getattr(driver, "in_transaction", True)) and not getattr(driver, "closed", False)


def _in_words(error: BaseException) -> Exception:
    """What the callers of a group learn that was not committed."""
    if isinstance(error, DBAPIError):
        return DatabaseFailed(words_of_failure(error))
    return error if isinstance(error, Exception) else RuntimeError(str(error))
