"""`python -m jupyter_mlws.server.openapi` prints the OpenAPI document."""

from __future__ import annotations

import json
import sys

from jupyter_mlws.server.info import document


def main() -> None:
    """Print the document, stable from run to run."""
    text = {**document(), "info": {**document()["info"], "version": "1"}}
    json.dump(text, sys.stdout, indent=1, ensure_ascii=False, sort_keys=True)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
