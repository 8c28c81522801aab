"""The compute targets `slurm`, `pbs` and `lsf`."""

from __future__ import annotations

import contextlib
import json
import logging
import secrets as random
import threading
import time
from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.compute.batch import records
from jupyter_mlws.domain.compute.batch.psi import Submitter
from jupyter_mlws.domain.compute.batch.site import NoAnswer, NotThere
from jupyter_mlws.domain.compute.batch.system import End, Unknown, Wanted
from jupyter_mlws.domain.compute.batch.watch import QUICK_S, Minder, Watch
from jupyter_mlws.domain.compute.errors import ExtraMissing, HostFull, HostUnfit, HostUnreachable, QueueFull
from jupyter_mlws.domain.compute.schemas import Load
from jupyter_mlws.kit.clock import now_ms
from jupyter_mlws.kit.paths import job_key
from mlws import ending, jobdir

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jupyter_mlws.domain.compute.batch.site import Laid, Site
    from jupyter_mlws.domain.compute.batch.system import System
    from jupyter_mlws.domain.compute.schemas import BatchPlace, HostFacts, HostNotebooks

log = logging.getLogger(__name__)

CANCEL_EVERY_S = 5.0
CANCEL_LATE_S = 60.0
"""A supervisor that has not ended its job so long after it was asked to is ended by the batch system."""
END_KNOWN_S = 30.0
"""So long after a job the batch system may take to say how it ended; longer nobody waits for that."""


UNKNOWN = End("", "", "", "", over=False)


class BatchCompute(Watch):
    """Submits supervisors to a batch system. All that is known of a job stands in its folder, and there; `site` is where both are."""

    problem = ""
    takes_secrets = True
    remote = True
    own_queue = True
    """It minds CPUs, memory and GPUs by itself."""
    gpu_ids: tuple[int, ...] = ()

    def __init__(
        self, name: str, max_jobs: int, place: BatchPlace, site: Site, system: System, *, scripts: Path, description: str
    ) -> None:
        super().__init__(name, site, system)
        self.kind = system.kind
        self.passed = system.passed
        self.max_jobs = max_jobs
        self.description = description
        self.place = place
        self._submitter = Submitter(scripts, site, system)
        self._asking, self._canceling = threading.Lock(), threading.Lock()
        self._told: set[records.Watched] = set()

    @property
    def unreachable(self) -> str:
        """Why nothing starts there now. Jobs may be submitted all the same."""
        return self.trouble

    @property
    def shared(self) -> bool:
        """The folder of a job here is the one in which it runs."""
        return self._site.shared

    @property
    def kinds(self) -> frozenset[str]:
        """What it runs."""
        return self._site.kinds

    @property
    def facts(self) -> dict[str, Any]:
        """What the host of the batch system said of itself; of this machine nothing."""
        return self._site.facts

    # ---- what the engine asks

    def notebooks(self, patience: float | None = None, *, kernel: str | None = None) -> HostNotebooks | None:
        """What there is for notebooks, where that is not what is here."""
        return self._site.notebooks(patience, kernel)

    def know(self, facts: HostFacts) -> None:
        """What a test has just found."""
        self._site.know(facts)

    def address_for_jobs(self) -> str:
        """How jobs there reach this server; empty where they do not, and what they log is read from their folders."""
        address = self._site.address(self.place.server_url or "")
        try:
            with self._asking:  # of several workers one waits for its time-out, and not one after the other
                if self.trouble:  # the thread that looks finds out when it is over: a worker does not wait for that, too
                    raise HostUnreachable(self.trouble)
                if time.monotonic() - self._looked > QUICK_S:
                    self._look()
        finally:
            self._follow()
        return address

    def start(self, job_dir: Path, secrets: Mapping[str, str] | None = None) -> None:
        """Submit the job. What it is known by is written before; so a server that is killed now submits no job twice that runs twice."""
        job = json.loads((job_dir / jobdir.JOB).read_bytes())
        with self._site.laid(job_dir) as laid:
            ticket = random.token_hex(8)
            mark = {
                "target": self.name,
                "name": self._system.name_of(job_key(job_dir), ticket),
                "ticket": ticket,
                "secrets": bool(secrets),
                "fetched": not job["env"].get("MLWS_URL"),
                "at": now_ms(),
                **(laid.mark or {}),
            }
            watched = records.Watched(job_dir, mark)
            watched.submitting = True
            with self._lock:  # before its mark is there, by which others would find it
                self._watched[job_dir] = watched
            try:
                records.note(job_dir, mark)
            except OSError:
                with self._lock:
                    del self._watched[job_dir]
                raise
            try:
                self._check_kept()
                if laid.mark is None:
                    self._submit(watched, job, laid, secrets)
            except (HostUnfit, HostUnreachable, HostFull, QueueFull, ExtraMissing):
                self._forget(watched, refused=True)
                raise
            finally:
                watched.submitting = False
                watched.since = time.monotonic()
                self._follow()
        self._site.follow(job_dir, Minder(self, watched))

    def _check_kept(self) -> None:
        if self._given_up:
            raise HostUnreachable(f"The target {self.name!r} was deleted.")

    def _submit(self, watched: records.Watched, job: dict[str, Any], laid: Laid, secrets: Mapping[str, str] | None) -> None:
        name, ticket = watched.mark["name"], watched.mark["ticket"]
        argv = [self.place.python, "-S", "-m", "mlws.supervise.batch", laid.folder, ticket]
        script = self._submitter.script(name, argv, laid, self.place, wanted(self.place, job), ending.LOG)
        try:
            native_id = self._system.number_of(self._site.submit(watched.folder, watched.mark, secrets, script))
        except (Unknown, NoAnswer) as error:
            log.warning("Whether job %s was submitted to %s is not known yet: %s", name, self.name, error)
            return
        except NotThere as error:
            raise HostUnfit(f"There is no program {error} on the PATH of {self._site.where}.") from None
        except HostUnreachable as error:
            self._say(error.message)
            raise
        watched.mark = {**watched.mark, "id": native_id}
        records.note(watched.folder, watched.mark)
        if self._given_up:  # while it was submitted
            self._let_go(watched)

    def is_alive(self, job_dir: Path) -> bool:
        """Whether the job waits or runs, as its folder and the batch system say; of a silent one not while that cannot be asked."""
        if jobdir.is_alive(str(job_dir)):
            return True
        watched = self._find(job_dir)
        if watched is None or self.trouble:
            return False
        if watched.submitting or not watched.asked:
            return True
        if (lives := self._site.lives(job_dir)) is not None:
            return lives
        if watched.seen is None and not watched.native_id and not watched.begun():
            return True  # until `take_back` is sure of it
        return watched.seen is not None and not watched.seen.over

    def away(self, job_dir: Path) -> str:
        """Why it is not known how a job does; empty while it is."""
        watched = self._find(job_dir)
        return "" if watched is None or jobdir.is_alive(str(job_dir)) else self.trouble or self._site.away(job_dir)

    def waits(self, job_dir: Path) -> str:
        """Why the batch system has not begun a job, in its own words; empty where that is not so."""
        watched = self._find(job_dir)
        if watched is None or watched.seen is None or watched.begun():
            return ""
        seen = watched.seen
        why, job = seen.reason or "in its queue", f"{self._system.name} job {seen.native_id}"
        if self.trouble:
            return f"{why} ({job}, when it was last asked for). {self.trouble}"
        if seen.waits:
            return f"{why} ({job})."
        return "" if seen.over else f"It starts on {seen.nodes or 'a node'} ({job})."

    def take_back(self, job_dir: Path) -> bool:
        """Whether it is sure that the batch system was never given a job. Then it may be prepared again."""
        watched = self._find(job_dir)
        if watched is None or watched.submitting or watched.native_id or not watched.asked or watched.begun():
            return False
        if self.trouble or watched.seen is not None or self._looked - watched.since < self._system.shows_s:
            return False
        if not self._site.recall(job_dir):
            return False
        log.warning("%s does not know job %s: it is submitted again", self._system.name, watched.mark["name"])
        self._forget(watched, refused=False)
        return True

    def cancel(self, job_dir: Path, reason: str = "canceled") -> None:
        """Ask the supervisor to end the job; one that has not begun leaves the queue."""
        watched = self._find(job_dir)
        if job_dir.is_dir():  # else it was deleted for good
            jobdir.request_cancel(str(job_dir), reason)
        if watched is None or not watched.native_id or self.trouble or (watched.begun() and not _asked_long_ago(job_dir)):
            return
        if self._canceling.acquire(blocking=False):  # workers look at other jobs, too: one waits, the others come again
            try:
                self._cancel_there(watched)
            finally:
                self._canceling.release()

    def _cancel_there(self, watched: records.Watched) -> None:
        now = time.monotonic()
        if now - watched.canceled_at > CANCEL_EVERY_S:
            watched.canceled_at = now
            with contextlib.suppress(HostUnreachable, ExtraMissing):  # the next look tries again
                self._submitter.cancel(watched.native_id)
            self._wake.set()

    def give_up(self) -> bool:
        """The target goes although it has jobs: the batch system is told to end them, as far as it can be, and nobody asks how they do.

        False where some could not be told, and are tried again by who asks again.
        """
        self._given_up = True
        live = list(self._watched.values())
        self._told |= {watched for watched in live if watched not in self._told and self._let_go(watched)}
        return self._told.issuperset(live)

    def _let_go(self, watched: records.Watched) -> bool:
        if watched.folder.is_dir() and not watched.begun():
            # One that it cannot be told to end now does not run later, when nobody knows it any more.
            watched.mark = {**watched.mark, "ticket": ""}
            with contextlib.suppress(OSError):
                records.note(watched.folder, watched.mark)
        told = self._site.void(watched.folder)
        if not self.trouble and watched.native_id:
            self._cancel_there(watched)
        elif watched.folder.is_dir():  # its supervisor sees it by itself
            with contextlib.suppress(OSError):
                jobdir.request_cancel(str(watched.folder))
        return told

    def note_end(self, job_dir: Path) -> bool:
        """Write down how the batch system says that it ended a job. False while it does not say that yet."""
        watched, record = self._find(job_dir), jobdir.read_exit(str(job_dir))
        with contextlib.suppress(OSError):
            (job_dir / jobdir.SECRETS).unlink()
        if watched is None:
            return True
        if record is None:  # it is lost: no record comes by which it is forgotten, and it is not to begin now
            self._let_go(watched)
            self._site.clean(watched.native_id)
            with self._lock:
                self._watched.pop(job_dir, None)
            return True
        known = jobdir.read_json(str(job_dir / jobdir.BATCH)) or {}
        if not watched.native_id or "cause" in known:  # a server of before, stopped while it settled the job, wrote no cause
            return True
        self._site.clean(watched.native_id)
        if record.get("reason") == "exited" and record.get("exit_code") == 0:
            return True
        try:
            end = UNKNOWN if self.trouble else self._ended(watched.native_id, record)
        except HostUnreachable:
            end = UNKNOWN
        if end is not None and not end.over:
            at = record.get("ended_at")  # the job's user can write that file
            return not isinstance(at, int) or now_ms() - at > END_KNOWN_S * 1000
        if end is not None:
            said = {"system": self._system.name, "by": self._system.cancels, "id": watched.native_id, **end._asdict()}
            records.put_end(job_dir, said)
        return True

    def tidy(self) -> None:
        """Forget jobs that are over."""
        with self._lock:
            for folder in list(self._watched):
                if not folder.is_dir() or (folder / jobdir.EXIT).exists():
                    del self._watched[folder]
        self._site.tidy()
        self._follow()

    def load(self) -> Load:
        """The batch system minds what its nodes have."""
        return Load(None, None, None, None)

    def stop_following(self) -> None:
        """Another target has the jobs from now on. Does not block."""
        self._closed = True
        self._wake.set()
        self._site.stop_following()

    def close(self) -> None:
        """The server stops, or the target goes; what was submitted goes on."""
        self.stop_following()
        if self._thread is not None:
            self._thread.join(5)
        self._site.close()


def _asked_long_ago(job_dir: Path) -> bool:
    try:
        return time.time() - (job_dir / jobdir.CANCEL).stat().st_mtime > CANCEL_LATE_S
    except OSError:
        return False


def wanted(place: BatchPlace, job: Mapping[str, Any]) -> Wanted:
    """What is asked of the batch system for a job."""
    resources = job.get("resources") or {}
    return Wanted(
        cpus=resources.get("cpus"),
        memory_bytes=resources.get("memory_bytes") or job.get("memory_limit_bytes"),
        gpus=int(resources.get("gpus") or 0),
        time_s=job.get("timeout_s") or place.time_limit_s,
    )
