"""Kernels that are started in the first moments wait for the workspace: nobody would follow them, and nothing in them would be tracked."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

log = logging.getLogger(__name__)
WAIT_S = 10.0


class EarlyKernels:
    """Holds the starts of kernels until `let_go`."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._start = manager.start_kernel
        self._open = asyncio.Event()
        self._held = self._start_kernel
        manager.start_kernel = self._held

    async def _start_kernel(self, *args: Any, **kwargs: Any) -> Any:
        try:
            await asyncio.wait_for(self._open.wait(), WAIT_S)
        except asyncio.TimeoutError:
            log.warning("A kernel starts without the ML workspace, which took more than %s s to start", WAIT_S)
            return await self._start(*args, **kwargs)
        return await self._manager.start_kernel(*args, **kwargs)

    def let_go(self) -> None:
        """Those that wait are started by whoever is the manager's start by then; again it does nothing."""
        if self._manager.start_kernel is self._held:
            self._manager.start_kernel = self._start
        self._open.set()


def why_untracked(serverapp: Any) -> str:
    """Why kernels of this server are told nothing of the workspace, for the sidebar: `gateway`, `socket`, or nothing."""
    if serverapp.gateway_config.gateway_enabled:
        return "gateway"  # they run elsewhere
    return "socket" if serverapp.sock else ""  # which no URL can name
