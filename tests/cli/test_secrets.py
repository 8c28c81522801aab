"""`mlws secret`, and jobs that are given one."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import MLWS, Mlws
from tests.live import LiveServer


@pytest.mark.slow
def test_a_secret_is_set_from_standard_input_given_to_a_job_and_deleted(mlws: Mlws, tmp_path: Path) -> None:
    assert mlws("secret", "list").err.strip() == "No secrets. `mlws secret set NAME` makes one."
    said = mlws("secret", "set", "CLI_TOKEN", input="typed-0123456789\n")
    assert said.code == 0, said.err
    assert "typed-0123456789" not in said.out + said.err
    run = ("job", "create", "--command", 'printf %s "$CLI_TOKEN$OTHER" | wc -c; echo $OTHER', "--stream")
    said = mlws(*run, "--secret", "CLI_TOKEN", "--secret", "OTHER=CLI_TOKEN")
    assert (said.code, said.out) == (0, "32\n***\n"), said.err
    (tmp_path / "job.yml").write_text("command: echo $A\nsecrets: {A: CLI_TOKEN}\n")
    assert mlws("job", "create", "--file", "job.yml", "--stream").out == "***\n"
    (tmp_path / "bad.yml").write_text("command: echo $A\nsecrets:\n  A: CLI_TOKAN\n")
    refused = mlws("job", "create", "--file", "bad.yml")
    assert refused.code == 2
    assert "bad.yml, line 3" in refused.err
    assert "Did you mean 'CLI_TOKEN'?" in refused.err
    listed = json.loads(mlws("secret", "list", "--output", "json").out)
    assert [(one["name"], one["jobs"]) for one in listed] == [("CLI_TOKEN", 2)]
    assert mlws("secret", "rotate-key").code == 0
    assert mlws("secret", "delete", "CLI_TOKEN").code == 2, "without a terminal it is not asked, so nothing goes"
    assert mlws("secret", "delete", "CLI_TOKEN", "--yes").code == 0
    assert mlws("secret", "delete", "CLI_TOKEN", "--yes").code == 3


def test_on_a_terminal_the_value_is_asked_for_and_not_shown(server: LiveServer, tmp_path: Path) -> None:
    primary, secondary = pty.openpty()
    process = subprocess.Popen(
        [MLWS, "secret", "set", "TYPED"], env=server.env, cwd=tmp_path, stdin=secondary, stdout=secondary, stderr=secondary
    )
    os.close(secondary)
    shown = b""
    while b"Value of TYPED" not in shown:
        shown += os.read(primary, 1024)
    os.write(primary, b"unseen-0123456789\n")
    assert process.wait(30) == 0
    shown += os.read(primary, 65536)
    os.close(primary)
    assert b"unseen" not in shown
    assert server.request("DELETE", "/workspaces/default/secrets/TYPED").status_code == 204
