"""What the parts of one notebook job share, and how it is canceled."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_mlws.runner.deltas import DeltaWriter
    from jupyter_mlws.runner.kernel import JobKernel
    from jupyter_mlws.runner.report import Reporter

KILL_AFTER_S = 5.0


@dataclass
class Session:
    """Kernel and reports of the job, whether somebody wants it to end, and how it failed."""

    loop: asyncio.AbstractEventLoop
    kernel: JobKernel
    deltas: DeltaWriter
    reporter: Reporter
    kill_after_s: float = KILL_AFTER_S
    running: bool = False
    canceled: bool = False
    error: dict[str, Any] | None = None
    kernel_signal: int | None = None
    """What the kernel was killed by, if it was."""
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def catch_signals(self) -> None:
        """From now on SIGINT and SIGTERM cancel the job."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self.loop.add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        again, self.canceled = self.canceled, True
        work = self.kernel.kill() if again or not self.running else self._interrupt_then_kill()
        self._tasks.append(self.loop.create_task(work))

    async def _interrupt_then_kill(self) -> None:
        """A cell may clean up after KeyboardInterrupt, or not listen to it."""
        await self.kernel.interrupt()
        await asyncio.sleep(self.kill_after_s)
        if self.running:
            await self.kernel.kill()
