"""Whether a job ended for want of memory, told from its exit record; and the words for it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.runs.schemas import RunError
from jupyter_mlws.kit.sizes import size_text
from jupyter_mlws.kit.surrogates import whole_text

if TYPE_CHECKING:
    from collections.abc import Mapping

REASON = "out_of_memory"
KIND = "OutOfMemory"
KILLED = 128 + signal.SIGKILL
"""What a shell ends with when the last program that it ran was killed."""


def out_of_memory(record: Mapping[str, Any], result: Mapping[str, Any], progress: Mapping[str, Any] | None) -> RunError | None:
    """Why a job ended, where that was its memory; None where it was something else.

    Its supervisor ended it, and says so; or the kernel killed a process of its scope, which has the limit; or a process of the job was
    killed by nobody who told, while the machine ran out of memory and the job held the most. `result` and `progress` are what the
    runner of a notebook left.
    """
    peak, limit = _bytes(record.get("peak_memory_bytes")), _bytes(record.get("memory_limit_bytes"))
    told = result.get("error")
    known: Mapping[str, Any] = told if isinstance(told, dict) else {}
    if record.get("reason") == REASON or (limit and _bytes(record.get("oom_kills")) and _killed(record, result)):
        words = _over(peak, limit)
    elif record.get("machine_ran_out") is True and _killed(record, result):
        words = f"The machine ran out of memory, and the system killed the job, most probably as the largest: it held {size_text(peak)}."
    else:
        return None
    cell, name = _cell(known, progress)
    where = "" if cell is None else f" Cell {cell + 1}{f', “{name}”,' if name else ''} was running."
    return RunError(message=f"{words}{where} {_advice(limit)}", kind=KIND, cell=cell, cell_name=name)


def _over(peak: int, limit: int) -> str:
    if size_text(peak) == size_text(limit) or peak <= limit:
        return f"The job used all of its memory; its limit is {size_text(limit)}."
    return f"The job used {size_text(peak)}; its limit is {size_text(limit)}."


def _advice(limit: int) -> str:
    if limit:
        return "Give it a higher limit, or let it hold less at once."
    return "Let it hold less at once, or run fewer jobs beside it."


def _killed(record: Mapping[str, Any], result: Mapping[str, Any]) -> bool:
    """Whether a process of the job was killed, by nobody who told it."""
    if record.get("reason") != "exited":
        return False
    return (
        record.get("signal") == signal.SIGKILL
        or record.get("exit_code") == KILLED
        or result.get("kernel_signal") == signal.SIGKILL
    )


def _cell(known: Mapping[str, Any], progress: Mapping[str, Any] | None) -> tuple[int | None, str | None]:
    """(index, name) of the cell that was running: as the runner says, or where it was when it was killed itself."""
    cell, name = known.get("cell"), known.get("cell_name")
    if cell is None and progress is not None:
        cell, name = progress.get("current"), progress.get("label")
    if not isinstance(cell, int) or not 0 <= cell < 2**31:
        return None, None
    return cell, whole_text(name)[:500] if isinstance(name, str) and name else None


def _bytes(value: Any) -> int:
    return value if isinstance(value, int) and 0 <= value < 2**63 else 0
