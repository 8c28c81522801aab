"""What targets of PBS by way of a login node do as those of Slurm: the same tests, with other programs. How PBS tells of ends, and what a
login node does when servers and supervisors are killed, other folders have."""

from __future__ import annotations

import pytest

from tests.compute_via.test_ends import (
    test_what_is_refused_there_fails_with_its_words_and_leaves_nothing,
    test_why_it_waits_is_said_and_it_leaves_the_queue,
)
from tests.compute_via.test_jobs_there import test_a_command_runs_there_with_all_that_it_logs

__all__ = [
    "test_a_command_runs_there_with_all_that_it_logs",
    "test_what_is_refused_there_fails_with_its_words_and_leaves_nothing",
    "test_why_it_waits_is_said_and_it_leaves_the_queue",
]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
