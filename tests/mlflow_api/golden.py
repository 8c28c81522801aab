"""One request of each route of MLflow's protocol with our answer, as files: `python -m tests.mlflow_api.golden` writes them anew.

The requests are one story, told in order on a new server: what one makes the later ones speak of, by symbols. Ids, times of the clock
and the server's own address stand as symbols in the answers, too.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from tests.live import LiveServer
from tests.mlflow_api.pair import Asked, Side
from tests.servers import lean

FOLDER = Path(__file__).parent / "golden"
STORE = "../mlflow-artifacts"
PLACE = "$exp1/$run1/artifacts"
METRIC = {"key": "loss", "value": 0.5, "timestamp": 1000, "step": 1}
DATASET = {"name": "digits", "digest": "1a2b3c4d", "source_type": "local", "source": '{"uri": "digits.csv"}', "schema": "{}"}
OLD_MODEL = '{"artifact_path": "old", "flavors": {"sklearn": {}}, "utc_time_created": "2026-01-31 10:00:00", "run_id": "x"}'


class Step(NamedTuple):
    """A request, and where in its answer stands an id that later ones need."""

    asked: Asked
    symbol: str = ""
    where: str = ""
    file: str = ""
    """The name of its file, where its path has symbols in it."""

    @property
    def name(self) -> str:
        """Method and path, as a file's name."""
        words = (self.file or self.asked.path).replace("../", "").replace("/", ".").replace("..", ".")
        return f"{self.asked.method.lower()}.{words}"


def _post(path: str, /, **body: Any) -> Step:
    return Step(Asked("POST", path, body))


def _get(path: str, /, **query: Any) -> Step:
    return Step(Asked("GET", path, query=query or None))


def _body(method: str, path: str, /, **body: Any) -> Step:
    return Step(Asked(method, path, body))


EXPERIMENTS = [
    Step(
        Asked("POST", "experiments/create", {"name": "golden", "tags": [{"key": "team", "value": "blue"}]}),
        "$exp1",
        "experiment_id",
    ),
    _get("experiments/get", experiment_id="$exp1"),
    _get("experiments/get-by-name", experiment_name="golden"),
    _get("experiments/search", max_results=10, filter="name = 'golden'"),
    _post("experiments/search", max_results=10, filter="tags.team = 'blue'", order_by=["name ASC"], view_type="ACTIVE_ONLY"),
    _post("experiments/update", experiment_id="$exp1", new_name="golden two"),
    _post("experiments/set-experiment-tag", experiment_id="$exp1", key="use", value="tests"),
    _post("experiments/delete-experiment-tag", experiment_id="$exp1", key="use"),
    _post("experiments/delete", experiment_id="$exp1"),
    _post("experiments/restore", experiment_id="$exp1"),
]
NEW_RUN = {
    "experiment_id": "$exp1",
    "user_id": "ann",
    "run_name": "first",
    "start_time": 1000,
    "tags": [{"key": "mlflow.user", "value": "ann"}, {"key": "mlflow.source.name", "value": "train.py"}],
}
NEW_MODEL = {
    "experiment_id": "$exp1",
    "name": "forest",
    "source_run_id": "$run1",
    "model_type": "classifier",
    "params": [{"key": "depth", "value": "3"}],
    "tags": [{"key": "stage", "value": "draft"}],
}
RUNS = [
    Step(Asked("POST", "runs/create", NEW_RUN), "$run1", "run/info/run_id"),
    Step(Asked("POST", "logged-models", NEW_MODEL), "$model1", "model/info/model_id"),
    _post(
        "runs/log-metric",
        run_uuid="$run1",
        run_id="$run1",
        **METRIC,
        model_id="$model1",
        dataset_name="digits",
        dataset_digest="1a2b3c4d",
    ),
    _post("runs/log-parameter", run_uuid="$run1", run_id="$run1", key="lr", value="0.1"),
    _post(
        "runs/log-batch",
        run_id="$run1",
        metrics=[{**METRIC, "step": 2, "value": "NaN"}],
        params=[{"key": "seed", "value": "7"}],
        tags=[],
    ),
    _post("runs/set-tag", run_uuid="$run1", run_id="$run1", key="note", value="words"),
    _post("runs/delete-tag", run_id="$run1", key="note"),
    _post("runs/log-model", run_id="$run1", model_json=OLD_MODEL),
    _post(
        "runs/log-inputs",
        run_id="$run1",
        datasets=[{"tags": [{"key": "mlflow.data.context", "value": "training"}], "dataset": DATASET}],
    ),
    _post("runs/outputs", run_id="$run1", models=[{"model_id": "$model1", "step": 2}]),
    _post("runs/update", run_id="$run1", status="FINISHED", end_time=5000),
    _get("runs/get", run_uuid="$run1", run_id="$run1"),
    _post("runs/search", experiment_ids=["$exp1"], filter="params.lr = '0.1'", order_by=["metrics.loss DESC"], max_results=10),
    _get("metrics/get-history", run_id="$run1", metric_key="loss", max_results=25000),
    _get("metrics/get-history-bulk-interval", run_ids=["$run1"], metric_key="loss", max_results=10),
]
ONE = "logged-models/$model1"
MODELS = [
    Step(Asked("GET", ONE), file="logged-models.ID"),
    Step(Asked("PATCH", f"{ONE}/tags", {"tags": [{"key": "by", "value": "ann"}]}), file="logged-models.ID.tags"),
    Step(Asked("DELETE", f"{ONE}/tags/by"), file="logged-models.ID.tags.KEY"),
    Step(
        Asked("POST", f"{ONE}/params", {"model_id": "$model1", "params": [{"key": "more", "value": "1"}]}),
        file="logged-models.ID.params",
    ),
    Step(Asked("PATCH", ONE, {"model_id": "$model1", "status": "LOGGED_MODEL_READY"}), file="logged-models.ID"),
    Step(Asked("GET", f"{ONE}/artifacts/directories"), file="logged-models.ID.artifacts.directories"),
    _post("logged-models/search", experiment_ids=["$exp1"], filter="metrics.loss > 0.1", order_by=[{"field_name": "name"}]),
]
REGISTRY = [
    _post("registered-models/create", name="forest", description="words", tags=[{"key": "team", "value": "blue"}]),
    _post("model-versions/create", name="forest", source="models:/$model1", model_id="$model1", description="first", tags=[]),
    _post("model-versions/set-tag", name="forest", version="1", key="checked", value="yes"),
    _body("PATCH", "model-versions/update", name="forest", version="1", description="better words"),
    _post("model-versions/transition-stage", name="forest", version="1", stage="Staging", archive_existing_versions=True),
    _post("registered-models/alias", name="forest", alias="champion", version="1"),
    _get("registered-models/alias", name="forest", alias="champion"),
    _get("registered-models/get", name="forest"),
    _get("registered-models/search", filter="name = 'forest' AND tag.`mlflow.prompt.is_prompt` != 'true'", max_results=100),
    _post("registered-models/get-latest-versions", name="forest", stages=["Staging"]),
    _get("registered-models/get-latest-versions", name="forest"),
    _get("model-versions/get", name="forest", version="1"),
    _get("model-versions/search", filter="name='forest'", max_results=10000),
    _get("model-versions/get-download-uri", name="forest", version="1"),
    _body("DELETE", "model-versions/delete-tag", name="forest", version="1", key="checked"),
    _post("registered-models/set-tag", name="forest", key="use", value="tests"),
    _body("DELETE", "registered-models/delete-tag", name="forest", key="use"),
    _body("PATCH", "registered-models/update", name="forest", description="other words"),
    _post("registered-models/rename", name="forest", new_name="trees"),
    _body("DELETE", "registered-models/alias", name="trees", alias="champion"),
    _body("DELETE", "model-versions/delete", name="trees", version="1"),
    _body("DELETE", "registered-models/delete", name="trees"),
    Step(Asked("DELETE", ONE), file="logged-models.ID"),
]
FILE = f"{STORE}/artifacts/{PLACE}/notes/a.txt"
UPLOAD = {"path": "/somewhere/big.bin", "upload_id": "$upload1"}
ARTIFACTS = [
    Step(Asked("PUT", FILE, {"text": "hello"}), file=f"{STORE}/artifacts/PATH"),
    Step(Asked("GET", FILE), file=f"{STORE}/artifacts/PATH"),
    Step(Asked("GET", f"{STORE}/artifacts", query={"path": f"{PLACE}/notes"})),
    _get("artifacts/list", run_id="$run1", path="notes"),
    _post("artifacts/presigned-upload-url", run_id="$run1", path="notes/b.txt"),
    _post("artifacts/presigned-download-url", run_id="$run1", path="notes/a.txt"),
    Step(Asked("GET", f"{STORE}/presigned/{PLACE}/notes/a.txt"), file=f"{STORE}/presigned/PATH"),
    Step(
        Asked("POST", f"{STORE}/mpu/create/{PLACE}", {"path": "/somewhere/big.bin", "num_parts": 1}),
        "$upload1",
        "upload_id",
        f"{STORE}/mpu/create/PATH",
    ),
    Step(Asked("PUT", f"{STORE}/mpu/parts/$upload1/1", {"part": 1}), file=f"{STORE}/mpu/parts/ID/NUMBER"),
    Step(
        Asked("POST", f"{STORE}/mpu/complete/{PLACE}", {**UPLOAD, "parts": [{"part_number": 1, "etag": "", "url": ""}]}),
        file=f"{STORE}/mpu/complete/PATH",
    ),
    Step(Asked("POST", f"{STORE}/mpu/abort/{PLACE}", UPLOAD), file=f"{STORE}/mpu/abort/PATH"),
    Step(Asked("DELETE", FILE), file=f"{STORE}/artifacts/PATH"),
]
END = [
    _post("runs/delete", run_id="$run1"),
    _post("runs/restore", run_id="$run1"),
    Step(Asked("GET", "../../../health"), file="health"),
    Step(Asked("GET", "../../../version"), file="version"),
    Step(Asked("GET", "../../3.0/mlflow/server-info"), file="server-info"),
    Step(Asked("GET", "experiments/list")),
]
STORY = [*EXPERIMENTS, *RUNS, *MODELS, *REGISTRY, *ARTIFACTS, *END]


def tell(side: Side, step: Step) -> tuple[int, Any]:
    """Ask one request of the story: the status and the body of the answer, in symbols."""
    status, found = side.ask(step.asked)
    if step.symbol and status == 200:
        value = found
        for part in step.where.split("/"):
            value = value[part]
        side.learn(step.symbol, str(value))
    return status, _without_address(side.in_symbols(found))


def _without_address(value: Any) -> Any:
    text = re.sub(r"http://127\.0\.0\.1:\d+", "http://SERVER", json.dumps(value))
    return json.loads(re.sub(r'"Bearer [^"]+"', '"Bearer TOKEN"', text))


def written(step: Step, status: int, answer: Any) -> str:
    """The text of a file."""
    request = {name: value for name, value in step.asked._asdict().items() if value is not None}
    return json.dumps({"request": request, "status": status, "answer": answer}, indent=2, ensure_ascii=False) + "\n"


def side_of(server: LiveServer) -> Side:
    """Our server, to be asked."""
    return Side("ours", f"{server.url}/mlws", {"Authorization": f"Bearer {server.owner()['token']}"})


def main() -> None:
    """Write all files anew."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.json"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        server = lean(Path(folder)).start()
        try:
            side = side_of(server)
            for step in STORY:
                (FOLDER / f"{step.name}.json").write_text(written(step, *tell(side, step)))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
