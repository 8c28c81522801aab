"""Executes cells and follows their outputs: into the notebook, into the deltas, and as text to stdout."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING, Any

from nbclient.exceptions import DeadKernelError
from nbformat import v4
from papermill.clientwrap import PapermillNotebookClient

from jupyter_mlws.runner.streams import StreamText

if TYPE_CHECKING:
    from jupyter_mlws.runner.deltas import DeltaWriter
    from mlws.masking import Masker

nbformat: Any = v4  # it ships no types

MAX_BUFFER = 4_000_000
IOPUB_QUIET_S = 4.0
KERNEL_CHECK_EVERY_S = 0.25


class OpenStream:
    """The stream output that a cell is writing. Text gathers here: joining it at each message would be quadratic."""

    def __init__(self, cell: int, node: Any, masker: Masker) -> None:
        self.cell = cell
        self.hiding = masker.of_text()
        self.node = node
        self.new: list[str] = []
        self.size = 0
        self.text = StreamText()

    def goes_on(self, outs: list[Any], cell: int, name: str) -> bool:
        """Whether text of stream `name` belongs to this output."""
        return self.cell == cell and self.node["name"] == name and bool(outs) and outs[-1] is self.node


class JobClient(PapermillNotebookClient):  # type: ignore[misc]
    """Papermill's client, with each change told as it comes.

    `flush` is to be called every 100 ms, `settle` before anybody reads the notebook.
    """

    def __init__(self, nb_man: Any, *, deltas: DeltaWriter, masker: Masker, **kwargs: Any) -> None:
        super().__init__(nb_man, **kwargs)
        self.deltas = deltas
        self.masker = masker
        self._stream: OpenStream | None = None
        self._messages = 0

    # -- outputs ---------------------------------------------------------------------------------------------------

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        """Take in one message of the kernel."""
        self._messages += 1
        if self.masker and msg["msg_type"] != "stream":  # the text of streams comes in pieces
            msg = {**msg, "content": self.masker.value(msg["content"])}
        # Papermill's own would ask its manager for an autosave at each message.
        return super(PapermillNotebookClient, self).process_message(msg, cell, cell_index)

    def output(self, outs: list[Any], msg: dict[str, Any], display_id: str | None, cell_index: int) -> Any:
        """An output of the cell."""
        content = msg["content"]
        is_stream = msg["msg_type"] == "stream"
        if self.output_hook_stack[msg["parent_header"].get("msg_id")]:
            if is_stream:
                content["text"] = self.masker.text(content["text"])
                write_text(content["text"])
            return super().output(outs, msg, display_id, cell_index)
        stream = self._stream
        if (
            is_stream
            and stream is not None
            and not self.clear_before_next_output
            and stream.goes_on(outs, cell_index, content["name"])
        ):
            self._take(stream, content["text"])
            return None
        self.settle()
        clears = self.clear_before_next_output
        if is_stream:
            if clears:
                self._clear_now(outs, cell_index)
            node = nbformat.new_output("stream", name=content["name"], text="")
            outs.append(node)
            self._stream = OpenStream(cell_index, node, self.masker)
            self._take(self._stream, content["text"])
            return node
        out = super().output(outs, msg, display_id, cell_index)
        if out is not None:
            if clears:
                self.deltas.clear(cell_index)
            self.deltas.output(cell_index, dict(out), display_id)
            write_text(_as_text(out))
        return out

    def _take(self, stream: OpenStream, text: str) -> None:
        stream.new.append(text)
        stream.size += len(text)
        if stream.size > MAX_BUFFER:
            self.flush()

    def _clear_now(self, outs: list[Any], cell_index: int) -> None:
        outs[:] = []
        self.clear_display_id_mapping(cell_index)
        self.clear_before_next_output = False
        self.deltas.clear(cell_index)

    def clear_output(self, outs: list[Any], msg: dict[str, Any], cell_index: int) -> None:
        """The outputs go, now or before the next one."""
        hooked = bool(self.output_hook_stack[msg["parent_header"].get("msg_id")])
        if not hooked:
            self.settle()
        super().clear_output(outs, msg, cell_index)
        if not hooked and not msg["content"].get("wait"):
            self.deltas.clear(cell_index)

    def _update_display_id(self, display_id: str, msg: dict[str, Any]) -> None:
        shown = any(self._display_id_map.get(display_id, {}).values())
        super()._update_display_id(display_id, msg)
        if shown:
            with contextlib.suppress(ValueError):  # a message that is no output
                self.deltas.update(display_id, dict(nbformat.output_from_msg(msg)))

    def flush(self) -> None:
        """Write out what came since the last time."""
        self._bring_stream()
        self.deltas.flush()

    def _bring_stream(self, *, ends: bool = False) -> None:
        """Bring new stream text to stdout, and to the deltas. `ends`: no more of it comes, so nothing is kept back for its sake."""
        stream = self._stream
        if stream is None:
            return
        text = stream.hiding.feed("".join(stream.new)) + (stream.hiding.end() if ends else "")
        stream.new.clear()
        stream.size = 0
        if text:
            write_text(text)
            stream.text.feed(text)
            news = stream.text.news()
            if news is not None:
                self.deltas.stream(stream.cell, stream.node["name"], news[1], back=news[0])

    def settle(self, *, ends: bool = True) -> None:
        """Make the notebook's outputs complete up to now. `ends`: the stream that is being written does not go on."""
        self._bring_stream(ends=ends)
        stream = self._stream
        if stream is not None:
            stream.node["text"] = stream.text.settled()

    # -- waiting ---------------------------------------------------------------------------------------------------

    async def _async_poll_for_reply(
        self,
        msg_id: str,
        cell: Any,
        timeout: int | None,  # noqa: ARG002 - upstream's signature
        task_poll_output_msg: Any,
        task_poll_kernel_alive: Any,
    ) -> Any:
        """Wait for the cell's reply, then for its last output: as long as output comes, then 4 s. Upstream cuts after 4 s.

        `timeout` is not looked at: the supervisor limits the time.
        """
        while True:
            msg = await self.kc.shell_channel.get_msg(timeout=None)
            if msg["parent_header"].get("msg_id") == msg_id:
                break
        cell["metadata"].setdefault("execution", {})["shell.execute_reply"] = msg["header"]["date"].isoformat()
        seen = -1
        while not task_poll_output_msg.done() and seen != self._messages:
            seen = self._messages
            await asyncio.wait({task_poll_output_msg}, timeout=IOPUB_QUIET_S)
        if not task_poll_output_msg.done():
            self.log.warning("the kernel did not tell that the cell is idle")
            task_poll_output_msg.cancel()
        elif (error := task_poll_output_msg.exception()) is not None:
            raise error
        task_poll_kernel_alive.cancel()
        return msg

    async def _async_poll_kernel_alive(self) -> None:
        while True:
            await asyncio.sleep(KERNEL_CHECK_EVERY_S)
            try:
                await self._async_check_alive()
            except DeadKernelError:
                if self.task_poll_for_reply is not None:
                    self.task_poll_for_reply.cancel()
                return


def _as_text(out: Any) -> str:
    """An output as a terminal would show it."""
    if out["output_type"] == "error":
        return "\n".join(out["traceback"]) + "\n"
    plain = out.get("data", {}).get("text/plain", "")
    text = plain if isinstance(plain, str) else "".join(plain)
    return text + "\n" if text else ""


def write_text(text: str) -> None:
    """Write to stdout, which is the job's log."""
    view = memoryview(text.encode("utf-8", "replace"))
    with contextlib.suppress(BrokenPipeError):
        while view:
            view = view[os.write(1, view) :]
