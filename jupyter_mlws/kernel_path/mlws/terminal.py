"""The last lines of a terminal: those that a program may still rewrite. Bytes in, finished lines out.

A progress bar returns to the start of its line (`\\r`); nested bars also move the cursor up and down (`\\x1b[A`). What stands there at
last is what a person wants to read. A line is rewritten as a whole; all other escape sequences stay in its text.
"""

import re
from typing import List

ROWS = 50
"""So many lines above the cursor may be rewritten, as on a screen of that height."""
HOLD_S = 0.2
"""A bar that was left by a newline may be come back to for so long: programs write the newline and the way back apart."""
HOLD_MOVED_S = 2.0
"""So long in programs that have moved the cursor before."""
CONTROL = re.compile(rb"\n|\x1b\[([0-9]*)([ABEF])")
MOVE = re.compile(rb"\x1b\[[0-9]*[ABEF]")
CUT_SEQUENCE = re.compile(rb"\x1b(?:\[[0-9]*)?\Z")
# Lookahead instead of a split: what a line held before its last carriage return that something followed.
OVERWRITTEN = re.compile(rb"(?m)^[^\n]*\r(?=[^\r\n])")
LINE_END = re.compile(rb"\r+\n")


class Row:
    """One line."""

    __slots__ = ("bar", "returned", "text", "touched")

    def __init__(self, touched: float) -> None:
        self.text = bytearray()
        self.returned = False
        """The cursor is at its start: what comes overwrites it."""
        self.bar = False
        """It was overwritten, so it may be again."""
        self.touched = touched

    def write(self, text: bytes, now: float) -> None:
        """Text without newlines, at the cursor."""
        body = text.rstrip(b"\r")
        if body:
            returned = body.rfind(b"\r")
            if self.returned or returned >= 0:
                self.text[:] = body[returned + 1 :]
                self.bar = True
            else:
                self.text += body
            self.returned = False
            self.touched = now
        if len(body) < len(text):
            self.returned = True

    @property
    def shown(self) -> bytes:
        """Its text; of a bar that was wiped with spaces nothing."""
        return b"" if self.bar and not self.text.strip() else bytes(self.text)


class Screen:
    """Rows from the oldest that may be rewritten to the last one."""

    def __init__(self, *, patient: bool = False) -> None:
        """`patient`: lines stay as long as there is room; else they are finished soon, so that readers have them."""
        self.rows: List[Row] = [Row(0.0)]
        self.at = 0
        self.moved = False
        self._patient = patient
        self._cut = b""
        """The beginning of an escape sequence; the rest is on its way."""

    @property
    def live(self) -> List[bytes]:
        """The rows as they stand; the last is unfinished."""
        return [row.shown for row in self.rows]

    @property
    def waits(self) -> bool:
        """Rows above the cursor are held, and finished by time alone."""
        return self.at > 0

    def feed(self, data: bytes, now: float = 0.0) -> bytes:
        """Take in output; the lines that are finished by it, each with its newline."""
        finished = []
        data = self._cut + data
        cut = CUT_SEQUENCE.search(data, max(0, len(data) - 8))
        self._cut = data[cut.start() :] if cut else b""
        data = data[: cut.start()] if cut else data
        if data.count(b"\n") > ROWS and self.at == len(self.rows) - 1:
            whole, data = self._bulk(data, now)
            finished.append(whole)
        start = 0
        row = self.rows[self.at]
        for match in CONTROL.finditer(data):
            if match.start() > start:
                row.write(data[start : match.start()], now)
            start = match.end()
            letter = match.group(2)
            row = self._move(letter, int(match.group(1) or 1), now) if letter else self._down(1, now, make=True)
        if start < len(data):
            row.write(data[start:], now)
        finished.append(self.finish(now))
        return b"".join(finished)

    def finish(self, now: float = 0.0) -> bytes:
        """The rows above the cursor that nobody will come back to; they leave the screen."""
        number = max(0, self.at - ROWS)
        if not self._patient:
            hold = HOLD_MOVED_S if self.moved else HOLD_S
            for index in range(number, self.at):
                row = self.rows[index]
                if now - row.touched >= hold:
                    number = index + 1
                elif self.moved:
                    break
                elif row.text and not row.bar:
                    # Plain text is never come back to, and neither is what stands above it.
                    number = index + 1
        return self.take(number)

    def take(self, number: int) -> bytes:
        """The first `number` rows as finished lines; they leave the screen."""
        if number == 0:
            return b""
        gone, self.rows = self.rows[:number], self.rows[number:]
        self.at -= number
        return b"".join(row.shown + b"\n" for row in gone)

    def break_line(self, limit: int) -> bytes:
        """What the cursor's row has over `limit` bytes as a finished line (and those above it); never inside a UTF-8 sequence."""
        finished = []
        row = self.rows[self.at]
        while len(row.text) > limit:
            cut = limit
            while cut > limit - 4 and row.text[cut] & 0xC0 == 0x80:
                cut -= 1
            finished += [self.take(self.at), bytes(row.text[:cut]), b"\n"]
            del row.text[:cut]
        return b"".join(finished)

    def end(self, now: float = 0.0) -> bytes:
        """All that is left, at the end of the output; a new screen is there afterwards."""
        self.rows[self.at].write(self._cut, now)
        self._cut = b""
        left = b"\n".join(self.live)
        self.rows, self.at = [Row(now)], 0
        return left

    def _bulk(self, data: bytes, now: float) -> "tuple[bytes, bytes]":
        """(Finished lines, the rest) of much output: but for its last lines it cannot be rewritten any more."""
        cut = len(data)
        for _ in range(ROWS + 1):
            cut = data.rfind(b"\n", 0, cut)
        cut += 1
        if MOVE.search(data, 0, cut):
            return b"", data
        row = self.rows[-1]
        before = b"".join(row.shown + b"\n" for row in self.rows[:-1])
        body = bytes(row.text) + (b"\r" if row.returned else b"") + data[:cut]
        if b"\r" in body:
            body = OVERWRITTEN.sub(b"", LINE_END.sub(b"\n", body))
        self.rows, self.at = [Row(now)], 0
        return before + body, data[cut:]

    def _down(self, rows: int, now: float, *, make: bool) -> Row:
        """Some rows down, to the start of the line; below the last one only where that makes a new one."""
        self.at += rows
        if self.at >= len(self.rows):
            if make:
                self.rows.append(Row(now))
            self.at = len(self.rows) - 1
        row = self.rows[self.at]
        row.returned = bool(row.text)
        return row

    def _move(self, letter: bytes, rows: int, now: float) -> Row:
        """Up (A), down (B), and the same to the start of the line (F, E). The first row that is left is the highest."""
        self.moved = True
        if letter in b"AF":
            self.at = max(0, self.at - rows)
            row = self.rows[self.at]
            row.returned = row.returned or letter == b"F"
        else:
            row = self._down(rows, now, make=False)
            row.returned = row.returned if letter == b"E" else False
        row.touched = now
        return row
