"""Text of a stream output as a terminal would leave it: a progress bar of a million updates is one line, two nested bars are two."""

from __future__ import annotations

from mlws.terminal import Screen

ENCODING = ("utf-8", "surrogatepass")
"""What a kernel sends may hold halves of surrogate pairs."""


class StreamText:
    """One stream output. `feed` takes what the kernel sends, `news` tells a reader what has changed, `settled` is all of it."""

    def __init__(self) -> None:
        self._screen = Screen(patient=True)
        self._finished: list[bytes] = []
        self._fresh: list[bytes] = []
        """Finished lines that the reader has not been told as such."""
        self._told: list[bytes] = [b""]
        """The last lines as the reader has them; the last one is unfinished."""

    def feed(self, text: str) -> None:
        """Take in text."""
        done = self._screen.feed(text.encode(*ENCODING))
        if done:
            self._finished.append(done)
            self._fresh.append(done)

    def news(self) -> tuple[int, str] | None:
        """(lines to take away from the end, text to append) since the last call; None if nothing has changed."""
        live = self._screen.live
        now = b"".join(self._fresh) + b"\n".join(live)
        before = b"\n".join(self._told)
        if now == before:
            return None
        if now.startswith(before):
            back, start = 0, len(before)
        else:
            back, start = len(self._told), 0
            for line in self._told[:-1]:
                if not now.startswith(line + b"\n", start):
                    break
                start += len(line) + 1
                back -= 1
        self._fresh, self._told = [], live
        return back, now[start:].decode(*ENCODING)

    def settled(self) -> str:
        """The whole text as it stands."""
        whole = b"".join([*self._finished, b"\n".join(self._screen.live)])
        self._finished = [b"".join(self._finished)]
        return whole.decode(*ENCODING)
