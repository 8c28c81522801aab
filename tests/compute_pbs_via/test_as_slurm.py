"""What targets of PBS by way of a login node do as those of Slurm: the same tests, with other programs."""

from __future__ import annotations

import pytest

from tests.compute_via.conftest import sbatch
from tests.compute_via.test_cut_off import (
    test_a_server_that_was_killed_takes_up_what_waits_runs_has_ended_and_was_just_submitted,
)
from tests.compute_via.test_ends import (
    test_its_time_limit_is_named,
    test_of_a_supervisor_that_was_killed_the_end_is_told_and_what_it_left_is_here,
    test_secrets_reach_the_job_and_stay_nowhere,
    test_what_is_refused_there_fails_with_its_words_and_leaves_nothing,
    test_why_it_waits_is_said_and_it_leaves_the_queue,
)
from tests.compute_via.test_jobs_there import test_a_command_runs_there_with_all_that_it_logs

__all__ = [
    "sbatch",
    "test_a_command_runs_there_with_all_that_it_logs",
    "test_a_server_that_was_killed_takes_up_what_waits_runs_has_ended_and_was_just_submitted",
    "test_its_time_limit_is_named",
    "test_of_a_supervisor_that_was_killed_the_end_is_told_and_what_it_left_is_here",
    "test_secrets_reach_the_job_and_stay_nowhere",
    "test_what_is_refused_there_fails_with_its_words_and_leaves_nothing",
    "test_why_it_waits_is_said_and_it_leaves_the_queue",
]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
