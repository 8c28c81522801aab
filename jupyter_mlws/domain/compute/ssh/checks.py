"""What a host has and lacks, step by step: each is tried for real, on a connection of its own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.compute.errors import HostKeyWrong, HostUnfit, HostUnreachable, LoginRefused
from jupyter_mlws.domain.compute.schemas import HostFacts, TestStep
from jupyter_mlws.domain.compute.ssh.facts import of_host, of_notebooks
from jupyter_mlws.domain.compute.ssh.link import Link, Refused
from jupyter_mlws.kit.errors import MlwsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_mlws.domain.compute.schemas import HostNotebooks
    from jupyter_mlws.domain.compute.ssh.link import Place

LEAST_DISK = 1 << 30
MOST_SKEW_S = 30.0
LEAST_FOR_NOTEBOOKS = (3, 10)
LADDER = ("reach the host", "its key", "log in", "Python and a folder")
"""What must be there one after the other."""
REMEDIES: dict[type[MlwsError], tuple[int, str]] = {
    HostUnreachable: (0, "Look whether the host is up, and its name and port are right."),
    HostKeyWrong: (1, "Ask who runs the host which key is right; set it with `mlws compute update NAME --host-key FINGERPRINT`."),
    LoginRefused: (2, "Put the public key into ~/.ssh/authorized_keys there, or name another one."),
    HostUnfit: (3, "Name another Python or folder: `mlws compute update NAME --python PATH --folder PATH`."),
}


async def steps(place: Place, keys: Callable[[], list[Any]], server_url: str | None) -> tuple[list[TestStep], dict[str, Any]]:
    """The steps, and what the host said of itself (empty where it was not reached)."""
    link = Link(place, keys, lambda: None)
    try:
        await link.open()
        rungs = [_ok(name, words) for name, words in zip(LADDER, _found(link), strict=True)]
        notebooks = of_notebooks((await link.ask("notebooks"))[0])
        return [*rungs, *(await _beyond(link, server_url)), *_notebooks(link, notebooks)], {**link.facts, "notebooks": notebooks}
    except MlwsError as error:
        return _ladder(error), {}
    except Refused as error:
        return _ladder(HostUnfit(str(error))), {}
    finally:
        await link.close()


def facts_of(said: dict[str, Any]) -> HostFacts:
    """What is kept of it."""
    return HostFacts(
        host=str(said["host"]),
        python=str(said["python"]),
        system=str(said["system"]),
        machine=str(said["machine"]),
        cpus=said.get("cpus"),
        memory=said.get("memory"),
        gpus=list(said.get("gpus") or []),
        notebooks=said.get("notebooks"),
    )


def _found(link: Link) -> list[str]:
    facts, place = link.facts, link.place
    return [
        f"{place.host}, port {place.port}",
        "as it was when the target was made",
        f"as {place.user}",
        f"Python {facts['python']} ({facts['executable']}), {facts['root']} on {facts['host']}",
    ]


def _ladder(error: MlwsError) -> list[TestStep]:
    """Everything before what failed is there, all behind it could not be tried."""
    at, todo = next((rung for kind, rung in REMEDIES.items() if isinstance(error, kind)), (0, ""))
    found = [_ok(name, "") for name in LADDER[:at]]
    found.append(TestStep(name=LADDER[at], state="failed", detail=error.message, todo=todo))
    return found + [TestStep(name=name, state="skipped", detail="not tried", todo="") for name in LADDER[at + 1 :]]


async def _beyond(link: Link, server_url: str | None) -> list[TestStep]:
    return [_system(link), _disk(link), await _clock(link), await _server(link, server_url)]


def _notebooks(link: Link, found: HostNotebooks) -> list[TestStep]:
    """What jobs of the kind notebook need; commands do without."""
    python = link.facts["executable"]
    pip = f"There: `{python} -m pip install papermill ipykernel`"
    other = "name a Python that has them: `mlws compute update NAME --python PATH`."
    if not found.papermill or (found.missing and found.ipykernel):
        todo = f"{pip}; or {other}" if _is_new(link.facts["python"]) else f"{other[0].upper()}{other[1:]}"
        rest = [TestStep(name=name, state="skipped", detail="not tried", todo="") for name in ("ipykernel", "kernels")]
        return [TestStep(name="papermill", state="missing", detail=f"{found.missing}: no notebook runs there", todo=todo), *rest]
    steps = [_ok("papermill", found.papermill)]
    if found.ipykernel:
        steps.append(_ok("ipykernel", found.ipykernel))
    else:
        detail = f"it is not installed for {python}, which has no kernel of its own so"
        steps.append(
            TestStep(name="ipykernel", state="missing", detail=detail, todo=f"There: `{python} -m pip install ipykernel`.")
        )
    if found.kernels:
        names = ", ".join(f"{kernel.name} ({kernel.display_name})" for kernel in found.kernels)
        return [*steps, _ok("kernels", names)]
    todo = f"Install ipykernel for {python}, or another kernel for its user or its host."
    return [*steps, TestStep(name="kernels", state="missing", detail="there is none", todo=todo)]


def _is_new(python: str) -> bool:
    """Whether a Python is new enough for notebooks."""
    return [int(part) for part in python.split(".")[:2] if part.isdigit()] >= [*LEAST_FOR_NOTEBOOKS]


def _system(link: Link) -> TestStep:
    facts = link.facts
    if not facts["bash"]:
        return TestStep(
            name="bash", state="failed", detail="There is no /bin/bash", todo="Install bash: command jobs are run by it."
        )
    if not facts["subreaper"]:
        detail = f"{facts['system']} has no subreaper: processes that a job detaches from itself may outlive it"
        return TestStep(name="end of all processes", state="missing", detail=detail, todo="")
    return _ok("bash", f"{facts['system']} on {facts['machine']}")


def _disk(link: Link) -> TestStep:
    free = int(link.facts["disk_free"])
    words = f"{free / (1 << 30):.1f} GiB free"
    if free < LEAST_DISK:
        return TestStep(name="disk", state="missing", detail=words, todo=f"Make room below {link.facts['root']}.")
    return _ok("disk", words)


async def _clock(link: Link) -> TestStep:
    before = time.time()
    head, _ = await link.ask("hello")
    skew = of_host(head)["time"] - (before + time.time()) / 2
    if abs(skew) > MOST_SKEW_S:
        detail = f"it is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}"
        return TestStep(name="clock", state="missing", detail=detail, todo="Set the clock there: times of runs come from it.")
    return _ok("clock", "right")


async def _server(link: Link, url: str | None) -> TestStep:
    name = "this server, from there"
    if not url:
        return TestStep(
            name=name, state="skipped", detail="no address was given: what jobs log is fetched from the host", todo=""
        )
    head, _ = await link.ask("reach", url=url)
    if head.get("reached") is True:
        return _ok(name, f"{url}: jobs log to it directly")
    detail = f"{url} cannot be reached: {str(head.get('why'))[:500]}; what jobs log is fetched from the host"
    return TestStep(
        name=name, state="missing", detail=detail, todo="Give the address that the host sees: `--server-url URL`, or none."
    )


def _ok(name: str, detail: str) -> TestStep:
    return TestStep(name=name, state="ok", detail=detail, todo="")
