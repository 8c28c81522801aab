"""Where another Jupyter server is: what is kept of it, once it can be used without giving its token away."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import UNSET

from jupyter_mlws.domain.compute.errors import HostUnfit
from jupyter_mlws.domain.compute.gateway import rest
from jupyter_mlws.domain.compute.schemas import FETCH_LIMIT, GatewayPlace
from jupyter_mlws.kit.errors import BadInput

if TYPE_CHECKING:
    from jupyter_mlws.domain.compute.schemas import GatewayCreate

PATIENCE_S = 300


def made(body: GatewayCreate) -> GatewayPlace:
    """What is kept of a new target. Reads the file of certificates. Raises `BadInput`."""
    return checked(
        GatewayPlace(
            url=body.url,
            token=body.token or None,
            ca_file=body.ca_file or None,
            server_url=body.server_url or None,
            kernel=body.kernel or None,
            kernel_user=body.kernel_user or None,
            patience_s=PATIENCE_S if body.patience_s is UNSET else body.patience_s,
            fetch_limit_bytes=FETCH_LIMIT if body.fetch_limit_bytes is UNSET else body.fetch_limit_bytes,
            insecure=body.insecure is True,
        )
    )


def checked(place: GatewayPlace) -> GatewayPlace:
    """The same, if it can be used. Raises `BadInput`."""
    place.url = place.url.rstrip("/")
    try:
        parts = urlsplit(place.url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise BadInput(f"{place.url[:200]!r} is no address: {error}.", field="gateway.url") from None
    if not host:
        raise BadInput(f"{place.url[:200]!r} names no host.", field="gateway.url")
    if parts.scheme == "http" and not place.insecure and not _is_here(host):
        raise BadInput(
            f"http:// would send the token, and all that runs, to {host} without encryption. Give the https:// address of the server, or "
            "say that you mean it (insecure), as in a network that encrypts by itself.",
            field="gateway.url",
        )
    if place.ca_file is not None:
        place.ca_file = str(Path(place.ca_file).expanduser())
        if not Path(place.ca_file).is_absolute():
            raise BadInput("The file of certificates is named by its whole path.", field="gateway.ca_file")
        try:
            rest.trusted(place.ca_file)
        except HostUnfit as error:
            raise BadInput(error.message, field="gateway.ca_file") from None
    return place


def _is_here(host: str) -> bool:
    """Whether what is sent to a host stays on this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
