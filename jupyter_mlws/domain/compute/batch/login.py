"""A batch system whose programs are on a host that is reached by SSH, and whose nodes see the folders of that host."""

from __future__ import annotations

import contextlib
import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.compute.batch.site import SUBMIT_S, Done, Laid, NoAnswer, NotThere
from jupyter_mlws.domain.compute.errors import HostFull, HostUnfit, HostUnreachable
from jupyter_mlws.domain.compute.ssh import loop
from jupyter_mlws.domain.compute.ssh.bootstrap import package
from jupyter_mlws.domain.compute.ssh.link import Link, Refused
from jupyter_mlws.kit.errors import MlwsError
from jupyter_mlws.kit.paths import job_key
from mlws import ending, jobdir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from jupyter_mlws.domain.compute.batch.psi import Script
    from jupyter_mlws.domain.compute.batch.site import Minder
    from jupyter_mlws.domain.compute.schemas import HostFacts, HostNotebooks
    from jupyter_mlws.domain.compute.ssh.target import SshCompute

BEYOND_S = 30.0
"""So much longer than a program its answer may take."""


class Login:
    """The login node of a cluster. `host` keeps the folders of jobs; programs are asked over a connection of their own, so that a
    batch system that is slow to answer holds up no log."""

    shared = False
    todo = "a `folder` of the ssh target"

    def __init__(self, host: SshCompute, keys: Callable[[], list[Any]], kind: str) -> None:
        self.where = host.place.words
        self._kind = kind
        self._host = host
        self._programs = Link(host.place, keys, lambda: None)

    def tells(self, *, ended: Callable[[], None], changed: Callable[[], None]) -> None:
        """Who is told when a job has ended, and when the host comes or goes."""
        self._host.when_one_ends, self._host.when_it_changes = ended, changed

    @property
    def kinds(self) -> frozenset[str]:
        """What can run on the host, as far as it is known."""
        return self._host.kinds

    @property
    def facts(self) -> dict[str, Any]:
        """What the host said of itself."""
        return self._host.facts

    def run(self, argv: list[str], seconds: float) -> Done:
        """By the host."""
        return self._done(argv[0], "batch", seconds, argv=argv, seconds=seconds)

    def _done(self, program: str, question: str, patience: float, **more: Any) -> Done:
        try:
            answer, _ = loop.wait(self._programs.ask(question, patience=patience + BEYOND_S, **more))
        except Refused as error:
            raise HostUnreachable(f"{self.where} cannot run {program}: {error}.") from error
        except HostFull:
            raise
        except MlwsError as error:  # what does not pass by itself is told where jobs are laid
            raise HostUnreachable(error.message) from error
        if answer.get("missing"):
            raise NotThere(program)
        if answer.get("late"):
            raise NoAnswer(f"{program} took longer than {patience:.0f} s on {self.where}")
        try:
            return Done(int(answer["code"]), str(answer["out"]), str(answer["err"]))
        except (KeyError, TypeError, ValueError):
            raise HostUnreachable(f"{self.where} does not say what became of {program}.") from None

    def address(self, url: str) -> str:
        """As the host sees it."""
        self._host.server_url = url
        return self._host.address_for_jobs()

    @contextlib.contextmanager
    def laid(self, job_dir: Path) -> Iterator[Laid]:
        """On the host."""
        with self._host.laid(job_dir) as begun:
            yield self._place(job_dir)._replace(mark=self._mark(job_dir) if begun else None)

    def _place(self, job_dir: Path) -> Laid:
        root = PurePosixPath(self._host.root)
        folder, code = root / "jobs" / job_key(job_dir), root / "mlws" / package().name / "jupyter_mlws" / "kernel_path"
        return Laid(str(folder), str(code), str(folder / ending.SCRIPTS))

    def scratch(self, job_dir: Path) -> Laid:
        """Made when a job is submitted from it."""
        self._host.ask("load")
        return self._place(job_dir)

    def read(self, job_dir: Path, name: str) -> str:
        """From there."""
        try:
            _, data = self._host.ask("read", key=job_key(job_dir), name=name, offset=0, size=4096)
        except (MlwsError, Refused):
            return ""
        return data.decode("utf-8", "replace").strip()

    def remove(self, job_dir: Path) -> None:
        """There; what cannot be removed now stays."""
        with contextlib.suppress(MlwsError, Refused):
            self._host.ask("remove", key=job_key(job_dir))

    def know(self, facts: HostFacts) -> None:
        """What a test has just found."""
        self._host.know(facts)

    def _mark(self, job_dir: Path) -> dict[str, str]:
        """By what a submission is known whose job has begun on the host."""
        try:
            _, data = self._host.ask("read", key=job_key(job_dir), name=jobdir.SENT, offset=0, size=1 << 16)
            found = json.loads(data)
            return {name: str(found[name]) for name in ("name", "ticket")}
        except (Refused, ValueError, KeyError, TypeError) as error:
            raise HostUnfit(f"The job has begun on {self.where} before, and its mark there cannot be read: {error}.") from error

    def submit(self, job_dir: Path, mark: dict[str, Any], secrets: Mapping[str, str] | None, script: Script) -> Done:
        """From its folder on the host."""
        asked = {
            "mark": mark,
            "secrets": dict(secrets or {}) or None,
            "script": script.text,
            "files": script.files,
            "kind": self._kind,
        }
        try:
            return self._done(ending.SUBMIT[self._kind][0], "submit", SUBMIT_S, key=job_key(job_dir), **asked)
        except HostUnreachable as error:  # the question may have come through
            raise NoAnswer(error.message) from error

    def follow(self, job_dir: Path, minder: Minder) -> None:
        """By a mirror."""
        self._host.mirror(job_dir, minder)

    def lives(self, job_dir: Path) -> bool | None:
        """As long as the mirror has not come to an end, or has not begun yet."""
        return not self._host.follows(job_dir) or self._host.is_alive(job_dir)

    def away(self, job_dir: Path) -> str:
        """As the mirror says, once there is one: without its minder none is made."""
        return self._host.away(job_dir) if self._host.follows(job_dir) else ""

    def bury(self, job_dir: Path, words: str) -> bool:
        """There; the mirror fetches it when all else is here."""
        with contextlib.suppress(MlwsError, Refused):  # the next look tries again
            loop.wait(self._programs.ask("end", key=job_key(job_dir), words=words))
        return False

    def recall(self, job_dir: Path) -> bool:
        """There, where its ticket is."""
        try:
            answer, _ = loop.wait(self._programs.ask("recall", key=job_key(job_dir)))
        except (MlwsError, Refused):
            return False
        return not answer["begun"]

    def void(self, job_dir: Path) -> bool:
        """There, if it can be told."""
        try:
            loop.wait(self._programs.ask("void", key=job_key(job_dir)))
        except (MlwsError, Refused):
            return False
        return True

    def forget(self, job_dir: Path, *, refused: bool) -> None:
        """Nothing is fetched of it."""
        self._host.forget(job_dir)
        if refused:
            self.remove(job_dir)

    def clean(self, native_id: str) -> None:
        """All of it is in the folder there, which goes as a whole."""

    def notebooks(self, patience: float | None, kernel: str | None) -> HostNotebooks | None:
        """What there is for notebooks on the host, whose files the nodes see."""
        return self._host.notebooks(patience, kernel=kernel)

    def tidy(self) -> None:
        """Look after what was left there."""
        self._host.tidy()

    def stop_following(self) -> None:
        """By mirrors."""
        self._host.stop_following()

    def close(self) -> None:
        """What was submitted goes on."""
        self._host.close()
        loop.wait(self._programs.close())
