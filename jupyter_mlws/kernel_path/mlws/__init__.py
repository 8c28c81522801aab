"""Tracking for training code: `with mlws.start_run(): mlws.log_metric("loss", 0.3)`.

Standard library only; nothing is imported before it is used. Logging goes through a background thread, never waits for the
server, and is kept on disk while the server is away. In IPython, `%load_ext mlws` adds `%mlws` and `%%mlws_run`.
"""

import atexit
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List

    # One name a line would be most of this file.
    # isort: off
    from mlws.run import Run
    from mlws.tracking import active_run, end_run, flush, log_artifact, log_artifacts, log_dict, log_figure, log_input, log_metric
    from mlws.tracking import log_metrics, log_output, log_param, log_params, log_table, log_text, set_note, set_tag, set_tags
    from mlws.tracking import start_run
    # isort: on

__all__ = ["Run", "active_run", "end_run", "flush", "log_artifact", "log_artifacts", "log_dict", "log_figure", "log_input"]
__all__ += ["log_metric", "log_metrics", "log_output", "log_param", "log_params", "log_table", "log_text", "set_note", "set_tag"]
__all__ += ["set_tags", "start_run"]


def __getattr__(name: str) -> "Any":
    if name not in __all__:
        raise AttributeError(f"module 'mlws' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module("mlws.run" if name == "Run" else "mlws.tracking"), name)
    globals()[name] = value  # the next access does not come here
    return value


def __dir__() -> "List[str]":
    return sorted([*globals(), *__all__])


def _at_exit() -> None:
    globals()["_ending"] = True
    if "mlws.sender" in sys.modules:
        sys.modules["mlws.sender"].close()


_ending = False
atexit.register(_at_exit)  # so early that exit handlers of the program may still log


def load_ipython_extension(shell: "Any") -> None:
    """Called by `%load_ext mlws`."""
    from mlws.magics import load

    load(shell)
