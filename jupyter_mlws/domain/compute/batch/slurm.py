"""Slurm: of the jobs in its queue, why one waits, and how one ended. Its own programs are asked, and nothing is kept."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from jupyter_mlws.domain.compute.batch.system import (
    SHOWS_S,
    Cause,
    End,
    Refusals,
    Seen,
    Unknown,
    Wanted,
    minutes,
    printed,
    said,
)
from jupyter_mlws.domain.compute.errors import HostUnreachable
from jupyter_mlws.domain.compute.schemas import SlurmPlace

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from jupyter_mlws.domain.compute.batch.site import Done, Site
    from jupyter_mlws.domain.compute.schemas import BatchPlace

PENDING = frozenset({"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT", "RESV_DEL_HOLD"})
ACTIVE = frozenset({"RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "RESIZING", "SIGNALING", "STAGE_OUT"})
CAUSES: dict[str, Cause] = {
    "TIMEOUT": "timeout",
    "DEADLINE": "deadline",
    "OUT_OF_MEMORY": "memory",
    "NODE_FAIL": "node",
    "BOOT_FAIL": "boot",
    "PREEMPTED": "preempted",
    "REVOKED": "revoked",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
}
SEPARATOR = "\x1f"
PURGED = re.compile(r"Invalid job id", re.IGNORECASE)
REFUSALS = Refusals(
    away=re.compile(
        r"Unable to contact slurm controller|Connection refused|munge|Protocol authentication error|Slurm backup controller in standby"
        r"|Zero Bytes were transmitted|Resource temporarily unavailable|Slurm temporarily unable to accept job|Transport endpoint",
        re.IGNORECASE,
    ),
    full=re.compile(r"MaxSubmit|maximum number of jobs|submit limit", re.IGNORECASE),
    unknown=re.compile(r"Socket timed out|timed out on send/recv|Unexpected message received", re.IGNORECASE),
)
"""What `sbatch` says."""


class Slurm:
    """Slurm, by `sbatch`, `squeue`, `scontrol` and `scancel`."""

    kind = "slurm"
    name = "Slurm"
    programs: tuple[str, ...] = ("sbatch", "squeue", "scontrol", "scancel")
    tells_version = "--version"
    cancels = "scancel"
    package = "Slurm's client, or start the server where it is (Debian: apt install slurm-client)"
    ask_owner = "Ask who runs Slurm whether slurmctld is up: `scontrol ping`."
    passed: tuple[str, ...] = ("SLURM", "CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK")
    shows_s = SHOWS_S
    takes_todo = "See `sinfo` for the partitions; `mlws compute update NAME --partition …` names another."

    def name_of(self, key: str, ticket: str) -> str:
        """With the number of the run."""
        return f"mlws-{key}-{ticket[:4]}"

    def look(self, site: Site, numbers: Collection[str], *, unnumbered: bool) -> list[Seen]:  # noqa: ARG002 - it is asked for all
        """All jobs of this user."""
        form = SEPARATOR.join(("%i", "%j", "%T", "%r", "%N"))
        # By number: a name would be that of LOGNAME, which may be another one, and need not be there.
        out = printed(self, site, ["squeue", "--noheader", "--states=all", "--user={uid}", f"--format={form}"])
        return [seen(*fields) for line in out.splitlines() if len(fields := line.split(SEPARATOR)) == 5]

    def end_of(self, site: Site, native_id: str, record: Mapping[str, Any]) -> End | None:  # noqa: ARG002 - it says what it did
        """As `scontrol` says."""
        try:
            text = printed(self, site, ["scontrol", "show", "job", "--oneliner", native_id])
        except HostUnreachable as error:
            if PURGED.search(error.message):
                return None
            raise
        found = dict(re.findall(r"(?:^|\s)(JobState|Reason|TimeLimit)=(\S+)", text))
        state = found.get("JobState", "")
        return End(state, found.get("Reason", ""), CAUSES.get(state, ""), found.get("TimeLimit", ""), state not in ACTIVE)

    def number_of(self, submitted: Done) -> str:
        """As `sbatch --parsable` prints it."""
        if submitted.code == 0 and submitted.out.strip():
            return submitted.out.strip().splitlines()[-1].split(";")[0]
        words = said(f"{submitted.out}\n{submitted.err}")
        raise Unknown(words) if submitted.code == 0 else REFUSALS.of(self, words)

    def executor(self, psij: Any) -> tuple[type, type]:
        """PSI/J's own."""
        of = psij.executors.batch.slurm
        return of.SlurmJobExecutor, of.SlurmExecutorConfig

    def ask_for(self, site: Site, psij: Any, spec: Any, name: str, place: BatchPlace, wanted: Wanted) -> None:  # noqa: ARG002 - PSI/J knows the words
        """Times are in minutes."""
        asked = _place(place)
        attributes = spec.attributes
        attributes.queue_name, attributes.account, attributes.reservation_id = asked.partition, asked.account, asked.reservation
        attributes.duration = None if wanted.time_s is None else timedelta(minutes=minutes(wanted.time_s))
        if asked.qos:
            attributes.set_custom_attribute("slurm.qos", asked.qos)
        attributes.set_custom_attribute("slurm.job-name", name)  # the name of a specification is not passed on
        spec.resources = psij.ResourceSpecV1(
            node_count=1,
            processes_per_node=1,
            cpu_cores_per_process=math.ceil(wanted.cpus) if wanted.cpus else None,
            gpu_cores_per_process=wanted.gpus or None,
            memory=wanted.memory_bytes,
        )

    def version(self, site: Site) -> str:
        """That of `sbatch`, once its queue was looked at."""
        self.look(site, (), unnumbered=False)
        return f"{printed(self, site, ['sbatch', '--version']).strip()} answers"

    def takes(self, place: BatchPlace, site: Site) -> str:
        """Slurm tries it, and starts nothing."""
        found = _place(place)
        asked = [
            f"--{name}={value}" for name in ("partition", "account", "qos", "reservation") if (value := getattr(found, name))
        ]
        limit = [f"--time={minutes(place.time_limit_s)}"] if place.time_limit_s else []
        printed(self, site, ["sbatch", "--test-only", *asked, *limit, "--wrap=true"])
        return " ".join([*asked, *limit])


def _place(place: BatchPlace) -> SlurmPlace:
    assert isinstance(place, SlurmPlace)  # noqa: S101 - that of this kind
    return place


def seen(native_id: str, name: str, state: str, reason: str, nodes: str) -> Seen:
    """A job as `squeue` has it."""
    stage: Literal["waits", "runs", "over"] = "waits" if state in PENDING else "runs" if state in ACTIVE else "over"
    return Seen(native_id, name, state, reason if reason != "None" else "", nodes, stage)
