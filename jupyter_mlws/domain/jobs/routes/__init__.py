"""Routes of jobs: jobs, their logs and targets, kept kernels, and notebooks with outputs."""

from __future__ import annotations

from jupyter_mlws.domain.jobs.routes import compute, jobs, kernels, notebooks

ROUTES = [*jobs.ROUTES, *kernels.ROUTES, *compute.ROUTES, *notebooks.ROUTES]
