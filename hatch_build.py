"""Hatch build hook: builds JupyterLab's pages when Node is there, and puts them into the wheel when they are.

Without Node the wheel holds all of Python (server, command line, jobs) and says that the pages are missing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatch_jupyter_builder.utils import npm_builder
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LABEXTENSION = "jupyter_mlws/labextension"
LAB_SHARE = "share/jupyter/labextensions/jupyter-mlws"
OLDEST_NODE = (20, 19)


def node_trouble() -> str | None:
    """Why the pages cannot be built here, or None where they can."""
    node = shutil.which("node")
    if node is None:
        return "Node is not installed"
    text = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = tuple(int(part) for part in re.findall(r"\d+", text)[:2])
    if version < OLDEST_NODE:
        return f"Node {text.strip().lstrip('v') or '?'} is too old (20.19 or newer is needed)"
    if shutil.which("jlpm") is None:
        return "jlpm (from the package jupyter-builder) is not on the path"
    return None


class FrontendBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # the hook is not generic at build time before hatchling 1.21
    """Runs before each wheel and source distribution."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the pages where that is possible and needed; `version` is `standard` or `editable`."""
        built = Path(self.root, LABEXTENSION, "package.json")
        if not built.exists() and version != "editable":
            self._build(version)
        if self.target_name == "wheel" and built.exists():
            build_data["shared_data"][LABEXTENSION] = LAB_SHARE
            if not Path(self.root, LABEXTENSION, "install.json").exists():  # a build for development puts it there by itself
                build_data["shared_data"]["install.json"] = f"{LAB_SHARE}/install.json"

    def _build(self, version: str) -> None:
        skip = os.environ.get("HATCH_JUPYTER_BUILDER_SKIP_NPM") == "1"
        trouble = "HATCH_JUPYTER_BUILDER_SKIP_NPM is set" if skip else node_trouble()
        if trouble is not None:
            self.app.display_warning(
                f"{trouble}: JupyterLab's pages are not built. The server, the command line and jobs work; "
                "install Node 20.19 or newer and install again to see runs inside JupyterLab."
            )
            return
        npm_builder(self.target_name, version, path=self.root, npm=["jlpm"], build_cmd="build:prod")
