"""Asking MLflow's routes of the same server: what has no route of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from jupyter_mlws.sdk.errors import api_error
from jupyter_mlws.sdk.transport import Transport, segment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jupyter_mlws.sdk.connection import Answer
    from jupyter_mlws.sdk.workspace import Workspace

FILES = "/mlflow-artifacts/artifacts"
PAGE = 500
CODES = {"RESOURCE_DOES_NOT_EXIST": 404, "RESOURCE_ALREADY_EXISTS": 409}


class MlflowWire(Transport):
    """Requests to the MLflow routes of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace.transport.locate)
        self._workspace = segment(workspace.name)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """A GET below `mlflow/`."""
        answer: dict[str, Any] = self.ask("GET", f"/mlflow/{path}", dict, query=query)
        return answer

    def post(self, path: str, body: dict[str, Any], *, repeatable: bool = False) -> dict[str, Any]:
        """A POST below `mlflow/`. repeatable: sent again where the answer was lost."""
        headers = {"Idempotency-Key": "again"} if repeatable else {}
        answer: dict[str, Any] = self.ask("POST", f"/mlflow/{path}", dict, body=body, headers=headers)
        return answer

    def pages(self, path: str, items: str, *, method: str = "GET", **fields: Any) -> Iterator[dict[str, Any]]:
        """All items of a search."""
        token: str | None = None
        while True:
            asked = {**fields, "max_results": PAGE, **({"page_token": token} if token else {})}
            page = self.get(path, **asked) if method == "GET" else self.post(path, asked, repeatable=True)
            yield from page.get(items, ())
            token = page.get("next_page_token")
            if not token:
                return

    def files(self, folder: str) -> Iterator[tuple[str, int]]:
        """(path from there, size) of all files below a place of the store of artifacts."""
        listed: dict[str, Any] = self.ask("GET", FILES, dict, query={"path": folder})
        for entry in listed.get("files", ()):
            name = str(entry["path"])
            if entry.get("is_dir"):
                for path, size in self.files(f"{folder}/{name}"):
                    yield f"{name}/{path}", size
            else:
                yield name, int(entry.get("file_size", 0))

    def file_address(self, path: str) -> str:
        """Where a file of the store is read and written."""
        return f"{FILES}/{quote(path, safe='/')}"

    def _target(self, path: str, query: Mapping[str, Any] | None) -> str:
        params = {key: value for key, value in (query or {}).items() if value is not None}
        asked = f"?{urlencode(params, doseq=True)}" if params else ""
        return f"{urlsplit(self.server.url).path}/w/{self._workspace}/api/2.0{path}{asked}"

    def _checked(self, answer: Answer) -> Answer:
        if answer.ok or answer.status == 401:
            return super()._checked(answer)
        try:
            body = msgspec.json.decode(answer.content)
            code, message = str(body["error_code"]), str(body["message"])
        except (msgspec.MsgspecError, KeyError, TypeError, UnicodeDecodeError):
            return super()._checked(answer)
        raise api_error(CODES.get(code, answer.status), code=code.lower(), message=message)
