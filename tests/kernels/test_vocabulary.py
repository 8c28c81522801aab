"""All that a cell can say, said in one real kernel to a real server, and compared with what the server then answers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from tests.live import LiveServer, write_notebook
from tests.live_kernel import Kernel, Output

pytestmark = pytest.mark.slow

NOTEBOOK = "folder of mine/digits of π.ipynb"
CELLS = {
    "load": "%load_ext mlws\n%load_ext jupyter_mlws\nimport math, pathlib, mlws",
    "files": """
pathlib.Path("data.csv").write_text("a,b")
pathlib.Path("kept/sub").mkdir(parents=True)
pathlib.Path("kept/one.txt").write_text("one")
pathlib.Path("kept/sub/two.bin").write_bytes(bytes(range(256)))
""",
    "run": """
with mlws.start_run("all", params={"lr": 0.1}, tags={"team": "π"}, note="first") as run:
    for step, value in enumerate([0.5, math.nan, math.inf, -math.inf, -0.0, 1e-300]):
        mlws.log_metric("loss", value, step=step)
    mlws.log_metric("counted", 1); mlws.log_metric("counted", 2)
    mlws.log_metric("dated", 7, step=3, time=1_700_000_000_000)
    mlws.log_metrics({"acc": 0.25, "f1": 1}, step=9)
    mlws.log_param("depth", 3); mlws.log_params({"name": "tree 🌲", "none": None})
    mlws.set_tag("stage", "draft"); mlws.set_tag("stage", "final"); mlws.set_tags({"a": 1, "b": True})
    mlws.set_note("# All\\nis *well*")
    mlws.log_input("train", "data.csv"); mlws.log_input("remote", "s3://bucket/x", type="uri_folder", digest="sha256:1")
    mlws.log_output("model", "kept", type="model")
    mlws.log_artifact("data.csv"); mlws.log_artifact("data.csv", "copies"); mlws.log_artifacts("kept", "all")
    import matplotlib; matplotlib.use("agg")
    import matplotlib.pyplot as plt
    plt.plot([1, 2]); mlws.log_figure(plt.gcf(), "plots/line.png")
    import pandas
    mlws.log_table(pandas.DataFrame({"x": [1, 2], "y": ["a", "b,c"]}), "tables/frame.csv")
    mlws.log_table({"x": [1.5], "y": ["ü"]}, "tables/columns.tsv")
    mlws.log_dict({"nested": {"list": [1, None, "x"]}}, "sets/one.json")
    mlws.log_text("grüß\\n", "notes/hello.txt")
    with mlws.start_run("child", nested=True) as child:
        mlws.log_metric("depth", 2)
        with mlws.start_run("grandchild", nested=True, tags={"deep": "yes"}) as grandchild: pass
    mlws.log_metric("after the child", 1)
run
""",
    "magic": "%%mlws_run --experiment 'E of the cell' --name N -t who=me -p p=1\nmlws.log_metric('in the cell', 3)\nseen = 40 + 2\nseen",
    "after": "again = mlws.start_run(run_id=run.id); again.log_metric('later', 1); again.set_tag('stage', 'later'); assert again.flush()\n"
    "mlws.tracking.closed(again)\nseen",
    "implicit": "mlws.log_metric('alone', 5); mlws.log_param('how', 'implicit')\nalone = mlws.active_run()\nmlws.end_run()\n"
    "assert mlws.flush(), alone",
    "status": "%mlws",
    "list": "%mlws list",
    "list of one": "%mlws list 'E of the cell' -n 5",
    "open": "%mlws open N",
}
"""Each is run as it stands, in this order."""


class Told(NamedTuple):
    """What the cells gave, and the ids of their runs."""

    server: LiveServer
    cells: dict[str, Output]
    ids: dict[str, str]

    def run(self, name: str) -> dict[str, Any]:
        """A run as REST tells it."""
        found: dict[str, Any] = self.server.ok("GET", f"/runs/{self.ids[name]}")
        return found

    def content(self, name: str, path: str, area: str = "artifacts") -> bytes:
        """A file of a run."""
        answer = self.server.get(f"/runs/{self.ids[name]}/{area}/content", params={"path": path})
        assert answer.status_code == 200, (path, answer.text)
        return answer.content

    def files(self, name: str, area: str = "artifacts") -> dict[str, int]:
        """Paths and sizes of all files of a run."""
        listed = self.server.ok("GET", f"/runs/{self.ids[name]}/{area}", params={"recursive": "true"})["entries"]
        return {one["path"]: one["size"] for one in listed if one["type"] == "file"}


@pytest.fixture(scope="module")
def told(jupyter: LiveServer) -> Iterator[Told]:
    """The cells, run in one kernel."""
    write_notebook(jupyter.root / NOTEBOOK, *CELLS.values())
    with Kernel(jupyter, NOTEBOOK) as kernel:
        cells = {name: kernel.run(code) for name, code in CELLS.items()}
        runs = kernel.value("{each.name: each.id for each in (run, child, grandchild)} | {'alone': alone.id}")
        listed = jupyter.ok("GET", "/workspaces/default/runs", params={"limit": 100})["runs"]
        ids = {**runs, "N": next(run["id"] for run in listed if run["name"] == "N")}
        assert cells["load"].text == ""
        yield Told(jupyter, cells, ids)


def test_the_run(told: Told):
    run = told.run("all")
    assert (run["status"], run["kind"], run["workspace"], run["name"]) == ("Completed", "interactive", "default", "all")
    assert run["experiment_name"] == "digits of π"  # the notebook's name
    assert run["source"] == str(told.server.root / NOTEBOOK)
    assert run["params"] == {"lr": "0.1", "depth": "3", "name": "tree 🌲", "none": "None"}
    assert run["tags"] == {"team": "π", "stage": "later", "a": "1", "b": "True"}
    assert run["note"] == "# All\nis *well*"
    assert run["children"] == 1
    assert run["error"] is None
    assert run["ended_at"] >= run["started_at"]


def test_metrics(told: Told):
    def history(key: str) -> list[tuple[int, Any]]:
        found = told.server.ok("GET", f"/runs/{told.ids['all']}/metrics/history", params={"key": key})
        return list(zip(found["steps"], found["values"], strict=True))

    assert history("loss") == [(0, 0.5), (1, "NaN"), (2, "Infinity"), (3, "-Infinity"), (4, 0.0), (5, 1e-300)]
    assert history("counted") == [(0, 1), (1, 2)]
    dated = told.server.ok("GET", f"/runs/{told.ids['all']}/metrics/history", params={"key": "dated"})
    assert (dated["steps"], dated["values"], dated["times"]) == ([3], [7], [1_700_000_000_000])
    assert (history("acc"), history("f1")) == ([(9, 0.25)], [(9, 1)])
    assert history("later") == [(0, 1)]
    metrics = told.run("all")["metrics"]
    assert set(metrics) == {"loss", "counted", "dated", "acc", "f1", "after the child", "later"}
    assert (metrics["loss"]["last"], metrics["loss"]["count"]) == (1e-300, 6)


def test_children(told: Told):
    child, grandchild = told.run("child"), told.run("grandchild")
    assert (child["parent_id"], grandchild["parent_id"]) == (told.ids["all"], child["id"])
    assert child["experiment_name"] == grandchild["experiment_name"] == "digits of π"
    assert (child["metrics"]["depth"]["last"], grandchild["tags"]) == (2, {"deep": "yes"})
    assert {child["status"], grandchild["status"]} == {"Completed"}


def test_inputs_and_outputs(told: Told):
    run, here = told.run("all"), (told.server.root / NOTEBOOK).parent
    assert run["inputs"] == [
        {"name": "train", "uri": str(here / "data.csv")},
        {"name": "remote", "type": "uri_folder", "uri": "s3://bucket/x", "digest": "sha256:1"},
    ]
    assert run["outputs"] == [{"name": "model", "type": "model", "uri": str(here / "kept")}]


def test_artifacts(told: Told):
    sizes = told.files("all")
    assert {path: size for path, size in sizes.items() if not path.startswith(("plots", "tables", "sets"))} == {
        "data.csv": 3,
        "copies/data.csv": 3,
        "all/one.txt": 3,
        "all/sub/two.bin": 256,
        "notes/hello.txt": 7,
    }
    assert told.content("all", "all/sub/two.bin") == bytes(range(256))
    assert told.content("all", "notes/hello.txt").decode() == "grüß\n"
    assert told.content("all", "plots/line.png").startswith(b"\x89PNG\r\n\x1a\n")
    frame = list(csv.reader(io.StringIO(told.content("all", "tables/frame.csv").decode())))
    assert frame == [["x", "y"], ["1", "a"], ["2", "b,c"]]
    assert told.content("all", "tables/columns.tsv").decode() == "x\ty\n1.5\tü\n"
    assert json.loads(told.content("all", "sets/one.json")) == {"nested": {"list": [1, None, "x"]}}


def test_the_snapshot_is_the_notebook_on_disk_and_what_was_executed(told: Told):
    assert set(told.files("all", "snapshot")) == {"digits of π.ipynb", "executed.py"}
    assert told.content("all", "digits of π.ipynb", "snapshot") == (told.server.root / NOTEBOOK).read_bytes()
    executed = told.content("all", "executed.py", "snapshot").decode()
    for number, name in enumerate(("load", "files", "run"), 1):
        assert f"# In [{number}]\n{CELLS[name].rstrip()}" in executed
    assert told.files("child", "snapshot") == {}


def test_the_environment(told: Told):
    found = told.server.ok("GET", f"/runs/{told.ids['all']}/environment")
    assert found["language"] == "python"
    assert found["executable"].endswith("python") or "python3" in found["executable"]
    assert {"numpy", "ipykernel", "pandas"} <= set(found["packages"])


def test_a_tracked_cell(told: Told):
    run = told.run("N")
    assert (run["experiment_name"], run["status"]) == ("E of the cell", "Completed")
    assert (run["params"], run["tags"], run["metrics"]["in the cell"]["last"]) == ({"p": "1"}, {"who": "me"}, 3)
    assert told.cells["magic"].shows() == told.cells["after"].shows() == "42"  # the cell ran as any other
    assert told.content("N", "cell.py", "snapshot").decode() == CELLS["magic"].partition("\n")[2] + "\n"
    assert "%%mlws_run" in told.content("N", "executed.py", "snapshot").decode()


def test_a_tracked_cell_that_awaits_is_refused_before_a_run_begins(jupyter: LiveServer):
    def runs() -> int:
        return len(jupyter.ok("GET", "/workspaces/default/runs", params={"limit": 200})["runs"])

    with Kernel(jupyter) as kernel:
        kernel.run("%load_ext mlws\nimport asyncio, mlws")
        before = runs()
        refused = kernel.wait(kernel.send("%%mlws_run\nmlws.log_metric('m', 1)\nawait asyncio.sleep(0)"))
        assert "UsageError: This cell awaits" in refused.text
        assert "with mlws.start_run():" in refused.text
        assert runs() == before
        kernel.run("with mlws.start_run() as run:\n    await asyncio.sleep(0)\n    mlws.log_metric('m', 1)\nassert run.flush()")
        kernel.run("%%mlws_run\nasync def later(): await asyncio.sleep(0)\nmlws.log_metric('m', 1)")
        assert runs() == before + 2


def test_logging_without_a_run(told: Told):
    run = told.run("alone")
    assert (run["status"], run["experiment_name"], run["params"]) == ("Completed", "digits of π", {"how": "implicit"})
    assert run["metrics"]["alone"]["last"] == 5
    assert run["name"].startswith("digits")


def test_what_the_magics_show(told: Told):
    status = told.cells["status"].shows()
    assert f"{told.server.url}/mlws (version " in status
    assert "Workspace  default\nActive run none\nSpool      " in status
    listed = told.cells["list"].shows()
    assert all(run_id in listed for run_id in told.ids.values())
    of_one = told.cells["list of one"].shows()
    assert told.ids["N"] in of_one
    assert told.ids["all"] not in of_one
    assert told.cells["open"].shows() == f"{told.server.url}/mlws/open/runs/{told.ids['N']}"
    assert f'href="/mlws/open/runs/{told.ids["N"]}"' in told.cells["open"].shows("text/html")
    shown = told.cells["run"].shows("text/html")
    assert f'href="/mlws/open/runs/{told.ids["all"]}"' in shown
    assert "<code>loss</code> = 1e-300" in shown
    page = httpx.get(
        f"{told.server.url}/mlws/open/runs/{told.ids['all']}", headers={"Authorization": f"Bearer {told.server.token}"}
    )
    assert (page.status_code, page.headers["Location"]) == (302, f"/lab?mlws=runs%2F{told.ids['all']}")
