"""The common case of logging, quickly: one more point of a metric that a running run has already. All else goes the long way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from jupyter_mlws.db.outbox import Change, put_changes
from jupyter_mlws.db.shortcut import Shortcut
from jupyter_mlws.domain.access.service import authorize
from jupyter_mlws.domain.metrics import service as metrics
from jupyter_mlws.domain.runs import store
from jupyter_mlws.domain.runs.schemas import Lifecycle
from jupyter_mlws.domain.runs.states import TERMINAL
from jupyter_mlws.kit.actors import Action, Actor, ActorKind
from jupyter_mlws.kit.clock import now_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_mlws.db.shortcut import Plain
    from jupyter_mlws.domain.metrics.schemas import MetricPoint

_PARTS = metrics.appending("taken")
_ENDED = frozenset(status.value for status in TERMINAL)


class _Point(NamedTuple):
    run_id: str
    only_in: int | None
    """Id of the workspace that the run must be in."""
    point: MetricPoint


def shortcut(actor: Actor, run_id: str, point: MetricPoint, answer: Any) -> Shortcut | None:
    """The quick way to `log` this point; `answer` is what the write then answers. None where `actor` may perhaps not log it."""
    own = actor.kind is not ActorKind.JOB or actor.run_id == run_id
    whole = actor.workspace is None or actor.workspace_id is not None
    plain = run_id.isascii() and run_id.isalnum()
    if not (own and whole and plain and authorize(actor, Action.LOG, None)):
        return None
    return Shortcut(_append, _Point(run_id, actor.workspace_id, point), answer)


def _append(connection: Plain, requests: Sequence[_Point], seq: int) -> tuple[list[bool], list[Change]]:
    return (_append_at_once if connection.postgresql else _append_each)(connection, requests, seq)


def _append_each(connection: Plain, requests: Sequence[_Point], seq: int) -> tuple[list[bool], list[Change]]:
    done, changed = [], {}
    for run_id, only_in, point in requests:
        found = store.target_of(connection, run_id)
        takes = (
            found is not None
            and found.lifecycle == Lifecycle.ACTIVE.value
            and found.status not in _ENDED
            and only_in in (None, found.workspace_id)
        )
        done.append(takes and metrics.append(connection, run_id, point))
        if found is not None and done[-1]:
            changed[run_id] = (found.workspace, found.experiment_id)
    changes = _changes(changed, {run_id: seq + n for n, run_id in enumerate(changed, start=1)})
    put_changes(connection, changes)
    return done, changes


def _append_at_once(connection: Plain, requests: Sequence[_Point], seq: int) -> tuple[list[bool], list[Change]]:
    rows: dict[tuple[str, str], store.GivenPoint] = {}  # each series once: what comes twice goes the long way
    seqs: dict[str, int] = {}
    for n, (run_id, only_in, point) in enumerate(requests):
        at = seqs.setdefault(run_id, seq + len(seqs) + 1)
        value = metrics.column_value(float(point.value))
        digits = None if value is None else repr(value)
        given = store.GivenPoint(n, run_id, only_in, point.key, digits, point.step, point.time, at)
        rows.setdefault((run_id, point.key), given)
    found = store.append_points(connection, _PARTS, list(rows.values()))
    stored = {n for n, *_ in found}
    changed = {run_id: (workspace, experiment_id) for _, run_id, workspace, experiment_id in found}
    return [n in stored for n in range(len(requests))], _changes(changed, seqs)


def _changes(changed: dict[str, tuple[str, int]], seqs: dict[str, int]) -> list[Change]:
    """What listeners are told, in the order of the sequence."""
    at = now_ms()
    return [
        Change(seqs[run_id], workspace, "metrics", run_id, str(experiment_id), at)
        for run_id, (workspace, experiment_id) in sorted(changed.items(), key=lambda item: seqs[item[0]])
    ]
