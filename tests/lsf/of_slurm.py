"""What the programs beside this one have in common: they speak as IBM's manuals have LSF's, and hand what they are asked to a Slurm. They
take the options that are used of them, in the shape of the manuals, and no other: a call that LSF would refuse fails here, too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

DOWN = "LSF is down. Please wait ..."
TERMS = {
    "TIMEOUT": "TERM_RUNLIMIT: job killed after reaching LSF run time limit",
    "OUT_OF_MEMORY": "TERM_MEMLIMIT: job killed after reaching LSF memory usage limit",
    "CANCELLED": "TERM_OWNER: job killed by owner",
}


def slurm(*argv: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """What becomes of one of Slurm's programs; ends this one where Slurm is away, as LSF's end that may not try for ever."""
    if os.environ.get("LSB_NTRIES") not in ("1", "2"):
        fail("batch system daemon not responding ... still trying", 3)
    done = subprocess.run(argv, input=given, capture_output=True, text=True)
    if "Unable to contact slurm controller" in done.stderr or "Socket timed out" in done.stderr:
        fail(DOWN, 255)
    return done


def tell_version(name: str) -> None:
    """Do what all programs of LSF do with `-V`, on the error output."""
    if sys.argv[1:] == ["-V"]:
        sys.stderr.write(f"IBM Spectrum LSF Standard 10.1.0.12, Jun 10 2021\n  binary type: {name} of the tests\n")
        sys.exit(0)


def fail(words: str, code: int = 255) -> NoReturn:
    """End with words on the error output."""
    sys.stderr.write(f"{words}\n")
    sys.exit(code)


def folder() -> Path:
    """Where scripts are kept: that of the cluster."""
    return Path(os.environ["SLURM_CONF"]).parent
