"""The tests of Slurm that pass through nothing of PBS's own, with PBS: for a long run."""

from __future__ import annotations

import pytest

from tests.compute_slurm.test_cut_off import sbatch, test_of_two_submissions_one_runs
from tests.compute_slurm.test_ends import test_a_target_that_is_given_up_leaves_nothing_there
from tests.compute_slurm.test_jobs_there import (
    test_a_notebook_runs_there,
    test_exit_code_limit_and_retries_are_as_everywhere,
    test_secrets_reach_the_job_and_stay_nowhere,
)

__all__ = [
    "sbatch",
    "test_a_notebook_runs_there",
    "test_a_target_that_is_given_up_leaves_nothing_there",
    "test_exit_code_limit_and_retries_are_as_everywhere",
    "test_of_two_submissions_one_runs",
    "test_secrets_reach_the_job_and_stay_nowhere",
]

pytestmark = [pytest.mark.slow, pytest.mark.soak, pytest.mark.again, pytest.mark.timeout(300)]
