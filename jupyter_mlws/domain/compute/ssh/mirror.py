"""A job on the host, as the server sees it: the files of its folder there, as far as they matter, in its folder here.

What grows is fetched from the offset that is here; so nothing comes twice, whatever was cut off in between. The exit record is stored
last, when all else is here: who sees it may settle the job. Then the folder on the host goes.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import json
import logging
import os
import re
import time
from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.compute.errors import HostUnreachable
from jupyter_mlws.domain.compute.ssh.link import Refused
from jupyter_mlws.kit.errors import MlwsError
from jupyter_mlws.kit.paths import clean_relative
from mlws import jobdir

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jupyter_mlws.domain.compute.batch.site import Minder
    from jupyter_mlws.domain.compute.ssh.link import Link

log = logging.getLogger(__name__)

QUICK_S, SLOW_S = 0.2, 1.0
AWAY_S = 0.5
PIECE = 4 << 20
DEAD_AFTER_S = 2.0
REMOVALS = 10
KEPT = ("outputs", "logs")
EACH, ALL = 64 << 20, 256 << 20
"""Files that a job made elsewhere in its working folder are fetched up to these sizes; the others stay behind."""
NEVER = frozenset(
    (
        errno.EACCES,
        errno.EPERM,
        errno.ENOENT,
        errno.ENXIO,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.EEXIST,
        errno.EISDIR,
        errno.ENOTDIR,
    )
)
"""Why a file cannot be fetched at all: it stays behind, for otherwise its job would have no end."""
PART = "fetched-"
"""How files begin of which not all is here yet."""
GROWING = frozenset({jobdir.USER_LOG, jobdir.SYSTEM_LOG, jobdir.RUNNER_LOG, jobdir.USAGE, jobdir.NOTEBOOK})
WHOLE = frozenset({jobdir.PID, jobdir.HEARTBEAT, jobdir.PROGRESS, jobdir.RESULT, jobdir.EXIT})
SPOOLED = re.compile(r"spool/[A-Za-z0-9._-]{1,200}\Z")
PULLED = "spool.pulled"
"""Which contents of artifacts were fetched: they go from the spool here once they are stored."""


class Mirror:
    """One job. `link` gives the connection to its host; `minder` is who begins it there, if that is not the host itself."""

    def __init__(
        self,
        key: str,
        folder: Path,
        link: Callable[[], Link],
        ended: Callable[[], None],
        *,
        live_spool: bool,
        minder: Minder | None = None,
    ) -> None:
        self.key = key
        self.folder = folder
        self.away = ""
        """Why the host cannot be asked now."""
        self.dead = False
        """Its supervisor is gone without a record; what it left is here."""
        self.unbegun = False
        """The host never started it."""
        self.done = False
        self._link = link
        self._ended = ended
        self._live_spool = live_spool
        self._minder = minder
        self._known: dict[str, list[Any]] = {}
        self._exit: bytes | None = None
        self._dead_since: float | None = None
        self._pause = QUICK_S
        self._buried = False
        self._stopped = False
        self._fetched = False

    async def follow(self) -> None:
        """Until all of the job is here, and nothing of it there."""
        self._known = await asyncio.to_thread(_stored, self.folder)
        while not self._over():
            try:
                moved = await self._step()
                self.away = ""
                self._pause = QUICK_S if moved else min(self._pause * 1.5, SLOW_S)
            except MlwsError as error:
                self.away = error.message
                self._pause = AWAY_S
            except (Refused, OSError) as error:
                log.warning("Job %s on %s could not be looked at; trying again: %s", self.key, self._link().place.words, error)
                self._pause = min(max(self._pause * 2, SLOW_S), 30.0)
            except Exception:
                log.exception("Job %s on %s could not be looked at; trying again", self.key, self._link().place.words)
                self._pause = 30.0
            if not self._over():
                await asyncio.sleep(self._pause)
        if self.done:
            self._ended()
        if self._fetched:
            await self._remove()

    def _over(self) -> bool:
        return self.done or self._stopped

    def stop(self) -> None:
        """The server stops, or another mirror takes the job over, which goes on there: from now on no file is written here."""
        self._stopped = True

    async def _step(self) -> bool:
        """One look. True if there was something new."""
        if not self.folder.is_dir():  # deleted for good
            answer, _ = await self._link().ask("remove", key=self.key)
            self.done = bool(answer["removed"])
            return False
        if self._minder is not None and self._minder.waits():
            return False
        head, data = await self._link().ask(
            "look", key=self.key, known=self._known, cancel=_cancel_of(self.folder), spool=self._live_spool
        )
        if self._stopped:
            return False
        if not head["begun"]:
            if self._is_alone():
                self._never_begun()
            return False
        moved, more, offset = bool(head["files"]), False, 0
        if any(file["name"].endswith(".wal") for file in head["files"]):
            await self._fetch_spooled()
        for file in head["files"]:
            piece = data[offset : offset + file["length"]]
            offset += file["length"]
            more = self._store(file, piece) or more
        if more:
            self._pause = 0
            return True
        return await self._judge(head) or moved

    async def _judge(self, head: dict[str, Any]) -> bool:
        """Whether it has ended. True if it is to be looked at once more."""
        if head["ended"]:
            await self._finish()
        elif not head["alive"] and self._is_alone() and self._is_dead():
            if not self._buried:
                await self._link().ask("bury", key=self.key)
                self._buried = True
                return True  # and look again: what those processes wrote last
            await self._finish()
        elif head["alive"]:
            self._dead_since = None
        return False

    def _is_alone(self) -> bool:
        """Whether nobody begins it any more, or knows of its life, but the host."""
        return self._minder is None or self._minder.forgot()

    def _never_begun(self) -> None:
        if jobdir.read_pid(str(self.folder)) is None:
            self.unbegun = True
        else:
            self.dead = True  # its folder was removed there
        self.done = True

    def _is_dead(self) -> bool:
        now = time.monotonic()
        self._dead_since = self._dead_since or now
        return now - self._dead_since > DEAD_AFTER_S

    # ---- what grows

    def _store(self, file: dict[str, Any], data: bytes) -> bool:
        """Put what is new of a file in its place. True if there is more of it."""
        name, offset = str(file["name"]), int(file["offset"])
        spooled = SPOOLED.match(name) is not None
        if name not in GROWING and name not in WHOLE and not spooled:
            raise OSError(f"the host names a file that is not followed: {name!r:.100}")
        before = self._known.get(name, [0, None])
        if name in WHOLE:
            self._whole(name, data)
            self._known[name] = [0, file["stamp"]]
            return False
        if offset != before[0]:
            raise OSError(f"the host sent {name!r:.100} from another place on than was asked for")
        _write(self.folder / name, offset, data, cut=name == jobdir.USER_LOG and not file["more"])
        # The last lines of the log may still change.
        whole = data.rfind(b"\n") + 1 if name == jobdir.USER_LOG else len(data)
        self._known[name] = [offset + whole, file["stamp"]]
        return bool(file["more"])

    def _whole(self, name: str, data: bytes) -> None:
        if name == jobdir.EXIT:
            self._exit = data
            return
        if name == jobdir.PID:  # whose numbers are that host's: nobody here is to take them for processes of this machine
            record = json.loads(data)
            data = json.dumps({**record, "host": f"ssh:{record.get('host')}"}).encode()
        jobdir.write_atomic(str(self.folder / name), data)

    async def _fetch_spooled(self) -> None:
        """Contents of artifacts, before the records that name them."""
        pulled = self.folder / PULLED
        had = set(pulled.read_text(encoding="utf-8").split("\n")) if pulled.exists() else set()
        answer, _ = await self._link().ask("spooled", key=self.key)
        for name, size in answer["blobs"]:
            path = f"spool/{name}"
            if name not in had and SPOOLED.match(path):
                await self._fetch(path, int(size))
                with pulled.open("a", encoding="utf-8") as file:
                    file.write(f"{name}\n")

    # ---- the end

    async def _finish(self) -> None:
        """Fetch what the job made, then store its exit record."""
        if not self._live_spool:
            self._live_spool = True  # what could not be sent from there is fetched now
            return
        answer, _ = await self._link().ask("manifest", key=self.key, patience=600)
        kept, total, behind = self._kept(), 0, []
        for path, size, _ in answer["files"]:
            if not _is_plain(path):
                behind.append(repr(path))
                continue
            if not path.startswith(kept):
                if size > EACH or total + size > ALL:
                    behind.append(f"{path} ({size} bytes)")
                    continue
                total += size
            try:
                await self._fetch(path, size)
            except (Refused, OSError) as error:
                if error.errno not in NEVER:
                    raise
                behind.append(f"{path} ({os.strerror(error.errno).lower()})")
        if behind:
            self._note(f"{len(behind)} files were not fetched from the host: {', '.join(behind[:50])}")
        await asyncio.to_thread(os.sync)
        if self._exit is not None:
            jobdir.write_atomic(str(self.folder / jobdir.EXIT), self._exit, durable=True)
        else:
            self.dead = True
        self.done = self._fetched = True

    async def _remove(self) -> None:
        """Its folder there goes; what ended it may still be about to leave, and to write a last line."""
        with contextlib.suppress(MlwsError, Refused):  # else the next sweep does it
            for _ in range(REMOVALS):
                answer, _ = await self._link().ask("remove", key=self.key)
                if answer["removed"] or self._stopped:
                    return
                await asyncio.sleep(SLOW_S)

    def _kept(self) -> tuple[str, ...]:
        """How the paths of files begin that are fetched whatever their size."""
        job = jobdir.read_json(str(self.folder / jobdir.JOB)) or {}
        base = os.path.relpath(str(job.get("cwd", self.folder / "work")), self.folder)
        return (jobdir.OUTPUT_NOTEBOOK, *(f"{base}/{name}/" for name in KEPT))

    async def _fetch(self, path: str, size: int) -> None:
        """A file, from where an earlier try ended, and no more of it than it was said to have."""
        target = self.folder / path
        if target.exists() and target.stat().st_size == size:
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        # Beside all that has a name there: a name may be as long as names can be, or be like any that we think of.
        part = self.folder / f"{PART}{hashlib.sha256(path.encode()).hexdigest()[:16]}"
        offset = part.stat().st_size if part.exists() else 0
        offset = offset if offset <= size else 0
        while True:
            wanted = min(PIECE, size - offset)
            _, data = await self._link().ask("read", key=self.key, name=path, offset=offset, size=wanted)
            if self._stopped:  # the next mirror of the job has the files now
                raise HostUnreachable(f"Job {self.key} is followed by another connection.")
            if len(data) > wanted:
                raise OSError(f"the host sent more of {path!r:.200} than was asked for")
            _write(part, offset, data, cut=True)
            offset += len(data)
            if len(data) < wanted or offset >= size:
                break
        part.replace(target)

    def _note(self, text: str) -> None:
        with contextlib.suppress(OSError), (self.folder / jobdir.SYSTEM_LOG).open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}\n")


def _stored(folder: Path) -> dict[str, list[Any]]:
    """How far each file is here already."""
    found: dict[str, list[Any]] = {}
    for name in GROWING:
        with contextlib.suppress(OSError):
            data = (folder / name).read_bytes() if name == jobdir.USER_LOG else b""
            size = data.rfind(b"\n") + 1 if name == jobdir.USER_LOG else (folder / name).stat().st_size
            found[name] = [size, None]
    return found


def _is_plain(path: str) -> bool:
    """Whether a path that the host names stays in the job's folder, and may be a name of a file here."""
    with contextlib.suppress(MlwsError):
        return clean_relative(path) == path and (path.startswith("work/") or path == jobdir.OUTPUT_NOTEBOOK)
    return False


def _cancel_of(folder: Path) -> str | None:
    """The reason, if somebody asked for the end of the job."""
    try:
        return "timeout" if (folder / jobdir.CANCEL).read_text(encoding="utf-8").strip() == "timeout" else "canceled"
    except OSError:
        return None


def _write(path: Path, offset: int, data: bytes, *, cut: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        view, at = memoryview(data), offset
        while view:
            written = os.pwrite(fd, view, at)
            view, at = view[written:], at + written
        if cut:
            os.ftruncate(fd, at)
    finally:
        os.close(fd)
