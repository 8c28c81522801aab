"""A host whose Python has nothing for notebooks, and wheels that travel there."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.live import LiveServer, write_notebook
from tests.ssh import Sshd, log_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def distributions(*names: str) -> dict[str, importlib.metadata.Distribution]:
    """What is installed here under these names, and what they need."""
    found: dict[str, importlib.metadata.Distribution] = {}
    waiting = list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name not in found:
            found[name] = importlib.metadata.distribution(name)
            needs = [Requirement(line) for line in found[name].requires or []]
            waiting += [one.name for one in needs if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found


def pack(dist: importlib.metadata.Distribution, folder: Path) -> None:
    """Make the wheel again that was installed. Programs are left out."""
    tags = [line[5:] for line in (dist.read_text("WHEEL") or "").splitlines() if line.startswith("Tag: ")]
    pythons, abis, platforms = (".".join(dict.fromkeys(part)) for part in zip(*(tag.split("-") for tag in tags), strict=True))
    name = re.sub(r"[-_.]+", "_", dist.metadata["Name"])
    record = f"{name}-{dist.version}.dist-info/RECORD"
    lines = []
    with zipfile.ZipFile(folder / f"{name}-{dist.version}-{pythons}-{abis}-{platforms}.whl", "w") as wheel:
        for file in dist.files or []:
            path, left_out = Path(str(file.locate())), (".pyc", "RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
            if str(file).startswith("..") or str(file).endswith(left_out) or not path.is_file():
                continue
            data = path.read_bytes()
            target = re.sub(r"^[^/]+\.dist-info/", f"{name}-{dist.version}.dist-info/", str(file))
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            lines.append(f"{target},sha256={digest},{len(data)}")
            wheel.writestr(target, data)
        wheel.writestr(record, "\n".join([*lines, f"{record},,"]))


def steps_of(server: LiveServer, name: str) -> dict[str, dict[str, Any]]:
    """What a test says once the host has done with the wheels."""
    while True:
        steps = {step["name"]: step for step in server.ok("POST", f"/compute/{name}/test", timeout=120)["steps"]}
        if "is installing" not in steps["wheels"]["detail"]:
            return steps


def test_wheels_make_a_python_for_notebooks(server: LiveServer, far: Sshd, tmp_path: Path):
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    bare = far.folder / "for-wheels"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    target = {**far.target(python=str(bare / "bin" / "python"), wheelhouse=str(wheels)), "name": "wheels"}
    answer = server.post("/compute", target)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "ssh.wheelhouse")
    found = distributions("papermill", "ipykernel")
    for name, dist in found.items():
        if name != "pyzmq":
            pack(dist, wheels)
    server.ok("POST", "/compute", target)
    missing = steps_of(server, "wheels")["wheels"]
    assert missing["state"] == "missing"
    assert "pyzmq" in missing["detail"], "what lacks is named"
    assert f"wheels for Python {sys.version.split()[0]}" in missing["todo"]
    write_notebook(server.root / "wheels.ipynb", "import sys; print(sys.executable)")
    spec = {"kind": "notebook", "notebook": "wheels.ipynb"}
    answer = server.post("/workspaces/default/jobs", {"spec": spec, "target": "wheels"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "target_refuses")
    assert "pyzmq" in answer.json()["error"]["message"]
    pack(found["pyzmq"], wheels)
    steps = steps_of(server, "wheels")
    assert steps["wheels"]["state"] == "ok", steps["wheels"]
    assert (steps["papermill"]["state"], steps["kernels"]["state"]) == ("ok", "ok")
    run_id = server.submit(spec, target="wheels")
    run = server.wait(run_id, timeout=120)
    assert run["status"] == "Completed", run["error"]
    [made] = (far.place / "pythons").glob("*/ready.json")
    assert log_of(server, run_id) == f"{made.parent}/venv/bin/python\n"
    told = made.stat().st_mtime_ns
    assert server.wait(server.submit(spec, target="wheels"), timeout=120)["status"] == "Completed"
    assert made.stat().st_mtime_ns == told, "it was made again"
    assert server.request("DELETE", "/compute/wheels").status_code == 204
