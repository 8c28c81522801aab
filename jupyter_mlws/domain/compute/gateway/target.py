"""The compute target `gateway`."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.compute.errors import HostUnfit, HostUnreachable, LoginRefused
from jupyter_mlws.domain.compute.gateway import records, rest, specs
from jupyter_mlws.domain.compute.gateway.records import RECORD
from jupyter_mlws.domain.compute.local import LocalCompute
from jupyter_mlws.domain.compute.schemas import HostKernel, HostNotebooks, Load
from jupyter_mlws.kit.errors import MlwsError
from mlws import jobdir

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from jupyter_mlws.domain.compute.schemas import GatewayPlace

log = logging.getLogger(__name__)

TOKEN = "MLWS_GATEWAY_TOKEN"  # noqa: S105 - the name of a variable
ADDRESS = "MLWS_GATEWAY_FOR"
"""The hash of the address that the token is for: a bridge that was told of an older one does not send it there."""
ANSWER_S = 10.0
KNOWN_S = 5.0
SPECS_EVERY_S = 60.0
LEAVES_WITHIN_S, LOOKS_EVERY_S = 86_400.0, 15.0
"""So long a server is asked, and so often, to end what is left of a target that went."""
COMES_WITHIN_S = 600.0
"""So long after it was asked for a kernel may still come: a cluster takes its time."""


class GatewayCompute:
    """Runs jobs as `local` does; the kernel of each is on another server."""

    kind = "gateway"
    problem = ""
    takes_secrets = True
    kernels_elsewhere = True
    """What runs there is none of what is installed here."""
    kinds = frozenset({"notebook"})
    gpu_ids: tuple[int, ...] = ()

    def __init__(
        self,
        name: str,
        max_jobs: int,
        place: GatewayPlace,
        token: Callable[[], str],
        *,
        jobs: Path,
        kernels: Path,
        description: str,
    ) -> None:
        """`token` reads it from the secret store, and may block. In `kernels` this server has its kernels stand as its own."""
        self.name = name
        self.max_jobs = max_jobs
        self.description = description
        self.place = place
        self.when_this_ends: Callable[[str], None] = lambda _folder: None
        self._token = token
        self._jobs = jobs
        self._kernels = kernels
        self._local = LocalCompute(name, max_jobs)
        self._local.when_this_ends = lambda folder: self.when_this_ends(folder)
        self._known: tuple[float, dict[str, dict[str, Any]]] = (0.0, {})
        self._known_server: rest.Server | None = None
        """With the token that it had last: once the target has gone, the secret may hold one for another address."""
        self._left: set[Path] | None = None
        """Folders of jobs that ended, whose kernel may live on; None while nobody has looked for those of an earlier server."""
        self._warned: set[str] = set()
        """Kernels of which the log says that they may live on."""
        self._tidying: threading.Thread | None = None
        self._closed = False

    def server(self) -> rest.Server:
        """Where it is, with the token. Blocks. Raises `LoginRefused` where that cannot be read."""
        self._known_server = rest.Server(self.place.url, self._token(), self.place.ca_file)
        return self._known_server

    # ---- what the engine asks

    @property
    def pulls(self) -> bool:
        """What jobs log comes into their folders here, and is taken from there."""
        return not self.place.server_url

    @property
    def usual_kernel(self) -> str | None:
        """The kernel of notebooks whose own one is not there."""
        return self.place.kernel

    def address_for_jobs(self) -> str:
        """How kernels there reach this server; empty where they do not. Asks it, as a job is about to begin: one that is away holds the
        job up. Raises `HostUnreachable`, and what else keeps jobs from running."""
        self._specs(0.0)
        return self.place.server_url or ""

    def notebooks(self, patience: float | None = None, *, kernel: str | None = None) -> HostNotebooks | None:
        """The kernels that are there; None where the server cannot be asked now."""
        del kernel
        try:
            found = rest.kernelspecs(self.server(), patience or ANSWER_S)
        except HostUnreachable:
            return None
        return _notebooks(found)

    @property
    def facts(self) -> dict[str, Any]:
        """The kernels there, as far as it has said; nobody is asked."""
        return {"notebooks": _notebooks(self._known[1])} if self._known[0] else {}

    def bridge(self, kernel: str, job_dir: Path, work: Path) -> dict[str, Any]:
        """What the runner of a job is told of its kernel. Raises `HostUnfit` where there is none of this name."""
        found = self._specs()
        if kernel not in found:
            there = ", ".join(found) or "none"
            raise HostUnfit(f"The kernel {kernel!r} is not installed on {self.name}. Installed are: {there}.")
        return {
            "url": self.place.url,
            "kernel": kernel,
            "target": self.name,
            "user": self.place.kernel_user or "",
            "ca_file": self.place.ca_file,
            "patience_s": self.place.patience_s,
            "fetch_limit": self.place.fetch_limit_bytes,
            "record": str(job_dir / RECORD),
            "job": str(job_dir),
            "work": str(work),
            "spools": self.pulls,
            "language": str(found[kernel].get("language") or ""),
            "display_name": str(found[kernel].get("display_name") or kernel),
        }

    def start(self, job_dir: Path, secrets: Mapping[str, str] | None = None) -> None:
        """Start the supervisor of a job, and give it the token as a secret of the job."""
        self._local.start(job_dir, {**(secrets or {}), **self.variables()})

    def variables(self) -> dict[str, str]:
        """What lets a bridge into the server. Blocks. Raises `LoginRefused` where the token cannot be read."""
        token = self._token()
        return {TOKEN: token, ADDRESS: hashlib.sha256(self.place.url.encode()).hexdigest()} if token else {}

    def is_alive(self, job_dir: Path) -> bool:
        """Whether the supervisor lives."""
        return self._local.is_alive(job_dir)

    def cancel(self, job_dir: Path, reason: str = "canceled") -> None:
        """Ask the supervisor to end the job."""
        self._local.cancel(job_dir, reason)

    def note_end(self, job_dir: Path) -> bool:
        """A job has ended: its kernel over there ends, too, if the bridge did not come to it. Nobody waits for a server that is away."""
        if (job_dir / RECORD).exists() and not self._end_kernel(job_dir / RECORD) and self._left is not None:
            self._left.add(job_dir)
        return True

    def tidy(self) -> None:
        """End the kernels that jobs and notebooks have left, also under an earlier server, and see which kernels there are. In a thread
        of its own: the server may be slow to answer."""
        self._local.tidy()
        if not self._closed and not (self._tidying is not None and self._tidying.is_alive()):
            self._tidying = threading.Thread(target=self._tend, name=f"mlws-{self.name}", daemon=True)
            self._tidying.start()

    def _tend(self) -> None:
        try:
            self._end_left()
            self._end_dead_bridges()
            if not self._known[0] or time.monotonic() - self._known[0] > SPECS_EVERY_S:
                self._specs()
        except MlwsError as error:
            log.debug("%s: %s", self.name, error.message)
        except OSError as error:
            log.warning("%s: %s", self.name, error)

    def leave(self) -> None:
        """The target is gone, or moved: end the kernels there that nobody minds any more, as soon as that server can be reached."""
        threading.Thread(target=self._leave, name=f"mlws-{self.name}-gone", daemon=True).start()

    def _leave(self) -> None:
        if self._known_server is None:
            return
        until = time.monotonic() + LEAVES_WITHIN_S
        while time.monotonic() < until:
            left = [*records.of_notebooks(self._kernels), *records.of_jobs(self._jobs)]
            left = [path for path in left if self._is_mine(records.read(path))]
            try:
                unminded = [path for path in left if not records.is_minded(records.read(path))]
                done = [path for path in unminded if self._end_kernel(path, self._known_server)]
            except OSError as error:
                log.warning("%s: %s", self.name, error)
                done = []
            if len(done) == len(left):
                return
            time.sleep(LOOKS_EVERY_S)

    def _is_mine(self, told: Mapping[str, Any]) -> bool:
        return told.get("target") == self.name and told.get("url") == self.place.url

    def _end_dead_bridges(self) -> None:
        """Kernels of notebooks whose bridge was killed."""
        for path in records.of_notebooks(self._kernels):
            if not records.is_minded(records.read(path)):
                self._end_kernel(path)

    def _end_left(self) -> None:
        if self._left is None:
            self._left = {path.parent for path in records.of_jobs(self._jobs)}
        for folder in list(self._left):
            ended = jobdir.read_exit(str(folder)) is not None or not jobdir.is_alive(str(folder))
            if ended and self._end_kernel(folder / RECORD):
                self._left.discard(folder)

    def _end_kernel(self, record: Path, server: rest.Server | None = None) -> bool:
        """End the kernel that a bridge has noted; False while its server cannot be asked."""
        told = records.read(record)
        if not self._is_mine(
            told
        ):  # who had the address that it has looks after it: the token is for the one that this target has now
            return True
        try:
            all_of_them = self._end_noted(record, told, server or self.server())
        except HostUnreachable:
            return False
        except (LoginRefused, HostUnfit) as error:
            self._warn(told, f"on {self.name}: {error.message}")
            return False
        if all_of_them:
            with contextlib.suppress(OSError):
                record.unlink()
        return all_of_them

    def _end_noted(self, record: Path, told: Mapping[str, Any], server: rest.Server) -> bool:
        """End what a note names; False while a kernel that was asked for, and of which no answer came, may come yet."""
        asked = told.get("asked")
        if kernel := told.get("kernel_id"):
            rest.delete_kernel(server, str(kernel), ANSWER_S)
        unseen = [one for one in (asked if isinstance(asked, list) else ()) if not rest.delete_kernel(server, str(one), ANSWER_S)]
        with contextlib.suppress(OSError):
            return not unseen or time.time() - record.stat().st_mtime > COMES_WITHIN_S
        return True

    def _warn(self, told: Mapping[str, Any], words: str) -> None:
        """Once of each kernel: it is tried again and again."""
        if (kernel := records.names(told)) not in self._warned:
            self._warned.add(kernel)
            log.warning("The kernel %s may live on %s", kernel, words)

    def load(self) -> Load:
        """What the other server has nobody knows."""
        return Load(None, None, None, None)

    def close(self) -> None:
        """The server stops, or the target goes; what was started goes on."""
        self._closed = True
        self._local.close()

    def _specs(self, within_s: float = KNOWN_S) -> dict[str, dict[str, Any]]:
        """The kernels there, as it said within some seconds. Raises as `rest.kernelspecs`."""
        at, found = self._known
        if not at or time.monotonic() - at > within_s:
            found = rest.kernelspecs(self.server(), ANSWER_S)
            self._known = (time.monotonic(), found)
            if not self._closed:
                specs.write(self._kernels, records.folder_of(self._kernels), self.name, self.place, found)
        return found


def _notebooks(found: Mapping[str, Mapping[str, Any]]) -> HostNotebooks:
    kernels = [
        HostKernel(name=name, display_name=str(spec.get("display_name") or name), language=str(spec.get("language") or ""))
        for name, spec in found.items()
    ]
    return HostNotebooks(missing="", papermill=None, ipykernel=None, kernels=kernels)
