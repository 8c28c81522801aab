"""A memory limit that the kernel itself keeps: a scope of the user's systemd around the job's processes, where there is one."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from typing import Dict, List, Sequence

TRIAL = 64 << 20
TRIAL_S = 5.0
CGROUPS = "/sys/fs/cgroup"
TELL = f"print(open('{CGROUPS}' + open('/proc/self/cgroup').read().split('0::')[1].split()[0] + '/memory.max').read())"
"""What a process says of the limit that it really has."""


class Scopes:
    """`systemd-run` of this user."""

    def __init__(self, program: str, *, literal: bool) -> None:
        self._program = program
        self._literal = literal

    def wrapped(self, argv: Sequence[str], limit: int, unit: str) -> List[str]:
        """`argv` in a scope whose processes may hold `limit` bytes together. The process becomes that of `argv`; its pid stays."""
        # From 254 on it may replace `$NAME` in arguments.
        literal = ["--expand-environment=no"] if self._literal else []
        bounds = ["-p", f"MemoryMax={limit}", "-p", "MemorySwapMax=0"]
        return [self._program, "--user", "--scope", "--quiet", "--collect", *literal, f"--unit={unit}", *bounds, "--", *argv]

    def work(self, env: Dict[str, str], unit: str) -> bool:
        """Whether a process started so has the limit: there may be no systemd of the user, and it may not have been given memory."""
        argv = self.wrapped([sys.executable, "-S", "-E", "-c", TELL], TRIAL, unit)
        try:
            told = subprocess.run(
                argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TRIAL_S, check=False
            )
        except (OSError, subprocess.SubprocessError):
            return False
        return told.returncode == 0 and told.stdout.strip() == str(TRIAL)


def find(path: str | None) -> Scopes | None:
    """The `systemd-run` on this path, if there is one."""
    program = shutil.which("systemd-run", path=path)
    if program is None:
        return None
    try:
        told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=TRIAL_S, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.match(r"systemd (\d+)", told)
    return Scopes(program, literal=version is not None and int(version.group(1)) >= 254)


def group_of(pid: int, unit: str) -> str | None:
    """Folder of the control group of this scope, if `pid` is in it (by now)."""
    with contextlib.suppress(OSError, IndexError), open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
        path = file.read().split("0::")[1].split("\n")[0]
        return CGROUPS + path if path.endswith(f"/{unit}.scope") else None
    return None


def oom_kills(group: str) -> int:
    """How many processes of a control group the kernel has killed for want of memory; 0 where the group is gone."""
    with contextlib.suppress(OSError, ValueError), open(os.path.join(group, "memory.events"), encoding="ascii") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("oom_kill "))
    return 0


def machine_oom_kills() -> int | None:
    """How many processes the kernel has killed for want of memory since the machine started; None where that is not told."""
    with contextlib.suppress(OSError, ValueError, StopIteration), open("/proc/vmstat", "rb") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(b"oom_kill "))
    return None
