"""All tables, imported so that the metadata is whole."""

from __future__ import annotations


def load() -> None:
    """Import every module that defines tables."""
    import jupyter_mlws.db.outbox
    import jupyter_mlws.domain.access.tables
    import jupyter_mlws.domain.compute.tables
    import jupyter_mlws.domain.datasets.tables
    import jupyter_mlws.domain.environments.tables
    import jupyter_mlws.domain.experiments.tables
    import jupyter_mlws.domain.jobs.tables
    import jupyter_mlws.domain.metrics.tables
    import jupyter_mlws.domain.models.tables
    import jupyter_mlws.domain.runs.tables
    import jupyter_mlws.domain.secrets.tables
    import jupyter_mlws.domain.storage.tables
    import jupyter_mlws.domain.workspaces.tables  # noqa: F401 - imported for what they define
