"""Whether requests that went well are logged or counted: where nobody reads of them they are not put into words."""

from __future__ import annotations

import logging
from typing import Any

from jupyter_server.log import log_request


def nobody_reads_of(settings: dict[str, Any], logger: Any) -> bool:
    """Whether requests that went well are in no log."""
    function = settings.get("log_function")
    return getattr(function, "func", function) is log_request and not _heard(logger, logging.DEBUG)


def counts_requests(settings: dict[str, Any]) -> bool:
    """Whether Jupyter keeps metrics of requests."""
    return bool(getattr(settings.get("log_function"), "keywords", {}).get("record_prometheus_metrics", True))


def _heard(logger: Any, level: int) -> bool:
    """Whether something takes records of this level. Jupyter's logger itself lets all pass and leaves it to its handlers."""
    while logger is not None and logger.isEnabledFor(level):
        if any(handler.level <= level for handler in logger.handlers):
            return True
        logger = logger.parent if logger.propagate else None
    return False
