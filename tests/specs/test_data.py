"""Inputs and outputs that are data, optional parts, and where errors about them stand."""

from __future__ import annotations

import pytest
from msgspec import UNSET

from jupyter_mlws.domain.jobs.errors import DataMissing
from jupyter_mlws.domain.jobs.schemas import CommandSpec, JobInput, JobOutput, SourceManifest
from jupyter_mlws.specs.errors import JobFileInvalid
from tests.specs.conftest import Read, Refused

DATA = """\
command: train ${{inputs.table}} ${{ inputs.images }} ${{inputs.raw}} > ${{outputs.model}}
inputs:
  table: {type: uri_file, path: ../data/a.csv, mode: download}
  images: {path: azureml:images:3}
  raw: {type: uri_folder, path: "https://example.org/raw/", mode: direct}
outputs:
  model: {type: uri_file, path: out/m.bin}
"""


def test_data_stays_an_expression_and_is_in_the_spec(read: Read) -> None:
    found = read(DATA)
    assert found.warnings == []
    assert found.job.spec == CommandSpec(
        command="train ${{inputs.table}} ${{inputs.images}} ${{inputs.raw}} > ${{outputs.model}}",
        inputs={
            "table": JobInput(path="../data/a.csv", type="uri_file", mode="download"),
            "images": JobInput(path="azureml:images:3"),
            "raw": JobInput(path="https://example.org/raw/", mode="direct"),
        },
        outputs={"model": JobOutput(path="out/m.bin", type="uri_file")},
    )


def test_paths_go_from_the_folder_of_the_file(read: Read) -> None:
    spec = read(DATA).placed("project/jobs").spec
    assert isinstance(spec, CommandSpec)
    assert isinstance(spec.inputs, dict)
    assert isinstance(spec.outputs, dict)
    assert {name: one.path for name, one in spec.inputs.items()} == {
        "table": "project/data/a.csv",
        "images": "azureml:images:3",
        "raw": "https://example.org/raw/",
    }
    assert spec.outputs["model"].path == "project/jobs/out/m.bin"


def test_what_lies_beside_a_file_on_another_disk_is_refused(read: Read) -> None:
    found = read(DATA + "code: src\n")
    for place in ((UNSET, UNSET), (UNSET, SourceManifest(files=[])), ("folder", SourceManifest(files=[]))):
        with pytest.raises(JobFileInvalid, match=r"^job.yml, line 3, inputs.table.path: the server does not see the disk"):
            found.placed(*place)
    near = read("command: x ${{inputs.a}}\ninputs: {a: {path: azureml:a:1}}\n")
    assert near.placed(UNSET) == near.job


def test_later_errors_about_data_have_their_line(read: Read) -> None:
    error = read(DATA).located(DataMissing("Nothing there.", field="spec.inputs.table.path"))
    assert (error.message, error.field) == ("job.yml, line 3, inputs.table.path: Nothing there.", "inputs.table.path")
    whole = read(DATA).located(DataMissing("No.", field="spec.outputs.model"))
    assert whole.message == "job.yml, line 7, outputs.model: No."


def test_an_output_may_say_nothing_of_itself(read: Read) -> None:
    spec = read("command: x > ${{outputs.a}}/y\noutputs:\n  a:\n  b: {}\n")
    assert spec.job.spec == CommandSpec(command="x > ${{outputs.a}}/y", outputs={"a": JobOutput(), "b": JobOutput()})
    assert [warning.message for warning in spec.warnings] == [
        "job.yml, line 4, outputs.b: The command does not name this output."
    ]


@pytest.mark.parametrize(
    ("given", "command"),
    [
        ("{type: integer, optional: true}", "go  end"),
        ("{type: integer, optional: true, default: 3}", "go --n 3 end"),
        ("{type: integer, optional: true, default: 3, value: 4}", "go --n 4 end"),
        ("{type: uri_file, optional: true}", "go  end"),
        ("{type: uri_file, optional: true, path: d}", "go --n ${{inputs.n}} end"),
        ("7", "go --n 7 end"),
    ],
)
def test_an_optional_part_is_there_if_its_input_is(read: Read, given: str, command: str) -> None:
    found = read(f"command: go $[[--n ${{{{inputs.n}}}}]] end\ninputs: {{n: {given}}}\n")
    assert found.job.spec.command == command  # type: ignore[union-attr]
    assert found.warnings == []


def test_a_part_with_two_inputs_needs_both(read: Read) -> None:
    text = "command: a $[[x ${{inputs.one}} ${{inputs.two}}]] $[ 1 + 1 ] [[ -n b ]]\ninputs: {one: 1, two: {type: string, optional: true}}"
    assert read(text).job.spec.command == "a  $[ 1 + 1 ] [[ -n b ]]"  # type: ignore[union-attr]
    assert read(text, inputs__two="2").job.spec.command == "a x 1 2 $[ 1 + 1 ] [[ -n b ]]"  # type: ignore[union-attr]


def test_an_optional_input_without_value_stands_in_a_part_only(refused: Refused) -> None:
    text = "command: |\n  $[[${{inputs.a}}]]\n  ${{inputs.a}}\ninputs: {a: {type: string, optional: true}}\n"
    assert refused(text).message.startswith(
        "job.yml, line 3, command: the input 'a' is optional and has no value; put what names it"
    )
