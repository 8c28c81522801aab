"""The how-to pages on the data folder, as a person follows them: no server of a command is left on what is moved or copied."""

from __future__ import annotations

import json
import os
import re
import subprocess
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_mlws.sdk.discovery import is_alive
from tests.cli.conftest import MLWS
from tests.project.files import ROOT

pytestmark = pytest.mark.slow

BLOCK = re.compile(r"^ *```bash\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
STOP = "mlws server stop\n"


def block(page: str) -> str:
    """The commands of the page that need a server stopped."""
    found = [textwrap.dedent(text) for text in BLOCK.findall((ROOT / "docs" / "how-to" / page).read_text(encoding="utf-8"))]
    (wanted,) = [text for text in found if "jupyter --data-dir" in text]
    return wanted


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Runs shell lines on a data folder of its own, and stops the server that they may leave."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLWS_", "JUPYTER"))}
    base = {
        **kept,
        "PATH": os.pathsep.join([str(Path(MLWS).parent), os.environ["PATH"]]),
        "JUPYTER_DATA_DIR": str(tmp_path / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
    }

    def run(lines: str, **env: str) -> str:
        done = subprocess.run(
            ["bash", "-e", "-c", lines],
            env={**base, **env},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    yield run
    for folder in (tmp_path / "jupyter" / "mlws", tmp_path / "disk" / "mlws"):
        run("mlws server stop", MLWS_DATA_DIR=str(folder))


def owner(folder: Path) -> int:
    """Process of the server on a data folder."""
    return int(json.loads((folder / "owner.json").read_text())["pid"])


def test_the_folder_is_moved(shell: Callable[..., str], tmp_path: Path) -> None:
    old, new = tmp_path / "jupyter" / "mlws", tmp_path / "disk" / "mlws"
    new.parent.mkdir()
    shell("mlws experiment create moved; mlws job list --active")
    pid = owner(old)
    shell(block("move-the-data-folder.md").replace("/big/disk", str(new.parent)))
    assert not is_alive(pid)
    assert "moved" in shell("mlws experiment list", MLWS_DATA_DIR=str(new))
    assert not old.exists()


def test_the_folder_is_backed_up_and_restored(shell: Callable[..., str], tmp_path: Path) -> None:
    backup, root = str(tmp_path / "disk"), tmp_path / "jupyter" / "mlws"
    shell("mlws experiment create kept")
    shell(f"mlws db backup {backup}/mlws")
    shell("mlws experiment create later")
    pid = owner(root)
    shell(block("back-up.md").replace("/backup", backup))
    assert not is_alive(pid)
    assert not (root / "owner.json").exists()
    listed = shell("mlws experiment list")
    assert ("kept" in listed, "later" in listed) == (True, False)


def test_the_server_is_stopped_before_the_copy_of_an_upgrade_is_put_back() -> None:
    assert block("upgrade.md").startswith(STOP)
