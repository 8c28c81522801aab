"""Jobs that Slurm starts, through the front door: a real Slurm, a real server."""

from __future__ import annotations

import json

import pytest

from tests.live import LiveServer, write_notebook
from tests.slurm import CPUS, Slurm, command, eventually, full, log_of, waiting_of

pytestmark = pytest.mark.slow


def test_a_command_runs_there_with_all_that_it_logs(server: LiveServer, cluster: Slurm):
    code = server.root / "code"
    code.mkdir()
    (code / "a.py").write_text(
        "import mlws, os\nmlws.log_metric('m', 3)\nmlws.log_param('p', 'x')\nopen('note.txt','w').write('an artifact')\n"
        "mlws.log_artifact('note.txt')\ne = os.environ\n"
        f"print('job', e['{cluster.number}'], 'cpus', e['{cluster.cpus}'], 'gpu', e['CUDA_VISIBLE_DEVICES'])\n"
    )
    run_id = server.submit(
        command("python3 a.py && mkdir -p outputs && echo done > outputs/r.txt", code="code"),
        target="batch",
        resources={"cpus": 2, "memory_bytes": 300 << 20, "gpus": 1},
        timeout_s=600,
    )
    run = server.wait(run_id)
    assert run["status"] == "Completed", (run["error"], server.log()[-3000:])
    [(number, _)] = cluster.of_run(run_id)
    assert f"job {number} cpus 2 gpu 0" in log_of(server, run_id)
    assert run["metrics"]["m"]["last"] == 3
    assert run["params"]["p"] == "x"
    for path, content in (("outputs/r.txt", "done\n"), ("note.txt", "an artifact")):
        assert server.get(f"/runs/{run_id}/artifacts/content", params={"path": path}).text == content, path
    asked = cluster.run("scontrol", "show", "job", "--oneliner", number)
    assert all(one in asked for one in ("Partition=main", "TimeLimit=00:10:00", "NumCPUs=2", "mem=300M", "Requeue=0")), asked


def test_jobs_that_reach_the_server_log_to_it(server: LiveServer, cluster: Slurm):
    server.ok("PATCH", "/compute/batch", {cluster.kind: {"server_url": f"{server.url}/mlws"}})
    try:
        line = "python3 -c \"import mlws, time; mlws.log_metric('sent', 1); time.sleep(600)\""
        run_id = server.submit(command(line), target="batch")
        server.wait(run_id, "Running")
    finally:
        server.ok("PATCH", "/compute/batch", {cluster.kind: {"server_url": None}})
    mark = json.loads((server.data_dir / "jobs" / run_id / "sent.json").read_text())
    assert mark["fetched"] is False, "nobody reads it from the folder while it runs"
    eventually(lambda: "sent" in server.ok("GET", f"/runs/{run_id}")["metrics"])
    server.ok("POST", f"/jobs/{run_id}/cancel")
    assert server.wait(run_id)["status"] == "Canceled"


def test_a_notebook_runs_there(server: LiveServer, cluster: Slurm):
    write_notebook(
        server.root / "nb" / "a.ipynb",
        "n = 1",
        f"import os\nprint(n + 1, 'in', os.environ['{cluster.number}'])",
        parameters="n = 0",
    )
    run_id = server.submit({"kind": "notebook", "notebook": "nb/a.ipynb"}, target="batch")
    run = server.wait(run_id)
    assert run["status"] == "Completed", (run["error"], server.log()[-3000:])
    [(number, _)] = cluster.of_run(run_id)
    assert f"2 in {number}" in server.get(f"/jobs/{run_id}/notebook").text


def test_why_it_waits_is_said_and_it_leaves_the_queue(server: LiveServer, cluster: Slurm):
    first = server.submit(command("sleep 600"), target="batch", resources={"cpus": CPUS})
    server.wait(first, "Running")
    second = server.submit(command("sleep 600"), target="batch", resources={"cpus": CPUS})
    eventually(lambda: waiting_of(server, second)[0] == "batch_system" and full(cluster) in waiting_of(server, second)[1])
    live = {one["run_id"]: one["reason"] for one in server.ok("GET", "/compute/batch")["live"]}
    assert live[first] == ""
    assert full(cluster) in live[second]
    for run_id in (second, first):
        server.ok("POST", f"/jobs/{run_id}/cancel")
        run = server.wait(run_id)
        assert (run["status"], run["reason"], run["error"]) == ("Canceled", "canceled", None)
    assert [state for _, state in cluster.of_run(second)] == ["CANCELLED"]
    eventually(lambda: cluster.of_run(first)[0][1] in ("COMPLETED", "CANCELLED"))


def test_what_slurm_lets_wait_for_ever_is_told(server: LiveServer, cluster: Slurm):
    server.ok("POST", "/compute", {"name": "brief", "slurm": {"partition": "short", "time_limit_s": 60}})
    mosts: list[dict[str, object]] = [{}, {"timeout_s": 60}]
    for most in mosts:  # as long as the partition lets a job run
        assert server.wait(server.submit(command("true"), target="brief", **most))["status"] == "Completed"
    run_id = server.submit(command("true"), target="brief", timeout_s=3600)
    eventually(lambda: "PartitionTimeLimit (Slurm job" in waiting_of(server, run_id)[1])
    server.ok("POST", f"/jobs/{run_id}/cancel")
    assert server.wait(run_id)["status"] == "Canceled"
    assert server.request("DELETE", "/compute/brief").status_code == 204


def test_what_is_refused_there_fails_with_its_words(server: LiveServer, cluster: Slurm):
    run = server.wait(server.submit(command("true"), target="batch", resources={"memory_bytes": 400 << 30}))
    assert (run["status"], run["reason"]) == ("Failed", "spawn_failed")
    assert "Requested node configuration is not available" in run["error"]["message"]
    assert [state for _, state in cluster.of_run(run["id"])] in ([], ["FAILED"])


def test_exit_code_limit_and_retries_are_as_everywhere(server: LiveServer, cluster: Slurm):
    late = server.submit(command("sleep 60"), target="batch", timeout_s=1)
    failing = server.submit(command("echo $MLWS_ATTEMPT; exit 3"), target="batch", max_retries=1)
    run = server.wait(late)
    assert (run["status"], run["reason"]) == ("Failed", "timeout")
    run = server.wait(failing)
    assert (run["status"], run["error"]["message"]) == ("Failed", "The job's process ended with exit code 3.")
    assert [one["exit_code"] for one in server.ok("GET", f"/jobs/{failing}")["attempts"]] == [3, 3]
    assert len(cluster.of_run(failing)) == 2


def test_secrets_reach_the_job_and_stay_nowhere(server: LiveServer, cluster: Slurm):
    server.ok("PUT", "/workspaces/default/secrets/token", {"value": "a-very-secret-word"})
    run_id = server.submit(command("echo ${#TOKEN} $TOKEN; sleep 3"), target="batch", secrets={"TOKEN": "token"})
    server.wait(run_id, "Running")
    for folder in (server.data_dir / "jobs", server.data_dir / "batch", cluster.folder):
        for path in folder.rglob("*"):
            assert not path.is_file() or b"a-very-secret-word" not in path.read_bytes(), path
    [(number, _)] = cluster.of_run(run_id)
    assert "a-very-secret-word" not in cluster.run("scontrol", "show", "job", "--details", number)
    assert server.wait(run_id)["status"] == "Completed"
    assert log_of(server, run_id).startswith("18 ")
    assert "a-very-secret-word" not in log_of(server, run_id)
