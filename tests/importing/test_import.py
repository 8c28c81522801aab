"""Stores of MLflow's clients, brought here, and read again by the same clients: everything is as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.importing.conftest import Store, made_store
from tests.importing.sources import brought, command, compared, read_server, run_script
from tests.live import LiveServer

LOAD = """
model = mlflow.pyfunc.load_model(f"runs:/{sys.argv[2]}/model")
again = mlflow.pyfunc.load_model("models:/same/1")
aliased = mlflow.pyfunc.load_model("models:/same@best") if hasattr(client, "set_registered_model_alias") else again
print(json.dumps([one.predict([1, 2]) for one in (model, again, aliased)]))
"""


def check(server: LiveServer, workspace: str, store: Store, version: str) -> None:
    """Import it, and compare all that a client reads."""
    report = brought(server, store.source, workspace)
    found = compared(read_server(server, workspace, version=version), store.told)
    if "Default" not in found["experiments"]:
        found["experiments"]["Default"] = store.told["experiments"]["Default"]
    for part in store.told:
        assert found[part] == store.told[part], part
    assert report["skipped"] == []
    assert report["counts"]["runs"] == {"imported": len(store.told["runs"]), "present": 0, "skipped": 0}
    url = f"{server.url}/mlws/w/{workspace}"
    assert run_script(LOAD, url, store.run, version=version, url=url, token=server.token) == [[1, 2]] * 3


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("kind", ["folder_store", "database_store"])
def test_everything_of_mlflow_3(server: LiveServer, workspace: str, kind: str, request: pytest.FixtureRequest):
    check(server, workspace, request.getfixturevalue(kind), "3")


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("kind", ["folder", "database"])
def test_everything_of_mlflow_2(server: LiveServer, workspace: str, kind: str, tmp_path: Path):
    check(server, workspace, made_store(kind, "2", tmp_path), "2")


def test_help_says_what_is_read(server: LiveServer):
    done = command(server, "import", "mlflow", "--help")
    assert done.returncode == 0
    assert "sqlite:///path" in done.stdout
