"""The other tests of PBS, and of login nodes, with both: for a long run."""

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
)

__all__ = [
    "sbatch",
    "test_a_server_that_was_killed_takes_up_what_waits_runs_has_ended_and_was_just_submitted",
    "test_its_time_limit_is_named",
    "test_of_a_supervisor_that_was_killed_the_end_is_told_and_what_it_left_is_here",
    "test_secrets_reach_the_job_and_stay_nowhere",
]

pytestmark = [pytest.mark.slow, pytest.mark.soak, pytest.mark.again, pytest.mark.timeout(300)]
