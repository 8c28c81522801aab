"""Entry point: `python -S -m mlws.supervise <job dir> [--secrets]`."""

from __future__ import annotations

from mlws.supervise import signals

if __name__ == "__main__":
    signals.block()

import json
import sys
from typing import Dict

from mlws.supervise.entry import NOT_BEGUN, main


def _given() -> Dict[str, str] | None:
    """The secrets that the starter sends; None if it was gone before it had sent them: the job has not begun then."""
    try:
        found = json.loads(sys.stdin.buffer.read())
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--secrets"]):
        sys.stderr.write(
            "usage: python -m mlws.supervise <job dir> [--secrets]\n--secrets: JSON of variables comes on standard input\n"
        )
        sys.exit(2)
    given = _given() if sys.argv[2:] else {}
    if given is None:
        sys.stderr.write("The secrets of this job did not come; it was not begun.\n")
        sys.exit(NOT_BEGUN)
    sys.exit(main(sys.argv[1], given))
