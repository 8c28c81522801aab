"""What another Jupyter server has and lacks, step by step: each is tried for real, the last ones with a kernel of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.compute.errors import HostUnfit, HostUnreachable, LoginRefused
from jupyter_mlws.domain.compute.gateway import rest
from jupyter_mlws.domain.compute.gateway.target import TOKEN
from jupyter_mlws.domain.compute.schemas import TestStep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from jupyter_mlws.domain.compute.schemas import GatewayPlace

PATIENCE_S = 10.0
TRIED_S = 60.0
"""So long a kernel may take to start, and to answer."""
NAMES = ("reach the server", "a Jupyter server", "the token", "kernels", "a kernel that answers", "this server, from there")


class _Failed(Exception):
    def __init__(self, detail: str, todo: str, *, only_missing: bool = False) -> None:
        super().__init__(detail)
        self.step = ("missing" if only_missing else "failed", detail, todo)


def steps(place: GatewayPlace, token: Callable[[], str], target: str, records: Path) -> list[TestStep]:
    """One after the other; behind what failed nothing is tried. Blocks, up to a minute. In `records` the kernel is noted that is started:
    one that comes too late is ended by the target."""
    found: list[TestStep] = []
    try:
        for state, detail in _tried(place, token, {"target": target, "records": str(records)}):
            found.append(_step(len(found), state, detail))
    except _Failed as failed:
        state, detail, todo = failed.step
        found.append(_step(len(found), state, detail, todo))
    return found + [_step(at, "skipped", "not tried") for at in range(len(found), len(NAMES))]


def _step(at: int, state: Any, detail: str, todo: str = "") -> TestStep:
    return TestStep(name=NAMES[at], state=state, detail=detail, todo=todo)


def _tried(place: GatewayPlace, token: Callable[[], str], noted: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    server = rest.Server(place.url, "", place.ca_file)
    try:
        told = rest.ask(server, "GET", "/api", PATIENCE_S)
        version = told.get("version") if isinstance(told, dict) else None
    except HostUnreachable as error:
        raise _Failed(
            error.message, "Look whether it is up, and its address is right; --ca-file FILE names certificates to trust."
        ) from None
    except LoginRefused:  # some ask for the token there, too
        version = "that tells its version to nobody without a token"
    except HostUnfit as error:
        yield "ok", server.host
        raise _Failed(error.message, "Give its address with the base URL: `mlws compute update NAME --url URL`.") from None
    yield "ok", server.host
    if not isinstance(version, str):
        raise _Failed(
            f"{place.url}/api tells no version", "Give its address with the base URL: `mlws compute update NAME --url URL`."
        )
    yield "ok", rest.line(version)[:100]
    try:
        server = server._replace(token=token())
        specs = rest.kernelspecs(server, PATIENCE_S)
    except LoginRefused as error:
        raise _Failed(
            error.message, "Put its token into a secret, and name that: `mlws compute update NAME --token-secret SECRET`."
        ) from None
    except (HostUnreachable, HostUnfit) as error:
        raise _Failed(error.message, "Look at the log of that server.") from None
    yield "ok", "accepted" if server.token else "none is asked for"
    yield "ok", _kernels(place, specs)
    yield from _kernel(place, server, specs, noted)


def _kernels(place: GatewayPlace, specs: dict[str, dict[str, Any]]) -> str:
    if not specs:
        raise _Failed("there is none", "Install one there: `python -m pip install ipykernel`.")
    names = ", ".join(f"{name} ({spec.get('display_name') or name})" for name, spec in specs.items())
    if place.kernel is not None and place.kernel not in specs:
        raise _Failed(f"{place.kernel} is not there, but {names}", "Name another: `mlws compute update NAME --kernel KERNEL`.")
    return names


def _kernel(
    place: GatewayPlace, server: rest.Server, specs: dict[str, dict[str, Any]], noted: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Start one, hear it through its WebSocket, and ask it for this server. A process of its own does that, as for a job."""
    name = place.kernel or next((name for name, spec in specs.items() if spec.get("language") == "python"), next(iter(specs)))
    asked = {
        **noted,
        "url": place.url,
        "ca_file": place.ca_file,
        "kernel": name,
        "user": place.kernel_user,
        "server_url": place.server_url,
    }
    program = [sys.executable, "-m", "jupyter_mlws.runner.gateway.trial", json.dumps(asked)]
    try:
        done = subprocess.run(
            program, env={**os.environ, TOKEN: server.token}, capture_output=True, text=True, timeout=TRIED_S, cwd="/"
        )
        told = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, ValueError, IndexError):
        told = {"failed": f"{name} did not answer within {TRIED_S:.0f} s"}
    if "failed" in told:
        raise _Failed(str(told["failed"]), "See the log of that server; its WebSockets must come through any proxy between.")
    yield "ok", f"{name}: {rest.line(told['about'])}"
    if not place.server_url:
        yield "skipped", "no address was given: what notebooks log is fetched through the kernel"
    elif told.get("unreached") is None:
        yield "skipped", f"a kernel in {told.get('language')} cannot be asked for that"
    elif told["unreached"]:
        detail = f"{place.server_url} cannot be reached: {str(told['unreached'])[:500]}"
        todo = 'Give the address that kernels there see: `--server-url URL`; or none (""), and what they log is fetched.'
        raise _Failed(detail, todo, only_missing=True)
    else:
        yield "ok", f"{place.server_url}: kernels log to it directly"
