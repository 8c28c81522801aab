"""Reading files that stand in the test."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jupyter_mlws.specs.errors import JobFileInvalid
from jupyter_mlws.specs.job_files import ParsedJobFile, read_job_file

Read = Callable[..., ParsedJobFile]
Refused = Callable[..., JobFileInvalid]


def outcome(text: str) -> ParsedJobFile | JobFileInvalid:
    """What comes of a file: its job, or the error that it makes."""
    try:
        return read_job_file(text, file="job.yml")
    except JobFileInvalid as error:
        return error


@pytest.fixture
def read() -> Read:
    """Reads the text of a file; further arguments are fields by path."""

    def run(text: str, **changes: str) -> ParsedJobFile:
        return read_job_file(text, file="job.yml", changes={name.replace("__", "."): value for name, value in changes.items()})

    return run


@pytest.fixture
def refused(read: Read) -> Refused:
    """The error that a file must make."""

    def run(text: str, **changes: str) -> JobFileInvalid:
        with pytest.raises(JobFileInvalid) as failure:
            read(text, **changes)
        return failure.value

    return run
