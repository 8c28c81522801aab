"""One run, and everything that can be logged on it. No method waits for the server, save `flush` and the end of a run."""

from __future__ import annotations

import os
from time import time_ns
from typing import TYPE_CHECKING, Any, Callable, Dict, Mapping, Tuple, Type, Union

from mlws import values
from mlws.batches import Label, Message
from mlws.connection import workspace
from mlws.process import say
from mlws.sender import Sender, flush, sender, why_missing

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType

END_FLUSH_S = 5.0
STATUSES = ("Completed", "Failed", "Canceled")


class Run:
    """A run that is being tracked. Made by `mlws.start_run`; a context manager that ends the run with its block.

    `id` is 32 hex digits, `name` and `experiment` are what the server calls it (None until it has answered), `status` is
    `Running` or one of `Completed`, `Failed`, `Canceled`; the server's, if the run had ended there before.
    """

    def __init__(
        self,
        run_id: str,
        create: Dict[str, Any] | None = None,
        name: str | None = None,
        owned: bool = True,
        workspace_name: str | None = None,
    ) -> None:
        self.id = run_id
        self.owned = owned
        """Whether leaving its block ends it; false for a run that was continued by its id."""
        self.name = name
        self.experiment: str | None = (create or {}).get("experiment")
        self.parent_id: str | None = (create or {}).get("parent_id")
        self.status = "Running"
        self.workspace = workspace_name or workspace()
        self.params: Dict[str, str] = dict((create or {}).get("params", {}))
        self.metrics: Dict[str, float] = {}
        """The value logged last, by key."""
        self._create = create
        self._first: Callable[[Run], None] | None = None
        """Called once, when the run goes to the server."""
        self._pid = os.getpid()
        self._steps: Dict[str, int] = {}
        self._sender: Sender | None = None

    # ---- metrics

    def log_metric(self, key: str, value: Any, step: int | None = None, time: Union[int, datetime, None] = None) -> None:
        """See `mlws.log_metric`."""
        if type(value) is not float:
            value = values.number(key, value)
        if key not in self._steps:
            values.check_key(key, "metric's key")
        if step is not None and (type(step) is not int or not -(2**63) <= step < 2**63):
            step = values.check_step(step)
        stamp = time_ns() // 1_000_000 if time is None else values.check_time(time)
        out = sender()
        if self._sender is not out:
            self._attach(out)
        with out.lock:
            if step is None:
                step = self._steps.get(key, 0)
            self._steps[key] = step + 1
            self.metrics[key] = value
            queue = out.queue
            queue.append((self.id, key, value, step, stamp))
            waiting = len(queue)
        if waiting == 1 or waiting >= out.notice:
            out.queued(waiting)

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None, time: Union[int, datetime, None] = None) -> None:
        """See `mlws.log_metrics`."""
        checked = {values.check_key(key, "metric's key"): values.number(key, value) for key, value in metrics.items()}
        stamp = time_ns() // 1_000_000 if time is None else values.check_time(time)
        for key, value in checked.items():
            self.log_metric(key, value, step, stamp)

    # ---- labels

    def log_param(self, key: str, value: Any) -> None:
        """See `mlws.log_param`."""
        self.log_params({key: value})

    def log_params(self, params: Mapping[str, Any]) -> None:
        """See `mlws.log_params`."""
        checked, _ = labels(params, {})
        self.params.update(checked)
        for key, value in checked.items():
            self._ready().put(Label(self.id, "params", key, value))

    def set_tag(self, key: str, value: Any) -> None:
        """See `mlws.set_tag`."""
        self.set_tags({key: value})

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """See `mlws.set_tags`."""
        for key, value in labels({}, tags)[1].items():
            self._ready().put(Label(self.id, "tags", key, value))

    def set_note(self, note: str) -> None:
        """See `mlws.set_note`."""
        self._send("update", body={"note": values.text(note, values.MAX_NOTE)})

    def rename(self, name: str) -> None:
        """Give the run another name."""
        self.name = values.name(name, "run name")
        self._send("update", body={"name": self.name})

    # ---- files

    def log_artifact(self, local_path: Union[str, os.PathLike[str]], artifact_path: str | None = None) -> None:
        """See `mlws.log_artifact`."""
        from mlws import files

        files.log_file(self, local_path, artifact_path)

    def log_artifacts(self, folder: Union[str, os.PathLike[str]], artifact_path: str | None = None) -> None:
        """See `mlws.log_artifacts`."""
        from mlws import files

        files.log_folder(self, folder, artifact_path)

    def log_figure(self, figure: Any, name: str) -> None:
        """See `mlws.log_figure`."""
        from mlws import files

        files.log_content(self, files.figure_bytes(figure, name), name)

    def log_table(self, data: Any, name: str) -> None:
        """See `mlws.log_table`."""
        from mlws import files

        files.log_content(self, files.table_bytes(data, name), name)

    def log_dict(self, data: Any, name: str) -> None:
        """See `mlws.log_dict`."""
        from mlws import files

        files.log_content(self, files.json_bytes(data), name)

    def log_text(self, text: str, name: str) -> None:
        """See `mlws.log_text`."""
        from mlws import files

        files.log_content(self, str(text).encode("utf-8", "replace"), name)

    # ---- inputs and outputs

    def log_input(self, name: str, uri: Any = "", type: str | None = None, digest: str | None = None) -> None:
        """See `mlws.log_input`."""
        self._declare("inputs", name, uri, type, digest)

    def log_output(self, name: str, uri: Any = "", type: str | None = None, digest: str | None = None) -> None:
        """See `mlws.log_output`."""
        self._declare("outputs", name, uri, type, digest)

    def _declare(self, kind: str, name: str, uri: Any, of_type: str | None, digest: str | None) -> None:
        from mlws import files

        self._send("io", body={kind: [files.described(values.check_key(name, "name"), uri, of_type, digest)]})

    # ---- life

    def flush(self, timeout: float | None = 10.0) -> bool:
        """As `mlws.flush`, for what was logged on this run."""
        return flush(timeout, run_id=self.id)

    def end(self, status: str = "Completed", error: BaseException | None = None) -> None:
        """End the run; see `mlws.end_run`. A second end, or one in a forked child, does nothing."""
        if status not in STATUSES:
            raise ValueError(f"A run ends as one of {', '.join(STATUSES)}, not as {status!r:.80}.")
        from mlws import tracking

        tracking.closed(self)
        if self.status != "Running" or self._pid != os.getpid():
            return
        self.status = status
        if not self.is_job:
            if self._create is not None:
                from mlws import snapshot

                snapshot.finish(self)
            body: Dict[str, Any] = {"status": status, "ended_at": time_ns() // 1_000_000}
            if error is not None:
                body["error"] = described_error(error)
            record = {"op": "end", "run_id": self.id, "workspace": self.workspace, "body": body}
            self._ready().put_answered(record, self._ended)
        flush(END_FLUSH_S, patient=False)

    @property
    def is_job(self) -> bool:
        """Whether this is the run of the job that the process belongs to; its supervisor ends it."""
        return self.id == os.environ.get("MLWS_RUN_ID")

    @property
    def begun(self) -> bool:
        """Whether anything was sent for it; a run that began by itself does with the first thing that is logged."""
        return self._sender is not None

    @property
    def refusal(self) -> str | None:
        """Why the server did not take the run: there is no page of it. None as long as nothing is wrong."""
        return why_missing(self.id)

    @property
    def url(self) -> str:
        """The address that opens the run's page in JupyterLab; empty where the server runs without one."""
        from mlws.connection import open_url

        return open_url("runs", self.id)

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: Type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not self.owned:
            from mlws import tracking

            tracking.closed(self)
            flush(END_FLUSH_S, patient=False)
        elif kind is None or (issubclass(kind, SystemExit) and getattr(error, "code", 1) in (None, 0)):
            self.end("Completed")
        elif issubclass(kind, KeyboardInterrupt):
            self.end("Canceled")
        else:
            self.end("Failed", error)

    def __repr__(self) -> str:
        refused = self.refusal
        if refused is not None:
            return f"<Run {self.name or self.id}, refused by the server: {refused}>"
        page = f": {self.url}" if self.url else ""
        return f"<Run {self.name or self.id} ({self.status}) in {self.experiment or 'its experiment'}{page}>"

    def _repr_html_(self) -> str:
        from mlws import display

        return display.run_html(self)

    def _repr_markdown_(self) -> str:
        from mlws import display

        return display.run_markdown(self)

    # ---- to the sender

    def _ready(self) -> Sender:
        out = sender()
        if self._sender is not out:
            self._attach(out)
        return out

    def _attach(self, out: Sender) -> None:
        """Tell this process's sender of the run: a forked child may send before its parent has."""
        self._sender = out
        out.know(self.id, self.workspace)
        if self._create is not None:
            self._create.setdefault("started_at", time_ns() // 1_000_000)
            out.put_answered(
                {"op": "create", "run_id": self.id, "workspace": self.workspace, "body": self._create}, self._created
            )
        first, self._first = self._first, None
        if first is not None:
            first(self)

    def _created(self, answer: Dict[str, Any]) -> None:
        self.name = str(answer.get("name") or "") or self.name
        self.experiment = str(answer.get("experiment_name") or "") or self.experiment

    def _ended(self, answer: Dict[str, Any]) -> None:
        status = str(answer.get("status") or self.status)
        if status != self.status:
            ended = f"had ended before, as {status}: that stands; what was logged since was added to it"
            say(f"run {self.name or self.id} {ended if status in STATUSES else f'is {status}, and ends with its job'}")
            self.status = status

    def _send(self, op: str, **more: Any) -> None:
        self._ready().put(Message({"op": op, "run_id": self.id, "workspace": self.workspace, **more}))

    def _lost(self, why: str) -> None:
        """Something that was logged cannot be sent."""
        self._ready().lost(self.id, why)
        say(why)


def labels(params: Mapping[str, Any], tags: Mapping[str, Any]) -> Tuple[Dict[str, str], Dict[str, str]]:
    """Params and tags as they are sent. Raises `TypeError` or `ValueError` for a key that is none."""
    return _checked(params, "param", values.MAX_PARAM), _checked(tags, "tag", values.MAX_TAG)


def _checked(pairs: Mapping[str, Any], what: str, limit: int) -> Dict[str, str]:
    if not hasattr(pairs, "items"):
        raise TypeError(f"The {what}s must be a dictionary, not {type(pairs).__name__}: {pairs!r:.80}.")
    return {values.check_key(key, f"{what}'s key"): values.text(value, limit) for key, value in pairs.items()}


def _message_of(error: BaseException) -> str:
    if isinstance(error, SystemExit) and isinstance(error.code, int):
        return f"The program ended with exit code {int(error.code)}."
    return str(error) or type(error).__name__


def described_error(error: BaseException) -> Dict[str, Any]:
    """An exception as the server keeps it: message, class and the end of its traceback."""
    import traceback

    trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    if len(trace) > values.MAX_TRACEBACK // 4:  # 64 kB even where each character takes four bytes
        trace = "…\n" + trace[-values.MAX_TRACEBACK // 4 :]
    return {
        "message": values.text(_message_of(error), 4000),
        "kind": type(error).__name__,
        "traceback": values.text(trace, values.MAX_TRACEBACK),
    }
