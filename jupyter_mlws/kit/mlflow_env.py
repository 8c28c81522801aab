"""What makes a stock MLflow client log into a workspace: environment variables of kernels and jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

OWN_CHOICE = ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_AUTH")
"""Who has set one of these has chosen a tracking server himself."""
PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


def mlflow_variables(
    *, url: str, workspace: str, token: str, experiment: str | None, notebook: str | None = None, given: Mapping[str, str]
) -> dict[str, str]:
    """The variables to add to the environment `given`; none where a tracking server was chosen already.

    `MLFLOW_RUN_ID` is never among them: with it a client that names an experiment refuses to start a run.
    """
    if any(given.get(name) for name in OWN_CHOICE):
        return {}
    made = {"MLFLOW_TRACKING_URI": f"{url}/w/{quote(workspace, safe='')}", "MLFLOW_TRACKING_TOKEN": token}
    if experiment:
        made["MLFLOW_EXPERIMENT_NAME"] = experiment
    if notebook:
        made["IPYNB_FILE"] = notebook
    if any(given.get(name) for name in PROXIES):  # this machine is never behind a proxy
        known = given.get("NO_PROXY") or given.get("no_proxy") or ""
        made["NO_PROXY"] = made["no_proxy"] = ",".join(part for part in (known, "127.0.0.1", "localhost") if part)
    return {name: value for name, value in made.items() if name in ("NO_PROXY", "no_proxy") or not given.get(name)}
