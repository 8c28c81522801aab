"""Jobs that Slurm starts on the nodes of a cluster whose login node is reached by ssh: a real sshd, a real Slurm, a real server."""

from __future__ import annotations

import pytest

from tests.live import LiveServer
from tests.slurm import Slurm, command, eventually, log_of
from tests.ssh import Sshd, far_jobs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_a_command_runs_there_with_all_that_it_logs(server: LiveServer, cluster: Slurm, login: Sshd):
    code = server.root / "code"
    code.mkdir()
    go = login.folder / "go"
    (code / "a.py").write_text(
        "import mlws, os, time\nmlws.log_metric('m', 3)\nmlws.log_param('p', 'x')\nopen('note.txt','w').write('an artifact')\n"
        "mlws.log_artifact('note.txt')\ne = os.environ\n"
        f"print('job', e['{cluster.number}'], 'cpus', e['{cluster.cpus}'], 'gpu', e['CUDA_VISIBLE_DEVICES'], os.getcwd(), flush=True)\n"
        f"while not os.path.exists({str(go)!r}): time.sleep(0.05)\n"
    )
    run_id = server.submit(
        command("python3 a.py && mkdir -p outputs && echo done > outputs/r.txt", code="code"),
        target="batch",
        resources={"cpus": 2, "memory_bytes": 300 << 20, "gpus": 1},
        timeout_s=600,
    )
    eventually(lambda: "cpus 2 gpu 0" in log_of(server, run_id))  # while it runs
    eventually(lambda: server.ok("GET", f"/runs/{run_id}")["metrics"].get("m"))
    assert server.ok("GET", f"/runs/{run_id}")["status"] == "Running"
    assert str(login.place) in log_of(server, run_id)
    go.touch()
    run = server.wait(run_id)
    assert run["status"] == "Completed", (run["error"], server.log()[-3000:])
    [(number, _)] = cluster.of_run(run_id)
    assert f"job {number} " in log_of(server, run_id)
    assert run["metrics"]["m"]["last"] == 3
    assert run["params"]["p"] == "x"
    for path, content in (("outputs/r.txt", "done\n"), ("note.txt", "an artifact")):
        assert server.get(f"/runs/{run_id}/artifacts/content", params={"path": path}).text == content, path
    asked = cluster.run("scontrol", "show", "job", "--oneliner", number)
    assert all(one in asked for one in ("Partition=main", "TimeLimit=00:10:00", "NumCPUs=2", "mem=300M", "Requeue=0")), asked
    eventually(lambda: run_id not in far_jobs(login))
