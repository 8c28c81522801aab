"""The names of runs that nobody named."""

from __future__ import annotations

import pytest

from jupyter_mlws.domain.runs.schemas import RunKind
from jupyter_mlws.domain.runs.service.creation import stem_of


@pytest.mark.parametrize(
    ("source", "kind", "stem"),
    [
        ("work/digits.ipynb", RunKind.NOTEBOOK, "digits"),
        ("train.py", RunKind.INTERACTIVE, "train"),
        ("", RunKind.INTERACTIVE, "interactive"),
        ("python src/train.py --epochs 3", RunKind.COMMAND, "train"),
        ("OMP_NUM_THREADS=1 python train.py", RunKind.COMMAND, "train"),
        ("A=1 make all", RunKind.COMMAND, "make"),
        ("X=1 && python -m foo", RunKind.COMMAND, "python"),
        ("cd src && python train.py; echo", RunKind.COMMAND, "train"),
        ('python "src/train.py"', RunKind.COMMAND, "train"),
        ("python runs/lr=1/train.py", RunKind.COMMAND, "train"),
        ("bash -e scripts/run.sh", RunKind.COMMAND, "run.sh"),
        ('python -c "1/0"', RunKind.COMMAND, "python"),
        ("/usr/bin/env true", RunKind.COMMAND, "env"),
        ('"./my tool" --fast', RunKind.COMMAND, "my"),
        ("", RunKind.COMMAND, "command"),
        ("\x1b[31m", RunKind.COMMAND, "[31m"),
    ],
)
def test_a_made_name_says_what_ran(source: str, kind: RunKind, stem: str):
    assert stem_of(source, kind) == stem
