"""A database, engines on it with real supervisors, and jobs: what tests of the queue and of attempts begin with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

from jupyter_mlws.db.database import Database
from jupyter_mlws.domain.compute.local import LocalCompute
from jupyter_mlws.domain.compute.schemas import ComputeUpdate, JobResources, Load
from jupyter_mlws.domain.compute.service import Compute, Hosts, keep
from jupyter_mlws.domain.jobs import service as jobs
from jupyter_mlws.domain.jobs.engine import JobEngine
from jupyter_mlws.domain.jobs.leases import Leases, name_of
from jupyter_mlws.domain.jobs.schemas import CommandSpec, Job, JobCreate
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.schemas import Run
from jupyter_mlws.domain.runs.states import TERMINAL
from jupyter_mlws.domain.storage.blobs import BlobStore
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.kit.actors import Actor
from jupyter_mlws.kit.paths import Folders
from tests.databases import fresh_database
from tests.domain.runs.rows import ADA
from tests.servers import until

GIB = 1 << 30


class Machine(LocalCompute):
    """This machine, said to have 8 CPUs, 16 GiB and 4 GPUs."""

    def __init__(self, max_jobs: int = 2, name: str = "local") -> None:
        super().__init__(name, max_jobs)
        self.gpu_ids = [0, 1, 2, 3]

    def load(self) -> Load:
        return Load(8, 16 * GIB, 0.0, 0)


class Lab:
    """Jobs on one database; `start()` makes an engine, as a server does."""

    def __init__(self, db: Database, folder: Path, max_jobs: int = 2, backoff_s: float = 0.2) -> None:
        self.db = db
        self.folders = Folders(folder)
        self.folders.make()
        self.blobs = BlobStore(self.folders.objects)
        self.compute = Machine(max_jobs)
        self.backoff_s = backoff_s
        self.engines: list[JobEngine] = []

    @property
    def engine(self) -> JobEngine:
        return self.engines[-1]

    def start(self, leases: Leases | None = None, hosts: Hosts | None = None) -> JobEngine:
        computes: dict[str, Compute] = {"local": self.compute}
        more: dict[str, Any] = {"retry_backoff_s": self.backoff_s, "leases": leases, "hosts": hosts}
        engine = JobEngine(self.db, self.blobs, self.folders, computes, "", lambda *_: None, **more)
        self.engines.append(engine)
        engine.start()
        return engine

    def close(self) -> None:
        for engine in self.engines:
            engine.stop()
        until(self.all_ended, 30, "all supervisors have ended")
        self.blobs.close()

    def all_ended(self) -> bool:
        """Whether no supervisor lives any more."""
        self.compute.tidy()
        folders = [*self.folders.jobs.glob("*"), *self.folders.jobs.glob("*/attempts/*")]
        return not any(self.compute.is_alive(folder) for folder in folders)

    def limit(self, **changes: Any) -> None:
        """As `PATCH /compute/local`."""
        keep(self.folders.compute, "local", ComputeUpdate(**changes))
        if self.engines:
            self.engine.refresh_limits()

    def submit(
        self,
        line: str = "true",
        *,
        user: str = "ada",
        target: str = "local",
        cpus: Any = UNSET,
        memory_bytes: Any = UNSET,
        gpus: Any = UNSET,
        source_dir: Path | None = None,
        **more: Any,
    ) -> str:
        """The id of a new job."""
        spec = CommandSpec(command=line)
        asked = JobResources(cpus=cpus, memory_bytes=memory_bytes, gpus=gpus)
        body = JobCreate(spec=spec, target=target, resources=asked, **more)
        found = jobs.Prepared(spec, line, "Default", None, None if source_dir is None else str(source_dir), "", [], [], {})
        actor = Actor(name=user, kind=ADA.kind)
        made = self.db.write_sync(lambda s: jobs.add_job(s, actor, "default", body, found, key=None, body_hash=""))
        if self.engines:
            self.engine.wake()
        return made.run.id

    def run(self, run_id: str) -> Run:
        return self.db.read_sync(lambda s: runs.get_run(s, ADA, run_id))

    def job(self, run_id: str) -> Job:
        return self.db.read_sync(lambda s: jobs.get_job(s, ADA, run_id))

    def statuses(self, run_id: str) -> list[str]:
        return [one.status.value for one in self.db.read_sync(lambda s: runs.history(s, ADA, run_id)).changes]

    def ended(self, run_id: str, seconds: float = 60) -> Job:
        until(lambda: self.run(run_id).status in TERMINAL, seconds)
        return self.job(run_id)

    def becomes(self, run_id: str, status: str, seconds: float = 30) -> Run:
        until(lambda: self.run(run_id).status.value == status, seconds, f"{run_id} is {status}")
        return self.run(run_id)

    def cancel(self, run_id: str) -> None:
        """As `POST /jobs/{id}/cancel`."""
        _, tell = self.db.write_sync(lambda s: jobs.cancel(s, ADA, run_id))
        if tell:
            self.engine.tell_canceled(run_id)
        self.engine.wake()


@contextmanager
def two_servers(request: pytest.FixtureRequest, folder: Path) -> Iterator[tuple[Lab, Lab]]:
    """Two servers' worth of it on one database: a data folder and a connection each."""
    with fresh_database(request, folder) as db:
        db.write_sync(lambda s: workspaces.ensure_default(s, "ada"))
        other = Database(db.writer_engine.url)
        other.start()
        made = Lab(db, folder / "one", max_jobs=4), Lab(other, folder / "two", max_jobs=4)
        yield made
        for lab in made:
            lab.close()
        other.close()


def short(lab: Lab) -> Leases:
    """Leases that run out in seconds."""
    return Leases(name_of(lab.folders.root), lease_ms=4000, steady_s=0)


def words_of(lab: Lab, run_id: str) -> str:
    """Why the job waits, or does not respond."""
    waiting = lab.run(run_id).waiting
    return "" if waiting is None else waiting.reason
