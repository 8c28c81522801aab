"""Values of parameters: numpy's are taken, numbers that JSON does not know are refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jupyter_mlws.sdk import BadInput, Workspace
from tests.live import write_notebook

PARAMETERS = "rate = 0.1\ncount = 1\nflag = False\nsizes = [1]\nfound = {}"
GIVEN = {
    "rate": np.float32(0.5),
    "count": np.int64(3),
    "flag": np.bool_(True),
    "sizes": np.arange(3),
    "found": {np.str_("deep"): [np.float64(0.25), (np.int8(1), None)]},
}


@pytest.mark.slow
def test_numbers_and_arrays_of_numpy(ws: Workspace, tmp_path: Path) -> None:
    check = "import mlws\nassert (rate, count, flag, sizes, found) == (0.5, 3, True, [0, 1, 2], {'deep': [0.25, [1, None]]})"
    notebook = write_notebook(tmp_path / "takes.ipynb", check, parameters=PARAMETERS)
    job = ws.jobs.create(notebook=notebook, parameters=GIVEN)
    assert job.wait(timeout=60).status.value == "Completed", ws.jobs.full_log(job.id)
    assert job.run.params["count"] == "3"
    again = job.rerun(parameters={"count": np.int64(3), "rate": np.float64(0.5)})
    assert again.run.params["rate"] == "0.5"
    again.cancel()


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        (np.float64("inf"), "inf"),
        ([1.0, math.nan], "nan"),
        ({"a": (math.inf,)}, "inf"),
        (np.array([0.5, np.nan]), "nan"),
    ],
)
def test_what_is_not_finite_is_refused(ws: Workspace, tmp_path: Path, value: Any, named: str) -> None:
    notebook = write_notebook(tmp_path / "never.ipynb", "1", parameters=PARAMETERS)
    before = len(ws.jobs.list())
    with pytest.raises(BadInput, match=f"The parameter 'rate' is {named}, .*'{named}'") as refused:
        ws.jobs.create(notebook=notebook, parameters={"rate": value})
    assert refused.value.field == "rate"
    with pytest.raises(BadInput, match=f"parameter 'rate' is {named}"):
        ws.jobs.rerun("0" * 32, parameters={"rate": value})
    assert len(ws.jobs.list()) == before


def test_changes_of_a_job_file(ws: Workspace, tmp_path: Path) -> None:
    write_notebook(tmp_path / "takes.ipynb", "1", parameters=PARAMETERS)
    file = tmp_path / "job.yml"
    file.write_text("type: notebook\nnotebook: takes.ipynb\nparameters: {rate: 0.1}\n")
    found = ws.jobs.validate(file, set={"parameters.rate": np.float64(0.5), "parameters.count": np.int64(2)})
    assert found.job.spec.parameters == {"rate": 0.5, "count": 2}  # type: ignore[union-attr]
    with pytest.raises(BadInput, match=r"value of 'parameters\.rate' is nan"):
        ws.jobs.validate(file, set={"parameters.rate": math.nan})


def test_nests_without_an_end(ws: Workspace, tmp_path: Path) -> None:
    endless: list[Any] = []
    endless.append(endless)
    notebook = write_notebook(tmp_path / "never.ipynb", "1", parameters=PARAMETERS)
    with pytest.raises(BadInput, match="cannot be written as JSON"):
        ws.jobs.create(notebook=notebook, parameters={"sizes": endless})
