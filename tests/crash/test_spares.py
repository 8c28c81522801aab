"""The server is killed while kernels wait and while one of them has a job: the job goes on, ends once, and no spare is left."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from tests.crash.test_jobs import folder_of, record
from tests.crash.test_takeover import one_end
from tests.live import LiveServer, write_notebook
from tests.servers import lean, pid_of, processes_of, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="spares are Linux's alone"),
]
EASY = ["--MlwsApp.spare_max_load=1000", "--MlwsApp.spare_free_memory=0"]
WITHIN = 90.0
WAITS = "import os, time\nwhile not os.path.exists({!r}): time.sleep(0.05)\nprint('pid', os.getpid())"


def spares_of(server: LiveServer) -> list[psutil.Process]:
    """The processes of all spares."""
    below = psutil.Process(pid_of(server)).children(recursive=True)
    return [process for one in below if one.name() == "mlws-spare" for process in (one, *one.children(recursive=True))]


def one_is_ready(server: LiveServer) -> bool:
    return bool(server.ok("GET", "/compute/local")["spares"] == 1)


def test_the_server_is_killed_and_its_spares_end(tmp_path: Path) -> None:
    server = lean(tmp_path / "server", options=EASY).start()
    go = tmp_path / "go"
    write_notebook(server.root / "n.ipynb", "1")
    write_notebook(server.root / "waits.ipynb", WAITS.format(str(go)))
    try:
        server.wait(server.submit({"kind": "notebook", "notebook": "n.ipynb"}), "Completed", timeout=WITHIN)
        until(lambda: one_is_ready(server), WITHIN)
        kernel = spares_of(server)[-1].pid
        job = server.submit({"kind": "notebook", "notebook": "waits.ipynb"})
        server.wait(job, "Running", timeout=WITHIN)
        until(lambda: one_is_ready(server), WITHIN)
        waiting = spares_of(server)
        server.kill()
        for process in waiting:
            process.wait(WITHIN)
        supervisor = record(server, job, "pid.json")
        assert supervisor is not None
        assert psutil.pid_exists(int(supervisor["pid"]))
        server.start()
        go.touch()
        run = server.wait(job, timeout=WITHIN)
        assert (run["status"], one_end(server, job)) == ("Completed", True)
        assert server.ok("GET", f"/jobs/{job}/log")["text"] == f"pid {kernel}\n"
        assert "a spare takes the job" in (folder_of(server, job) / "system_logs" / "supervisor.log").read_text()
    finally:
        server.stop()
    assert processes_of(server.data_dir) == []


def test_jobs_whose_spare_is_killed_as_they_come_run_once(tmp_path: Path) -> None:
    server = lean(tmp_path / "server", options=EASY).start()
    ran = tmp_path / "ran"
    ran.mkdir()
    write_notebook(
        server.root / "n.ipynb", f"import os\nopen(os.path.join({str(ran)!r}, os.environ['MLWS_RUN_ID']), 'a').write('x')"
    )
    try:
        jobs = [server.submit({"kind": "notebook", "notebook": "n.ipynb"})]
        server.wait(jobs[0], timeout=WITHIN)
        for place in (0, 1, 2):  # supervisor, runner, kernel
            until(lambda: one_is_ready(server), WITHIN)
            spare = spares_of(server)
            spare[0].suspend()
            jobs.append(server.submit({"kind": "notebook", "notebook": "n.ipynb"}))
            until(lambda: (folder_of(server, jobs[-1]) / "job.json").exists(), WITHIN)
            spare[place].kill()
            if place:
                spare[0].resume()
            assert server.wait(jobs[-1], timeout=WITHIN)["status"] == "Completed"
            assert one_end(server, jobs[-1])
        assert {path.name: path.read_text() for path in ran.iterdir()} == dict.fromkeys(jobs, "x")
    finally:
        server.stop()
