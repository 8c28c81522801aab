"""What a target of a batch system knows of its jobs: their folders, and one look at the queue for all of them, as long as it matters."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.compute.batch import records
from jupyter_mlws.domain.compute.batch.system import last_words
from jupyter_mlws.domain.compute.errors import HostUnreachable
from mlws import jobdir

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from jupyter_mlws.domain.compute.batch.site import Site
    from jupyter_mlws.domain.compute.batch.system import End, Seen, System

log = logging.getLogger(__name__)

QUICK_S, SLOW_S = 1.0, 5.0
"""How often the queue is asked for: by the first while a job was submitted lately."""
LATELY_S = 60.0


class Watch:
    """The jobs of a target, by their folders, and the thread that asks for them."""

    def __init__(self, name: str, site: Site, system: System) -> None:
        self.name = name
        self.when_one_ends: Callable[[], None] = lambda: None
        self.when_it_changes: Callable[[], None] = lambda: None
        self.trouble = ""
        """Why the batch system cannot be asked now."""
        self._site = site
        self._system = system
        self._watched: dict[Path, records.Watched] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closed = False
        self._given_up = False
        self._looked = 0.0
        self._thread: threading.Thread | None = None

    def _find(self, job_dir: Path) -> records.Watched | None:
        """The job, if it was submitted; watched from now on."""
        with self._lock:
            found = self._watched.get(job_dir)
            if found is None and (mark := jobdir.read_json(str(job_dir / jobdir.SENT))) is not None:
                found = self._watched[job_dir] = records.Watched(job_dir, mark)
            else:
                return found
        self._site.follow(job_dir, Minder(self, found))
        self._follow()
        return found

    def _forget(self, watched: records.Watched, *, refused: bool) -> None:
        for name in (jobdir.SECRETS, jobdir.SENT):
            (watched.folder / name).unlink(missing_ok=True)
        self._site.forget(watched.folder, refused=refused)
        with self._lock:
            self._watched.pop(watched.folder, None)

    def _follow(self) -> None:
        """See that somebody asks for the queue as long as it matters."""
        with self._lock:
            needed = not self._closed and (self._watched or self.trouble)
            if needed and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._run, name=f"mlws-{self.name}", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._closed:
            try:
                self._look()
            except HostUnreachable as error:
                log.debug("%s: %s", self.name, error.message)
            except Exception:
                log.exception("The queue of %s could not be looked at; trying again", self.name)
            with self._lock:
                if not self._watched and not self.trouble:
                    self._thread = None
                    return
                young = any(time.monotonic() - one.since < LATELY_S for one in self._watched.values())
            self._wake.wait(QUICK_S if young else SLOW_S)
            self._wake.clear()

    def _look(self) -> None:
        """Ask the batch system for its queue. Raises `HostUnreachable`."""
        before = [one for one in list(self._watched.values()) if not one.submitting]
        try:
            numbers = [one.native_id for one in before if one.native_id]
            queue = self._system.look(self._site, numbers, unnumbered=len(numbers) < len(before))
        except HostUnreachable as error:
            self._say(error.message)
            raise
        self._say("")
        self._looked = time.monotonic()
        # Of one name the first counts: PBS tells the jobs of others, too, and a later one may have taken the name of ours.
        by_id, by_name = {one.native_id: one for one in queue}, {one.name: one for one in reversed(queue)}
        for watched in before:
            seen = by_id.get(watched.native_id) or by_name.get(watched.mark.get("name", ""))
            if seen is not None and not watched.native_id and watched.folder.is_dir():
                watched.mark = {**watched.mark, "id": seen.native_id}
                records.note(watched.folder, watched.mark)
            watched.seen, watched.asked = seen, True
            if seen is not None and seen.over:
                try:
                    self._bury(watched, seen)
                except OSError as error:  # a full disk, a folder that went: the next look tries again, and the others go on
                    log.warning("The end of job %s cannot be written now: %s", watched.mark.get("name"), error)

    def _bury(self, watched: records.Watched, seen: Seen) -> None:
        """Write the record of a job whose supervisor did not come to it."""
        if self._given_up or not watched.folder.is_dir() or jobdir.read_exit(str(watched.folder)) is not None:
            return
        if self._site.bury(watched.folder, last_words(self._system, seen)):
            self.when_one_ends()

    def _ended(self, native_id: str, record: Mapping[str, Any]) -> End | None:
        """How a job ended. What the supervisor has just written, the batch system learns a moment later."""
        tries = 5
        while (end := self._system.end_of(self._site, native_id, record)) is not None and not end.over and tries:
            time.sleep(0.2)
            tries -= 1
        return end

    def _say(self, words: str) -> None:
        if words != self.trouble:
            self.trouble = words
            if words:
                log.warning("%s: %s", self.name, words)
            self.when_it_changes()


class Minder:
    """What the batch system says of a job to whoever looks after its folder on another machine."""

    def __init__(self, target: Watch, watched: records.Watched) -> None:
        self._target = target
        self._watched = watched

    def waits(self) -> bool:
        """It has not begun."""
        return not self._target.trouble and self._watched.seen is not None and self._watched.seen.waits

    def forgot(self) -> bool:
        """The batch system had it, and has it no more."""
        one = self._watched
        if self._target.trouble or one.submitting or not one.asked or one.seen is not None:
            return False
        return bool(one.native_id) or one.begun()  # a job that has begun was there, though its number may never have been known
