"""Keys: the private ones that a server shows, and the public ones that hosts have."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.compute.errors import HostSilent, HostUnreachable, LoginRefused, TargetRefuses
from jupyter_mlws.domain.compute.schemas import ShownKey
from jupyter_mlws.domain.compute.ssh import link, loop
from jupyter_mlws.domain.secrets import service as secrets
from jupyter_mlws.kit.errors import BadInput, MlwsError

if TYPE_CHECKING:
    from jupyter_mlws.domain.compute.schemas import KeySecret
    from jupyter_mlws.domain.secrets.service import KeyPlaces
    from jupyter_mlws.kit.transactions import Transactions

AGENT_S = 5.0


def private_keys(db: Transactions, places: KeyPlaces, named: KeySecret | None) -> list[Any]:
    """The keys to show. Blocks: for threads. Raises `LoginRefused` where there is none."""
    return _of_agent() if named is None else [_of_secret(db, places, named)]


def _of_agent() -> list[Any]:
    path = os.environ.get("SSH_AUTH_SOCK", "")
    if not path:
        raise LoginRefused(
            "There is no SSH agent here: SSH_AUTH_SOCK is not set for the server. Start one before the server, or put the private key into "
            "the secret store (`mlws secret set NAME < FILE`) and name it: `--key-secret NAME`."
        )
    try:
        found = loop.wait(asyncio.wait_for(_keys_of(path), AGENT_S))
    except (OSError, asyncio.TimeoutError, ValueError, link.library().Error) as error:
        raise LoginRefused(f"The SSH agent at SSH_AUTH_SOCK does not answer: {error}.") from error
    if not found:
        raise LoginRefused("The SSH agent of the server has no key; `ssh-add` gives it one.")
    return found


async def _keys_of(path: str) -> list[Any]:
    agent = await link.library().connect_agent(path)
    return list(await agent.get_keys())


def _of_secret(db: Transactions, places: KeyPlaces, named: KeySecret) -> Any:
    where = f"The secret {named.name!r} of the workspace {named.workspace!r}"
    try:
        text = secrets.value_of(db, places, named.workspace, named.name)
    except MlwsError as error:
        raise LoginRefused(f"{where}, which holds the key, cannot be read: {error.message}") from error
    ssh = link.library()
    try:
        return ssh.import_private_key(text if text.endswith("\n") else f"{text}\n")
    except ssh.KeyEncryptionError:
        raise LoginRefused(f"{where} holds a key with a passphrase; store one without, or use an SSH agent.") from None
    except (ssh.KeyImportError, ValueError):
        raise LoginRefused(f"{where} holds no private key that SSH can use.") from None


def shown(host: str, port: int) -> list[ShownKey]:
    """The keys that a host shows now. Blocks: for threads. Raises `HostSilent` and `ExtraMissing`."""
    try:
        found = loop.wait(link.host_keys(host, port))
    except HostUnreachable as error:
        raise HostSilent(error.message, field="host") from error
    known = _known(host, port)
    return [
        ShownKey(
            type=key.algorithm.decode(),
            fingerprint=key.get_fingerprint(),
            public_key=public_text(key),
            known=key.public_data in known,
        )
        for key in found
    ]


def public_text(key: Any) -> str:
    """`ssh-ed25519 AAAA…`, without a comment."""
    return " ".join(key.export_public_key("openssh").decode().split()[:2])


def _known(host: str, port: int) -> set[bytes]:
    """What `~/.ssh/known_hosts` of the server's user says of a host."""
    path, ssh = Path.home() / ".ssh" / "known_hosts", link.library()
    with contextlib.suppress(OSError, ValueError, ssh.Error):
        trusted, *_ = ssh.read_known_hosts(str(path)).match(host, "", None if port == 22 else port)
        return {key.public_data for key in trusted}
    return set()


def checked(given: str, host: str, port: int) -> tuple[str, str]:
    """(public key, fingerprint) of a host, from either. A fingerprint alone needs the host, which must show the key that has it.

    Blocks: for threads. Raises `TargetRefuses`, `BadInput`, `HostSilent`.
    """
    text, ssh = given.strip(), link.library()
    if not text.startswith("SHA256:"):
        try:
            key = ssh.import_public_key(text)
        except (ssh.KeyImportError, ValueError):
            raise BadInput(
                "A host key is a fingerprint (SHA256:…), or a public key as known_hosts has it (ssh-ed25519 AAAA…).",
                field="ssh.host_key",
            ) from None
        return public_text(key), key.get_fingerprint()
    found = shown(host, port)
    for one in found:
        if one.fingerprint.rstrip("=") == text.rstrip("="):
            return one.public_key, one.fingerprint
    there = ", ".join(f"{one.fingerprint} ({one.type})" for one in found)
    raise TargetRefuses(f"{host} does not show the key {text[:100]}. It shows: {there}.", field="ssh.host_key")
