"""`python -m mlws`: send what was kept while the server was away, and tell where tracking stands."""

from __future__ import annotations

import argparse
import sys
from typing import Any, Dict, List


def main(argv: List[str] | None = None) -> int:
    """Run one command; the exit code is 0, or 1 when something could not be sent."""
    parser = argparse.ArgumentParser(prog="python -m mlws", description="Tracking client of Jupyter ML Workspace.")
    commands = parser.add_subparsers(dest="command")
    sync = commands.add_parser("sync", help="send what was logged while the server was away")
    sync.add_argument("folder", nargs="?", help="the spool's folder, if it is not the usual one")
    commands.add_parser("status", help="server, workspace, and what waits to be sent")
    args = parser.parse_args(argv)
    if args.command == "sync":
        return _sync(args.folder)
    if args.command == "status":
        from mlws.workspaces import Status

        _out(repr(Status.now()))
        return 0
    parser.print_help()
    return 0


def _sync(folder: str | None) -> int:
    from mlws import wire
    from mlws.connection import Connection, spool_folder
    from mlws.errors import Rejected, ServerAway
    from mlws.outbox import how_to_sync
    from mlws.spool import replay

    connection = Connection()
    away: List[ServerAway] = []
    refused: List[str] = []

    def send(record: Dict[str, Any], blob: str | None) -> None:
        try:
            wire.deliver(connection, record, blob)
        except ServerAway as error:
            away.append(error)
            raise
        except Rejected as error:
            refused.append(f"{record.get('op')} of run {record.get('run_id')}: {error}")
            raise

    where = folder or spool_folder()
    done = replay(where, send)
    connection.close()
    _out(f"{where}: {done.sent} record(s) sent, {done.rejected} refused, {done.left} file(s) left.")
    for line in refused[:20]:
        _out(f"  refused: {line}")
    for other in _passed_over(where, everything=folder is None):
        _out(f"  passed over: {other}; {how_to_sync(other)} sends what waits there (to the server that MLWS_URL names)")
    if away:
        _out(f"The server is away: {away[0]}. Start one with `jupyter lab`, then try again.")
    return 1 if away or done.rejected else 0


def _passed_over(where: str, everything: bool) -> List[str]:
    """Folders in which records wait, too: those of other servers below this one, and the makeshift one."""
    import os

    from mlws.outbox import is_private, makeshift_folder
    from mlws.spool import waiting

    try:
        found = [entry.path for entry in os.scandir(where) if entry.is_dir(follow_symlinks=False)]
    except OSError:
        found = []
    makeshift = makeshift_folder()
    if everything and makeshift != where and is_private(makeshift):
        found.append(makeshift)
    return [each for each in sorted(found) if waiting(each)]


def _out(text: Any) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
