"""A batch system, whose programs are on this host: the questions of a server that reaches it only through here.

What may be run is told word by word; nothing of it goes through a shell.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, Callable, Dict, List

from mlws import ending, jobdir
from mlws.remote.jobs import has_begun

if TYPE_CHECKING:
    from mlws.remote.jobs import Jobs

SCRIPT = "job.sh"
NUMBER = r"[0-9]+(\[\])?(\.[A-Za-z0-9_.:-]+)?"
"""That of a job of PBS, which has the name of its server."""
WORDS = {
    "sbatch": r"--(version|test-only|wrap=true|(partition|account|qos|reservation|time)=[A-Za-z0-9_][A-Za-z0-9_.,:+/-]*)",
    "squeue": r"--(version|noheader|states=all|user=\{uid\}|format=[%a-zA-Z\x1f]+)",
    "scontrol": r"show|job|--(version|oneliner)|[0-9]+",
    "scancel": r"-Q|--version|[0-9]+",
    "qsub": r"--version",
    "qstat": r"--version|-[Qxf]|[A-Za-z0-9_][A-Za-z0-9_.,:+/@\[\]-]*",
    "qdel": rf"--version|{NUMBER}",
    "bsub": r"-V",
    "bjobs": r"-(V|a|noheader|o)|[0-9]+|[a-z_ ]+ delimiter='\^'",
    "bkill": r"-V|[1-9][0-9]*",  # 0 are all jobs
    "bqueues": r"-V|[A-Za-z0-9_][A-Za-z0-9_.,:+/@-]*",
    "lsid": r"-V",
}
"""The words that each program may be given."""
SUBMIT_S = 120.0


class Batch:
    """One of them; `jobs` are the folders that its nodes see."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs

    def run(self, argv: List[str], seconds: float) -> Dict[str, Any]:
        """What a program says: `code`, `out` and `err`; or `missing` where there is none of that name, or `late`."""
        program, words = argv[0], argv[1:]
        if program not in WORDS:
            raise ValueError(f"{program!r:.80} is no program that is run here")
        for word in words:
            if re.fullmatch(WORDS[program], word) is None:
                raise ValueError(f"{program} is not given {word!r:.80} here")
        whole = [program, *(word.replace("{uid}", str(os.getuid())) for word in words)]
        return _ran(program, lambda: ending.run(whole, seconds))

    def submit(self, key: str, asked: Dict[str, Any]) -> Dict[str, Any]:
        """Submit the script of a job that was laid. Its `mark` and its secrets are there before."""
        place = self.jobs.dir(key)
        folder = os.path.join(place, ending.SCRIPTS)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        for name, text in asked["files"].items():
            jobdir.write_atomic(os.path.join(folder, os.path.basename(name)), text.encode())
        script = os.path.join(folder, SCRIPT)
        jobdir.write_atomic(script, asked["script"].encode())
        if asked["secrets"]:
            jobdir.write_atomic(os.path.join(place, jobdir.SECRETS), json.dumps(asked["secrets"]).encode())
        jobdir.write_atomic(os.path.join(place, jobdir.SENT), json.dumps(asked["mark"]).encode(), durable=True)
        kind = asked["kind"]
        return _ran(ending.SUBMIT[kind][0], lambda: ending.submit(kind, script, SUBMIT_S))

    def end(self, key: str, words: str) -> Dict[str, Any]:
        """Write the record of a job that the batch system ended before its supervisor came to it."""
        return {"ended": ending.bury(self.jobs.dir(key), words)}

    def recall(self, key: str) -> Dict[str, Any]:
        """What was submitted of a job does not begin any more, unless it has `begun`."""
        place = self.jobs.dir(key)
        if has_begun(place):
            return {"begun": True}
        for name in (jobdir.SECRETS, jobdir.SENT):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(place, name))
        return {"begun": has_begun(place)}

    def void(self, key: str) -> Dict[str, Any]:
        """Nobody asks for a job any more: it ends, or does not begin."""
        place = self.jobs.dir(key)
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(place, jobdir.SECRETS))
        mark = jobdir.read_json(os.path.join(place, jobdir.SENT))
        if mark is not None and not has_begun(place):
            jobdir.write_atomic(os.path.join(place, jobdir.SENT), json.dumps({**mark, "ticket": ""}).encode(), durable=True)
        elif has_begun(place):
            jobdir.request_cancel(place)
        return {}


def _ran(program: str, run: Callable[[], subprocess.CompletedProcess[str]]) -> Dict[str, Any]:
    if shutil.which(program) is None:
        return {"missing": program}
    try:
        done = run()
    except subprocess.TimeoutExpired:
        return {"late": True}
    return {"code": done.returncode, "out": done.stdout, "err": done.stderr}
