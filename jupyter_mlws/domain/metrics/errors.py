"""Failures of metrics."""

from __future__ import annotations

from jupyter_mlws.kit.errors import MlwsError


class DamagedChunk(MlwsError):
    """A stored chunk of metric points cannot be read: its bytes are not those that were written."""

    code = "damaged_chunk"
