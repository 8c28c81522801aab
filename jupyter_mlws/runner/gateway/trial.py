"""`python -m jupyter_mlws.runner.gateway.trial <JSON>`: starts a kernel on another server, hears it, and ends it; the token is in
`MLWS_GATEWAY_TOKEN`. Writes a line of JSON: what it is, or why it failed."""

from __future__ import annotations

from jupyter_mlws.runner import notebook  # noqa: F401 - first: from then on our imports are looked for where ours are

# isort: split
import asyncio
import contextlib
import json
import os
import sys
import uuid
from pathlib import Path
from typing import Any

from jupyter_client.session import Session

from jupyter_mlws.runner.gateway import note
from jupyter_mlws.runner.gateway.errand import Errand
from jupyter_mlws.runner.gateway.link import Link
from jupyter_mlws.runner.gateway.remote import Away, Place, Refused, Remote

TOKEN = "MLWS_GATEWAY_TOKEN"  # noqa: S105 - the name of a variable
ANSWER_S = 40.0
PATIENCE_S = 5.0
TRIED_S = 45.0
END_S = 10.0
"""Both together are less than who asks waits: this process is not killed before it has ended the kernel."""


async def tried(asked: dict[str, Any], token: str) -> dict[str, Any]:
    """What came of it."""
    record = Path(asked["records"]) / f"test-{uuid.uuid4()}.json"
    record.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    remote = Remote(Place(asked["url"], token, asked.get("ca_file")), lambda: note.write(record, asked["target"], remote))
    link = Link(remote, Session(), lambda *_: None, lambda *_: None, lambda *_: None, patience_s=PATIENCE_S)
    running: asyncio.Task[None] | None = None
    try:
        await remote.start(asked["kernel"], {"KERNEL_USERNAME": asked["user"]} if asked.get("user") else {})
        await link.open()
        running = asyncio.ensure_future(link.run())
        info = await link.ask("kernel_info_request", {}, ANSWER_S)
        language = dict(info.get("language_info") or {})
        found = {
            "about": f"{language.get('name')} {language.get('version')}",
            "language": language.get("name"),
            "unreached": None,
        }
        if asked.get("server_url"):
            errand = Errand(link, str(language.get("name") or "").lower(), None, None)
            await errand.arrive({})
            found["unreached"] = await errand.reach(str(asked["server_url"]).rstrip("/"))
    except (Away, Refused) as error:
        return {"failed": str(error)}
    except asyncio.TimeoutError:
        return {"failed": f"The kernel {asked['kernel']} started, and says nothing through its WebSocket"}
    else:
        return found
    finally:
        if running is not None:
            running.cancel()
        link.close()
        with contextlib.suppress(
            Away, Refused, asyncio.TimeoutError
        ):  # then the note stays, and the server looks after the kernel
            await asyncio.wait_for(remote.delete(), END_S)
            if not remote.asked:
                record.unlink(missing_ok=True)


async def _within(asked: dict[str, Any], token: str) -> dict[str, Any]:
    try:
        return await asyncio.wait_for(tried(asked, token), TRIED_S)
    except asyncio.TimeoutError:
        return {"failed": f"{asked['kernel']} did not start and answer within {TRIED_S:.0f} s"}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_within(json.loads(sys.argv[1]), os.environ.pop(TOKEN, "")))) + "\n")
