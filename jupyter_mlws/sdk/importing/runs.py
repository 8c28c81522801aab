"""Sending runs: begun with what they are, then what they logged, then their files, then finished as they ended."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from jupyter_mlws.domain.metrics.schemas import MetricPoint
from jupyter_mlws.domain.runs.schemas import (
    ImportedRun,
    LogBatch,
    LogReply,
    ParentLinks,
    ParentsLinked,
    RunImport,
    RunImportEnd,
)
from jupyter_mlws.domain.runs.states import IMPORTED_FROM, IMPORTING, ImportState
from jupyter_mlws.kit.ids import is_id
from jupyter_mlws.sdk import text
from jupyter_mlws.sdk.importing.files import count_files, place_of, send_run_files
from jupyter_mlws.sdk.importing.session import LOCATION, MAX_KEY, REFUSALS, TAKEN, chunks, plain
from jupyter_mlws.sdk.mlflow_stores.records import LAST_MS, LEAST, MOST, NAME, NOTE, SOURCE, Skip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_mlws.sdk.importing.session import Session
    from jupyter_mlws.sdk.mlflow_stores.records import DatasetRead, Point, SourceExperiment, SourceRun

ASKED = 200
POINTS = 5000
ENTRIES, SIZE = 1000, 4_000_000
"""So many params or tags, of so many characters, go into one request."""
LOGGED = {"params": 6000, "tags": 8000}
"""The longest values that running training may log; longer ones come with the run."""
STILL = ("Running", "NotStarted")


class RunSender:
    """Brings the runs of one experiment after the other."""

    def __init__(self, session: Session) -> None:
        self._s = session
        self._parents: dict[str, str] = {}
        self.seen: set[str] = set()
        """Runs that are here now, or would be."""

    def experiment(self, experiment: SourceExperiment, target: str | None) -> None:
        """All runs of an experiment. `target`: the id of the one that they go into; None if there would be one."""
        for some in chunks(self._s.source.runs(experiment), ASKED):
            states = self._s.states("runs", [run.id for run in some])
            for run in some:
                self._s.tell(f"{experiment.name}  {run.name or run.id}")
                try:
                    self._bring(run, states[run.id], target)
                except REFUSALS as error:
                    self._s.failed("run", run.id, error)

    def _bring(self, run: SourceRun, state: ImportState, target: str | None) -> None:
        report = self._s.report
        if state is ImportState.TAKEN:
            report.skip(Skip("run", run.id, TAKEN))
            return
        self.seen.add(run.id)
        if run.parent_id is not None and is_id(run.parent_id):
            self._parents[run.id] = run.parent_id
        if state is ImportState.COMPLETE or (state is ImportState.UNFINISHED and run.status in STILL):
            report["runs"].present += 1
            return
        if self._s.dry:
            self._count(run)
        else:
            self._send(run, state, target or "")
        report["runs"].imported += 1

    def _count(self, run: SourceRun) -> None:
        place = place_of(self._s, run.artifact_uri, run.id, run.experiment_id)
        if place.folder is not None:
            count_files(self._s, place.folder, run.id)
        self._s.report["metric points"].imported += sum(len(some) for some in self._batches(run))

    def _send(self, run: SourceRun, state: ImportState, target: str) -> None:
        place = place_of(self._s, run.artifact_uri, run.id, run.experiment_id)
        tags = {**run.tags, **({LOCATION: run.artifact_uri} if place.remote or place.reason else {})}
        note = tags.pop(NOTE, "")
        for mark in (NAME, IMPORTED_FROM, IMPORTING):
            tags.pop(mark, None)
        params = self._s.cleaned(self._s.source.params(run), "param", run.id)
        tags = self._s.cleaned(tags, "tag", run.id)
        first_params, more_params = parted(params)
        first_tags, more_tags = parted(tags)
        begin = RunImport(
            experiment_id=target,
            imported_from=self._s.source.identity,
            name=plain(run.name, 500) or UNSET,
            belonged_to=plain(run.user, 255) or UNSET,
            parent_id=run.parent_id if run.parent_id is not None and is_id(run.parent_id) else UNSET,
            params=first_params,
            tags=first_tags,
            note=note[:100_000].replace("\0", ""),
            source=run.tags.get(SOURCE, "")[:4000].replace("\0", ""),
            started_at=run.started_at if run.started_at is not None else UNSET,
        )
        self._s.workspace.transport.ask("PUT", self._s.path(f"runs/{run.id}"), ImportedRun, body=begin)
        again = state is ImportState.UNFINISHED
        self._log_rest(run, "params", params if again else more_params)
        self._log_rest(run, "tags", tags if again else more_tags)
        self._log_points(run)
        self._note_inputs(run, new=state is ImportState.MISSING)
        if place.folder is not None:
            send_run_files(self._s, place.folder, run.id, begun=state is not ImportState.MISSING)
        end = RunImportEnd(
            imported_from=self._s.source.identity,
            status=run.status,
            ended_at=run.ended_at if run.ended_at is not None else UNSET,
            deleted=run.deleted,
        )
        headers = {"Idempotency-Key": run.id}
        self._s.workspace.transport.ask("POST", self._s.path(f"runs/{run.id}/finish"), ImportedRun, body=end, headers=headers)

    def _log_rest(self, run: SourceRun, field: str, rest: dict[str, str]) -> None:
        """Params or tags that had no room in the first request."""
        long = {key for key, value in rest.items() if len(value) > LOGGED[field]}
        for key in long:
            self._s.report.skip(
                Skip(field[:-1], f"{key[:80]} of {run.id}", "the run has more long values than fit into a request")
            )
        for some in chunks([item for item in rest.items() if item[0] not in long], ENTRIES):
            batch = LogBatch(batch_id="")
            setattr(batch, field, dict(some))
            self._log(run.id, batch)

    def _log_points(self, run: SourceRun) -> None:
        count = self._s.report["metric points"]
        for some in self._batches(run):
            points = [MetricPoint(key=p.key, value=text.exact(p.value), step=p.step, time=p.time) for p in some]  # type: ignore[arg-type] # words for NaN
            if self._log(run.id, LogBatch(batch_id="", metrics=points)):
                count.imported += len(points)
            else:
                count.present += len(points)
            self._s.tell(f"{run.name or run.id}  {count.imported:,} points")

    def _batches(self, run: SourceRun) -> Iterator[list[Point]]:
        """The points that can be kept, some at a time."""

        def good() -> Iterator[Point]:
            for point in self._s.source.points(run):
                if 0 < len(point.key) <= MAX_KEY and 0 <= point.time <= LAST_MS and LEAST <= point.step <= MOST:
                    yield point
                else:
                    why = "its time, its step or the length of its name is out of range"
                    self._s.report.skip(Skip("metric point", f"{point.key[:80]} of {run.id}", why))

        return chunks(good(), POINTS)

    def _log(self, run_id: str, batch: LogBatch) -> int:
        """Send a batch under an id that is made of what is in it: the same again is the same."""
        batch.batch_id = hashlib.sha256(run_id.encode() + msgspec.json.encode(batch)).hexdigest()[:40]
        headers = {"Idempotency-Key": batch.batch_id}
        return self._s.workspace.transport.ask("POST", f"/runs/{run_id}/log", LogReply, body=batch, headers=headers).stored

    def _note_inputs(self, run: SourceRun, *, new: bool) -> None:
        for dataset in self._s.source.datasets(run):
            self._wire(run, "runs/log-inputs", "dataset", dataset.name, {"datasets": [dataset_wire(dataset)]})
        if inputs := self._s.source.model_inputs(run):
            self._wire(run, "runs/log-inputs", "model input", run.id, {"models": [{"model_id": one} for one in inputs]})
        outputs = self._s.source.model_outputs(run)
        if outputs and not new:
            known = self._s.wire.get("runs/get", run_id=run.id)["run"].get("outputs", {}).get("model_outputs", ())
            there = {one["model_id"] for one in known}
            outputs = [one for one in outputs if one[0] not in there]
        if outputs:
            models = [{"model_id": model_id, "step": step} for model_id, step in dict(outputs).items()]
            self._wire(run, "runs/outputs", "model output", run.id, {"models": models})

    def _wire(self, run: SourceRun, path: str, kind: str, name: str, body: dict[str, Any]) -> None:
        try:
            self._s.wire.post(path, {"run_id": run.id, **body}, repeatable=path == "runs/log-inputs")
        except REFUSALS as error:
            self._s.report.skip(Skip(kind, f"{name[:80]} of {run.id}", error.message))

    def link_parents(self) -> None:
        """Runs that came before their parents learn of them now."""
        if self._s.dry:
            return
        for some in chunks(self._parents.items(), ENTRIES):
            links = ParentLinks(imported_from=self._s.source.identity, parents=dict(some))
            headers = {"Idempotency-Key": "again"}
            self._s.workspace.transport.ask("POST", self._s.path("parents"), ParentsLinked, body=links, headers=headers)


def dataset_wire(dataset: DatasetRead) -> dict[str, Any]:
    """A dataset as MLflow's clients send it."""
    described = {
        "name": dataset.name,
        "digest": dataset.digest,
        "source_type": dataset.source_type,
        "source": dataset.source,
        "schema": dataset.schema,
        "profile": dataset.profile,
    }
    return {
        "tags": [{"key": key, "value": value} for key, value in dataset.tags.items()],
        "dataset": {key: value for key, value in described.items() if value is not None},
    }


def parted(values: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Those that fit into the request that begins a run, the longest first; and the rest."""
    first: dict[str, str] = {}
    room = SIZE
    for key, value in sorted(values.items(), key=lambda item: -len(item[1])):
        if len(first) < ENTRIES - 2 and len(value) <= room:
            first[key] = value
            room -= len(key) + len(value)
    return first, {key: value for key, value in values.items() if key not in first}
