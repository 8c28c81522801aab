"""A file that is written from a job asks for the same job."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from jupyter_mlws.domain.compute.schemas import JobResources
from jupyter_mlws.domain.jobs.schemas import CommandSpec, ExtensionSpec, JobCreate, JobInput, JobOutput, NotebookSpec
from jupyter_mlws.specs.job_files import read_job_file
from jupyter_mlws.specs.writing import NoJobFile, in_file, write_job_file

CHARS = st.characters(codec="utf-8", exclude_characters="\0")
ODD = ["1e-3", "yes", "~", "", " a ", "a\nb\n", "a\n\n  b", "#x", "0x1F", "<<", "🦊\x1b\u2028"]
TEXT = st.text(CHARS, max_size=12) | st.sampled_from(ODD)
FULL = TEXT.filter(bool)
NAME = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
PATH = st.sampled_from(["a", "../b c/d.csv", "/srv/data", "azureml:iris:1", "https://example.org/x?y=1#z"])
LOCAL = st.sampled_from(["a", "../b c/d.csv", "/srv/data", "1", "yes"])
TYPES = st.sampled_from(["uri_file", "uri_folder", "mltable", "custom_model", "mlflow_model", "triton_model"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
INPUTS = st.builds(JobInput, path=PATH, type=TYPES, mode=st.sampled_from(["ro_mount", "rw_mount", "download", "direct"]))
OUTPUTS = st.builds(JobOutput, path=PATH, type=TYPES, mode=st.sampled_from(["rw_mount", "upload", "direct"])) | st.builds(
    JobOutput, type=TYPES, mode=st.sampled_from(["rw_mount", "upload"])
)


@st.composite
def commands(draw: st.DrawFn) -> CommandSpec:
    inputs, outputs = draw(st.dictionaries(NAME, INPUTS, max_size=2)), draw(st.dictionaries(NAME, OUTPUTS, max_size=2))
    named = [f"${{{{inputs.{name}}}}}" for name in inputs] + [f"${{{{outputs.{name}}}}}" for name in outputs]
    line = "".join(draw(FULL) + expression for expression in [*named, ""])
    return CommandSpec(command=line, code=draw(st.just(UNSET) | LOCAL), inputs=inputs or UNSET, outputs=outputs or UNSET)


NOTEBOOKS = st.builds(
    NotebookSpec,
    notebook=LOCAL,
    kernel=st.just(UNSET) | TEXT,
    memory_limit=st.sampled_from([UNSET, 1 << 30]),
    keep_kernel_on_failure=st.sampled_from([UNSET, True]),
    parameters=st.just(UNSET) | st.dictionaries(FULL, VALUES, min_size=1, max_size=3),
)
JOBS = st.builds(
    JobCreate,
    spec=commands() | NOTEBOOKS,
    experiment=st.just(UNSET) | FULL,
    name=st.just(UNSET) | FULL,
    note=st.just(UNSET) | TEXT,
    tags=st.just(UNSET) | st.dictionaries(FULL, TEXT, min_size=1, max_size=2),
    env=st.just(UNSET) | st.dictionaries(NAME, TEXT, min_size=1, max_size=2),
    timeout_s=st.just(UNSET) | st.integers(1, 31_536_000),
    max_retries=st.sampled_from([0, 2]),
    secrets=st.sampled_from([UNSET, {"API_KEY": "key"}]),
    resources=st.just(UNSET) | st.sampled_from([JobResources(cpus=0.5, gpus=1), JobResources(memory_bytes=1 << 30)]),
    priority=st.sampled_from([0, 7]),
    in_place=st.booleans(),
)


@given(JOBS)
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300, deadline=None)
def test_a_file_that_was_written_asks_for_the_same_job(job: JobCreate) -> None:
    written = write_job_file(job)
    assert read_job_file(written.text, file="job.yml").job == in_file(job)
    assert all(warning.startswith("No field of a file says this; give it beside the file: --") for warning in written.warnings)


def test_a_file_as_a_person_would_write_it() -> None:
    spec = CommandSpec(
        command="python train.py \\\n  --table ${{inputs.table}}\n",
        code="src",
        inputs={"table": JobInput(path="a.csv", type="uri_file")},
        outputs={"model": JobOutput()},
    )
    written = write_job_file(JobCreate(spec=spec, name="first", tags={"n": "1"}, timeout_s=60, priority=3), ["Mind this."])
    assert written.warnings == ["Mind this.", "No field of a file says this; give it beside the file: --priority 3"]
    assert (
        written.text
        == """\
# Mind this.
# No field of a file says this; give it beside the file: --priority 3
$schema: https://azuremlschemas.azureedge.net/latest/commandJob.schema.json
type: command
display_name: first
tags:
  n: '1'
command: |
  python train.py \\
    --table ${{inputs.table}}
code: src
inputs:
  table:
    path: a.csv
    type: uri_file
    mode: ro_mount
outputs:
  model:
    type: uri_folder
    mode: rw_mount
compute: local
limits:
  timeout: 60
"""
    )


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (
            JobCreate(spec=CommandSpec(command="echo ${{inputs.x}}")),
            "This file is not taken as it is: job.yml, line 3, command: ",
        ),
        (
            JobCreate(spec=CommandSpec(command="x"), name="${{a}}"),
            "This file is not taken as it is: job.yml, line 3, display_name: ",
        ),
        (JobCreate(spec=CommandSpec(command="x" * 70_000)), "This file has 70,"),
    ],
)
def test_what_a_file_cannot_say_is_told(job: JobCreate, words: str) -> None:
    written = write_job_file(job)
    assert written.warnings[0].startswith(words)
    assert written.text.startswith(f"# {words}")


def test_kinds_of_other_packages_have_no_files() -> None:
    spec: Any = ExtensionSpec(extension="noting")
    with pytest.raises(NoJobFile, match="'noting' cannot be written as a file"):
        write_job_file(JobCreate(spec=spec))
