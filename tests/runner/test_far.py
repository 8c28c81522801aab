"""What a kernel on another server is told."""

from __future__ import annotations

import pytest

from jupyter_mlws.runner.far import passed_on
from mlws.masking import NAMES

OF_THE_JOB = {
    "MLWS_RUN_ID": "r",
    "MLWS_URL": "http://here/mlws",
    "MLWS_TOKEN": "mlws_1",
    "AZUREML_RUN_ID": "r",
    "MLWS_JOB_DIR": "/data/jobs/r",
}
OF_THE_SERVER = {
    "MLWS_DATABASE_URL": "postgresql://u:password@h/d",
    "MLFLOW_TRACKING_PASSWORD": "p",
    "AZUREML_OWN": "o",
    "HF_TOKEN": "h",
    "PATH": "/bin",
}


@pytest.mark.parametrize(
    ("of_mlflow", "passed"),
    [
        ({"MLFLOW_TRACKING_URI": "http://here/mlws/w/a", "MLFLOW_TRACKING_TOKEN": "mlws_1"}, True),
        ({"MLFLOW_TRACKING_URI": "http://elsewhere", "MLFLOW_TRACKING_TOKEN": "of another server"}, False),
        ({"MLFLOW_TRACKING_URI": "http://elsewhere"}, False),
    ],
)
def test_it_gets_what_is_the_jobs_and_nothing_of_the_servers_own(of_mlflow: dict[str, str], passed: bool) -> None:
    given, hidden = passed_on(
        ["LR"], {**OF_THE_SERVER, **OF_THE_JOB, **of_mlflow, "LR": "1", "KEY": "k", NAMES: "KEY,MLWS_GATEWAY_TOKEN"}
    )
    told = {"LR", "KEY", "MLWS_RUN_ID", "MLWS_URL", "MLWS_TOKEN", "AZUREML_RUN_ID"}
    assert set(given) == told | (set(of_mlflow) if passed else set())
    assert hidden == ["KEY"]
