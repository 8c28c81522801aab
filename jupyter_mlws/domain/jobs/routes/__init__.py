"""Routes of jobs: jobs, their logs and targets, and notebooks with outputs."""

from __future__ import annotations

from jupyter_mlws.domain.jobs.routes import compute, jobs, notebooks

ROUTES = [*jobs.ROUTES, *compute.ROUTES, *notebooks.ROUTES]
