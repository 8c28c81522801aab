"""A host that says what is not so: its words are refused in a sentence, and the server and its other targets go on."""

from __future__ import annotations

import sys

import pytest

from tests.live import LiveServer
from tests.ssh import Sshd, command, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

PROGRAM = """#!{python}
import base64, re, sys
code = base64.b64decode(re.search('"(.+)"', sys.argv[3]).group(1)).decode()
sys.argv = sys.argv[2:3] + sys.argv[4:]
exec(code.replace("serve(root, code)", "import mlws.remote.server as server\\n{change}\\nserver.serve(root, code)"))
"""


def false_host(far: Sshd, name: str, change: str) -> str:
    """A program that is called as Python is, and is our far end but for a change."""
    path = far.folder / name
    path.write_text(PROGRAM.format(python=sys.executable, change=change))
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("told", ["'cpus': 'many'", "'memory': -1", "'gpus': [[]]", "'host': None", "'disk_free': 1e400"])
def test_what_a_host_says_of_itself_is_looked_at(server: LiveServer, far: Sshd, told: str):
    change = f"load = server.Host._load\\nserver.Host._load = lambda self: {{**load(self), {told}}}"
    python = false_host(far, "false-facts", change)
    server.ok("POST", "/compute", {**far.target(python=python), "name": "false"})
    try:
        tested = server.ok("POST", "/compute/false/test")
        assert tested["usable"] is False
        assert "cannot be true" in str(tested["steps"])
        assert {one["name"] for one in server.ok("GET", "/compute")["targets"]} >= {"false", "far", "local"}
        for target in ("local", "far"):
            assert server.wait(server.submit(command("echo hello"), target=target), timeout=120)["status"] == "Completed"
    finally:
        assert server.request("DELETE", "/compute/false").status_code == 204


def test_a_host_that_sends_more_than_was_asked_for_fills_no_disk(server: LiveServer, far: Sshd):
    change = "import mlws.remote.jobs as jobs\\njobs.Jobs.read = lambda self, key, name, offset, size: b'x' * (1 << 20)"
    python = false_host(far, "false-sizes", change)
    server.ok("POST", "/compute", {**far.target(python=python), "name": "large"})
    run_id = server.submit(command("echo small > outputs/a.txt"), target="large")
    eventually(lambda: "more of 'work/outputs/a.txt' than was asked for" in server.log())
    folder = server.data_dir / "jobs" / run_id
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 1 << 20
    false_host(far, "false-sizes", "")
    far.cut()
    assert server.wait(run_id, timeout=120)["status"] == "Completed"
    assert server.get(f"/runs/{run_id}/artifacts/content", params={"path": "outputs/a.txt"}).text == "small\n"
    assert server.request("DELETE", "/compute/large").status_code == 204
