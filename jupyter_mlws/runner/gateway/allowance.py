"""How much a kernel on another server may bring to this machine for a job: what it prints, logs and leaves as files."""

from __future__ import annotations

from jupyter_mlws.runner.gateway.remote import Refused


class TooMuch(Refused):
    """The job has brought more than it may."""


class Allowance:
    """Counts bytes."""

    def __init__(self, limit: int) -> None:
        """`limit`: so many bytes; 0: as many as come."""
        self.limit = limit
        self.taken = 0

    def take(self, count: int, still: int = 0) -> None:
        """So many bytes have come, and so many are known to follow. Raises `TooMuch`."""
        self.taken += count
        if self.limit and self.taken + still > self.limit:
            raise TooMuch(
                f"The job brings more than {_words(self.limit)} of output, logged data and files from its kernel to this machine. Have it "
                "print and keep less, or let it bring more: `mlws compute update NAME --fetch-limit SIZE`."
            )


def _words(count: int) -> str:
    return f"{count / 1e9:g} GB" if count >= 10**9 else f"{count / 1e6:g} MB"
