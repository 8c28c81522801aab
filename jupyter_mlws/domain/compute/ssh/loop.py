"""The one thread in which all connections to hosts live."""

from __future__ import annotations

import asyncio
import functools
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from concurrent.futures import Future

T = TypeVar("T")


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="mlws-ssh", daemon=True).start()
    return loop


def spawn(work: Coroutine[Any, Any, T]) -> Future[T]:
    """Let it run there."""
    return asyncio.run_coroutine_threadsafe(work, _loop())


def wait(work: Coroutine[Any, Any, T]) -> T:
    """Its result. Blocks: for threads."""
    return spawn(work).result()
