"""All routes of the REST API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_mlws.domain.access import routes as access
from jupyter_mlws.domain.environments import routes as environments
from jupyter_mlws.domain.experiments import routes as experiments
from jupyter_mlws.domain.jobs import routes as jobs
from jupyter_mlws.domain.models import routes as models
from jupyter_mlws.domain.runs import routes as runs
from jupyter_mlws.domain.search import routes as search
from jupyter_mlws.domain.secrets import routes as secrets
from jupyter_mlws.domain.workspaces import routes as workspaces
from jupyter_mlws.server import changes, garbage, handover, info, job_files, kept_kernels, mlflow_folders

if TYPE_CHECKING:
    from jupyter_mlws.kit.http import Route

SLICES = (
    info,
    handover,
    garbage,
    changes,
    workspaces,
    access,
    secrets,
    environments,
    experiments,
    runs,
    search,
    models,
    jobs,
    job_files,
    kept_kernels,
    mlflow_folders,
)


def all_routes() -> list[Route]:
    """Every route, slice by slice."""
    return [route for part in SLICES for route in part.ROUTES]
