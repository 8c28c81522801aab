"""What stands in the queue, and how it becomes spool records: points and labels of a run are gathered, all else in order."""

from __future__ import annotations

import os
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Tuple, Union

from mlws import wire
from mlws.connection import workspace
from mlws.values import point_json

BATCH_POINTS = 1000
BATCH_LABELS = 500

Point = Tuple[str, str, float, int, int]
"""Run id, key, value, step, time in ms: a bare tuple, as it is made in the training loop."""


class Label(NamedTuple):
    """A param or a tag (`kind` is `params` or `tags`)."""

    run_id: str
    kind: str
    key: str
    value: str


class Message(NamedTuple):
    """Any other record."""

    record: Dict[str, Any]


Item = Union[Point, Label, Message]


class Batcher:
    """Makes payloads of items. What concerns one run keeps its order, params and tags aside from metrics."""

    def __init__(self) -> None:
        self._session = os.urandom(8).hex()
        self._count = 0
        self.workspaces: Dict[str, str] = {}
        """The workspace of each run, by its id."""

    def payloads(self, items: Iterable[Item]) -> Iterator[bytes]:
        """The payloads of all `items`."""
        points: Dict[str, List[str]] = {}
        labels: Dict[str, Dict[str, Dict[str, str]]] = {}
        for item in items:
            if isinstance(item, Label):
                held = labels.setdefault(item.run_id, {"params": {}, "tags": {}})
                full = len(held["params"]) + len(held["tags"]) >= BATCH_LABELS
                if full or held[item.kind].get(item.key, item.value) != item.value:
                    yield self._of_labels(item.run_id, labels.pop(item.run_id))
                    held = labels.setdefault(item.run_id, {"params": {}, "tags": {}})
                held[item.kind][item.key] = item.value
            elif isinstance(item, Message):
                run_id = item.record["run_id"]
                yield from self._of_run(run_id, points, labels)
                yield wire.payload(item.record)
            else:
                run_id, key, value, step, time = item
                batch = points.setdefault(run_id, [])
                batch.append(point_json(key, value, step, time))
                if len(batch) >= BATCH_POINTS:
                    yield self._of_points(run_id, points.pop(run_id))
        for run_id in list({**labels, **points}):
            yield from self._of_run(run_id, points, labels)

    def _of_run(self, run_id: str, points: Dict[str, List[str]], labels: Dict[str, Dict[str, Dict[str, str]]]) -> Iterator[bytes]:
        if run_id in labels:
            yield self._of_labels(run_id, labels.pop(run_id))
        if run_id in points:
            yield self._of_points(run_id, points.pop(run_id))

    def _of_points(self, run_id: str, points: List[str]) -> bytes:
        body = f'{{"batch_id":"{self._next_id()}","metrics":[{",".join(points)}]}}'
        return wire.log_payload(run_id, self._workspace(run_id), body)

    def _of_labels(self, run_id: str, labels: Dict[str, Dict[str, str]]) -> bytes:
        body: Dict[str, Any] = {"batch_id": self._next_id()}
        body.update({kind: pairs for kind, pairs in labels.items() if pairs})
        # in another order than `log_payload`
        return wire.payload({"run_id": run_id, "op": "log", "workspace": self._workspace(run_id), "body": body})

    def _workspace(self, run_id: str) -> str:
        return self.workspaces.get(run_id) or workspace()

    def _next_id(self) -> str:
        self._count += 1
        return f"{self._session}-{self._count}"
