"""Wire types of hosts that are reached by SSH."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from jupyter_mlws.kit.fields import matching

HostName = Annotated[
    str,
    matching(
        r"^[A-Za-z0-9][A-Za-z0-9.-]*$(?!\n)|^[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*$(?!\n)",
        "A host is a name or an address: letters, digits, `.`, `-`, or an IPv6 address",
        max_length=253,
    ),
]
Login = Annotated[
    str,
    matching(
        r"^[A-Za-z0-9_][A-Za-z0-9_.@-]*$(?!\n)",
        "The name of a user has letters, digits, `_`, `.`, `@` and `-`, and does not begin with `-`",
        max_length=64,
    ),
]
Port = Annotated[int, Meta(ge=1, le=65535)]
HostPath = Annotated[
    str,
    matching(
        r"^(~?/|~$)[^\x00-\x1f\x7f]*$(?!\n)",
        "A path on the host begins with `/` or `~/` and has no control characters",
        max_length=1000,
    ),
]
Program = Annotated[
    str,
    matching(
        r"^(/[^\x00-\x1f\x7f]*|[A-Za-z0-9_.+][A-Za-z0-9_.+-]*)$(?!\n)",
        "Python on the host is a whole path (`/opt/venv/bin/python`), or the name of a program there (`python3`)",
        max_length=1000,
    ),
]
HostKey = Annotated[str, Meta(min_length=8, max_length=4000)]
"""`SHA256:…`, the fingerprint that the host's owner tells; or the public key, `ssh-ed25519 AAAA…`."""
HttpUrl = Annotated[
    str,
    matching(
        r"^https?://[^\s]+$(?!\n)",
        "The address of this server, as the host reaches it, begins with http:// or https://",
        max_length=1000,
    ),
]
LocalFolder = Annotated[str, Meta(min_length=1, max_length=4000)]
"""On the server's machine."""


class KeySecret(Struct, kw_only=True, forbid_unknown_fields=True):
    """A private key that lies in the secret store."""

    workspace: Annotated[str, Meta(min_length=1, max_length=200)]
    name: Annotated[str, Meta(min_length=1, max_length=100)]


class SshPlace(Struct, kw_only=True):
    """Where a host is, and how to get in."""

    host: str
    port: int
    user: str
    folder: str
    """There; `mlws` keeps jobs, files and our supervisor below it."""
    python: str
    host_key: str
    """Its public key, as `known_hosts` has it: `ssh-ed25519 AAAA…`."""
    fingerprint: str
    """The same, as people compare it: `SHA256:…`."""
    key: KeySecret | None
    """The private key to show; null: those of the SSH agent of the server."""
    server_url: str | None
    """How jobs there reach this server; null: they do not, and what they log is fetched."""
    wheelhouse: str | None = None
    """A folder of wheels on the server's machine, of which the host makes itself a Python for notebooks; null: `python` runs them."""


class HostKernel(Struct, kw_only=True):
    """A kernel that is installed on a host."""

    name: str
    display_name: str
    language: str


class HostNotebooks(Struct, kw_only=True):
    """What a host has for notebook jobs."""

    missing: str
    """Why no notebook runs there; empty where they do."""
    papermill: str | None
    """Its version; null where it is not there."""
    ipykernel: str | None
    kernels: list[HostKernel]


class HostFacts(Struct, kw_only=True):
    """What a host said of itself."""

    host: str
    python: str
    system: str
    machine: str
    cpus: int | None
    memory: int | None
    gpus: list[int]
    notebooks: HostNotebooks | None = None
    """Null while it was not asked."""


class SshCreate(Struct, kw_only=True, forbid_unknown_fields=True):
    """A host to run jobs on."""

    host: HostName
    host_key: HostKey
    """The key that it must show. Ask who runs the host; `POST /ssh/host-keys` says what it shows now."""
    user: Login | UnsetType = UNSET
    """Who to log in as; the user of the server if it is left out."""
    port: Port | UnsetType = UNSET
    """22 if it is left out."""
    folder: HostPath | UnsetType = UNSET
    """`~/.mlws` if it is left out."""
    python: Program | UnsetType = UNSET
    """`python3` if it is left out."""
    key: KeySecret | UnsetType | None = UNSET
    server_url: HttpUrl | UnsetType | None = UNSET
    wheelhouse: LocalFolder | UnsetType | None = UNSET


class SshUpdate(Struct, kw_only=True, forbid_unknown_fields=True):
    """What may change of a host; what is left out stays."""

    host: HostName | UnsetType = UNSET
    host_key: HostKey | UnsetType = UNSET
    user: Login | UnsetType = UNSET
    port: Port | UnsetType = UNSET
    folder: HostPath | UnsetType = UNSET
    python: Program | UnsetType = UNSET
    key: KeySecret | UnsetType | None = UNSET
    server_url: HttpUrl | UnsetType | None = UNSET
    wheelhouse: LocalFolder | UnsetType | None = UNSET


class HostKeyQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which host to ask for its keys."""

    host: HostName
    port: Port | UnsetType = UNSET


class ShownKey(Struct, kw_only=True):
    """A key that a host shows."""

    type: str
    fingerprint: str
    public_key: str
    known: bool
    """Whether it stands in `~/.ssh/known_hosts` of the server's user."""


class ShownKeys(Struct, kw_only=True):
    """The keys that a host shows now. Whether they are its own nobody can tell who does not know them."""

    keys: list[ShownKey]
