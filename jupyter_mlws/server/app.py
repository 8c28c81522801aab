"""READ FIRST. The Jupyter Server extension: settings, and the order in which things start.

1. Jupyter loads the extension: one rule is added to its router (`router.LazyRouter`), nothing else is imported.
2. The port answers. Then `Runtime.start()` owns the data folder (`owner.py`), opens the database (`schema.py`), and starts the
   background work (`background.py`). Requests that come earlier wait.
3. Kernels find the workspace in their environment (`kernels.py`); those started in the first moments wait for it (`early_kernels.py`).
"""

from __future__ import annotations

import asyncio
import os
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Dict, Float, Int, TraitError, Unicode, default, validate

from jupyter_mlws.kit.paths import default_data_dir
from jupyter_mlws.kit.sizes import read_bytes
from jupyter_mlws.server.early_kernels import EarlyKernels, why_untracked
from jupyter_mlws.server.router import add_routes

if TYPE_CHECKING:
    from jupyter_mlws.server.runtime import Runtime

LOOPBACK = {"", "*", "0.0.0.0", "::", "localhost"}  # noqa: S104 - compared with, never bound to
START_DELAY_S = 0.05
IDLE_TIMEOUT_S = 600


class MlwsApp(ExtensionApp):
    """Jupyter ML Workspace."""

    name = "jupyter_mlws"
    extension_url = "/lab"
    load_other_extensions = True

    data_dir = Unicode(
        help="Folder of the database, files and jobs. Default: `mlws` in Jupyter's data folder. Environment: MLWS_DATA_DIR."
    ).tag(config=True)
    database_url = Unicode(
        help="SQLAlchemy URL of the database. Default: the SQLite file `mlws.db` in the data folder. Environment: MLWS_DATABASE_URL."
    ).tag(config=True)
    max_jobs = Int(
        help="How many jobs run at once on this machine, until `mlws compute update local --max-jobs` says otherwise. "
        "Default: half the CPUs, at least 2."
    ).tag(config=True)
    compute_targets = Dict(
        help="Further compute targets by name, each a dict of its `kind` (an entry point of the group `jupyter_mlws.compute`), "
        "`max_jobs` (default 1) and what the kind asks for."
    ).tag(config=True)
    mirror_map = Dict(
        value_trait=Unicode(),
        key_trait=Unicode(),
        help="Where data that lies elsewhere is found on this machine: absolute paths of folders (or files) by the addresses and "
        "references that jobs name, such as `https://example.org/data/` or `azureml:iris:1`. The longest beginning wins.",
    ).tag(config=True)
    job_memory_limit = Unicode(
        help="Memory limit of jobs that name none themselves, as `4GiB`; all processes of a job count together. Default: no limit. "
        "Environment: MLWS_JOB_MEMORY_LIMIT."
    ).tag(config=True)
    spare_kernels = Int(
        1,
        min=0,
        max=100,
        help="How many Python kernels wait, ready, for notebook jobs on this machine once one has come, so that the next begin at once. "
        "0 keeps none, except those of `mlws compute update local --min-instances`. On Linux alone.",
    ).tag(config=True)
    spare_idle_minutes = Float(10.0, min=0.0, help="Spare kernels end after so many minutes without a notebook job.").tag(
        config=True
    )
    spare_memory_limit = Unicode(
        "1GiB", help="A spare kernel that holds more memory than this, with the processes around it, is ended."
    ).tag(config=True)
    spare_free_memory = Unicode(
        "1GiB", help="No spare kernel is made or kept while less than this of the machine's memory is free."
    ).tag(config=True)
    spare_max_load = Float(
        1.5, min=0.0, help="No spare kernel is made while the machine's load average is above this, for each CPU."
    ).tag(config=True)
    kept_kernel_s = Int(
        1800,
        min=0,
        help="For how many seconds the kernel of a notebook job is kept after a cell failed, if the job asks for it. 0 keeps none.",
    ).tag(config=True)
    compute_limits = Dict(
        help="What jobs may have of compute targets, by the target's name: a dict of `cpus`, `memory_bytes` and `gpus` (all together; "
        "the machine's own if left out), and of `max_jobs_per_user`, `cpus_per_user`, `memory_bytes_per_user` and `gpus_per_user` "
        "(none if left out). What `mlws compute update` says wins."
    ).tag(config=True)
    retry_backoff_s = Float(
        10.0,
        min=0.0,
        help="How many seconds a job with retries waits after its first failed attempt; after each further one twice as long, "
        "at most ten minutes.",
    ).tag(config=True)
    track_kernels = Bool(
        True, help="Tell kernels started by this server where the workspace is, so that `import mlws` needs no configuration."
    ).tag(config=True)
    mlflow_in_kernels = Bool(
        True,
        help="Tell MLflow in the kernels of this server to log into the workspace, unless MLFLOW_TRACKING_URI is set already. "
        "Environment: MLWS_MLFLOW_IN_KERNELS=0 turns it off.",
    ).tag(config=True)
    environment_aliases = Dict(
        value_trait=Unicode(),
        key_trait=Unicode(),
        help="What environments that job files name are called here: environments of the workspace by names such as "
        "`azureml:sklearn-1.5@latest` or addresses of registries; `*` in a name stands for any text. What `mlws environment alias set` "
        "says wins.",
    ).tag(config=True)
    environment_build_timeout_s = Int(3600, min=1, help="After how many seconds the build of an environment is ended.").tag(
        config=True
    )
    bin_days = Int(
        help="Remove runs for good that have been in the bin for so many days. Default: 0, never. Environment: MLWS_BIN_DAYS."
    ).tag(config=True)
    secrets_key_file = Unicode(
        help="File with the key that secrets are sealed with, base64 of 32 bytes, readable by this user alone; for several machines that "
        "share a database. Default: the keyring of the operating system, or `secrets.key` in the data folder. "
        "Environment: MLWS_SECRETS_KEY_FILE, or MLWS_SECRETS_KEY with the key itself."
    ).tag(config=True)
    headless = Bool(False, help="This server was started by the command line alone, and ends when it is idle.").tag(config=True)
    idle_timeout_s = Int(
        help="After how many seconds without requests, jobs and running runs a headless server ends. Default: 600. "
        "Environment: MLWS_IDLE_TIMEOUT_S."
    ).tag(config=True)

    runtime: Runtime | None = None
    _beginning: asyncio.Future[None] | None = None
    _early: EarlyKernels | None = None

    @default("data_dir")
    def _default_data_dir(self) -> str:
        return str(default_data_dir())

    @default("database_url")
    def _default_database_url(self) -> str:
        return os.environ.get("MLWS_DATABASE_URL", "")

    @default("bin_days")
    def _default_bin_days(self) -> int:
        return int(os.environ.get("MLWS_BIN_DAYS") or 0)

    @default("secrets_key_file")
    def _default_secrets_key_file(self) -> str:
        return os.environ.get("MLWS_SECRETS_KEY_FILE", "")

    @default("job_memory_limit")
    def _default_job_memory_limit(self) -> str:
        return os.environ.get("MLWS_JOB_MEMORY_LIMIT", "")

    @validate("job_memory_limit")
    def _checked_memory_limit(self, proposal: Any) -> str:
        text = str(proposal["value"])
        size = read_bytes(text) if text else None
        if text and (size is None or size < 1 << 24):
            raise TraitError(f"MlwsApp.job_memory_limit must be a size of 16 MiB or more, as 4GiB, not {text[:80]!r}.")
        return text

    @validate("spare_memory_limit", "spare_free_memory")
    def _checked_size(self, proposal: Any) -> str:
        text = str(proposal["value"])
        if text != "0" and read_bytes(text) is None:
            raise TraitError(f"MlwsApp.{proposal['trait'].name} must be a size, as 1GiB, not {text[:80]!r}.")
        return text

    @default("mlflow_in_kernels")
    def _default_mlflow_in_kernels(self) -> bool:
        return os.environ.get("MLWS_MLFLOW_IN_KERNELS", "").lower() not in ("0", "false", "no", "off")

    @default("idle_timeout_s")
    def _default_idle_timeout_s(self) -> int:
        return int(os.environ.get("MLWS_IDLE_TIMEOUT_S") or IDLE_TIMEOUT_S)

    @default("max_jobs")
    def _default_max_jobs(self) -> int:
        return max(2, (os.cpu_count() or 2) // 2)

    def initialize_handlers(self) -> None:
        """Add our one rule to Jupyter's router."""
        assert self.serverapp is not None  # noqa: S101 - Jupyter links the extension before it initializes it
        add_routes(self.serverapp.web_app)

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """The event loop runs and the port is known: begin."""
        if self.track_kernels:
            self._early = EarlyKernels(serverapp.kernel_manager)
            if reason := why_untracked(serverapp):
                serverapp.web_app.settings.setdefault("page_config_data", {})["mlwsUntracked"] = reason
        asyncio.get_running_loop().call_later(START_DELAY_S, self._begin_soon, serverapp)

    def _begin_soon(self, serverapp: Any) -> None:
        self._beginning = asyncio.ensure_future(self._begin_or_tell(serverapp))

    async def _begin_or_tell(self, serverapp: Any) -> None:
        try:
            await self._begin(serverapp)
        except Exception:
            serverapp.log.exception("Jupyter ML Workspace could not start; JupyterLab works without it")
        finally:
            if self._early is not None:
                self._early.let_go()
            serverapp.web_app.settings["mlws_started"].set()

    async def _begin(self, serverapp: Any) -> None:
        loop = asyncio.get_running_loop()
        runtime_module = await loop.run_in_executor(None, _import_runtime)
        runtime: Runtime = runtime_module.Runtime(self._settings(serverapp, runtime_module), loop)
        self.runtime = runtime
        times = serverapp.web_app.settings["last_activity_times"]
        runtime.jobs_run = lambda: times.update(mlws_jobs=datetime.now(timezone.utc))
        serverapp.web_app.settings["mlws"] = runtime
        if self._early is not None:
            from jupyter_mlws.server.kernels import follow_kernels  # noqa: PLC0415 - after the port answers

            self._early.let_go()
            follow_kernels(serverapp, runtime)
        await runtime.start()
        if self._early is not None:
            from jupyter_mlws.server import far_kernels  # noqa: PLC0415 - after the port answers

            far_kernels.show(serverapp, runtime)
        if self.headless:
            from jupyter_mlws.server.idle import Leaving  # noqa: PLC0415 - only headless servers leave by themselves

            runtime.leave = Leaving(serverapp, runtime, self.idle_timeout_s).leave

    def _settings(self, serverapp: Any, runtime_module: Any) -> Any:
        return runtime_module.Settings(
            data_dir=Path(self.data_dir).expanduser().absolute(),
            database_url=self.database_url,
            root_dir=Path(serverapp.root_dir).absolute(),
            url=own_url(serverapp),
            max_jobs=self.max_jobs,
            compute_targets=dict(self.compute_targets),
            spares=runtime_module.SpareSettings(
                number=self.spare_kernels,
                idle_s=self.spare_idle_minutes * 60,
                most_bytes=read_bytes(self.spare_memory_limit) or 0,
                free_bytes=read_bytes(self.spare_free_memory) or 0,
                load=self.spare_max_load,
            ),
            mirror_map=dict(self.mirror_map),
            job_memory_limit=read_bytes(self.job_memory_limit) if self.job_memory_limit else None,
            kept_kernel_s=self.kept_kernel_s,
            compute_limits=dict(self.compute_limits),
            retry_backoff_s=self.retry_backoff_s,
            mlflow_in_kernels=self.mlflow_in_kernels,
            environment_aliases=dict(self.environment_aliases),
            environment_build_timeout_s=self.environment_build_timeout_s,
            bin_days=max(0, self.bin_days),
            # Taken away: what this server starts, kernels above all, has no use for it.
            secrets_key=os.environ.pop("MLWS_SECRETS_KEY", ""),
            secrets_key_file=Path(self.secrets_key_file).expanduser().absolute() if self.secrets_key_file else None,
            headless=self.headless,
            single_user=type(serverapp.identity_provider).__module__.startswith("jupyter_server."),
        )

    def current_activity(self) -> Any:
        """Running jobs keep the server from being culled."""
        runtime = self.runtime
        return None if runtime is None or runtime.services.jobs is None else runtime.services.jobs.active()

    async def stop_extension(self) -> None:
        """The server stops; jobs go on."""
        if self._beginning is not None:
            self._beginning.cancel()
        if self.runtime is not None:
            await self.runtime.stop()


def _import_runtime() -> Any:
    """Import everything, off the event loop."""
    import jupyter_mlws.server.routes
    import jupyter_mlws.server.runtime

    return jupyter_mlws.server.runtime


def own_url(serverapp: Any) -> str:
    """How processes on this machine reach this server; empty where it listens on a unix socket, which URLs cannot name."""
    if serverapp.sock:
        return ""
    host = "127.0.0.1" if serverapp.ip in LOOPBACK else serverapp.ip
    if ":" in host:
        host = f"[{host}]"
    scheme = "https" if serverapp.certfile else "http"
    return f"{scheme}://{host}:{serverapp.port}{serverapp.base_url.rstrip('/')}/mlws"
