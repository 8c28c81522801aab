"""The job file that the submit form writes says what the form sends."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from jupyter_mlws.domain.jobs.schemas import JobCreate
from jupyter_mlws.specs.job_files import read_job_file

WRITTEN = Path(__file__).parents[2] / "src" / "domain" / "jobs" / "__tests__" / "jobFile.json"
"""What the form writes of a job; the tests of the form read it too."""


def test_what_the_form_writes_is_what_it_sends():
    written = json.loads(WRITTEN.read_text(encoding="utf-8"))
    read = read_job_file("\n".join(written["lines"]), file="form.job.yml")
    assert read.warnings == []
    assert msgspec.to_builtins(read.job) == msgspec.to_builtins(msgspec.convert(written["job"], JobCreate))
