"""`python -m jupyter_mlws.cli`."""

from __future__ import annotations

from jupyter_mlws.cli import main

main(prog_name="mlws")
