"""Where a batch system is: who runs its programs, and in which folders its nodes find jobs. `Here` is the machine of this server."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from jupyter_mlws.domain.compute.errors import HostUnreachable
from jupyter_mlws.kit.paths import job_key
from mlws import ending, jobdir

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from jupyter_mlws.domain.compute.batch.psi import Script
    from jupyter_mlws.domain.compute.schemas import HostFacts, HostNotebooks

SUBMIT_S = 120.0
SCRIPT_ENDS_S = 60.0
"""So long the script of a job may go on after the record of the job is there."""


class Done(NamedTuple):
    """What became of a program."""

    code: int
    out: str
    err: str


class NotThere(Exception):
    """There is no program of this name."""


class NoAnswer(Exception):
    """A program took too long, or whoever ran it cannot be asked any more: what it did is not known."""


class Laid(NamedTuple):
    """The folder of a job, as the nodes see it."""

    folder: str
    code: str
    """The folder that `mlws` lies in, for them."""
    scripts: str | None = None
    """Where what PSI/J's script needs is to be; None: where PSI/J has put it."""
    mark: dict[str, str] | None = None
    """What is known of a submission that has begun there already: its `name` and `ticket`."""


class Minder(Protocol):
    """What the batch system says of a job, for whoever looks after its folder on another machine."""

    def waits(self) -> bool:
        """It has not begun: there is nothing to look at."""

    def forgot(self) -> bool:
        """It is not there any more: if it does not live, it does not come back."""


class Site(Protocol):
    """All methods may block."""

    shared: bool
    """The folders of jobs here are those that the nodes see."""
    where: str
    """Whose PATH has the programs, in words."""
    todo: str
    """What to use where folders have names that no script can have, in words."""

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of jobs that run there."""

    @property
    def facts(self) -> dict[str, Any]:
        """What the host said of itself; nothing of this machine."""

    def run(self, argv: list[str], seconds: float) -> Done:
        """Run a program of the batch system. `{uid}` in a word is the number of the user there.

        Raises `NotThere`, `NoAnswer`, and `HostUnreachable` where it was not even asked for.
        """

    def address(self, url: str) -> str:
        """That of this server, if jobs reach it, else an empty text. Raises if the way there is cut."""

    def laid(self, job_dir: Path) -> AbstractContextManager[Laid]:
        """Have the folder of a job where the nodes see it. Until the end it is not known whether the job is submitted."""

    def submit(self, job_dir: Path, mark: dict[str, Any], secrets: Mapping[str, str] | None, script: Script) -> Done:
        """Submit a job, which finds mark and secrets in its folder. Raises as `run` does."""

    def follow(self, job_dir: Path, minder: Minder) -> None:
        """See that the folder here is like the one there, from now on."""

    def lives(self, job_dir: Path) -> bool | None:
        """Whether more comes from the folder there; None where it is the one here."""

    def away(self, job_dir: Path) -> str:
        """Why the folder cannot be looked at now."""

    def bury(self, job_dir: Path, words: str) -> bool:
        """Write the exit record of a job whose supervisor did not come to it. True if it is here now."""

    def recall(self, job_dir: Path) -> bool:
        """Whether a submission of which nothing is known does not begin any more, be it that it comes through late."""

    def void(self, job_dir: Path) -> bool:
        """Nobody asks for a job any more: it ends, and its secrets go. False where that could not be told."""

    def forget(self, job_dir: Path, *, refused: bool) -> None:
        """A job was not submitted after all. `refused`: that is sure, so that what was laid for it goes."""

    def clean(self, native_id: str) -> None:
        """Remove what the script of a job that has ended left outside of its folder."""

    def notebooks(self, patience: float | None, kernel: str | None) -> HostNotebooks | None:
        """What there is for notebooks, where that is not what is here."""

    def scratch(self, job_dir: Path) -> Laid:
        """A folder that the nodes see, for a test. Raises if the way there is cut."""

    def read(self, job_dir: Path, name: str) -> str:
        """What the end of a file says in a job's folder there; empty where there is none."""

    def remove(self, job_dir: Path) -> None:
        """Remove such a folder."""

    def know(self, facts: HostFacts) -> None:
        """What a test has just found."""

    def tidy(self) -> None:
        """Called now and then."""

    def stop_following(self) -> None:
        """Change nothing in the folders here any more."""

    def close(self) -> None:
        """The target goes."""


class Here:
    """The batch system of this machine, whose nodes see this server's folders."""

    shared = True
    where = "the server"
    todo = "a data folder (MLWS_DATA_DIR)"
    kinds = frozenset({"command", "notebook"})

    def __init__(self, scripts: Path, kind: str) -> None:
        self.facts: dict[str, Any] = {}
        self._kind = kind
        self._scripts = scripts / kind
        self._cleaned: dict[str, float] = {}

    def run(self, argv: list[str], seconds: float) -> Done:
        """By this process."""
        whole = [word.replace("{uid}", str(os.getuid())) for word in argv]
        return _done(argv[0], seconds, lambda: ending.run(whole, seconds))

    def address(self, url: str) -> str:
        """It is believed."""
        return url

    def laid(self, job_dir: Path) -> AbstractContextManager[Laid]:
        """It is there."""
        return contextlib.nullcontext(Laid(str(job_dir), jobdir.KERNEL_PATH))

    def submit(self, job_dir: Path, mark: dict[str, Any], secrets: Mapping[str, str] | None, script: Script) -> Done:
        """The mark stands in the folder already."""
        path = self._scripts / f"{job_key(job_dir)}-{mark['name']}.job"
        try:
            if secrets:
                jobdir.write_atomic(str(job_dir / jobdir.SECRETS), json.dumps(dict(secrets)).encode())
            path.write_text(script.text, encoding="utf-8")
        except OSError as error:
            raise HostUnreachable(f"The job's script cannot be written: {error}.") from error
        try:
            program = ending.SUBMIT[self._kind][0]
            return _done(program, SUBMIT_S, lambda: ending.submit(self._kind, str(path), SUBMIT_S))
        finally:
            path.unlink(missing_ok=True)

    def follow(self, job_dir: Path, minder: Minder) -> None:
        """There is one folder."""

    def lives(self, job_dir: Path) -> bool | None:  # noqa: ARG002 - it is for the batch system to say
        """Not known here."""
        return None

    def away(self, job_dir: Path) -> str:  # noqa: ARG002 - it is always there
        """Never."""
        return ""

    def bury(self, job_dir: Path, words: str) -> bool:
        """Here."""
        return ending.bury(str(job_dir), words)

    def recall(self, job_dir: Path) -> bool:  # noqa: ARG002 - its mark stands in the folder here
        """It does not, once that goes."""
        return True

    def void(self, job_dir: Path) -> bool:
        """Its mark stands in the folder here."""
        with contextlib.suppress(OSError):
            (job_dir / jobdir.SECRETS).unlink()
        return True

    def forget(self, job_dir: Path, *, refused: bool) -> None:
        """There is nothing to forget."""

    def clean(self, native_id: str) -> None:
        """What PSI/J's script wrote, and what it writes yet: the record of the job is there before its script ends."""
        self._cleaned[native_id] = time.monotonic()
        self._remove_left(native_id)

    def _remove_left(self, native_id: str) -> None:
        for end in ("out", "ec", "nodefile"):
            with contextlib.suppress(OSError):
                (self._scripts / f"{native_id}.{end}").unlink()

    def notebooks(self, patience: float | None, kernel: str | None) -> HostNotebooks | None:  # noqa: ARG002 - as on this machine
        """What is here."""
        return None

    def scratch(self, job_dir: Path) -> Laid:
        """Made now."""
        job_dir.mkdir(parents=True, mode=0o700)
        return Laid(str(job_dir), jobdir.KERNEL_PATH)

    def read(self, job_dir: Path, name: str) -> str:
        """From here."""
        return ending.last_of(str(job_dir / name))

    def remove(self, job_dir: Path) -> None:
        """From here."""
        shutil.rmtree(job_dir, ignore_errors=True)

    def know(self, facts: HostFacts) -> None:
        """It is this machine."""

    def tidy(self) -> None:
        """Remove what scripts wrote when their jobs were over."""
        for native_id, at in list(self._cleaned.items()):
            self._remove_left(native_id)
            if time.monotonic() - at > SCRIPT_ENDS_S:
                self._cleaned.pop(native_id, None)

    def stop_following(self) -> None:
        """There is one folder."""

    def close(self) -> None:
        """There is nothing to let go of."""


def _done(program: str, seconds: float, run: Callable[[], subprocess.CompletedProcess[str]]) -> Done:
    try:
        done = run()
    except FileNotFoundError:
        raise NotThere(program) from None
    except subprocess.TimeoutExpired:
        raise NoAnswer(f"{program} took longer than {seconds:.0f} s") from None
    return Done(done.returncode, done.stdout, done.stderr)
