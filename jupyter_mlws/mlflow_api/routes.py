"""All of MLflow's routes as (regular expression of the path below `/mlws`, handler)."""

from __future__ import annotations

from jupyter_mlws._version import __version__
from jupyter_mlws.kit.actors import Action
from jupyter_mlws.kit.http import endpoint
from jupyter_mlws.mlflow_api import proxied
from jupyter_mlws.mlflow_api.calls import CALLS
from jupyter_mlws.mlflow_api.http import WORKSPACE, MlflowHandler, NoEndpoint, handlers_of
from jupyter_mlws.mlflow_api.notebooks import CreateRunHandler

PROTOCOL = "3.17.2"
"""The version of MLflow whose protocol this is."""


class HealthHandler(MlflowHandler):
    """Whether the server answers."""

    @endpoint(Action.READ, summary="Health, for MLflow's clients", media_type="text/plain")
    async def get(self, **_names: str) -> None:
        """`OK`."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish("OK")


class VersionHandler(MlflowHandler):
    """The version."""

    @endpoint(Action.READ, summary="Version of MLflow's protocol", media_type="text/plain")
    async def get(self, **_names: str) -> None:
        """The version of MLflow whose protocol is spoken; the header `Server-Version` tells our own."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.set_header("Server-Version", f"jupyter_mlws/{__version__}")
        self.finish(PROTOCOL)


class ServerInfoHandler(MlflowHandler):
    """What this server can."""

    @endpoint(Action.READ, summary="What this server can, for MLflow's clients")
    async def get(self, **_names: str) -> None:
        """Read by clients before they send large files in parts."""
        self.send_json(
            {
                "store_type": "jupyter_mlws",
                "workspaces_enabled": False,
                "trace_archival_enabled": False,
                "multipart_uploads_enabled": True,
                "multipart_downloads_enabled": False,
                "presigned_upload_run_id_supported": False,
                "presigned_upload_model_id_supported": False,
                "features_enabled": {},
            }
        )


def mlflow_routes() -> list[tuple[str, type[MlflowHandler]]]:
    """Every route, and at the end one that answers 404 for all else under an `api` of MLflow's."""
    return [
        *handlers_of(CALLS, {"runs/create": CreateRunHandler}),
        *proxied.handlers(),
        (f"{WORKSPACE}/health", HealthHandler),
        (f"{WORKSPACE}/version", VersionHandler),
        (rf"{WORKSPACE}/api/3\.0/mlflow/server-info", ServerInfoHandler),
        (rf"{WORKSPACE}/(?:ajax-)?api/[23]\.0/.*", NoEndpoint),
    ]
