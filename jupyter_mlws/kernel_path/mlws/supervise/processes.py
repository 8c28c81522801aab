"""What the job's processes use: processor time, memory, disk. Read from /proc; elsewhere from `ps`, which tells less."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import time
from typing import Dict, List, NamedTuple, Set, Tuple

from mlws.supervise import tree

REFRESH_S = 20.0
PSS_SHARE, PSS_SHARE_CHANGED = 1000, 200
"""Adding up shares of shared memory walks all page tables: it takes no more than this part of the time, while nothing changes and else."""
CHANGED = 0.05
PAGE = resource.getpagesize()
TICKS = os.sysconf("SC_CLK_TCK")
PSS_PARTS = (b"Pss_Anon:", b"Pss_Shmem:", b"SwapPss:")


class Look(NamedTuple):
    """One look at the tree."""

    at: float
    """Of the monotonic clock, in seconds."""
    pids: List[int]
    cpu_s: float
    """Of all processes from the start on, ended ones among them."""
    rss: int
    """Bytes; what processes share counts in each."""
    largest: Tuple[int, int]
    """(pid, bytes) of the process with the most memory."""


class Reader:
    """Looks at every process below `root`, however often: a process that is not of the tree is read once."""

    def __init__(self, root: int) -> None:
        self.root = root
        self.own: Set[int] = set()
        """Processes below `root` that are not the job's."""
        self._mine: Dict[int, bytes] = {}
        """Start time by pid: whoever was once in the tree stays in it, for orphans come to the supervisor."""
        self._others: Set[int] = set()
        self._refresh_at = 0.0
        self._apart = 0
        self._pss_at = self._pss_at_change = 0.0
        self._rss = 0

    def look(self) -> Look:
        """The tree now."""
        now = time.monotonic()
        if now >= self._refresh_at:  # pids are used again
            self._refresh_at = now + REFRESH_S
            self._others.clear()
        stats = self._stats() if tree.LINUX else _listed(self.root)
        pids: List[int] = []
        rss, cpu, largest = 0, _of_ended(), (0, 0)
        for pid, (dead, seconds, size) in stats.items():
            cpu += seconds
            if not dead:
                pids.append(pid)
                rss += size
                largest = max(largest, (pid, size), key=lambda one: one[1])
        return Look(now, pids, cpu, rss, largest)

    def memory(self, look: Look, *, exact: bool = False) -> int:
        """Bytes that the tree holds: anonymous and shared memory, in parts where it is shared, and what of it is swapped out.

        Pages of files do not count: the system takes them back when it needs them. Between two exact readings, which are as seldom
        as they are slow, what the processes share is taken to be what it was. Where nothing tells it, RSS.
        """
        changed = abs(look.rss - self._rss) > CHANGED * self._rss
        if exact or look.at >= (self._pss_at_change if changed else self._pss_at):
            began = time.perf_counter()
            self._apart = look.rss - sum(_pss(pid) for pid in look.pids) if tree.LINUX else 0
            took = time.perf_counter() - began
            self._rss, self._pss_at, self._pss_at_change = (
                look.rss,
                look.at + took * PSS_SHARE,
                look.at + took * PSS_SHARE_CHANGED,
            )
        return max(0, look.rss - self._apart)

    def disk(self, look: Look) -> Tuple[int, int]:
        """Bytes (read, written) by the living processes, and the ended ones that they waited for; zeros where nothing tells it."""
        read = written = 0
        for pid in look.pids:
            with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/io", "rb") as file:
                lines = file.read().split(b"\n")
                read += int(lines[4].split()[1])
                written += int(lines[5].split()[1])
        return read, written

    def _stats(self) -> Dict[int, Tuple[bool, float, int]]:
        """(is dead, CPU seconds with those of ended children, RSS) by pid."""
        there = {int(name) for name in os.listdir("/proc") if name.isdigit()}
        self._others &= there
        found: Dict[int, Tuple[bool, float, int]] = {}
        unknown: Dict[int, List[bytes]] = {}
        for pid in there - self._others - self.own:
            fields = _stat(pid)
            if fields is None:
                continue
            if self._mine.get(pid) == fields[19]:
                found[pid] = _use(fields)
            else:
                unknown[pid] = fields
        inside = {self.root, *found}
        more = True
        while more:
            new = [pid for pid, fields in unknown.items() if int(fields[1]) in inside]
            for pid in new:
                inside.add(pid)
                found[pid] = _use(unknown[pid])
                self._mine[pid] = unknown.pop(pid)[19]
            more = bool(new)
        self._others.update(unknown)
        self._mine = {pid: start for pid, start in self._mine.items() if pid in found}
        return found


def _stat(pid: int) -> List[bytes] | None:
    """Fields of /proc/<pid>/stat from the state on; None of a process that is gone."""
    try:
        return tree.read_stat(pid)
    except OSError:
        return None


def _use(fields: List[bytes]) -> Tuple[bool, float, int]:
    return fields[0] in (b"Z", b"X"), sum(map(int, fields[11:15])) / TICKS, int(fields[21]) * PAGE


def _of_ended() -> float:
    """CPU seconds of the processes that this one has waited for."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime


def _pss(pid: int) -> int:
    """Bytes of a process, its part of what is shared; its RSS where that is not told, 0 for one that is gone."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            sizes = {line[0]: int(line[1]) for line in map(bytes.split, file) if len(line) > 2 and line[2] == b"kB"}
    except OSError:
        fields = _stat(pid)
        return 0 if fields is None else int(fields[21]) * PAGE
    if PSS_PARTS[0] not in sizes:  # Linux before 5.9
        return (sizes.get(b"Pss:", 0) + sizes.get(b"SwapPss:", 0)) * 1024
    return sum(sizes.get(part, 0) for part in PSS_PARTS) * 1024


def _listed(root: int) -> Dict[int, Tuple[bool, float, int]]:
    """The same from `ps`, which is not of the tree; ended children are not told."""
    asked = ["/bin/ps", "-A", "-o", "pid=,ppid=,stat=,rss=,time="]
    lister = subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    listing = lister.communicate()[0]
    found = parse_ps(listing, root)
    found.pop(lister.pid, None)
    return found


def parse_ps(listing: str, root: int) -> Dict[int, Tuple[bool, float, int]]:
    """(is dead, CPU seconds, RSS) by pid of the processes below `root` in a listing of pid, parent, state, RSS in KiB, CPU time."""
    children: Dict[int, List[int]] = {}
    uses: Dict[int, Tuple[bool, float, int]] = {}
    for line in listing.splitlines():
        fields = line.split()
        if len(fields) != 5:
            continue
        name, parent, state, rss, spent = fields
        children.setdefault(int(parent), []).append(int(name))
        uses[int(name)] = state.startswith("Z"), _seconds(spent), int(rss) * 1024
    inside = [root]
    for pid in inside:
        inside.extend(children.get(pid, ()))
    return {pid: uses[pid] for pid in inside[1:]}


def _seconds(text: str) -> float:
    """`[[days-]hours:]minutes:seconds` of ps."""
    days, _, clock = text.rpartition("-")
    seconds = float(days or 0) * 86400
    for place, part in enumerate(reversed(clock.split(":"))):
        seconds += float(part) * 60**place
    return seconds


def largest_elsewhere(pids: List[int]) -> int:
    """RSS of the largest process of this machine that is not among these, as far as it may be seen; 0 without /proc."""
    if not tree.LINUX:
        return 0
    known, most = set(pids), 0
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) not in known:
            fields = _stat(int(name))
            most = max(most, 0 if fields is None else int(fields[21]) * PAGE)
    return most
