"""What Slurm says: of the jobs in its queue, why one waits, and how one ended. Its own programs are asked, and nothing is kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.domain.compute.batch.psi import said
from jupyter_mlws.domain.compute.batch.site import NoAnswer, NotThere
from jupyter_mlws.domain.compute.errors import HostUnreachable

if TYPE_CHECKING:
    from jupyter_mlws.domain.compute.batch.site import Site

PATIENCE_S = 30.0
PENDING = frozenset({"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT", "RESV_DEL_HOLD"})
ACTIVE = frozenset({"RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "RESIZING", "SIGNALING", "STAGE_OUT"})
SEPARATOR = "\x1f"
PURGED = re.compile(r"Invalid job id", re.IGNORECASE)


class Seen(NamedTuple):
    """A job as Slurm has it."""

    native_id: str
    name: str
    state: str
    """In its own words: `PENDING`, `RUNNING`, `TIMEOUT` …"""
    reason: str
    """Why it waits, or why it ended: `Resources`, `PartitionTimeLimit` …"""
    nodes: str

    @property
    def waits(self) -> bool:
        """It has not begun."""
        return self.state in PENDING

    @property
    def over(self) -> bool:
        """It runs no more, and will not."""
        return self.state not in PENDING and self.state not in ACTIVE


class End(NamedTuple):
    """How a job ended."""

    state: str
    reason: str
    exit_code: str
    """`3:0`: exit code and signal of its script."""
    time_limit: str


def ran(site: Site, argv: list[str], patience: float = PATIENCE_S) -> str:
    """What a program of Slurm's prints. Raises `HostUnreachable` where it fails."""
    try:
        done = site.run(argv, patience)
    except NotThere:
        raise HostUnreachable(f"There is no program {argv[0]} on the PATH of {site.where}: is Slurm installed there?") from None
    except NoAnswer as error:
        raise HostUnreachable(f"Slurm does not answer: {error}.") from None
    if done.code != 0:
        raise HostUnreachable(f"Slurm cannot be reached: {said(done.err or done.out)}.")
    return done.out


def look(site: Site) -> list[Seen]:
    """All jobs of this user that Slurm still knows."""
    form = SEPARATOR.join(("%i", "%j", "%T", "%r", "%N"))
    # By number: a name would be that of LOGNAME, which may be another one, and need not be there.
    lines = ran(site, ["squeue", "--noheader", "--states=all", "--user={uid}", f"--format={form}"]).splitlines()
    return [Seen(*fields) for line in lines if len(fields := line.split(SEPARATOR)) == len(Seen._fields)]


def end_of(site: Site, native_id: str) -> End | None:
    """How a job ended, as far as Slurm still knows it."""
    try:
        text = ran(site, ["scontrol", "show", "job", "--oneliner", native_id])
    except HostUnreachable as error:
        if PURGED.search(error.message):
            return None
        raise
    found = dict(re.findall(r"(?:^|\s)(JobState|Reason|ExitCode|TimeLimit)=(\S+)", text))
    return End(*(found.get(name, "") for name in ("JobState", "Reason", "ExitCode", "TimeLimit")))
