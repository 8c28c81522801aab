"""MLflow's errors: codes that its clients know, and the answers of the domain put in them.

Clients repeat 408, 429 and 5xx seven times over four minutes and then lose the words: what is wrong in a request is never one of these.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from jupyter_mlws.kit.errors import BadInput, Conflict, MlwsError, NotFound

SEE_DOCS = "See the API docs for more information about request parameters."
BY_STATUS = {
    400: "INVALID_PARAMETER_VALUE",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    405: "ENDPOINT_NOT_FOUND",
    409: "INVALID_PARAMETER_VALUE",
    413: "INVALID_PARAMETER_VALUE",
    429: "REQUEST_LIMIT_EXCEEDED",
    501: "NOT_IMPLEMENTED",
    503: "TEMPORARILY_UNAVAILABLE",
    507: "RESOURCE_EXHAUSTED",
}


BY_CODE = {
    "unknown_logged_model": "BAD_REQUEST",
    "model_point_conflict": "BAD_REQUEST",
    "model_output_exists": "BAD_REQUEST",
}
"""Failures of the domain that MLflow's database tells in its own way."""


class InvalidParameter(BadInput):
    """A value that MLflow does not take, with its words for it."""

    code = "INVALID_PARAMETER_VALUE"


class BadRequest(BadInput):
    """What MLflow's database refuses."""

    code = "BAD_REQUEST"


class AlreadyExists(BadInput):
    """The name is taken. MLflow answers 400, not 409."""

    code = "RESOURCE_ALREADY_EXISTS"


class DoesNotExist(NotFound):
    """There is no such thing, or it is not the caller's to see."""

    code = "RESOURCE_DOES_NOT_EXIST"


class EndpointNotFound(NotFound):
    """No route has this address: clients then try another one."""

    code = "ENDPOINT_NOT_FOUND"


class NotImplementedHere(MlwsError):
    """Something that this storage cannot do; clients know another way."""

    status: ClassVar[int] = 501
    code = "NOT_IMPLEMENTED"


CODES = frozenset(
    kind.code for kind in (InvalidParameter, BadRequest, AlreadyExists, DoesNotExist, EndpointNotFound, NotImplementedHere)
)


def missing(name: str) -> InvalidParameter:
    """A required parameter was not given."""
    return InvalidParameter(f"Missing value for required parameter '{name}'. {SEE_DOCS}", field=name)


def wrong_type(name: str, value: Any) -> InvalidParameter:
    """A parameter is of another type than the protocol's."""
    return InvalidParameter(
        f"Invalid value {shown(value)} for parameter '{name}' supplied:  Hint: Value was of type '{type(value).__name__}'. {SEE_DOCS}",
        field=name,
    )


def shown(value: Any) -> str:
    """A value as messages quote it: compact JSON, cut where it is long."""
    text = json.dumps(value, separators=(",", ":"))
    return text if len(text) <= 1000 else text[:1000] + "…"


def status_and_body(status: int, error: object, words: str) -> tuple[int, dict[str, str]]:
    """What is answered for an error: a status and MLflow's JSON. A conflict is 400 there, where it is wrong to try again."""
    if isinstance(error, MlwsError):
        status = 400 if isinstance(error, Conflict) else error.status
        code = error.code if error.code in CODES else BY_CODE.get(error.code) or BY_STATUS.get(error.status, "INTERNAL_ERROR")
        return status, {"error_code": code, "message": error.message}
    code = "ENDPOINT_NOT_FOUND" if status in (404, 405) else BY_STATUS.get(status, "INTERNAL_ERROR")
    return status, {"error_code": code, "message": words}
