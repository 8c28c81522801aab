"""The compute target `ssh`."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
from concurrent.futures import TimeoutError as FuturesTimeout
from concurrent.futures import wait
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_mlws.domain.compute.errors import HostFull, HostInstalls, HostUnfit, HostUnreachable
from jupyter_mlws.domain.compute.schemas import Load
from jupyter_mlws.domain.compute.ssh import loop, staging, wheels
from jupyter_mlws.domain.compute.ssh.facts import of_now
from jupyter_mlws.domain.compute.ssh.link import Link, Place, Refused
from jupyter_mlws.domain.compute.ssh.mirror import Mirror
from jupyter_mlws.kit.errors import MlwsError
from jupyter_mlws.kit.paths import job_key
from mlws import jobdir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from jupyter_mlws.domain.compute.batch.site import Minder
    from jupyter_mlws.domain.compute.schemas import HostFacts, HostNotebooks

log = logging.getLogger(__name__)

LOAD_EVERY_S = 10.0
LOOK_EVERY_S = 30.0
"""So long a host that can run notebooks is believed to have the kernels that it said."""
CLOSE_S = 5.0


class SshCompute:
    """Starts supervisors on another host, and keeps what is to be seen of them in the folders of this server."""

    kind = "ssh"
    problem = ""
    takes_secrets = True
    remote = True

    def __init__(
        self,
        name: str,
        max_jobs: int,
        place: Place,
        keys: Callable[[], list[Any]],
        *,
        jobs: Path,
        owner: str,
        description: str,
        server_url: str,
        wheelhouse: str | None = None,
    ) -> None:
        self.name = name
        self.max_jobs = max_jobs
        self.description = description
        self.server_url = server_url
        self.wheelhouse = wheelhouse
        self.when_one_ends: Callable[[], None] = lambda: None
        self.when_it_changes: Callable[[], None] = lambda: None
        self.facts: dict[str, Any] = {}
        """What the host said of itself, now or before the last restart."""
        self._jobs = jobs
        self._owner = owner
        self._starting: set[str] = set()
        self._mirrors: dict[Path, Mirror] = {}
        self._following: list[Future[None]] = []
        self._lock = threading.Lock()
        self._asked = 0.0
        self._looked = float("-inf")
        self._python: str | None = None
        """What runs notebooks there, if it was made of wheels."""
        self._installing = False
        self._swept = 0
        self._stopped = False
        self._link = Link(place, keys, self._changed)

    @property
    def kinds(self) -> frozenset[str]:
        """What it runs: notebooks as long as the host has not said what is missing for them."""
        found = self.facts.get("notebooks")
        return frozenset({"command"} if found is not None and found.missing else {"command", "notebook"})

    @property
    def unreachable(self) -> str:
        """Why nothing starts there now, in a sentence. Jobs may be submitted all the same."""
        return self._link.problem if self._link.may_come_back else ""

    @property
    def place(self) -> Place:
        """Where it is."""
        return self._link.place

    @property
    def root(self) -> str:
        """The folder there, as the host names it; empty before it was met."""
        return str(self._link.facts.get("root", ""))

    @property
    def trouble(self) -> str:
        """What is wrong with the connection, if anything is."""
        return self._link.problem

    @property
    def gpu_ids(self) -> list[int]:
        """The GPUs there."""
        return list(self.facts.get("gpus") or [])

    def _changed(self) -> None:
        self.facts = {**self.facts, **self._link.facts}
        self.when_it_changes()

    # ---- what the engine asks

    def address_for_jobs(self) -> str:
        """How jobs there reach this server; empty where they cannot, and what they log is fetched. Raises what `Link.open` does."""
        self._link.try_anew()
        if not self.server_url:
            loop.wait(self._opened())
            return ""
        answer, _ = self.ask("reach", url=self.server_url)
        if not answer["reached"]:
            log.warning("Jobs on %s do not reach %s (%s): what they log is fetched", self.name, self.server_url, answer["why"])
        return self.server_url if answer["reached"] else ""

    def notebooks(self, patience: float | None = None, *, kernel: str | None = None) -> HostNotebooks | None:
        """What the host has for notebooks, as it said at most some seconds ago; None where it does not answer within `patience` seconds.

        That notebooks cannot run there, or that it does not have the `kernel`, is not told from memory: it is asked anew. Without
        `patience` it raises what `Link.open` does.
        """
        known: HostNotebooks | None = self.facts.get("notebooks")
        enough = known is not None and not known.missing and (kernel is None or kernel in names_of(known))
        if enough and time.monotonic() - self._looked < LOOK_EVERY_S:
            return known
        asking = loop.spawn(self._look())
        if patience is None:
            return asking.result()
        try:
            return asking.result(patience)
        except (MlwsError, FuturesTimeout):
            return None

    def know(self, facts: HostFacts) -> None:
        """What a test has just found. Which Python runs notebooks there it did not say: that is asked with the next one."""
        self.facts = {**self.facts, **msgspec.structs.asdict(facts)}
        self._looked = float("-inf")

    async def _look(self) -> HostNotebooks:
        self._installing = False
        try:
            self._python, found = await wheels.found(self._link, self.wheelhouse)
        except HostInstalls:
            self._installing = True
            raise
        except Refused as error:
            raise HostUnfit(f"{self._link.place.words} cannot say what it has for notebooks: {error}.") from error
        self._looked = time.monotonic()
        if found != self.facts.get("notebooks"):
            self.facts = {**self.facts, "notebooks": found}
            self.when_it_changes()
        return found

    async def _look_again(self) -> None:
        with contextlib.suppress(MlwsError):
            await self._look()

    async def _opened(self) -> None:
        await self._link.ask("load")

    def start(self, job_dir: Path, secrets: Mapping[str, str] | None = None) -> None:
        """Send the job, and have its supervisor started there."""
        with self.laid(job_dir) as begun:
            self._start(job_key(job_dir), job_dir, secrets, begun=begun)
        self.mirror(job_dir)

    @contextlib.contextmanager
    def laid(self, job_dir: Path) -> Iterator[bool]:
        """Have the host make the job's folder, which stays until the end at least. True if the job has begun there already."""
        key = job_key(job_dir)
        self._starting.add(key)
        try:
            yield self._lay(key, job_dir)
        finally:
            self._starting.discard(key)

    def _lay(self, key: str, job_dir: Path) -> bool:
        job = json.loads((job_dir / jobdir.JOB).read_bytes())
        if "notebook" in job:
            self._check_kernel(str(job["notebook"].get("kernel") or ""))
        staged = staging.collect(job_dir)
        try:
            begun = loop.wait(staging.lay(self._link, key, self._owner, job_dir, job, staged, self._python))
        except Refused as error:
            raise self._unfit(error) from error
        staging.forget(job_dir)
        return begun

    def _start(self, key: str, job_dir: Path, secrets: Mapping[str, str] | None, *, begun: bool) -> None:
        job = json.loads((job_dir / jobdir.JOB).read_bytes())
        mark = {"target": self.name, "key": key, "fetched": not job["env"].get("MLWS_URL")}
        jobdir.write_atomic(str(job_dir / jobdir.SENT), json.dumps(mark).encode(), durable=True)
        try:
            if not begun:
                self.ask("start", key=key, secrets=dict(secrets or {}) or None)
        except Refused as error:
            (job_dir / jobdir.SENT).unlink()
            raise self._unfit(error) from error
        except HostFull:
            (job_dir / jobdir.SENT).unlink()
            raise
        except HostUnreachable as error:  # it may have begun or not: the next look tells
            log.warning("Whether job %s has begun on %s is not known yet: %s", key, self.name, error)

    def _check_kernel(self, name: str) -> None:
        """Raise `HostUnfit` for a notebook that cannot run there."""
        found = self.notebooks(kernel=name)
        assert found is not None  # noqa: S101 - without patience it answers or raises
        if found.missing:
            raise HostUnfit(f"Notebooks cannot run on {self._link.place.words}: {found.missing}.")
        names = names_of(found)
        if name not in names:
            raise HostUnfit(
                f"The kernel {name!r} is not installed on {self._link.place.words}. Installed are: {', '.join(names)}."
            )

    def _unfit(self, error: Refused) -> HostUnfit:
        return HostUnfit(f"The job could not be started on {self._link.place.words}: {error}.")

    def is_alive(self, job_dir: Path) -> bool:
        """Whether the job's supervisor lives, as the host said last; not while the host cannot be asked."""
        mirror = self.mirror(job_dir)
        return mirror is not None and not (mirror.away or mirror.dead or mirror.unbegun)

    def away(self, job_dir: Path) -> str:
        """Why the host cannot be asked for the job now; empty while it can be."""
        mirror = self.mirror(job_dir)
        return "" if mirror is None or mirror.done else mirror.away

    def take_back(self, job_dir: Path) -> bool:
        """Whether it is sure that the host never began with the job. Then it may be prepared again."""
        mirror = self._mirrors.get(job_dir)
        if mirror is None or not mirror.unbegun:
            return False
        self.forget(job_dir)
        return True

    def forget(self, job_dir: Path) -> None:
        """The job was not begun: nothing here says any more that it was."""
        with self._lock:
            (job_dir / jobdir.SENT).unlink(missing_ok=True)
            if (mirror := self._mirrors.pop(job_dir, None)) is not None:
                mirror.stop()

    def cancel(self, job_dir: Path, reason: str = "canceled") -> None:
        """Ask the supervisor to end the job: the next look takes it there, be it after a cut or a restart."""
        jobdir.request_cancel(str(job_dir), reason)
        self.mirror(job_dir)

    def tidy(self) -> None:
        """Look after a host that was away, and after jobs there that nobody knows any more."""
        with self._lock:
            for folder, mirror in list(self._mirrors.items()):
                if mirror.done and (not folder.is_dir() or (folder / jobdir.EXIT).exists()):
                    del self._mirrors[folder]
        if self._link.problem or (self._link.is_open and self._swept != self._link.met):
            loop.spawn(self._visit())
        elif self._installing and self._link.is_open:
            loop.spawn(self._look_again())

    def load(self) -> Load:
        """As the host said at most some seconds ago; asked for in the background."""
        now = time.monotonic()
        if now - self._asked > LOAD_EVERY_S and self._link.is_open:
            self._asked = now
            loop.spawn(self._refresh())
        facts = self.facts
        used, load = (facts.get("memory_used"), facts.get("load")) if self._link.is_open else (None, None)
        return Load(facts.get("cpus"), facts.get("memory"), load, used)

    def stop_following(self) -> None:
        """Write nothing into the folders of jobs any more: who comes after this one does. Does not block."""
        with self._lock:
            self._stopped = True
            for mirror in self._mirrors.values():
                mirror.stop()

    def close(self) -> None:
        """The server stops, or the target goes; what was started goes on."""
        self.stop_following()
        loop.wait(self._link.close())
        wait(self._following, CLOSE_S)

    # ---- behind it

    def ask(self, question: str, **more: Any) -> tuple[dict[str, Any], bytes]:
        """Ask the host. Raises what `Link.ask` does. Blocks."""
        return loop.wait(self._link.ask(question, **more))

    def mirror(self, job_dir: Path, minder: Minder | None = None) -> Mirror | None:
        """The job, followed from now on if it was sent; None for one that was not. `minder`: who begins it, if the host does not."""
        with self._lock:
            found = self._mirrors.get(job_dir)
            if found is None and (mark := jobdir.read_json(str(job_dir / jobdir.SENT))) is not None:
                fetched = mark.get("fetched") is not False
                found = Mirror(
                    job_key(job_dir),
                    job_dir,
                    lambda: self._link,
                    lambda: self.when_one_ends(),
                    live_spool=fetched,
                    minder=minder,
                )
                self._mirrors[job_dir] = found
                if self._stopped:  # who still asks is not to take the job for lost
                    return found
                self._following = [one for one in self._following if not one.done()]
                self._following.append(loop.spawn(found.follow()))
            return found

    def follows(self, job_dir: Path) -> bool:
        """Whether the job has a mirror."""
        return job_dir in self._mirrors

    async def _refresh(self) -> None:
        with contextlib.suppress(MlwsError, Refused):
            head, _ = await self._link.ask("load")
            self.facts = {**self.facts, **of_now(head)}

    async def _visit(self) -> None:
        """Remove what jobs that are over, or were deleted meanwhile, left there."""
        with contextlib.suppress(MlwsError, Refused):
            answer, _ = await self._link.ask("of_owner", owner=self._owner)
            self._swept = self._link.met
            followed = {mirror.key for mirror in self._mirrors.values() if not mirror.done}
            for key in set(answer["keys"]) - followed - self._starting:
                if _is_over(self._jobs / _folder_of(key)):
                    await self._link.ask("remove", key=key)
        with contextlib.suppress(MlwsError):
            await self._look()


def names_of(found: HostNotebooks) -> list[str]:
    """The kernels of a host."""
    return [kernel.name for kernel in found.kernels]


def _is_over(folder: Path) -> bool:
    """Whether nothing of a job is needed on the host any more."""
    return not (folder / jobdir.SENT).exists() or (folder / jobdir.EXIT).exists()


def _folder_of(key: str) -> str:
    """The way back from the key of a job's folder, below the folder of all jobs."""
    run_id, _, attempt = key.partition("-")
    return f"{run_id}/attempts/{attempt}" if attempt else run_id
