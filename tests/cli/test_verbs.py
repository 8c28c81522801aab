"""Nouns and verbs: each noun answers each verb, by doing it or by saying what is possible instead; and what programs get as JSON."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.conftest import Mlws
from tests.live import LiveServer, write_notebook
from tests.servers import lean

NOUNS = ("workspace", "experiment", "run", "job", "compute", "environment")
VERBS = ("create", "list", "show", "update", "archive", "restore", "delete")
REFUSED = {
    *(("compute", verb) for verb in ("archive", "restore")),
    *(("environment", verb) for verb in ("update", "delete")),
}
GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "use-the-command-line.md"


@pytest.mark.parametrize("noun", NOUNS)
def test_each_noun_answers_each_verb(mlws: Mlws, noun: str) -> None:
    listed = set(re.findall(r"^  ([a-z]+) ", mlws(noun, "--help").out.partition("Commands:")[2], re.MULTILINE))
    for verb in VERBS:
        if (noun, verb) in REFUSED:
            said = mlws(noun, verb, "anything", "--some-option", "value")
            assert (said.code, said.out) == (2, "")
            assert re.fullmatch(r"Error: [^\n]+; [^\n]*`(mlws|python|jupyter) [^\n]*\.\n", said.err), said.err
            assert "soon" not in said.err
            assert verb not in listed
        else:
            assert mlws(noun, verb, "--help").code == 0
            assert verb in listed


def test_the_guide_tells_which_verbs_each_noun_has() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE))
    for noun in NOUNS:
        marks = [cell.strip() for cell in rows[noun].split("|")]
        assert marks == ["–" if (noun, verb) in REFUSED else "✓" for verb in VERBS], noun


def test_a_run_from_its_beginning_to_the_bin(mlws: Mlws, server: LiveServer) -> None:
    words = ["--name", "by hand", "--experiment", "verbs", "--param", "lr=0.1", "--tag", "a=1", "--note", "n", "-o", "json"]
    made = json.loads(mlws("run", "create", *words).out)
    run_id = made["name"]
    assert (made["status"], made["type"], made["parameters"], made["tags"]) == (
        "Running",
        "interactive",
        {"lr": "0.1"},
        {"a": "1"},
    )
    child = json.loads(mlws("run", "create", "--parent", run_id[:10], "-o", "json").out)
    assert child["parent_job_name"] == run_id
    assert mlws("run", "archive", run_id).code == 2  # still runs
    ended = json.loads(mlws("run", "end", child["name"], "--status", "failed", "--message", "no data", "-o", "json").out)
    assert (ended["status"], ended["error"]["message"]) == ("Failed", "no data")
    assert mlws("run", "end", "-n", run_id).code == 0
    assert mlws("run", "end", run_id, "--status", "Canceled").code == 2
    changed = json.loads(mlws("run", "update", "-n", run_id, "--display-name", "new", "--tag", "a=", "-o", "json").out)
    assert (changed["display_name"], changed["tags"]) == ("new", {})
    for _ in range(2):
        assert "In the bin" in mlws("run", "archive", run_id[:12]).out
    assert server.ok("GET", f"/runs/{child['name']}")["lifecycle"] == "deleted"
    assert json.loads(mlws("run", "restore", "--name", run_id, "-o", "json").out)["lifecycle"] == "active"


def test_a_name_stands_for_the_argument(mlws: Mlws, server: LiveServer) -> None:
    run_id = server.ok("POST", "/workspaces/default/runs", {"experiment": "verbs"})["id"]
    server.ok("POST", f"/runs/{run_id}/end", {"status": "Completed"})
    for verb in ("show", "history", "metrics", "files", "download"):
        for words in ([run_id], ["-n", run_id], ["--name", run_id[:12]], [run_id, "-n", run_id]):
            assert mlws("run", verb, *words).code == 0, (verb, words)
    assert mlws("workspace", "show", "-n", "default").code == 0
    assert mlws("experiment", "show", "--name", "verbs").code == 0
    assert mlws("compute", "show", "-n", "local").code == 0
    assert mlws("environment", "show", "-n", "python3").out.startswith("Kernel    python3")
    assert "Say which run: RUN or --name RUN" in mlws("run", "show").err
    twice = mlws("run", "update", run_id, "--name", "other")
    assert (twice.code, "--display-name gives a new name" in twice.err) == (2, True)


CONTEXT = {"created_at", "created_by", "created_by_type"}
JOB_KEYS = [
    *("name", "display_name", "experiment_name", "status", "type", "id", "description", "code", "command", "compute"),
    *(
        "environment",
        "environment_variables",
        "secrets",
        "limits",
        "resources",
        "retry_settings",
        "creation_context",
        "tags",
        "properties",
        "inputs",
        "outputs",
    ),
    *("parameters", "services", "workspace", "metrics", "started_at", "ended_at", "duration_ms", "reason", "error", "progress"),
    *(
        "waiting",
        "parent_job_name",
        "children",
        "lifecycle",
        "version",
        "spec",
        "priority",
        "timeout_s",
        "attempt",
        "attempts",
        "gpu_ids",
        "usage",
        "not_captured",
    ),
    "new_files",
]
JOB_ONLY = {"environment", "environment_variables", "limits", "resources", "retry_settings", "spec", "priority", "timeout_s"}
JOB_ONLY |= {"secrets", "attempt", "attempts", "gpu_ids", "usage"}
RUN_KEYS = [key for key in JOB_KEYS if key not in JOB_ONLY | {"not_captured", "new_files"}]


@pytest.mark.slow
def test_the_whole_shape_of_a_job(mlws: Mlws, tmp_path: Path) -> None:
    write_notebook(tmp_path / "shape.ipynb", "print(lr)", parameters="lr: float = 0.1")
    words = ["--notebook", "shape.ipynb", "-p", "lr=0.2", "--kernel", "python3", "--env", "SECRET=hidden", "--timeout", "60"]
    said = mlws("job", "create", *words, "--experiment", "shapes", "-n", "shown", "-o", "json")
    assert "hidden" not in said.out
    job_id = json.loads(said.out)["name"]
    assert mlws("job", "wait", "-n", job_id).code == 0
    job = json.loads(mlws("job", "show", "-n", job_id, "-o", "json").out)
    assert list(job) == JOB_KEYS
    assert (job["id"], job["type"], job["command"], job["environment"]) == (f"/jobs/{job_id}", "notebook", None, "python3")
    assert (job["environment_variables"], job["limits"], job["parameters"]) == (
        {"SECRET": None},
        {"timeout": 60, "memory": None},
        {"lr": "0.2"},
    )
    assert set(job["creation_context"]) == CONTEXT
    assert job["creation_context"]["created_by_type"] == "User"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", job["creation_context"]["created_at"])
    assert re.fullmatch(r"[0-9a-f]{64}", job["code"])
    assert set(job["services"]["Studio"]) == {"endpoint", "type"}
    listed = json.loads(mlws("job", "list", "--experiment", "shapes", "-o", "json").out)
    assert [list(one) for one in listed] == [RUN_KEYS]
    run = json.loads(mlws("run", "show", job_id, "-o", "json").out)
    assert run == {key: value for key, value in job.items() if key in RUN_KEYS}

    environment = json.loads(mlws("environment", "show", job_id, "-o", "json").out)
    assert list(environment)[:4] == ["name", "id", "os_type", "conda_file"]
    assert (environment["name"], environment["id"]) == ("python3", f"/runs/{job_id}/environment")
    assert environment["os_type"] in ("linux", "macos")
    python, pip, packages = environment["conda_file"]["dependencies"]
    assert (python, pip) == (f"python={environment['language_version']}", "pip")
    assert f"msgspec=={environment['packages']['msgspec']}" in packages["pip"]
    assert set(environment) >= {"language", "executable", "kernel_display_name", "platform", "host", "packages"}

    code = mlws("job", "download", "-n", job_id, "--snapshot", "--to", "code")
    assert (code.code, (tmp_path / "code" / "shape.ipynb").read_bytes()) == (0, (tmp_path / "shape.ipynb").read_bytes())
    assert "shape.ipynb" in mlws("run", "files", job_id, "--snapshot").out


SHAPES: dict[str, tuple[list[str], list[str]]] = {
    "workspace": (
        ["workspace", "show"],
        ["name", "display_name", "description", "id", "creation_context", "archived", "experiments", "runs", "version"],
    ),
    "compute": (
        ["compute", "show"],
        [
            *("name", "type", "id", "description", "provisioning_state", "max_jobs", "default_max_jobs"),
            *("min_instances", "spares", "spares_end_at", "running", "queued"),
            *("state", "detail", "cpu_count", "memory_bytes", "load", "memory_used_bytes"),
            *("paused", "total", "reserved", "per_user", "queue", "live"),
            *("ssh", "slurm", "pbs", "lsf", "gateway", "facts", "kinds", "made", "checked"),
            *("usage", "last_jobs"),
        ],
    ),
    "kernel": (["environment", "show", "python3"], ["name", "display_name", "language"]),
}


@pytest.mark.parametrize("noun", SHAPES)
def test_the_whole_shape_of(mlws: Mlws, noun: str) -> None:
    words, keys = SHAPES[noun]
    shown: dict[str, Any] = json.loads(mlws(*words, "-o", "json").out)
    assert list(shown) == keys
    if noun == "compute":
        assert (shown["provisioning_state"], shown["id"], shown["type"]) == ("Succeeded", "/compute/local", "local")
        assert json.loads(mlws("compute", "list", "-o", "json").out)[0]["provisioning_state"] == "Succeeded"
    if noun == "workspace":
        assert (shown["id"], set(shown["creation_context"])) == ("/workspaces/default", CONTEXT)
        assert shown in [{**one, **{key: shown[key] for key in ("runs", "experiments")}} for one in listed(mlws, "workspace")]


def listed(mlws: Mlws, noun: str, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(mlws(noun, "list", *words, "-o", "json").out)
    return found


def test_the_archive_is_a_list_of_its_own(mlws: Mlws) -> None:
    assert mlws("workspace", "create", "put-away").code == 0
    assert mlws("workspace", "archive", "-n", "put-away").code == 0
    assert [one["name"] for one in listed(mlws, "workspace", "--archived")] == ["put-away"]
    assert "put-away" not in [one["name"] for one in listed(mlws, "workspace")]
    assert mlws("workspace", "delete", "put-away", "--yes").code == 0
    assert mlws("workspace", "list", "--archived").err == "No workspace is archived.\n"


@pytest.mark.parametrize("noun", ["workspace", "experiment"])
def test_what_was_archived_comes_back(mlws: Mlws, noun: str) -> None:
    name = f"there-and-back-{noun}"

    def places() -> list[bool]:
        return [name in [one["name"] for one in listed(mlws, noun, *words)] for words in ((), ("--archived",))]

    made = json.loads(mlws(noun, "create", name, "--description", "kept", "-o", "json").out)
    assert (made["archived"], places()) == (False, [True, False])
    archived = mlws(noun, "archive", name)
    assert (archived.code, "Archived     yes" in archived.out, places()) == (0, True, [False, True])
    restored = mlws(noun, "restore", "-n", name)
    assert (restored.code, "Archived" in restored.out, places()) == (0, False, [True, False])
    shown = mlws(noun, "show", name, "-o", "json")
    assert (shown.code, {**json.loads(shown.out), "version": 0}) == (0, {**made, "version": 0})
    for words, code in (([name], 0), (["never-made"], 3), ([], 2)):
        assert mlws(noun, "restore", *words).code == code, words


def test_the_kernels_are_listed(mlws: Mlws, server: LiveServer) -> None:
    headers = {"Authorization": f"Bearer {server.token}"}
    specs = httpx.get(f"{server.url}/api/kernelspecs", headers=headers).json()["kernelspecs"]
    kernels = json.loads(mlws("environment", "list", "--kernels", "-o", "json").out)
    assert {one["name"]: (one["display_name"], one["language"]) for one in kernels} == {
        name: (spec["spec"]["display_name"], spec["spec"]["language"]) for name, spec in specs.items()
    }
    assert json.loads(mlws("environment", "show", "python3", "-o", "json").out) in kernels
    table = mlws("environment", "list", "--kernels")
    assert (table.code, len(table.out.splitlines())) == (0, 1 + len(kernels))
    assert "python3" in specs


def test_what_is_wrong_with_a_name_is_said_in_words(mlws: Mlws) -> None:
    said = mlws("workspace", "create", "a/b")
    assert (said.code, "regex" in said.err, "^" in said.err) == (2, False, False)
    assert said.err.startswith("Error: A workspace's name has letters, digits, `-` and `_`, at most 63")
    assert "its display name may be any text" in said.err
    assert "does not begin with a digit" in mlws("job", "create", "--command", "ls", "--env", "1A=b").err
    name = "a/b 😀"
    assert mlws("experiment", "create", name).code == 0
    assert f"An experiment '{name}' exists already; choose another name." in mlws("experiment", "create", name).err
    mlws("experiment", "archive", name)
    assert "is in the archive already; restore it, or choose another name." in mlws("experiment", "create", "-n", name).err


def test_a_goal_changes_by_its_parts(mlws: Mlws) -> None:
    def goal(*words: str) -> Any:
        return json.loads(mlws("experiment", *words, "-o", "json").out)["goal"]

    assert goal("create", "aims", "--goal", "loss", "--direction", "minimize") == {"metric": "loss", "direction": "minimize"}
    assert goal("update", "aims", "--goal", "val_loss") == {"metric": "val_loss", "direction": "minimize"}
    assert goal("update", "aims", "--direction", "maximize") == {"metric": "val_loss", "direction": "maximize"}
    assert goal("update", "aims", "--description", "d") == {"metric": "val_loss", "direction": "maximize"}
    assert goal("update", "aims", "--goal", "") is None
    alone = mlws("experiment", "update", "aims", "--direction", "minimize")
    assert (alone.code, "no goal yet" in alone.err, "[--goal]" in alone.err) == (2, True, True)


@pytest.fixture
def lean_server(tmp_path: Path) -> Iterator[LiveServer]:
    """A server without the Lab, which runs one job at a time."""
    server = lean(tmp_path / "lean", options=["--MlwsApp.max_jobs=1"])
    try:
        yield server.start()
    finally:
        server.stop()


def as_env(server: LiveServer) -> dict[str, Any]:
    """What lets a command find it."""
    return dict(server.env)


@pytest.mark.slow
@pytest.mark.timeout(300)  # many commands, one after the other
def test_jobs_are_listed_and_change_places(mlws: Mlws, lean_server: LiveServer) -> None:
    server, env = lean_server, as_env(lean_server)

    def ask(*words: str) -> Any:
        said = mlws(*words, "-o", "json", **env)
        assert said.code == 0, said.err
        return json.loads(said.out)

    first = server.submit({"kind": "command", "command": "sleep 600"}, name="first")
    server.wait(first, "Running")
    second, third = (server.submit({"kind": "command", "command": "sleep 600"}, name=name) for name in ("second", "third"))
    assert ask("job", "update", "-n", third[:12], "--priority", "5", "--display-name", "now first")["priority"] == 5
    assert [one["display_name"] for one in ask("job", "list", "--active")] == ["first", "now first", "second"]
    assert ask("job", "show", second)["waiting"]["position"] == 2
    started = mlws("job", "update", first, "--priority", "5", "--note", "not kept", **env)
    assert (started.code, "waits no longer" in started.err, "[--priority]" in started.err) == (2, True, True)
    assert server.ok("GET", f"/runs/{first}")["note"] == ""

    waited = mlws("job", "wait", second, "--timeout", "0.2", **env)
    assert (waited.code, "it goes on" in waited.err) == (5, True)
    canceled = ask("job", "cancel", "-n", second, "-n", first)
    assert [one["name"] for one in canceled] == [second, first]
    server.wait(first, "Canceled")
    server.wait(third, "Running")
    assert [one["name"] for one in ask("job", "list")] == [third, second, first]
    assert [one["name"] for one in ask("job", "list", "--status", "canceled")] == [second, first]
    assert [one["name"] for one in ask("job", "list", "--status", "Running", "--status", "Failed")] == [third]
    assert [one["name"] for one in ask("job", "list", "--max-results", "2")] == [third, second]
    either = "attributes.run_name = 'first' or attributes.run_name = 'now first'"
    assert [one["name"] for one in ask("run", "list", "--filter", either)] == [third, first]
    assert [one["name"] for one in ask("run", "list", "--filter", either, "--status", "canceled")] == [first]
    assert [one["name"] for one in ask("run", "list", "--status", "running", "--status", "Canceled")] == [third, second, first]
    for noun in ("job", "run"):
        assert "There is no status 'Done'; there are NotStarted" in mlws(noun, "list", "--status", "Done", **env).err
    assert mlws("job", "archive", third, **env).code == 2  # still runs
    server.ok("POST", f"/jobs/{third}/cancel")
    server.wait(third, "Canceled")


@pytest.mark.slow
@pytest.mark.timeout(300)  # many commands, one after the other
def test_jobs_go_to_the_bin_and_come_back(mlws: Mlws, server: LiveServer) -> None:
    job, other = (server.submit({"kind": "command", "command": "true"}, experiment="binned") for _ in range(2))
    server.wait(job)
    server.wait(other)

    def ask(*words: str) -> Any:
        said = mlws("job", *words, "-o", "json")
        assert said.code == 0, said.err
        return json.loads(said.out)

    assert ask("archive", "-n", job)["lifecycle"] == "deleted"
    assert [one["name"] for one in ask("list", "--experiment", "binned")] == [other]
    assert [one["name"] for one in ask("list", "--experiment", "binned", "--archived-only")] == [job]
    assert [one["name"] for one in ask("list", "--experiment", "binned", "--include-archived")] == [other, job]
    assert ask("restore", job)["lifecycle"] == "active"
    assert ask("delete", job, "--yes")["bytes_freed"] == 0
    assert ask("delete", job, "--purge", "--yes")["purge"] is True
    assert mlws("job", "show", job).code == 3
    tracked = server.ok("POST", "/workspaces/default/runs", {"experiment": "binned"})["id"]
    assert "is no job" in mlws("job", "archive", tracked).err
    server.ok("POST", f"/runs/{tracked}/end", {"status": "Completed"})


@pytest.mark.slow
@pytest.mark.timeout(300)  # many commands, one after the other
def test_lists_are_limited_by_the_same_words(mlws: Mlws, server: LiveServer) -> None:
    jobs = [server.submit({"kind": "command", "command": "true"}, experiment="limited") for _ in range(3)]
    for job in jobs:
        server.wait(job)
    newest = jobs[::-1]
    for noun in ("run", "job"):
        for option in ("-r", "--max-results", "--limit"):
            assert [one["name"] for one in listed(mlws, noun, "--experiment", "limited", option, "2")] == newest[:2]
        for option in ("--all", "--all-results"):
            assert [one["name"] for one in listed(mlws, noun, "--experiment", "limited", "-r", "1", option)] == newest
        said = mlws(noun, "list", "--experiment", "limited", "-r", "1")
        assert (said.code, said.err) == (0, "1 of 3; --max-results or --all-results shows more.\n")
        assert mlws(noun, "list", "--experiment", "limited", "-r", "3").err == ""
        assert mlws(noun, "list", "-r", "0").code == 2


@pytest.mark.slow
@pytest.mark.timeout(300)  # a server starts twice
def test_how_many_jobs_run_is_changed_live_and_kept(mlws: Mlws, lean_server: LiveServer) -> None:
    server, env = lean_server, as_env(lean_server)
    jobs = [server.submit({"kind": "command", "command": "sleep 600"}) for _ in range(3)]
    server.wait(jobs[0], "Running")
    assert server.ok("GET", f"/runs/{jobs[1]}")["status"] == "Queued"
    said = mlws("compute", "update", "local", "--max-jobs", "2", **env)
    assert (said.code, "at most 2 (the settings say 1)" in said.out) == (0, True)
    server.wait(jobs[1], "Running")
    waiting = server.ok("GET", f"/runs/{jobs[2]}")
    assert (waiting["status"], waiting["waiting"]["reason"]) == ("Queued", "All 2 slots of local are taken; this job is next.")
    server.stop()
    server.start()
    assert server.ok("GET", "/compute/local")["max_jobs"] == 2
    lowered = json.loads(mlws("compute", "update", "-n", "local", "--default-max-jobs", "-o", "json", **env).out)
    assert (lowered["max_jobs"], lowered["running"]) == (1, 2)  # what runs goes on
    server.ok("POST", f"/jobs/{jobs[0]}/cancel")
    server.wait(jobs[0], "Canceled")
    time.sleep(0.5)
    assert server.ok("GET", f"/runs/{jobs[2]}")["status"] == "Queued"
    for words in (["--max-jobs", "0"], [], ["--max-jobs", "2", "--default-max-jobs"], ["--max-jobs", "many"]):
        assert mlws("compute", "update", *words, **env).code == 2
    assert mlws("compute", "update", "moon", "--max-jobs", "2", **env).code == 3
    for job in jobs[1:]:
        server.ok("POST", f"/jobs/{job}/cancel")
        server.wait(job, "Canceled")


@pytest.mark.slow
def test_a_server_without_pages_names_none(mlws: Mlws, tmp_path: Path) -> None:
    env = {"MLWS_DATA_DIR": str(tmp_path / "data"), "MLWS_IDLE_TIMEOUT_S": "60"}
    try:
        made = mlws("job", "create", "--command", "true", "--stream", **env)
        assert (made.code, "http" in made.err) == (0, False)
        job = json.loads(mlws("job", "list", "-o", "json", **env).out)[0]
        assert job["services"] == {}
        shown = mlws("run", "show", job["name"], **env)
        assert "http" not in shown.out
        assert shown.out.rstrip().endswith("start `jupyter lab` to see it")
    finally:
        assert mlws("server", "stop", **env).code == 0
