"""The kernel of a job on another Jupyter server: its process here is the bridge to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

from jupyter_mlws.runner.kernel import JobKernel
from mlws.masking import NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

OURS = (
    "MLWS_URL", "MLWS_TOKEN", "MLWS_WORKSPACE", "MLWS_EXPERIMENT", "MLWS_RUN_ID", "MLWS_RUN_NAME", "MLWS_ATTEMPT", "MLWS_NOTEBOOK",
    "MLWS_SPOOL_ONLY", "AZUREML_RUN_ID", "AZUREML_ARM_WORKSPACE_NAME", "AZUREML_ARM_PROJECT_NAME",
)  # fmt: skip
"""What a job is told by its server. Others that begin so may be the server's own, passwords among them."""
OF_MLFLOW = ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN", "MLFLOW_EXPERIMENT_NAME")
"""Likewise, where they say of this server."""
LOCAL = ("MLWS_JOB_DIR", "MLWS_SPOOL_DIR", "MLWS_DATA_DIR", "MLWS_NOTEBOOK_FILE", NAMES)
"""Variables that mean nothing on another machine, or something else."""
OF_BRIDGE = ("MLWS_GATEWAY_TOKEN", "MLWS_GATEWAY_FOR")
"""What the bridge alone is given."""
FETCHED_WITHIN_S = 6 * 3600.0
"""A bridge that hears nothing for a minute ends by itself; large files take their time."""
GONE_WITHIN_S = 9.0


class OfBridge(KernelSpecManager):
    """Has one kernel: the bridge to one on another server."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        super().__init__()
        settings = {name: value for name, value in told.items() if name not in ("language", "display_name")}
        settings["variables"], hidden = passed_on(told.get("variables") or [], os.environ)
        settings["replace"] = {NAMES: ",".join(hidden)} if hidden else {}
        self._spec = KernelSpec(
            argv=[
                sys.executable,
                "-m",
                "jupyter_mlws.runner.gateway",
                "-f",
                "{connection_file}",
                "--settings",
                json.dumps(settings),
            ],
            display_name=str(told.get("display_name") or told["kernel"]),
            language=str(told.get("language") or ""),
            interrupt_mode="message",
        )

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """That one, whatever it is called."""
        del kernel_name
        return self._spec


def passed_on(own: list[str], env: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The variables that the kernel over there is given, `own` being those that the job names; and which of them are secrets."""
    hidden = [name for name in env.get(NAMES, "").split(",") if name and name not in OF_BRIDGE]
    to_this_server = bool(env.get("MLWS_TOKEN")) and env.get("MLFLOW_TRACKING_TOKEN") == env.get("MLWS_TOKEN")
    ours = [name for name in (*OURS, *(OF_MLFLOW if to_this_server else ())) if name in env]
    return sorted({*own, *hidden, *ours} - {*LOCAL, *OF_BRIDGE}), hidden


class FarKernel(JobKernel):
    """A kernel over there. It ends slowly: what the job left is fetched first."""

    ends_within_s = FETCHED_WITHIN_S

    def __init__(self, name: str, told: Mapping[str, Any]) -> None:
        """`told`: the section `bridge` of the job's notebook."""
        self._use(name, OfBridge(told))
        self.takes_ipc = True
        self._asked = False

    def ending(self) -> str:
        """Why the bridge ended, as it says itself."""
        words = self.last_words.decode("utf-8", "replace").strip().splitlines()
        return words[-1].rstrip(".") if words else super().ending()

    async def finish(self) -> None:
        """Wait until the bridge has fetched what the job left; `trouble` tells if it could not."""
        process = getattr(self.manager.provisioner, "process", None)
        asked, self._asked = self._asked, False
        await super().finish()
        if asked and process is not None and process.poll():
            self.trouble = self.ending()

    async def ask_to_end(self) -> None:
        """Ask the kernel to end; `finish` waits for it."""
        self._asked = True
        await super().ask_to_end()

    async def kill(self) -> None:
        """End the bridge, which ends the kernel over there; one that does not is killed, and the server ends its kernel."""
        if not self.manager.has_kernel:
            return
        with contextlib.suppress(RuntimeError, OSError):
            await self.manager.signal_kernel(signal.SIGTERM)
        until = time.monotonic() + GONE_WITHIN_S
        while time.monotonic() < until and await self.manager.is_alive():  # noqa: ASYNC110 - a process tells nobody
            await asyncio.sleep(0.05)
        await super().kill()
