"""Which processes are below one."""

from __future__ import annotations

import subprocess
import sys

import pytest

ORPHAN = """
import os, signal, sys
from mlws.supervise import tree
if not tree.adopt_orphans():
    sys.exit("no subreaper")
looks, look = [], tree._processes
tree._processes = lambda: looks.append(1) or look()
none = tree.descendants(os.getpid()), len(looks)
child = os.fork()
if child == 0:
    orphan = os.fork()
    if orphan:
        os.write(1, f"{orphan}\\n".encode())
        os._exit(0)
    os.setsid()
    signal.pause()
os.waitpid(child, 0)
found = tree.descendants(os.getpid())
for pid in found:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
print(none, found, tree.descendants(os.getpid()), len(looks))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere orphans go to init")
def test_the_machine_is_looked_through_only_where_there_are_children() -> None:
    """An orphan that came to the supervisor is found; without any child nothing can be below it, and /proc is not read."""
    told = subprocess.run([sys.executable, "-c", ORPHAN], capture_output=True, text=True, check=True).stdout
    orphan, seen = told.splitlines()
    assert seen == f"([], 0) [{orphan}] [] 1"
