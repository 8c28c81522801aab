"""The kernels of another Jupyter server as kernels of this one: specifications in a folder that this server's kernel manager looks into.

No token stands in them: the server gives it to a kernel that it starts.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlws.jobdir import write_atomic

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from jupyter_mlws.domain.compute.schemas import GatewayPlace

KERNEL = "kernel.json"
KEY = "mlws"
"""In the metadata of a specification: whose kernel it is."""
VARIABLES = (
    "MLWS_URL", "MLWS_TOKEN", "MLWS_WORKSPACE",
    "MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN", "MLFLOW_EXPERIMENT_NAME",
)  # fmt: skip
"""What a kernel over there that reaches this server is given."""
USABLE = re.compile(r"[a-z0-9._-]{1,200}")


OURS = re.compile(r"mlws-([a-z0-9][a-z0-9_-]*)\.([a-z0-9._-]+)", re.IGNORECASE)
"""The name of a target has no dot."""


def name_of(target: str, kernel: str) -> str:
    """What a kernel of a target is called here. Jupyter does not tell capitals from others."""
    return f"mlws-{target}.{kernel}".lower()


def parts_of(name: str) -> tuple[str, str] | None:
    """Of which target, in small letters, a kernel is that is called so here, and what it is called there; None for other kernels."""
    found = OURS.fullmatch(name)
    return (found[1].lower(), found[2]) if found else None


def write(folder: Path, records: Path, target: str, place: GatewayPlace, specs: Mapping[str, Mapping[str, Any]]) -> None:
    """Have those of a target be these; what has not changed is not touched."""
    named = {name_of(target, kernel): (kernel, spec) for kernel, spec in specs.items()}
    for name, (kernel, spec) in named.items():
        if not USABLE.fullmatch(name):
            continue
        made = json.dumps(_spec(records, target, place, kernel, spec), indent=1).encode()
        path = folder / name / KERNEL
        if path.is_file() and (path.read_bytes() == made or target_in(path) not in (None, target)):
            continue  # targets whose names differ in capitals alone: who came first has it
        path.parent.mkdir(parents=True, exist_ok=True)
        for logo in _logos(str(spec.get("language") or "")):
            write_atomic(str(path.with_name(logo.name)), logo.read_bytes())
        write_atomic(str(path), made)
    for path in folder.glob(f"*/{KERNEL}"):
        if path.parent.name not in named and target_in(path) == target:
            shutil.rmtree(path.parent, ignore_errors=True)


def _logos(language: str) -> list[Path]:
    """The pictures of a kernel of this machine in the same language; a picture of the other server is none to show as ours."""
    from jupyter_client.kernelspec import KernelSpecManager  # noqa: PLC0415 - needed where there are such targets only

    for known in KernelSpecManager().get_all_specs().values():
        if str(known["spec"].get("language") or "").lower() == language.lower():
            return sorted(path for path in Path(known["resource_dir"]).glob("logo-*") if path.is_file())
    return []


def keep_only(folder: Path, targets: Collection[str]) -> None:
    """Remove those of other targets, which are gone."""
    for path in folder.glob(f"*/{KERNEL}"):
        if target_in(path) not in targets:
            shutil.rmtree(path.parent, ignore_errors=True)


def target_in(path: Path) -> str | None:
    """Whose kernel a specification is."""
    try:
        return target_of(json.loads(path.read_bytes()).get("metadata"))
    except (OSError, ValueError, AttributeError):
        return None


def target_of(metadata: Any) -> str | None:
    """The target that the metadata of a specification names."""
    told = metadata.get(KEY) if isinstance(metadata, dict) else None
    found = told.get("target") if isinstance(told, dict) else None
    return found if isinstance(found, str) else None


def _spec(records: Path, target: str, place: GatewayPlace, kernel: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    settings = {
        "url": place.url,
        "kernel": kernel,
        "target": target,
        "user": place.kernel_user or "",
        "ca_file": place.ca_file,
        "patience_s": place.patience_s,
        "records": str(records),
        "variables": list(VARIABLES) if place.server_url else [],
    }
    program = [sys.executable, "-m", "jupyter_mlws.runner.gateway", "-f", "{connection_file}", "--settings", json.dumps(settings)]
    return {
        "argv": program,
        "display_name": f"{spec.get('display_name') or kernel} on {target}",
        "language": str(spec.get("language") or ""),
        "interrupt_mode": "message",
        "metadata": {KEY: {"target": target}},
    }
