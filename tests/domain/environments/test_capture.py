"""What a job runs in, as it is noted with the submit: that never fails, and keeps no more than it should."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from jupyter_mlws.domain.environments import capture as module
from jupyter_mlws.domain.environments.capture import capture, capture_at_once, python_of


@pytest.mark.parametrize("broken", ["{", "5", "[]", '{"argv": 5}', '{"argv": ["python"], "env": 7}', None])
def test_a_kernel_whose_file_is_broken_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str | None) -> None:
    place = tmp_path / "kernels" / "odd" / "kernel.json"
    if broken is None:
        place.mkdir(parents=True)
    else:
        place.parent.mkdir(parents=True)
        place.write_text(broken)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    for found in (capture_at_once("odd", None), capture("odd", None)):
        assert found is not None
        assert (found.kernel_name, found.language, found.executable) == ("odd", "unknown", None)


def test_answers_of_the_latest_interpreters_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWERS", 3)
    monkeypatch.setattr(module, "_answers", {})
    links = [tmp_path / f"python-{n}" for n in range(5)]
    for link in links:
        link.symlink_to(sys.executable)
        assert python_of(str(link))[0] is not None
    assert list(module._answers) == [str(link) for link in links[-3:]]
    assert capture_at_once(None, None) is None, "this one was not asked"
