"""`mlws` itself: servers, deletes that ask, output, completion."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cli.conftest import Mlws, on_terminal
from tests.live import LiveServer, free_port

NASTY = "a/b \u202e 🚀 " + "é" * 60
COMMANDING = "note\x1b[31m\x07\u202e\nsecond line"


def new_run(server: LiveServer, experiment: str, name: str) -> str:
    """An interactive run that has ended."""
    run_id: str = server.ok("POST", "/workspaces/default/runs", {"experiment": experiment, "name": name})["id"]
    server.ok("POST", f"/runs/{run_id}/end", {"status": "Completed"})
    return run_id


def test_deletes_tell_what_goes_and_ask(mlws: Mlws, server: LiveServer) -> None:
    run_id = new_run(server, "deletes", "doomed")
    server.ok("PUT", f"/runs/{run_id}/artifacts/content?path=a.bin", content=b"x" * 1500)
    assert mlws("run", "delete", run_id, "--dry-run").out.split("  ")[0] == "Would be moved to the bin"
    refused = mlws("run", "delete", run_id)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == (
        "Error: Nothing was done, for there is no terminal to ask on: Move to the bin 'doomed' "
        "(1 run with 1 artifact; 1.5 kB become free when it is purged)? --yes answers it.\n"
    )
    assert server.ok("GET", f"/runs/{run_id}")["lifecycle"] == "active"
    moved = mlws("run", "delete", run_id, "--yes")
    assert (moved.code, "1.5 kB become free when it is purged" in moved.out) == (0, True)
    assert run_id[:8] in mlws("run", "list", "--deleted").out
    assert "In the bin  yes; `mlws run restore" in mlws("run", "show", run_id).out
    assert "in the bin already" in mlws("run", "delete", run_id, "--yes").err
    assert mlws("run", "restore", run_id).code == 0
    binned = json.loads(mlws("run", "delete", run_id, "-y", "-o", "json").out)
    assert (binned["bytes_freed"], binned["bytes_freed_by_purge"], binned["purge"]) == (0, 1500, False)
    gone = json.loads(mlws("run", "delete", run_id, "--purge", "-y", "-o", "json").out)
    assert (gone["runs"], gone["dry_run"], gone["bytes_freed"]) == (1, False, 1500)
    assert mlws("run", "show", run_id).code == 3

    new_run(server, "deletes", "inside")
    assert mlws("experiment", "delete", "deletes", "--yes").code == 2  # not archived
    assert mlws("experiment", "archive", "deletes").code == 0
    said = mlws("experiment", "delete", "deletes", "--yes")
    assert (said.code, "1 run" in said.out) == (0, True)
    assert mlws("experiment", "show", "deletes").code == 3


def test_workspaces_and_experiments(mlws: Mlws) -> None:
    assert mlws("workspace", "create", "team", "--title", "Team").code == 0
    assert mlws("workspace", "create", "team").code == 2
    made = mlws("experiment", "create", NASTY, "--goal", "acc", "-w", "team", "-o", "json")
    assert json.loads(made.out)["goal"] == {"metric": "acc", "direction": "maximize"}
    listed = json.loads(mlws("experiment", "list", "-o", "json", MLWS_WORKSPACE="team").out)
    assert [one["name"] for one in listed] == [NASTY]
    assert mlws("workspace", "update", "team", "--new-name", "crew").code == 0
    names = [row["name"] for row in csv.DictReader(io.StringIO(mlws("workspace", "list", "-o", "csv").out))]
    assert {"default", "crew"} <= set(names)
    assert mlws("workspace", "archive", "crew").code == 0
    assert mlws("workspace", "delete", "crew", "-y").code == 0
    assert "database" in mlws("workspace", "resources").out


def test_what_cannot_be_deleted_now_is_told_before_anybody_is_asked(mlws: Mlws, server: LiveServer) -> None:
    new_run(server, "kept", "inside")
    server.ok("POST", "/workspaces", {"name": "kept"})
    default = "The default workspace cannot be deleted."
    first = "Archive the {} 'kept' first; then it can be deleted for good."
    for noun, name, said in (
        ("workspace", "default", default),
        ("workspace", "kept", first.format("workspace")),
        ("experiment", "kept", first.format("experiment")),
    ):
        dry = mlws(noun, "delete", name, "--dry-run")
        lines = dry.out.splitlines()
        assert (dry.code, lines[0], "Would be deleted" in dry.out) == (0, f"Cannot be deleted now  {said}", False)
        assert lines[1].startswith(f"Would go               {name!r} (")
        body = json.loads(mlws(noun, "delete", name, "--dry-run", "-o", "json").out)
        assert (body["dry_run"], body["blocked_by"], body["runs"] > 0) == (True, said, (noun, name) != ("workspace", "kept"))
        for words in ((), ("--yes",)):
            assert mlws(noun, "delete", name, *words) == (2, "", f"Error: {said}\n")
    for noun in ("workspace", "experiment"):
        assert mlws(noun, "archive", "kept").code == 0
        assert mlws(noun, "delete", "kept", "--dry-run").out.startswith("Would be deleted  'kept' (")
        assert json.loads(mlws(noun, "delete", "kept", "--yes", "-o", "json").out)["blocked_by"] is None


def test_what_people_name_cannot_command_the_terminal(mlws: Mlws, server: LiveServer) -> None:
    run_id = new_run(server, "nasty", NASTY)
    server.ok("PATCH", f"/runs/{run_id}", {"note": COMMANDING, "tags": {"t": COMMANDING}})
    for words in (("run", "list", "--experiment", "nasty"), ("run", "show", run_id), ("run", "compare", run_id, run_id, "--all")):
        said = mlws(*words)
        assert said.code == 0, said.err
        assert "\x1b" not in said.out
        assert "\u202e" not in said.out
    assert json.loads(mlws("run", "show", run_id, "-o", "json").out)["description"] == COMMANDING


def test_tables_fit_eighty_columns_on_a_terminal(server: LiveServer, tmp_path: Path) -> None:
    new_run(server, "wide", "名前" * 60)
    text = on_terminal(["run", "list", "--experiment", "wide"], server, tmp_path, {"COLUMNS": "80"})
    assert "\x1b[32m" in text
    plain = on_terminal(["run", "list", "--experiment", "wide"], server, tmp_path, {"COLUMNS": "80", "NO_COLOR": "1"})
    assert "\x1b" not in plain
    widths = [sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line) for line in plain.splitlines()]
    assert max(widths) <= 80
    assert "…" in plain


def test_a_server_that_is_away_is_4(mlws: Mlws, server: LiveServer, tmp_path: Path) -> None:
    away = mlws("run", "list", MLWS_URL=f"http://127.0.0.1:{free_port()}/mlws")
    assert (away.code, "MLWS_URL" in away.err) == (4, True)
    assert mlws("run", "list", MLWS_URL="nonsense").code == 4
    stranger = mlws("run", "list", MLWS_URL=server.url, MLWS_TOKEN="mlws_wrong")
    assert (stranger.code, "MLWS_TOKEN" in stranger.err) == (4, True)
    assert mlws("server", "status", MLWS_DATA_DIR=str(tmp_path / "empty")).code == 4
    assert mlws("server", "stop", MLWS_DATA_DIR=str(tmp_path / "empty")).code == 0
    assert not (tmp_path / "empty").exists()
    real = mlws("server", "stop")
    assert (real.code, "JupyterLab" in real.err) == (2, True)
    status = json.loads(mlws("server", "status", "-o", "json").out)
    assert (status["kind"], status["data_dir"]) == ("Jupyter server", str(server.data_dir))


@pytest.mark.slow
def test_two_commands_at_once_start_one_server(mlws: Mlws, tmp_path: Path) -> None:
    env = {"MLWS_DATA_DIR": str(tmp_path / "data"), "MLWS_IDLE_TIMEOUT_S": "60"}
    with ThreadPoolExecutor(3) as pool:
        said = list(pool.map(lambda _: mlws("compute", "show", "-o", "json", **env), range(3)))
    assert [one.code for one in said] == [0, 0, 0], said
    owner = json.loads((tmp_path / "data" / "owner.json").read_text())
    started = [path.parent.name for path in Path("/proc").glob("[0-9]*/environ") if headless_of(path, str(tmp_path / "data"))]
    assert started == [str(owner["pid"])]
    stopped = mlws("server", "stop", **env)
    assert (stopped.code, "stopped" in stopped.out) == (0, True)
    assert not (tmp_path / "data" / "owner.json").exists()


def headless_of(environ: Path, data_dir: str) -> bool:
    """Whether a process is a headless server of this folder."""
    try:
        command = environ.with_name("cmdline").read_bytes()
        return b"jupyter_mlws.server.headless" in command and f"MLWS_DATA_DIR={data_dir}\0".encode() in environ.read_bytes()
    except OSError:
        return False


def test_starting_loads_no_client() -> None:
    code = "import sys; from jupyter_mlws.cli import main; main(['--help'], standalone_mode=False); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert loaded & {"httpx", "msgspec", "jupyter_mlws.sdk", "sqlalchemy", "tornado"} == set()


def test_help_of_every_command(mlws: Mlws) -> None:
    for noun in ("workspace", "experiment", "run", "job", "compute", "environment", "server"):
        said = mlws(noun, "--help")
        assert said.code == 0
        assert "Commands" in said.out
    assert "Exit codes" in mlws("--help").out
    assert mlws("--version").out.startswith("mlws ")
