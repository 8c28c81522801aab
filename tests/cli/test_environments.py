"""`mlws environment`: made of a file, built with its log, named by a job, and the alias table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Mlws
from tests.domain.environments.conftest import wheel


@pytest.mark.slow
def test_an_environment_from_its_file_to_a_job(mlws: Mlws, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(f"--no-index\ntinypkg @ file://{wheel(tmp_path)}\n")
    words = ["--requirements", str(tmp_path / "requirements.txt"), "--no-ipykernel", "--tag", "a=1"]
    made = mlws("environment", "create", "cli-made", *words, "--build")
    assert made.code == 0, made.err
    assert "\n + tinypkg==1.0 " in made.out  # as uv says it
    shown = json.loads(mlws("environment", "show", "cli-made@latest", "-o", "json").out)
    assert (shown["version"], shown["tags"], shown["build"]["status"]) == ("1", {"a": "1"}, "Ready")
    assert "tinypkg==1.0" in mlws("environment", "log", "cli-made:1").out
    line = "python -c 'import tinypkg; print(tinypkg.X)'"
    ran = mlws("job", "create", "--command", line, "--environment", "cli-made", "--stream")
    assert (ran.code, ran.out) == (0, "41\n"), ran.err
    (tmp_path / "requirements.txt").write_text("--no-index\nno-such-package-anywhere\n")
    failed = mlws("environment", "create", "cli-made", *words, "--build")
    assert (failed.code, "no-such-package-anywhere was not found" in failed.out) == (1, True), failed.err
    assert [one["version"] for one in json.loads(mlws("environment", "show", "cli-made", "--versions", "-o", "json").out)] == [
        2,
        1,
    ]
    assert mlws("environment", "archive", "cli-made").code == 0
    names = [one["name"] for one in json.loads(mlws("environment", "list", "-o", "json").out)]
    assert "cli-made" not in names
    assert mlws("environment", "restore", "cli-made").code == 0


def test_what_is_wrong_is_said_in_words(mlws: Mlws, tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text("numpy\n-r /etc/passwd\n")
    for words, said in (
        (["x", "--requirements", str(tmp_path / "r.txt")], "Line 2 ('-r /etc/passwd') names another file"),
        (["x", "--requirements", str(tmp_path / "none.txt")], "cannot be read"),
        (["x"], "Say one of"),
        (["x", "--kernel", "python3", "--conda", "c.yml"], "Say one of"),
        (["../x", "--kernel", "python3"], "The name of an environment has letters"),
        (["x", "--kernel", "no-such-kernel"], "is not installed. Installed are"),
        (["x", "--python", "/no/such/python"], "no Python interpreter"),
    ):
        refused = mlws("environment", "create", *words)
        assert (refused.code, said in refused.err) == (2, True), (words, refused.err)
    assert mlws("environment", "build", "never-made").code == 3
    unknown = mlws("job", "create", "--command", "true", "--environment", "never-made")
    assert (unknown.code, "no environment 'never-made'" in unknown.err) == (2, True)


def test_the_alias_table(mlws: Mlws) -> None:
    alias = "azureml:sklearn-1.5@latest"
    assert mlws("environment", "alias", "set", alias, "sk:1").code == 0
    assert json.loads(mlws("environment", "alias", "list", "-o", "json").out) == [
        {"alias": alias, "environment": "sk:1", "from_settings": False}
    ]
    assert mlws("environment", "alias", "set", alias, "no/name").code == 2
    assert mlws("environment", "alias", "delete", alias).code == 0
    assert mlws("environment", "alias", "delete", alias).code == 2
