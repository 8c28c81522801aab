"""The way from a logging call to the server, in two background threads.

    log_metric ──► queue in memory ──► spooler thread ──► spool on disk ──► sender thread ──► server
                   (< 50 µs)           every 200 ms or    (survives a       (retries, in
                                       1,000 points       kill -9)          order)

A caller only appends to the queue. What is in the spool is delivered in order, as long as the process lives, and by
`mlws.spool.replay` afterwards. A forked child has a sender, a spool and a connection of its own.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from json import loads
from typing import Any, Callable, Dict, List, Set, Tuple

import mlws
from mlws import wire
from mlws.batches import BATCH_POINTS, Batcher, Item, Message
from mlws.connection import Connection, owner_changed, spool_folder
from mlws.errors import DeliveryError, Rejected, ServerAway
from mlws.masking import of_environment
from mlws.outbox import Outbox, away_in_words, how_to_sync
from mlws.process import in_kernel, say, started
from mlws.spool import decoded, reject, replay

BATCH_S = 0.2
QUEUE_LIMIT = 200_000
EXIT_S = 10.0
KERNEL_EXIT_S = 3.5
"""A kernel that is restarted is killed 5 s after it was asked to end."""
FIRST_RETRY_S = 0.5
LAST_RETRY_S = 30.0
TRIES_OF_500 = 10
PATIENCE_OF_500_S = 300.0
"""A record that makes the server fail is sent so often and for so long before it is put aside, so that the others go on."""


exit_hooks: List[Callable[[], None]] = []
"""Called before the last flush: what is still to be logged at the process's end."""


class Sender:
    """The queue, the spool and the two threads of one process. Use `sender()`."""

    def __init__(self) -> None:
        self.lock = threading.RLock()  # an RLock: a signal handler may log while its own thread holds it
        self.queue: List[Item] = []
        self.outbox = Outbox(spool_folder())
        self.away: ServerAway | None = None
        self._batcher, self._masker = Batcher(), of_environment()
        self._spool_lock = threading.RLock()
        self._wake = threading.Event()
        self._full = threading.Event()
        self._changed = threading.Condition()
        self._spooled = self._done = 0  # records
        self._begun = self._failed = 0  # number of the try begun last, and of the one that failed last
        self._tries = self._errors = 0  # failed tries of this record; of them, answered with 500
        self._kick = self._stopping = False
        self._look_behind_at = self._first_error_at = 0.0
        self.notice = BATCH_POINTS  # length of the queue from which on `queued` has something to do
        self._fetched = os.environ.get("MLWS_SPOOL_ONLY") == "1"  # nothing is sent from here: it is fetched from the spool
        self._answers: Dict[Tuple[str, str], Callable[[Any], None]] = {}
        self.failures: Dict[str, str] = {}
        """By run, why the server does not have all of it: the first reason."""
        self.missing: Dict[str, str] = {}
        """By run, why the server does not have it at all."""
        self._refused_runs: Set[str] = set()
        self._told: Set[Tuple[str, str]] = set()
        self._said_away = False
        self._owner_seen = owner_changed()
        self._threads: List[threading.Thread] = []
        self._start()

    # ---- the caller's side

    def put(self, item: Item) -> None:
        """Append to the queue; returns at once."""
        with self.lock:
            self.queue.append(item)
            waiting = len(self.queue)
        self.queued(waiting)

    def know(self, run_id: str, workspace: str) -> None:
        """Tell the workspace of a run, before anything is put for it."""
        self._batcher.workspaces[run_id] = workspace

    def put_answered(self, record: Dict[str, Any], answered: Callable[[Any], None]) -> None:
        """As `put`, for the record that makes or ends a run; `answered` gets the server's view of it, in the sender's thread."""
        self._answers[record["op"], record["run_id"]] = answered
        self.put(Message(record))

    def queued(self, waiting: int) -> None:
        """To be called, without the lock, after something was appended; `waiting` is the length of the queue."""
        if waiting == 1:
            self._wake.set()
        elif waiting == BATCH_POINTS:
            self._full.set()
        if waiting >= QUEUE_LIMIT or self._stopping or not self._threads:
            self._spool_queue()

    def new_blob(self) -> str:
        """The path of a file for the content of an artifact; raises `OSError` when the spool folder cannot be made."""
        with self._spool_lock:
            return self.outbox.new_blob()

    def lost(self, run_id: str, why: str) -> None:
        """Something of a run cannot be sent at all."""
        self.failures.setdefault(run_id, why)

    def flush(self, timeout: float | None = None, patient: bool = True, run_id: str | None = None) -> bool:
        """As `drain`; False also if the server refused something, or it was lost: of one run, by default of any."""
        sent = self.drain(timeout, patient)
        return sent and not (run_id in self.failures if run_id else self.failures) and not self.outbox.dropped

    def drain(self, timeout: float | None = None, patient: bool = True) -> bool:
        """Put all that was logged so far on disk, then wait until the server has dealt with it: True if it has.

        Gives up, with False, after `timeout` seconds, or as soon as the server proves to be away; at once if it is known to be
        away and `patient` is false.
        """
        self._spool_queue()
        if self._fetched:
            return not self.outbox.dropped
        until = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            mark, begun = self._spooled, self._begun
            if self._done < mark and self.away is not None and not patient:
                return False
            self._kick = True
            self._changed.notify_all()
            while self._done < mark:
                if self.away is not None and self._failed > begun:
                    return False
                left = 1.0 if until is None else until - time.monotonic()
                if left <= 0 or not self._alive():
                    return False
                self._changed.wait(min(left, 1.0))
        return True

    def close(self) -> None:
        """At the process's end: flush with a bounded wait; what remains stays in the spool."""
        if self._stopping:
            return
        for hook in exit_hooks:
            hook()
        sent = self.drain(KERNEL_EXIT_S if in_kernel() else EXIT_S, patient=False)
        with self._changed:
            self._stopping = True
            self.notice = 0
            self._changed.notify_all()
        self._wake.set()
        self._full.set()
        self._spool_queue()
        with self._spool_lock:
            if self._fetched or (sent and self._spooled == self._done):
                self.outbox.close()
                return
            count = self._spooled - self._done
        say(
            f"{count} record(s) could not be sent and are kept in {self.outbox.folder}; {how_to_sync(self.outbox.folder)} sends them"
        )

    def forget(self) -> None:
        """In a forked child: the parent's files and socket are not ours."""
        self.outbox.abandon()

    def _alive(self) -> bool:
        return bool(self._threads) and self._threads[-1].is_alive()

    def _start(self) -> None:
        threads = [
            threading.Thread(target=self._spool_loop, name="mlws-spooler", daemon=True),
            threading.Thread(target=self._send_loop, name="mlws-sender", daemon=True),
        ][: 1 if self._fetched else 2]
        if mlws._ending or not started(threads):  # in an exit handler: all goes straight to the spool
            self.notice = 0
            say(
                f"the process is ending; what is logged now is kept in {self.outbox.folder}, and {how_to_sync(self.outbox.folder)} sends it"
            )
            return
        self._threads = threads
        if "multiprocessing.util" in sys.modules:  # its forked workers leave without atexit
            from multiprocessing.util import Finalize

            Finalize(None, self.close, exitpriority=10)

    # ---- queue to spool

    def _spool_loop(self) -> None:
        while not self._stopping:
            self._wake.wait()
            self._wake.clear()
            self._full.wait(BATCH_S)
            self._full.clear()
            self._spool_queue()

    def _spool_queue(self) -> None:
        with self._spool_lock:
            with self.lock:
                items, self.queue = self.queue, []
            count = 0
            try:
                for payload in self._batcher.payloads(items):
                    count += self.outbox.append(self._masker.json(payload))
            except BaseException:  # Ctrl-C in between: once more; a record twice does no harm
                with self.lock:
                    self.queue = items + self.queue
                raise
        if count:
            with self._changed:
                self._spooled += count
                self._changed.notify_all()

    # ---- spool to server

    def _send_loop(self) -> None:
        connection = Connection()
        try:
            self._send_all(connection)
        finally:
            connection.close()

    def _send_all(self, connection: Connection) -> None:
        while not (self._stopping and self.away is not None):
            with self._spool_lock:
                payload = self.outbox.peek()
            if payload is not None:
                self._send_one(connection, payload)
                if self.away is not None:
                    self._wait_for_server()
            elif self._done and time.monotonic() >= self._look_behind_at:
                self._send_left_behind(connection)
            else:
                with self._changed:
                    if self._stopping:
                        return
                    if self._spooled == self._done:
                        self._changed.wait()

    def _send_one(self, connection: Connection, payload: bytes) -> None:
        failure: DeliveryError | None = None
        with self._changed:
            self._begun += 1
        try:
            self._deliver(connection, payload)
        except (ServerAway, Rejected) as error:
            failure = error
        except Exception as error:  # noqa: BLE001  # top of the sender's loop: one bad record must not end all sending
            failure = Rejected(f"{type(error).__name__}: {error}", 0, "client_error")
        if isinstance(failure, ServerAway):
            self._errors = self._errors + 1 if failure.status == 500 else 0
            if self._errors <= 1:
                self._first_error_at = time.monotonic()
            if self._errors < TRIES_OF_500 or time.monotonic() < self._first_error_at + PATIENCE_OF_500_S:
                self._say_away(failure)
                with self._changed:
                    self.away = failure
                    self._tries += 1
                    self._failed = self._begun
                    self._changed.notify_all()
                return
        if failure is not None:
            self._put_aside(payload, failure)
        self._say_back()
        with self._spool_lock:
            self.outbox.ack(payload)
        with self._changed:
            self._done += 1
            self._tries = self._errors = 0
            self.away = None
            self._changed.notify_all()

    def _deliver(self, connection: Connection, payload: bytes) -> None:
        points = wire.log_parts(payload)
        if points is not None:
            run_id, workspace, body = points
            self._check_known(run_id)
            wire.deliver_log(connection, run_id, workspace, body)
            return
        record = loads(payload)
        self._check_known(record["run_id"])
        blob = self.outbox.blob(record)
        answer = wire.deliver(connection, record, blob)
        answered = self._answers.pop((record["op"], record["run_id"]), None)
        if answered is not None and isinstance(answer, dict):
            answered(answer)
        if blob is not None:
            os.unlink(blob)

    def _check_known(self, run_id: str) -> None:
        if run_id in self._refused_runs:
            raise Rejected("its run was refused before", 404, "run_refused")

    def _put_aside(self, payload: bytes, failure: DeliveryError) -> None:
        """Keep a record that cannot be delivered, and say so once per run and reason."""
        record = decoded(payload)
        why = failure if isinstance(failure, Rejected) else Rejected(str(failure), 500, "server_error")
        reject(self.outbox.path, payload if record is None else record, why)
        if record is None:  # its start tells what it was
            record = {"op": "log", "run_id": (wire.log_parts(payload) or ("",))[0]}
        run_id = record["run_id"]
        self.failures.setdefault(run_id, str(why))
        if record["op"] == "create":
            self._refused_runs.add(run_id)
        if record["op"] == "create" or why.code == "run_not_found":
            self.missing.setdefault(run_id, str(why))
        if why.code != "run_refused" and (run_id, why.code) not in self._told:
            self._told.add((run_id, why.code))
            reason = str(why).rstrip(".")
            say(f"the server refused to {wire.in_words(record)} ({reason}); it is kept in {self.outbox.rejected_path}")

    def _wait_for_server(self) -> None:
        """Sleep until the next try: a while that doubles, cut short by `flush` or by a server that (re)started."""
        until = time.monotonic() + min(LAST_RETRY_S, FIRST_RETRY_S * 2 ** min(self._tries - 1, 10))
        while time.monotonic() < until:
            with self._changed:
                if self._kick or self._stopping:
                    break
                self._changed.wait(min(0.5, max(0.01, until - time.monotonic())))
            seen = owner_changed()
            if seen != self._owner_seen:
                self._owner_seen = seen
                break
        self._kick = False

    def _say_away(self, failure: ServerAway) -> None:
        if not self._said_away:
            self._said_away = True
            say(away_in_words(failure, self.outbox.folder))

    def _say_back(self) -> None:
        if self._said_away:
            self._said_away = False
            say("the server is back; what was kept is being sent")

    def _send_left_behind(self, connection: Connection) -> None:
        """Send what processes before this one could not; makes way as soon as this one has something to send."""

        interrupted = False

        def send(record: Dict[str, Any], blob: str | None) -> None:
            nonlocal interrupted
            interrupted = self._spooled != self._done or self._stopping
            if interrupted:
                raise ServerAway("own records first")
            wire.deliver(connection, record, blob)

        try:
            done = replay(self.outbox.folder, send)
            left = done.left
            if done.rejected:
                folder = self.outbox.folder
                say(f"{done.rejected} record(s) of an earlier process were refused; they are kept, with the reasons, in {folder}")
        except OSError:  # the folder is gone, or not ours: nothing to send
            left = 0
        if not interrupted:
            self._look_behind_at = time.monotonic() + (LAST_RETRY_S if left else float("inf"))


_sender: Sender | None = None
_make_lock = threading.Lock()


def sender() -> Sender:
    """The sender of this process, made at the first use."""
    global _sender
    if _sender is None:
        with _make_lock:
            if _sender is None:
                _sender = Sender()
    return _sender


def flush(timeout: float | None = None, patient: bool = True, run_id: str | None = None) -> bool:
    """As `Sender.flush`; True when nothing was ever logged."""
    return _sender is None or _sender.flush(timeout, patient, run_id)


def why_missing(run_id: str) -> str | None:
    """Why the server does not have a run at all; None as long as it may have it."""
    return None if _sender is None else _sender.missing.get(run_id)


def close() -> None:
    """The last flush, at the end of the process."""
    if _sender is not None:
        _sender.close()


def _after_fork() -> None:
    global _sender, _make_lock
    _make_lock = threading.Lock()
    if _sender is not None:
        _sender.forget()
        _sender = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
