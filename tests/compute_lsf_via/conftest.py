"""A login node with programs that speak as those of LSF, and a server without them that reaches it by ssh, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.compute_via.conftest import login, server
from tests.slurm import Lsf, Slurm, running_slurm

__all__ = ["login", "server"]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Slurm]:
    yield from running_slurm(Lsf)
