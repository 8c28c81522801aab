"""Where a server keeps its data when nobody says so, and when an option does."""

from __future__ import annotations

from pathlib import Path

from tests.live import LiveServer


class OfJupyter(LiveServer):
    """A server whose environment has the folder of Jupyter's data alone."""

    @property
    def env(self) -> dict[str, str]:
        """Without MLWS_DATA_DIR."""
        return {name: value for name, value in super().env.items() if name != "MLWS_DATA_DIR"}


def keeps_in(server: LiveServer, folder: Path) -> None:
    """Start a server, and see that everything lies in `folder`."""
    try:
        server.start()
        assert server.ok("GET", "/info")["data_dir"] == str(folder)
        assert {"mlws.db", "objects", "jobs", "owner.json"} <= {path.name for path in folder.iterdir()}
    finally:
        server.stop()
    assert [path.parent for path in server.folder.rglob("mlws.db")] == [folder]


def test_it_is_below_jupyters_data(tmp_path: Path):
    server = OfJupyter(tmp_path)
    assert [name for name in server.env if name.startswith("MLWS_")] == []
    assert server.env["JUPYTER_DATA_DIR"] == str(tmp_path / "jupyter")
    keeps_in(server, tmp_path / "jupyter" / "mlws")


def test_an_option_says_more_than_the_environment(tmp_path: Path):
    chosen = tmp_path / "chosen" / "deep"
    server = LiveServer(tmp_path, options=[f"--MlwsApp.data_dir={chosen}"])
    assert server.env["MLWS_DATA_DIR"] == str(tmp_path / "data")
    keeps_in(server, chosen)
    assert not (tmp_path / "data").exists()
