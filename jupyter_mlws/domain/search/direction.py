"""Which of two values of a metric is the better one, told by its name where the experiment has no goal for it."""

from __future__ import annotations

import re

_LOSSES = {"loss", "logloss", "nll", "entropy", "ppl", "perplexity", "deviance", "brier", "fid"}
_ERRORS = {"error", "err", "mae", "mse", "rmse", "mape", "smape", "rmsle", "msle", "mdae", "wer", "cer"}
_TIMES = {"latency", "duration", "time", "seconds", "ms"}
_LOWER = _LOSSES | _ERRORS | _TIMES
_SUFFIXES = ("loss", "error", "entropy")
_PARTS = re.compile(r"[a-z]+")


def lower_is_better(key: str) -> bool:
    """Whether `key` names a loss, an error or a length of time: `val_loss`, `RMSE`, `log-loss`; all else is better greater."""
    parts = _PARTS.findall(key[:1000].lower())
    return any(part in _LOWER or part.endswith(_SUFFIXES) for part in parts)
