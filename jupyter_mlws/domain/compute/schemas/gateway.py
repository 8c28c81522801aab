"""Wire types of other Jupyter servers whose kernels are used."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from jupyter_mlws.domain.compute.schemas.hosts import HttpUrl, KeySecret, LocalFolder
from jupyter_mlws.kit.fields import matching

ServerUrl = Annotated[
    str,
    matching(
        r"^https?://[^\s/?#@]+(/[^\s?#]*)?$(?!\n)",
        "The address of a Jupyter server begins with https:// or http://, and has no user, password, query or token in it",
        max_length=1000,
    ),
]
KernelName = Annotated[
    str,
    matching(
        r"^[A-Za-z0-9._-]+$(?!\n)",
        "The name of a kernel has letters, digits, `.`, `_` and `-`",
        max_length=200,
    ),
]
KernelUser = Annotated[
    str,
    matching(
        r"^[A-Za-z0-9_.@\\-]+$(?!\n)",
        "The user of a kernel has letters, digits, `.`, `_`, `-`, `@` and `\\`",
        max_length=200,
    ),
]
FETCH_LIMIT = 10_000_000_000
FetchLimit = Annotated[int, Meta(ge=1_000_000, le=2**53)]
Patience = Annotated[int, Meta(ge=1, le=7 * 86_400)]


class GatewayPlace(Struct, kw_only=True):
    """Where another Jupyter server is, and how to get in."""

    url: str
    """Without a slash at its end."""
    token: KeySecret | None
    """The secret that holds its token; null: it asks for none."""
    ca_file: str | None
    """Certificates on the server's machine that are trusted besides no others; null: those that the system trusts."""
    server_url: str | None
    """How kernels there reach this server; null: they do not, and what they log is fetched."""
    kernel: str | None
    """The kernel of notebooks whose own one is not there; null: such a notebook is refused."""
    patience_s: int
    """So long the connection to a kernel may be cut before it is given up."""
    insecure: bool
    """Somebody has agreed to send the token, and all that runs, over a network without encryption."""
    kernel_user: str | None = None
    """For whom an Enterprise Gateway starts kernels; null: for the user that it runs as itself."""
    fetch_limit_bytes: int = FETCH_LIMIT
    """So much the kernel of a job may bring to the server's machine: what it prints, logs, and leaves as files."""


class GatewayCreate(Struct, kw_only=True, forbid_unknown_fields=True):
    """A Jupyter server, Jupyter Kernel Gateway or Jupyter Enterprise Gateway whose kernels run notebooks."""

    url: ServerUrl
    """Its address with the base URL, if it has one. `http://` is for this machine alone, unless `insecure` says otherwise."""
    token: KeySecret | UnsetType | None = UNSET
    ca_file: LocalFolder | UnsetType | None = UNSET
    server_url: HttpUrl | UnsetType | None = UNSET
    kernel: KernelName | UnsetType | None = UNSET
    kernel_user: KernelUser | UnsetType | None = UNSET
    patience_s: Patience | UnsetType = UNSET
    """300 if it is left out."""
    fetch_limit_bytes: FetchLimit | UnsetType = UNSET
    """10 GB if it is left out."""
    insecure: bool | UnsetType = UNSET


class GatewayUpdate(Struct, kw_only=True, forbid_unknown_fields=True):
    """What may change of it; what is left out stays. Jobs that run there are not moved."""

    url: ServerUrl | UnsetType = UNSET
    token: KeySecret | UnsetType | None = UNSET
    ca_file: LocalFolder | UnsetType | None = UNSET
    server_url: HttpUrl | UnsetType | None = UNSET
    kernel: KernelName | UnsetType | None = UNSET
    kernel_user: KernelUser | UnsetType | None = UNSET
    patience_s: Patience | UnsetType = UNSET
    fetch_limit_bytes: FetchLimit | UnsetType = UNSET
    insecure: bool | UnsetType = UNSET
