"""The last of the folder: it waits for a job that was begun before all others."""

from __future__ import annotations

import pytest

from tests.compute_slurm.test_ends import test_its_time_limit_is_named

__all__ = ["test_its_time_limit_is_named"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
