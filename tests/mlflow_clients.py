"""Stock MLflow clients, each in an environment of its own: scripts are run by their Python, and print JSON as their last line."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
VENVS = {"3": ROOT / ".venv-mlflow", "2": ROOT / ".venv-mlflow2"}
START = """
import json, os, sys, warnings
warnings.simplefilter("ignore")
import mlflow
from mlflow import MlflowClient
client = MlflowClient()
def refused(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except mlflow.exceptions.MlflowException as error:
        return [error.error_code, str(error)]
    return None
"""


def python_of(version: str) -> str:
    """The Python that has MLflow 3 or 2."""
    found = VENVS[version] / "bin" / "python"
    if not found.exists():
        pytest.skip(f"MLflow {version} is not there: `make {VENVS[version].name}/.stamp` installs it")
    return str(found)


def environment(url: str, token: str, **more: str) -> dict[str, str]:
    """The environment of a script that logs to a server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "MLWS_"))}
    return {
        **kept,
        "MLFLOW_TRACKING_URI": url,
        "MLFLOW_TRACKING_TOKEN": token,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "GIT_PYTHON_REFRESH": "quiet",
        "MPLBACKEND": "agg",
        **more,
    }


def run_client(script: str, url: str, token: str, *, version: str = "3", cwd: Path | None = None, **more: str) -> Any:
    """What the script printed last, decoded. A script that fails fails the test, with its words."""
    return run_python(START + script, environment(url, token, **more), version=version, cwd=cwd)


def run_python(code: str, variables: dict[str, str], *args: str, version: str = "3", cwd: Path | None = None) -> Any:
    """The same of any code, in any environment."""
    done = subprocess.run(
        [python_of(version), "-c", code, *args],
        env=variables,
        cwd=cwd,
        check=False,
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr[-4000:] + done.stdout[-1000:]
    return json.loads(done.stdout.strip().splitlines()[-1])
