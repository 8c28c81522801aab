"""MLflow with nothing set: in a notebook's kernel and in a job, by a stock client that knows nothing of us."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.live import LiveServer, write_notebook
from tests.live_kernel import Kernel
from tests.mlflow_api.conftest import Wire
from tests.mlflow_clients import python_of
from tests.servers import kill, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

TWO_FITS = [
    "import mlflow, warnings\nwarnings.simplefilter('ignore')\nfrom sklearn.linear_model import LogisticRegression\n"
    "from sklearn.datasets import load_iris\nX, y = load_iris(return_X_y=True)",
    "mlflow.set_experiment('fits')\nmlflow.sklearn.autolog(log_models=False)",
    "LogisticRegression(max_iter=200, C=1.0).fit(X, y)",
    "LogisticRegression(max_iter=200, C=0.1).fit(X, y)",
]


def kernelspec(folder: Path) -> str:
    """The name of a kernel whose Python has MLflow and nothing of ours."""
    spec = folder / "jupyter" / "kernels" / "with-mlflow"
    spec.mkdir(parents=True, exist_ok=True)
    argv = [python_of("3"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "With MLflow", "language": "python"}))
    return spec.name


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("lab")
    kernelspec(folder)
    quiet = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "MPLBACKEND": "agg",
        "GIT_PYTHON_REFRESH": "quiet",
    }
    made = LiveServer(folder, environment=quiet).start()
    yield made
    made.stop()


def fits_of(server: LiveServer) -> list[dict[str, object]]:
    """The runs of the experiment, the oldest first."""
    query = {"filter": "experiment_name = 'fits'", "order_by": "created_at"}
    found = server.ok("GET", "/workspaces/default/runs", params=query)
    runs: list[dict[str, object]] = found["runs"]
    return runs


def test_two_fits_in_a_notebook(lab: LiveServer):
    write_notebook(lab.root / "fits.ipynb", *TWO_FITS, kernel="with-mlflow")
    with Kernel(lab, "fits.ipynb", name="with-mlflow") as kernel:
        for cell in TWO_FITS:
            kernel.run(cell, timeout=120)
        variables = kernel.value("{k: v for k, v in __import__('os').environ.items() if k.startswith('MLFLOW_')}")
    runs = fits_of(lab)
    assert [run["params"]["C"] for run in runs] == ["1.0", "0.1"]  # type: ignore[index]
    assert {run["status"] for run in runs} == {"Completed"}
    assert all("training_accuracy_score" in run["metrics"] for run in runs)  # type: ignore[operator]
    assert variables["MLFLOW_TRACKING_URI"] == f"{lab.url}/mlws/w/default"
    assert variables["MLFLOW_EXPERIMENT_NAME"] == "fits"
    assert not variables["MLFLOW_TRACKING_TOKEN"].endswith(".kernel"), (
        "it may reach another server, so it must not be exchangeable"
    )
    assert "MLFLOW_RUN_ID" not in variables
    snapshot = lab.ok("GET", f"/runs/{runs[0]['id']}/snapshot")
    assert [entry["path"] for entry in snapshot["entries"]] == ["fits.ipynb"]


def test_the_same_notebook_as_a_job(lab: LiveServer):
    before = {run["id"] for run in fits_of(lab)}
    write_notebook(lab.root / "job.ipynb", *TWO_FITS, kernel="with-mlflow")
    job = lab.submit({"kind": "notebook", "notebook": "job.ipynb"}, experiment="submitted")
    ended = lab.wait(job, timeout=180)
    assert ended["status"] == "Completed", ended["error"]
    runs = [run for run in fits_of(lab) if run["id"] not in before]
    assert [run["params"]["C"] for run in runs] == ["1.0", "0.1"]  # type: ignore[index]
    assert runs[0]["id"] == job, "the first run of the script is the job's own"
    assert (ended["experiment_name"], ended["tags"]["mlws.reportedStatus"]) == ("fits", "FINISHED")
    assert (runs[1]["parent_id"], runs[1]["kind"], runs[1]["status"]) == (job, "interactive", "Completed")


def test_a_run_whose_kernel_is_killed_has_failed(lab: LiveServer):
    write_notebook(lab.root / "dies.ipynb", "1", kernel="with-mlflow")
    with Kernel(lab, "dies.ipynb", name="with-mlflow") as kernel:
        kernel.run("import mlflow, os\nrun = mlflow.start_run()\nmlflow.log_metric('m', 1)", timeout=120)
        run_id, pid = kernel.value("run.info.run_id"), kernel.value("os.getpid()")
        since = time.monotonic()
        kill(pid)
        run = lab.wait(run_id, timeout=20)
    assert time.monotonic() - since < 15
    assert (run["status"], run["reason"]) == ("Failed", "kernel_ended")
    assert (run["experiment_name"], run["metrics"]["m"]["last"]) == ("dies", 1)


@pytest.mark.parametrize("how", ["by hand", "by itself"])
def test_a_restarted_kernel_is_another_process(lab: LiveServer, how: str):
    """Runs of the new process go on, and end with it."""
    write_notebook(lab.root / "again.ipynb", "1", kernel="with-mlflow")
    with Kernel(lab, "again.ipynb", name="with-mlflow") as kernel:
        first = kernel.value("__import__('os').getpid()")
        if how == "by hand":
            kernel.restart()
        else:
            kill(first)
            time.sleep(6)  # Jupyter looks every three seconds
        pid = kernel.value("__import__('os').getpid()")
        assert pid != first
        kernel.run("import mlflow\nrun = mlflow.start_run()", timeout=120)
        run_id = kernel.value("run.info.run_id")
        time.sleep(8)  # longer than it takes to find that a kernel is gone
        assert lab.ok("GET", f"/runs/{run_id}")["status"] == "Running"
        kill(pid)
        assert lab.wait(run_id, timeout=20)["reason"] == "kernel_ended"


def test_a_renamed_notebook_is_the_snapshot_by_its_new_name(lab: LiveServer):
    write_notebook(lab.root / "before.ipynb", "1", kernel="with-mlflow")
    with Kernel(lab, "before.ipynb", name="with-mlflow") as kernel:
        headers = {"Authorization": f"Bearer {lab.token}"}
        for address in (f"{lab.url}/api/contents/before.ipynb", f"{lab.url}/api/sessions/{kernel.session}"):
            renamed = httpx.patch(
                address, json={"path": "after.ipynb", "name": "after.ipynb", "type": "notebook"}, headers=headers
            )
            assert renamed.status_code == 200, renamed.text
        kernel.run("import mlflow\nrun = mlflow.start_run()", timeout=120)
        run_id = kernel.value("run.info.run_id")
        found = until(lambda: lab.ok("GET", f"/runs/{run_id}")["snapshot_id"], 10)
        assert found
        assert [entry["path"] for entry in lab.ok("GET", f"/runs/{run_id}/snapshot")["entries"]] == ["after.ipynb"]
        kernel.restart()
        assert kernel.value("__import__('os').environ['MLFLOW_EXPERIMENT_NAME']") == "after"


def test_a_run_that_is_resumed_belongs_to_who_resumes_it(lab: LiveServer):
    write_notebook(lab.root / "resumed.ipynb", "1", kernel="with-mlflow")
    with Kernel(lab, "resumed.ipynb", name="with-mlflow") as kernel:
        kernel.run("import mlflow\nwith mlflow.start_run() as run: pass", timeout=120)
        run_id = kernel.value("run.info.run_id")
        kernel.shut_down()
    wire = Wire(lab)
    wire.ask("POST", "runs/update", {"run_id": run_id, "status": "RUNNING"})
    deadline = time.monotonic() + 8  # longer than it takes to find that a kernel is gone
    while time.monotonic() < deadline:
        assert lab.ok("GET", f"/runs/{run_id}")["status"] == "Running"
        time.sleep(1)
    wire.ask("POST", "runs/update", {"run_id": run_id, "status": "FINISHED", "end_time": 2_000_000_000_000})
    wire.close()
    ended = lab.ok("GET", f"/runs/{run_id}")
    assert (ended["status"], ended["ended_at"]) == ("Completed", 2_000_000_000_000)


def test_through_a_second_lab_of_the_same_folder(lab: LiveServer, tmp_path: Path):
    second = LiveServer(tmp_path, data_dir=lab.data_dir).start()
    try:
        wire = Wire(second)
        run_id = wire.run("0", run_name="through the second")
        wire.post("runs/log-metric", run_id=run_id, key="m", value=1, timestamp=1)
        code, _ = wire.refused("GET", "runs/get", params={"run_id": "0" * 32}, status=404)
        assert code == "RESOURCE_DOES_NOT_EXIST"
        place = wire.get("runs/get", run_id=run_id)["run"]["info"]["artifact_uri"].removeprefix("mlflow-artifacts:/")
        url = f"{wire.root}/api/2.0/mlflow-artifacts/artifacts/{place}/a.txt"
        assert wire.http.put(url, content=b"hello").status_code == 200
        assert wire.http.get(url).content == b"hello"
        wire.close()
    finally:
        second.stop()
    assert lab.ok("GET", f"/runs/{run_id}")["name"] == "through the second"


@pytest.mark.parametrize("place", ["outside", "link", "up", "text"])
def test_the_notebook_of_a_token_lies_below_the_root(lab: LiveServer, place: str):
    outside = lab.folder / "outside.ipynb"
    outside.write_text('{"secret": true}')
    link = lab.root / "link.ipynb"
    if not link.is_symlink():
        link.symlink_to(outside)
    (lab.root / "notes.txt").write_text("notes")
    named = {"outside": outside, "link": link, "up": lab.root / ".." / "outside.ipynb", "text": lab.root / "notes.txt"}[place]
    token = lab.ok("POST", "/tokens", {"workspace": "default"})
    lab.request("PATCH", f"/tokens/{token['id']}", json={"holder": {"host": "here", "pid": 1, "notebook": str(named)}})
    wire = Wire(lab, token=token["secret"])
    run_id = wire.run("0")
    wire.close()
    time.sleep(0.5)
    assert lab.ok("GET", f"/runs/{run_id}")["snapshot_id"] is None


def test_what_the_user_has_set_stays(lab: LiveServer, tmp_path: Path):
    spec = lab.folder / "jupyter" / "kernels" / "elsewhere"
    spec.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    env = {"MLFLOW_TRACKING_URI": "http://tracking.example:5000"}
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Elsewhere", "language": "python", "env": env}))
    with Kernel(lab, name="elsewhere") as kernel:
        found = kernel.value("{k: v for k, v in __import__('os').environ.items() if k.startswith('MLFLOW_TRACKING')}")
    assert found == env, "no token of ours goes to a server that somebody chose himself"


def test_the_setting_turns_it_off(tmp_path: Path):
    server = LiveServer(tmp_path, options=["--MlwsApp.mlflow_in_kernels=False"]).start()
    try:
        with Kernel(server) as kernel:
            assert kernel.value("[k for k in __import__('os').environ if k.startswith('MLFLOW_TRACKING')]") == []
    finally:
        server.stop()


VARIABLES = "sorted(k for k in __import__('os').environ if k.startswith('MLFLOW_TRACKING'))"
SET = ["MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_URI"]


def test_a_kernel_of_the_first_moment_finds_the_workspace(tmp_path: Path):
    server = LiveServer(tmp_path).start(early=True)
    try:
        with Kernel(server) as kernel:
            assert kernel.value(VARIABLES) == SET
    finally:
        server.stop()


@pytest.mark.parametrize("store", ["mlruns/0/meta.yaml", "mlflow.db"])
def test_where_mlflow_has_runs_already_somebody_chooses_first(lab: LiveServer, store: str):
    folder = f"of-old-{store[:6]}"
    (lab.root / folder / store).parent.mkdir(parents=True)
    (lab.root / folder / store).write_text("x")
    notebook = f"{folder}/n.ipynb"

    def told() -> tuple[str, str, str]:
        found = lab.ok("GET", "/mlflow/folder", params={"path": notebook})
        return found["folder"], found["logs_to"], found["store"]

    def of_kernel(path: str = notebook) -> object:
        with Kernel(lab, path) as kernel:
            assert kernel.value("'MLWS_URL' in __import__('os').environ") is True, "our own client is asked for by name"
            return kernel.value(VARIABLES)

    name = store.partition("/")[0]
    assert told() == (folder, "undecided", name)
    assert of_kernel() == []
    assert of_kernel(f"{folder}-beside.ipynb") == SET, "its neighbours are as all"
    lab.ok("PUT", "/mlflow/folder", {"path": notebook, "logs_to": "folder"})
    assert told() == (folder, "folder", name)
    assert of_kernel() == []
    lab.ok("PUT", "/mlflow/folder", {"path": folder, "logs_to": "workspace"})
    assert told() == (folder, "workspace", name)
    assert of_kernel() == SET


def test_an_empty_store_is_none(lab: LiveServer):
    (lab.root / "fresh" / "mlruns").mkdir(parents=True)
    (lab.root / "fresh" / "mlflow.db").touch()
    found = lab.ok("GET", "/mlflow/folder", params={"path": "fresh"})
    assert found == {"folder": "fresh", "logs_to": "workspace", "store": None}


@pytest.mark.parametrize("path", ["../out", "/etc", "a\0b", "link/x.ipynb", "nowhere/n.ipynb"])
def test_folders_lie_below_the_root(lab: LiveServer, path: str):
    link = lab.root / "link"
    if not link.is_symlink():
        link.symlink_to("/etc")
    for answer in (
        lab.get("/mlflow/folder", params={"path": path}),
        lab.request("PUT", "/mlflow/folder", json={"path": path, "logs_to": "workspace"}),
    ):
        assert answer.status_code == 400, answer.text
