"""What targets of PBS do as those of Slurm: the same tests, with other programs, of what `qsub`, `qstat` and `qdel` have a part in."""

from __future__ import annotations

import pytest

from tests.compute_slurm.test_cut_off import (
    sbatch,
    test_a_server_that_was_killed_takes_up_what_waits_runs_has_ended_and_was_just_submitted,
    test_slurmctld_is_down_while_jobs_are_submitted_wait_and_run,
)
from tests.compute_slurm.test_ends import test_its_time_limit_is_named
from tests.compute_slurm.test_jobs_there import (
    test_a_command_runs_there_with_all_that_it_logs,
    test_what_is_refused_there_fails_with_its_words,
    test_why_it_waits_is_said_and_it_leaves_the_queue,
)

__all__ = [
    "sbatch",
    "test_a_command_runs_there_with_all_that_it_logs",
    "test_a_server_that_was_killed_takes_up_what_waits_runs_has_ended_and_was_just_submitted",
    "test_its_time_limit_is_named",
    "test_slurmctld_is_down_while_jobs_are_submitted_wait_and_run",
    "test_what_is_refused_there_fails_with_its_words",
    "test_why_it_waits_is_said_and_it_leaves_the_queue",
]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
