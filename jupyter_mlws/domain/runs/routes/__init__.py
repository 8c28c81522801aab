"""Routes of runs: the run itself, its metrics, its artifacts, its snapshot."""

from __future__ import annotations

from jupyter_mlws.domain.runs.routes import artifacts, imports, metrics, retention, runs, snapshots

ROUTES = [*runs.ROUTES, *metrics.ROUTES, *artifacts.ROUTES, *snapshots.ROUTES, *imports.ROUTES, *retention.ROUTES]
