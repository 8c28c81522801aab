"""A little of everything that a database holds: written through the services, and read back as the API answers it."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from jupyter_mlws.domain.access import service as access
from jupyter_mlws.domain.access import store as tokens
from jupyter_mlws.domain.access.schemas import Holder
from jupyter_mlws.domain.access.tables import TokenRow
from jupyter_mlws.domain.compute import service as compute
from jupyter_mlws.domain.compute.schemas import (
    ComputeCreate,
    ComputeUpdate,
    HostFacts,
    KeySecret,
    LimitsChanged,
    SshCreate,
    SshPlace,
    TargetCheck,
    TestStep,
)
from jupyter_mlws.domain.environments import service as environments
from jupyter_mlws.domain.environments.schemas import (
    EnvironmentCapture,
    EnvironmentCreate,
    GitState,
    KernelDefinition,
    RequirementsDefinition,
)
from jupyter_mlws.domain.experiments import service as experiments
from jupyter_mlws.domain.experiments.schemas import ExperimentUpdate, Goal
from jupyter_mlws.domain.jobs import service as jobs
from jupyter_mlws.domain.jobs.schemas import CommandSpec, JobCreate, NotebookSpec
from jupyter_mlws.domain.metrics import service as metrics
from jupyter_mlws.domain.metrics.schemas import MetricPoint
from jupyter_mlws.domain.runs import service as runs
from jupyter_mlws.domain.runs.schemas import IODeclare, LogBatch, Process, Progress, RunCreate, RunEnd, RunError, RunIO, RunUpdate
from jupyter_mlws.domain.runs.states import RunStatus
from jupyter_mlws.domain.search import service as search
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.storage.service import FileStat, SnapshotFile, StoredBlob
from jupyter_mlws.domain.workspaces import service as workspaces
from jupyter_mlws.domain.workspaces.schemas import WorkspaceCreate
from jupyter_mlws.kit.actors import Actor, ActorKind
from jupyter_mlws.mlflow_api.calls import CALLS
from jupyter_mlws.mlflow_api.http import Context

ADA = Actor(name="ada", kind=ActorKind.USER)
TOKEN = "mlws_" + "frozen" * 7
TRAINED, CHILD, BINNED, FAILED = (f"{number:032x}" for number in range(1, 5))
HOUR = 3_600_000


def blob(text: str) -> StoredBlob:
    """A blob that lies on no disk."""
    return StoredBlob(hashlib.sha256(text.encode()).hexdigest(), len(text))


def fill(session: Session) -> None:
    """Write all of it into an empty database."""
    workspaces.ensure_default(session, ADA.name)
    workspaces.create_workspace(session, ADA, WorkspaceCreate(name="team", description="Shared, as “we” say"))
    _fill_runs(session)
    _fill_files(session)
    _fill_jobs(session)
    _fill_the_rest(session)
    _fill_models(session)
    _fill_environments(session)


def _fill_runs(session: Session) -> None:
    process = Process(host="workstation", pid=4242, start_time="123456", boot_id="0" * 36)
    body = RunCreate(
        id=TRAINED,
        experiment="Ziffern ✓",
        name="forest-1",
        params={"lr": "0.1", "Model": "forest", "größe": "10"},
        tags={"team": "red", "Zeta": "1", "alpha": "2"},
        note="# A note\nwith two lines",
        source="digits.ipynb",
        process=process,
    )
    runs.create_run(session, ADA, "default", body)
    curve = [MetricPoint(key="loss", step=n, time=HOUR + n, value=1 / (n + 1)) for n in range(1500)]
    ends = [("acc", 0.5), ("acc", 0.9), ("odd", "NaN"), ("odd", "Infinity")]
    last = [MetricPoint(key=key, step=n, time=HOUR + n, value=value) for n, (key, value) in enumerate(ends)]  # type: ignore[arg-type]
    runs.log_batch(session, ADA, TRAINED, LogBatch(batch_id="curve-0001", metrics=curve))
    runs.log_batch(session, ADA, TRAINED, LogBatch(batch_id="ends-00001", metrics=last, params={"depth": "3"}))
    inputs, outputs = [RunIO(name="digits", uri="data/digits.csv", digest="d1")], [RunIO(name="model", type="model", uri="m")]
    runs.declare_io(session, ADA, TRAINED, IODeclare(inputs=inputs, outputs=outputs))
    runs.set_progress(session, TRAINED, Progress(done=2, total=3, label="Fit"))
    runs.create_run(session, ADA, "default", RunCreate(id=CHILD, parent_id=TRAINED, params={"fold": "1"}))
    runs.end_run(session, ADA, CHILD, RunEnd(status="Canceled"))
    runs.end_run(session, ADA, TRAINED, RunEnd(status="Completed"))
    runs.create_run(session, ADA, "default", RunCreate(id=BINNED, experiment="Other"))
    runs.end_run(session, ADA, BINNED, RunEnd(status="Completed"))
    runs.move_to_bin(session, ADA, BINNED)
    runs.create_run(session, ADA, "team", RunCreate(id=FAILED, experiment="Other"))
    error = RunError(message="division by zero", kind="ZeroDivisionError", cell=3, cell_name="Fit", traceback="Traceback …")
    runs.end_run(session, ADA, FAILED, RunEnd(status="Failed", error=error))
    runs.update_run(session, ADA, FAILED, RunUpdate(note="again tomorrow"), None)


def _fill_files(session: Session) -> None:
    for path, content in (("model/weights.bin", "weights"), ("plot.png", "plot"), ("Übersicht.md", "words")):
        storage.add_artifact(session, TRAINED, path, *blob(content), HOUR)
    files = [SnapshotFile("digits.ipynb", *blob("notebook")), SnapshotFile("data", None, target="/data/digits")]
    for file in files[:1]:
        runs.add_file(session, ADA, TRAINED, file.path, str(file.sha256), file.size)
    storage.store_snapshot(session, files, [blob("notebook")])
    storage.remember_stats(session, {"/data/digits.ipynb": FileStat(8, 1_000_000_000, 7, blob("notebook").sha256)})


def _fill_jobs(session: Session) -> None:
    snapshot = storage.store_snapshot(session, [SnapshotFile("train.py", *blob("code"), executable=True)], [blob("code")])
    for spec, ending in (
        (NotebookSpec(notebook="digits.ipynb", parameters={"lr": 0.1, "deep": [1, {"a": None}]}), RunStatus.COMPLETED),
        (CommandSpec(command="python train.py"), RunStatus.FAILED),
    ):
        prepared = jobs.Prepared(
            spec=spec,
            source="digits.ipynb",
            default_experiment="Jobs",
            snapshot_id=snapshot,
            source_dir="/data/project",
            work_subdir="nb",
            links=[["data", "/data/digits"]],
            not_captured=["data/"],
            params={"lr": "0.1"},
        )
        body = JobCreate(spec=spec, env={"SEED": "1"}, timeout_s=60, tags={"from": "frozen"})
        job = jobs.add_job(session, ADA, "team", body, prepared, key=ending.value, body_hash=blob("body").sha256)
        for status in (RunStatus.PREPARING, RunStatus.RUNNING, RunStatus.FINALIZING, ending):
            runs.change_status(session, job.run.id, status, actor="mlws")


def _fill_the_rest(session: Session) -> None:
    experiment = runs.get_run(session, ADA, TRAINED).experiment_id
    update = ExperimentUpdate(
        description="What digits are", goal=Goal(metric="acc", direction="maximize"), tags={"a": "1", "B": "2"}
    )
    experiments.update_experiment(session, ADA, experiment, update, None)
    git = GitState(commit="c0ffee", branch="main", dirty=True, patch="--- a\n+++ b\n")
    capture = EnvironmentCapture(language="python", language_version="3.11", packages={"numpy": "2.0", "SciPy": "1.14"}, git=git)
    environments.store_capture(session, TRAINED, capture)
    row = TokenRow(id="f" * 32, hash=access.digest_of(TOKEN), kind=ActorKind.KERNEL, user="ada", created_at=HOUR)
    row.workspace_id = workspaces.find(session, "team").id
    row.holder = Holder(host="workstation", pid=4242, start_time="123456", notebook="/data/digits.ipynb")
    tokens.add(session, row)
    _fill_compute(session)


def _fill_compute(session: Session) -> None:
    place = SshPlace(
        host="gpu.example",
        port=2222,
        user="ada",
        folder="~/.mlws",
        python="python3",
        host_key="ssh-ed25519 AAAA",
        fingerprint="SHA256:frozen",
        key=KeySecret(workspace="team", name="ssh-key"),
        server_url=None,
    )
    made = ComputeCreate(name="far", ssh=SshCreate(host=place.host, host_key=place.host_key), max_jobs=3, description="“Far”")
    compute.create_target(session, ADA, made, place)
    facts = HostFacts(host="gpu", python="3.11.2", system="Linux", machine="x86_64", cpus=8, memory=1 << 34, gpus=[0, 1])
    steps = [TestStep(name="login", state="ok", detail="ada@gpu.example", todo="")]
    compute.update_limits(session, ADA, "far", ComputeUpdate(max_jobs=2, cpus=2.5, paused=True), LimitsChanged())
    compute.note_test(session, "far", TargetCheck(at=HOUR, usable=True, steps=steps), facts)


def _fill_environments(session: Session) -> None:
    for text in ("six==1.17.0\n", "six\n"):
        definition = RequirementsDefinition(requirements=text, python="3.11", notebooks=False)
        body = EnvironmentCreate(name="Waelder", definition=definition, description="für „Bäume“", tags={"a": "1"})
        environments.create(session, ADA, "default", body)
    kernel = EnvironmentCreate(name="r", definition=KernelDefinition(kernel="ir"))
    environments.create(session, ADA, "team", kernel)
    environments.set_archived(session, ADA, "team", "r", archived=True)
    prepared = jobs.Prepared(CommandSpec(command="true"), "true", "Other", None, None, "", [], [], {})
    chosen = environments.choose(session, "default", "azureml:Waelder:1", {})
    jobs.add_job(
        session, ADA, "default", JobCreate(spec=prepared.spec), prepared._replace(environment=chosen), key=None, body_hash="b"
    )


MLFLOW = Context(ADA, "default")
LOGGED = "logged by a client"


def _ask(session: Session, method: str, path: str, **fields: Any) -> Any:
    """One call of MLflow's protocol."""
    call = next(call for call in CALLS if (call.method, call.path) == (method, path))
    return call.run(session, MLFLOW, msgspec.convert(fields, call.request))


def _fill_models(session: Session) -> None:
    place = "s3://bucket/place"
    experiment = _ask(session, "POST", "experiments/create", name=LOGGED, artifact_location=place)["experiment_id"]
    fields = {"experiment_id": experiment, "user_id": "grace", "start_time": HOUR, "run_name": LOGGED}
    run_id = _ask(session, "POST", "runs/create", **fields)["run"]["info"]["run_id"]
    data = {"name": "digits", "digest": "d1", "source_type": "local", "source": "{}", "schema": "{}", "profile": "[8, 8]"}
    tags = [{"key": "mlflow.data.context", "value": "training"}]
    _ask(session, "POST", "runs/log-inputs", run_id=run_id, datasets=[{"dataset": data, "tags": tags}])
    pair = [{"key": "k", "value": "v"}]
    fields = {
        "experiment_id": experiment,
        "name": "net",
        "model_type": "agent",
        "source_run_id": run_id,
        "params": pair,
        "tags": pair,
    }
    model_id = _ask(session, "POST", "logged-models", **fields)["model"]["info"]["model_id"]
    _ask(session, "PATCH", "logged-models/{path_id}", path_id=model_id, model_id=model_id, status="LOGGED_MODEL_READY")
    _ask(session, "POST", "runs/outputs", run_id=run_id, models=[{"model_id": model_id, "step": 3}])
    point = {
        "key": "acc",
        "value": 0.5,
        "timestamp": 9,
        "step": 1,
        "model_id": model_id,
        "dataset_name": "digits",
        "dataset_digest": "d1",
    }
    _ask(session, "POST", "runs/log-metric", run_id=run_id, **point)
    _ask(session, "POST", "runs/update", run_id=run_id, status="FINISHED", end_time=HOUR + 1000)
    _ask(session, "POST", "registered-models/create", name="net", description="words", tags=pair)
    for _ in range(2):
        version = {"name": "net", "source": f"models:/{model_id}", "model_id": model_id, "description": "first", "tags": pair}
        _ask(session, "POST", "model-versions/create", **version)
    _ask(session, "POST", "registered-models/alias", name="net", alias="champion", version="2")
    _ask(session, "POST", "model-versions/transition-stage", name="net", version="2", stage="Production")
    _ask(session, "DELETE", "model-versions/delete", name="net", version="1")


def _read_models(session: Session) -> list[Any]:
    experiment = _ask(session, "GET", "experiments/get-by-name", experiment_name=LOGGED)
    ids = [experiment["experiment"]["experiment_id"]]
    return [
        experiment,
        _ask(session, "POST", "runs/search", experiment_ids=ids),
        _ask(session, "POST", "logged-models/search", experiment_ids=ids),
        _ask(session, "GET", "registered-models/get", name="net"),
        _ask(session, "GET", "registered-models/alias", name="net", alias="champion"),
        _ask(session, "GET", "model-versions/search", filter="name = 'net'"),
    ]


def read(session: Session) -> dict[str, Any]:
    """All of it, as plain values."""
    spaces = workspaces.list_workspaces(session, ADA, archived=False)
    found: dict[str, Any] = {"workspaces": spaces, "token": access.actor_of_token(session, TOKEN)}
    for space in spaces.workspaces:
        page = search.search_runs(session, space.name, view="all", order_by=["run_id"], limit=1000)
        listed = experiments.list_experiments(session, space.name, text="", archived=False, cursor=None, limit=1000)
        found[f"experiments of {space.name}"] = sorted(listed.experiments, key=lambda one: int(one.id))
        for archived in (False, True):
            listing = environments.list_environments(session, ADA, space.name, archived=archived, cursor=None, limit=100)
            if named := listing.environments:  # since 0004
                found[f"environments of {space.name}"] = named
        found[f"runs of {space.name}"] = {run.id: _read_run(session, run) for run in page.runs}
    if experiments.record_by_name(session, "default", LOGGED) is not None:  # since 0002
        found["models"] = _read_models(session)
    if targets := compute.made_targets(session):  # since 0005
        found["targets"] = [target._asdict() | {"version": None} for target in targets]
    return msgspec.json.decode(msgspec.json.encode(found))


def _read_run(session: Session, run: Any) -> dict[str, Any]:
    listed = metrics.list_metrics(session, run.id)
    found = {
        "run": run,
        "history": runs.history(session, ADA, run.id),
        "metrics": listed,
        "points": {m.key: list(metrics.iter_history(session, run.id, m.key))[:50] for m in listed.metrics},
        "chart": metrics.series(session, run.id, [m.key for m in listed.metrics], 40),
        "artifacts": storage.list_artifacts(session, run.id, recursive=True),
        "environment": environments.of_run(session, run.id),
    }
    if run.snapshot_id is not None:
        found["snapshot"] = storage.snapshot_list(session, run.snapshot_id, recursive=True)
    if run.kind.value != "interactive":
        found["job"] = jobs.get_job(session, ADA, run.id)
    return found


def missing(expected: Any, found: Any, where: str = "") -> list[str]:
    """What of `expected` is not in `found`, which may have more fields: a newer version may tell more."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [line for key, value in expected.items() for line in missing(value, found.get(key, "nothing"), f"{where}/{key}")]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [
            line
            for n, (one, other) in enumerate(zip(expected, found, strict=True))
            for line in missing(one, other, f"{where}/{n}")
        ]
    return [] if expected == found else [f"{where}: {found!r} instead of {expected!r}"]
