"""JupyterLab as the UI tests run it: own port, own folders, nothing of the user's."""

from __future__ import annotations

import os
from pathlib import Path

from jupyterlab.galata import configure_jupyter_server

c = get_config()  # noqa: F821  # injected by traitlets

configure_jupyter_server(c)

HERE = Path(__file__).resolve().parent
WORK = Path(os.environ["MLWS_UI_WORK"]) if "MLWS_UI_WORK" in os.environ else HERE / ".work"
ROOT = WORK / "root"
ROOT.mkdir(parents=True, exist_ok=True)

c.ServerApp.root_dir = str(ROOT)
c.ServerApp.port = int(os.environ.get("MLWS_UI_PORT", "8989"))
c.ServerApp.port_retries = 0  # a busy port is an error, not a neighbour
c.ServerApp.allow_root = True
c.LabApp.news_url = None
