"""The JSON schema for editors says what the table of fields says."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import msgspec
import pytest
import yaml

from jupyter_mlws.specs.data import READERS
from jupyter_mlws.specs.fields import FIELDS, Fate, Field
from jupyter_mlws.specs.schema import SHAPES, json_schema
from tests.specs.test_data import DATA
from tests.specs.test_job_files import LEAST, ROWS, WHOLE, with_field

ROOT = Path(__file__).parents[2]
CHECK = jsonschema.Draft7Validator(json_schema())


def test_it_is_a_schema_and_knows_each_shape() -> None:
    jsonschema.Draft7Validator.check_schema(json_schema())
    assert set(SHAPES) | {"inputs", "outputs"} == set(READERS)


@pytest.mark.parametrize(("field", "kind"), ROWS, ids=[f"{field.path}-{kind}" for field, kind in ROWS])
def test_each_row_is_in_it_unless_it_is_refused(field: Field, kind: str) -> None:
    if field.path == "type":
        field = msgspec.structs.replace(field, example=kind)
    file = yaml.safe_load(with_field(field, kind))
    assert CHECK.is_valid(file) is (field.fate is not Fate.REFUSED), list(CHECK.iter_errors(file))


@pytest.mark.parametrize("text", [*LEAST.values(), WHOLE, DATA])
def test_files_that_are_read_are_valid(text: str) -> None:
    CHECK.validate(yaml.safe_load(text))


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.job.yml")), ids=lambda path: path.name)
def test_the_shipped_examples_are_valid(path: Path) -> None:
    CHECK.validate(yaml.safe_load(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "text",
    [
        "code: src",
        "command: x\nnotebook: n.ipynb",
        "type: notebook\ncommand: x",
        "type: pipeline\ncommand: x",
        "command: x\nlimits: {timeout: soon}",
        "command: x\nlimits: {timeou: 1}",
        "command: x\ndisplay_nam: y",
        "command: x\ninputs: {a: {path: x, mode: mount}}",
        "command: x\ninputs: {a-b: 1}",
        "command: x\noutputs: {a: 1}",
        "command: x\ntags: {a: 1}",
    ],
)
def test_what_is_wrong_is_marked(text: str) -> None:
    assert not CHECK.is_valid(yaml.safe_load(text))


def test_each_field_tells_what_it_is() -> None:
    text = json.dumps(json_schema(), ensure_ascii=False)
    for field in FIELDS:
        assert (json.dumps(field.about, ensure_ascii=False)[1:-1] in text) is (field.fate is not Fate.REFUSED)
