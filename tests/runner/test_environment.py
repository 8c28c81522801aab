"""What builds of environments know of pip's settings: uv is to ask the same indexes."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlws.runner.environment import options_of_uv, settings_of_pip, variables_of_uv


def test_uv_is_told_what_pip_is_set_up_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "pip.conf"
    file.write_text(
        "[global]\nindex-url = https://lab.example/simple\ntrusted-host = one.example two.example\ntimeout = 5\nno-index = yes\n"
        "[install]\nfind-links =\n    /wheels/a\n    /wheels/b\n[download]\nindex-url = https://other.example\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://a.example/simple https://b.example/simple")
    for name in ("PIP_INDEX_URL", "PIP_FIND_LINKS", "PIP_TRUSTED_HOST", "PIP_CERT"):
        monkeypatch.delenv(name, raising=False)
    settings = settings_of_pip()
    found = variables_of_uv(settings, {})
    assert found["UV_DEFAULT_INDEX"] == "https://lab.example/simple"
    assert found["UV_INDEX"] == "https://a.example/simple https://b.example/simple"
    assert found["UV_FIND_LINKS"] == "/wheels/a,/wheels/b"
    assert found["UV_INSECURE_HOST"] == "one.example two.example"
    assert options_of_uv(["uv", "pip", "install", "six"], settings) == ["--no-index"]
    assert options_of_uv(["uv", "venv", "there"], settings) == options_of_uv(["uv", "pip", "install"], {}) == []
    assert found["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    kept = variables_of_uv(settings, {"UV_DEFAULT_INDEX": "https://own.example", "UV_INDEX_STRATEGY": "first-index"})
    assert {"UV_DEFAULT_INDEX", "UV_INDEX_STRATEGY"}.isdisjoint(kept)
