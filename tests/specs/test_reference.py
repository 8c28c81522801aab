"""The reference page for people says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jupyter_mlws.domain.jobs.schemas import JOB_FILE_CHARS, CommandSpec
from jupyter_mlws.specs.nodes import MAX_DEPTH, MAX_NODES
from tests.specs.conftest import Read, Refused

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "job-files.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The first block in a language."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_file_on_the_page_is_read_without_a_warning(read: Read) -> None:
    found = read(block("yaml"), inputs__epochs="5")
    assert found.warnings == []
    assert (found.job.spec, found.job.timeout_s) == (CommandSpec(command="python train.py --epochs 5", code="src"), 600)


def test_errors_are_shown_as_they_are(refused: Refused) -> None:
    wrong = refused("command: x\n\nlimits:\n  timeout: soon\n\ntag: {}\n")
    assert block("text") == f"Error: {wrong.message}\n"


@pytest.mark.parametrize(
    "words",
    [f"more than\n{JOB_FILE_CHARS:,} characters", f"more than {MAX_NODES:,} values", f"nesting of more than {MAX_DEPTH} levels"],
)
def test_limits_are_named_as_they_are(words: str) -> None:
    assert words in PAGE
