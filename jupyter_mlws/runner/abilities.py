"""`python -m jupyter_mlws.runner.abilities`: what this interpreter has for notebook jobs, as a line of JSON.

`packages`: versions of what is needed, null for what is not there. `kernels`: those whose program is there. `missing`: why no notebook
can run, in words.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from pathlib import Path
from typing import Any

PACKAGES = ("papermill", "ipykernel")


def abilities() -> dict[str, Any]:
    """All of it, by trying."""
    packages = {name: _version(name) for name in PACKAGES}
    found: dict[str, Any] = {"packages": packages, "kernels": [], "missing": ""}
    if packages["papermill"] is None:
        return {**found, "missing": f"papermill is not installed for {sys.executable}"}
    try:
        from jupyter_mlws.runner import notebook

        notebook.import_all()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the packages there: it is told
        return {**found, "missing": f"papermill cannot be used by {sys.executable}: {type(error).__name__}: {error}"}
    kernels = _kernels()
    if not kernels:
        return {**found, "missing": "there is no kernel: ipykernel is not installed, nor another one"}
    return {**found, "kernels": kernels}


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _kernels() -> list[dict[str, str]]:
    from jupyter_client.kernelspec import KernelSpecManager

    specs: dict[str, dict[str, Any]] = KernelSpecManager().get_all_specs()
    kernels = []
    for name, found in sorted(specs.items()):
        spec = found["spec"]
        program = (spec.get("argv") or [""])[0]
        if program and isinstance(program, str) and (not Path(program).is_absolute() or os.access(program, os.X_OK)):
            shown, language = spec.get("display_name") or name, spec.get("language") or ""
            kernels.append({"name": name, "display_name": shown, "language": language})
    return kernels


if __name__ == "__main__":
    sys.stdout.write(json.dumps(abilities()) + "\n")
