"""`mlws job create --file` and `mlws job validate`, against a server on this disk and against one that cannot see it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Mlws
from tests.live import LiveServer, write_notebook

COMMAND = """\
$schema: https://azuremlschemas.azureedge.net/latest/commandJob.schema.json
command: cat words.txt && echo "${{inputs.greeting}}, $WHO; rate ${{inputs.rate}}"
code: src
inputs:
  greeting: good day
  rate: 0.5
environment_variables:
  WHO: you
services: {board: {type: tensor_board}}
experiment_name: from files
display_name: by file
description: As written.
tags:
  team: vision
limits:
  timeout: 50
compute: azureml:local
"""
NOTEBOOK = "type: notebook\nnotebook: ../nb/train.ipynb\nparameters:\n  rate: 1e-1\ndisplay_name: a notebook\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with job files and what they take along."""
    jobs = tmp_path / "project" / "jobs"
    (jobs / "src").mkdir(parents=True)
    (jobs / "src" / "words.txt").write_text("words beside the file\n")
    (jobs / "train.yml").write_text(COMMAND)
    (jobs / "notebook.yml").write_text(NOTEBOOK)
    write_notebook(tmp_path / "project" / "nb" / "train.ipynb", "print('rate is', rate)", parameters="rate: float = 0.5")
    return jobs


@pytest.fixture(params=["near", "far"])
def place(request: pytest.FixtureRequest, server: LiveServer, tmp_path: Path) -> dict[str, str]:
    """Environment of a client that the server shares its disk with, and of one on another machine."""
    if request.param == "near":
        return {}
    return {"MLWS_URL": server.url, "MLWS_TOKEN": server.token, "MLWS_DATA_DIR": str(tmp_path / "elsewhere")}


@pytest.mark.slow
def test_a_command_file_runs(mlws: Mlws, folder: Path, place: dict[str, str]) -> None:
    said = mlws("job", "create", "--file", str(folder / "train.yml"), "--set", "inputs.rate=1", "--stream", **place)
    assert (said.code, said.out) == (0, "words beside the file\ngood day, you; rate 1\n"), said.err
    assert "Warning: train.yml, line 9, services: No interactive service" in said.err
    run_id = re.findall(r"[0-9a-f]{32}", said.err)[0]
    shown = json.loads(mlws("job", "show", run_id, "-o", "json").out)
    assert (shown["experiment_name"], shown["display_name"], shown["description"]) == ("from files", "by file", "As written.")
    assert (shown["tags"], shown["timeout_s"], shown["compute"], shown["priority"]) == ({"team": "vision"}, 50, "local", 0)
    assert shown["spec"]["command"] == 'cat words.txt && echo "good day, $WHO; rate 1"'


DATA = """\
command: cat ${{inputs.words}} $[[${{inputs.more}}]] && cp ${{inputs.words}} ${{outputs.copy}}
inputs:
  words: {type: uri_file, path: src/words.txt}
  more: {type: uri_file, optional: true}
outputs:
  copy: {type: uri_file, path: results/copy.txt, mode: upload}
"""


@pytest.mark.slow
def test_data_beside_the_file_is_read_and_outputs_come_back_there(mlws: Mlws, folder: Path) -> None:
    (folder / "data.yml").write_text(DATA)
    (folder / "more.txt").write_text("and more\n")
    more = "inputs.more={type: uri_file, path: more.txt}"
    said = mlws("job", "create", "--file", str(folder / "data.yml"), "--set", more, "--stream")
    assert (said.code, said.out) == (0, "words beside the file\nand more\n"), said.err
    assert (folder / "results" / "copy.txt").read_text() == "words beside the file\n"
    (folder / "src" / "words.txt").unlink()
    gone = mlws("job", "validate", "--file", str(folder / "data.yml"))
    assert gone.code == 3
    assert "data.yml, line 3, inputs.words.path: An input of the type uri_file is a file; at " in gone.err


def test_data_of_a_disk_that_the_server_does_not_see_is_refused(
    mlws: Mlws, folder: Path, server: LiveServer, tmp_path: Path
) -> None:
    (folder / "data.yml").write_text(DATA)
    far = {"MLWS_URL": server.url, "MLWS_TOKEN": server.token, "MLWS_DATA_DIR": str(tmp_path / "elsewhere")}
    for verb in ("validate", "create"):
        said = mlws("job", verb, "--file", str(folder / "data.yml"), **far)
        assert said.code == 2
        assert "data.yml, line 3, inputs.words.path: the server does not see the disk of this file." in said.err


@pytest.mark.slow
def test_a_notebook_file_runs(mlws: Mlws, folder: Path, place: dict[str, str]) -> None:
    said = mlws("job", "create", "-f", "notebook.yml", "--priority", "3", "--stream", cwd=folder, **place)
    assert (said.code, said.out) == (0, "rate is 0.1\n"), said.err
    run_id = re.findall(r"[0-9a-f]{32}", said.err)[0]
    shown = json.loads(mlws("job", "show", run_id, "-o", "json").out)
    assert (shown["type"], shown["display_name"], shown["priority"], shown["parameters"]) == (
        "notebook",
        "a notebook",
        3,
        {"rate": "0.1"},
    )


def test_validate_tells_what_the_job_would_be_and_submits_nothing(mlws: Mlws, folder: Path, place: dict[str, str]) -> None:
    before = json.loads(mlws("job", "list", "--all", "-o", "json").out)
    said = mlws("job", "validate", "--file", str(folder / "train.yml"), "-o", "json", **place)
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert (told["result"], [one["field"] for one in told["warnings"]]) == ("Succeeded", ["services"])
    assert told["job"]["spec"] == {
        "kind": "command",
        "command": 'cat words.txt && echo "good day, $WHO; rate 0.5"',
        "code": "src",
    }
    assert said.err.startswith("Warning: train.yml, line 9, services: ")
    table = mlws("job", "validate", "--file", str(folder / "notebook.yml"), **place)
    assert (table.code, "rate = 0.1" in table.out, table.err) == (0, True, "")
    assert json.loads(mlws("job", "list", "--all", "-o", "json").out) == before


BAD = [
    ("limits: {timeout: soon}", 'job.yml, line 3, limits.timeout: a whole number of seconds is needed, not "soon".'),
    ("compute: moon", "job.yml, line 3, compute: There is no compute target 'moon'; there are: local."),
    ("outputs: {a: {name: x}}", "job.yml, line 3, outputs.a.name: An output is not registered"),
    (
        "inputs: {a: {path: https://example.org/x, type: uri_file}}",
        "job.yml, line 3, inputs.a.path: 'https://example.org/x' lies elsewhere, and nothing is fetched. Name the folder",
    ),
    ("tags: {a: &x [*x]}", "job.yml, line 3, tags.a: "),
    ("limits: {timeout: 5", "job.yml, line 4, column 1: this is not YAML: "),
    ('"\\e[31m": 1', r"job.yml, line 3, \x1b[31m: job files have no such field."),
    ("code: 5\ndisplay_name: 6", "job.yml, line 4, display_name: "),
]


@pytest.mark.parametrize(("line", "words"), BAD, ids=[line for line, _ in BAD])
def test_what_is_wrong_is_said_with_its_line_and_ends_with_2(mlws: Mlws, tmp_path: Path, line: str, words: str) -> None:
    (tmp_path / "job.yml").write_text(f"type: command\ncommand: echo hi\n{line}\n")
    for verb in ("validate", "create"):
        said = mlws("job", verb, "--file", "job.yml")
        assert (said.code, said.out) == (2, ""), said.err
        assert words in said.err
        assert "\x1b" not in said.err


@pytest.mark.parametrize(
    ("text", "words", "code"),
    [
        ("type: notebook\nnotebook: no.ipynb\n", "job.yml, line 2, notebook: ", 3),
        ("command: x\ncode: nowhere\n", "job.yml, line 2, code: ", 3),
        (
            "type: notebook\nnotebook: n.ipynb\nparameters:\n  rat: 1\n",
            "job.yml, line 4, parameters.rat: n.ipynb has no parameter 'rat'.",
            2,
        ),
        (
            "type: notebook\nnotebook: n.ipynb\nparameters:\n  rate: high\n",
            "job.yml, line 4, parameters.rate: The parameter 'rate'",
            2,
        ),
        ("type: notebook\nkernel: cobol\nnotebook: n.ipynb\n", "job.yml, line 2, kernel: The kernel 'cobol' is not installed", 2),
    ],
)
def test_what_only_the_sources_tell_has_its_line_too(
    mlws: Mlws, tmp_path: Path, place: dict[str, str], text: str, words: str, code: int
) -> None:
    write_notebook(tmp_path / "n.ipynb", "1", parameters="rate: float = 0.5")
    (tmp_path / "job.yml").write_text(text)
    created = mlws("job", "create", "--file", "job.yml", **place)
    assert (created.code, words in created.err) == (code, True), created.err
    validated = mlws("job", "validate", "--file", "job.yml", **place)
    if place and code == 2:  # what a notebook takes is known once it was sent
        assert validated.code == 0, validated.err
    else:
        assert (validated.code, words in validated.err) == (code, True), validated.err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["create", "--file", "absent.yml"], 3, "There is no file absent.yml. [--file]"),
        (["validate", "--file", "."], 2, "cannot be read"),
        (["validate", "--file", "binary.yml"], 2, "byte 9 is not UTF-8"),
        (["validate", "--file", "long.yml"], 2, "at most 65,536 characters"),
        (["validate", "--file", "fairly-long.yml"], 2, "[--file]"),
        (["validate"], 2, "--file PATH"),
        (["create", "--set", "a=1"], 2, "--set goes with --file"),
        (["create", "--file", "ok.yml", "--set", "a"], 2, "key=value"),
        (["create", "--file", "ok.yml", "--set", "limits.timeout=x"], 2, "set, limits.timeout: "),
        (["create", "--file", "ok.yml", "--notebook", "n.ipynb"], 2, "--notebook does not go with --file"),
        (["create", "--file", "ok.yml", "--target", "local"], 2, "--target does not go with --file"),
        (["create", "--file", "ok.yml", "-p", "a=1"], 2, "--parameter does not go with --file"),
        (["create", "--file", "ok.yml", "--tag", "a=1"], 2, "change a field of the file with --set"),
    ],
)
def test_wrong_command_lines(mlws: Mlws, tmp_path: Path, words: list[str], code: int, told: str) -> None:
    (tmp_path / "ok.yml").write_text("command: 'true'\n")
    (tmp_path / "binary.yml").write_bytes(b"command: \xff")
    (tmp_path / "long.yml").write_text("command: 'true'\n" + "# long\n" * 100_000)
    (tmp_path / "fairly-long.yml").write_text("command: 'true'\n" + "# long\n" * 10_000)
    said = mlws("job", *words)
    assert (said.code, said.out) == (code, ""), said.err
    assert told in said.err


def test_a_job_is_written_as_a_file_that_makes_it_again(mlws: Mlws, folder: Path) -> None:
    made = json.loads(mlws("job", "create", "--command", "cat words.txt", "--code", str(folder / "src"), "-o", "json").out)
    said = mlws("job", "export", made["name"], "--to", str(folder / "again.yml"))
    assert (said.code, said.out, said.err) == (0, "", f"Wrote {folder / 'again.yml'}\n")
    again = mlws("job", "create", "--file", str(folder / "again.yml"), "--stream")
    assert (again.code, again.out) == (0, "words beside the file\n"), again.err
    printed = mlws("job", "export", made["name"])
    assert (printed.code, printed.out) == (0, (folder / "again.yml").read_text())
    assert json.loads(mlws("job", "export", made["name"], "-o", "json").out) == {"text": printed.out, "warnings": []}
    there = mlws("job", "export", made["name"], "--to", str(folder / "again.yml"))
    assert (there.code, "cannot be written: File exists" in there.err) == (2, True)


def test_the_schema_for_editors_is_the_one_of_the_docs(mlws: Mlws) -> None:
    said = mlws("job", "schema")
    kept = Path(__file__).parents[2] / "docs" / "reference" / "job.schema.json"
    assert (said.code, said.out) == (0, kept.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_in_place_is_in_the_code_folder_itself(mlws: Mlws, folder: Path) -> None:
    (folder / "pwd.yml").write_text("command: pwd\ncode: src\n")
    said = mlws("job", "create", "--file", str(folder / "pwd.yml"), "--in-place", "--stream")
    assert (said.code, said.out) == (0, f"{(folder / 'src').resolve()}\n"), said.err


@pytest.mark.slow
def test_the_shipped_examples_are_valid(mlws: Mlws) -> None:
    examples = Path(__file__).parents[2] / "examples"
    files = sorted(examples.glob("*.job.yml"))
    assert files
    for file in files:
        said = mlws("job", "validate", "--file", str(file))
        assert (said.code, said.err) == (0, ""), said.err
