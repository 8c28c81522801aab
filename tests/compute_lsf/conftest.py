"""Programs that speak as LSF's in front of a Slurm, and a server that has them as the target `batch`, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.compute_slurm.conftest import server
from tests.slurm import Lsf, Slurm, running_slurm

__all__ = ["server"]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Slurm]:
    yield from running_slurm(Lsf)
