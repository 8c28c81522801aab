"""Sealing values: AES-256-GCM with a random nonce, bound to what the value belongs to."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from typing import TYPE_CHECKING, NamedTuple

from jupyter_mlws.domain.secrets.errors import KeyMissing, KeyUnusable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12


class Sealed(NamedTuple):
    """A value that only its key opens."""

    key_id: str
    data: bytes
    """The nonce, then what AES-GCM makes of the value, its tag at the end."""


class Keys(NamedTuple):
    """The keys that are here: the first seals, any of them opens."""

    place: str
    """`environment`, `file`, `folder` or `keyring`."""
    words: str
    """Where they lie, for a person."""
    keys: tuple[bytes, ...]

    def seal(self, value: str, owner: str) -> Sealed:
        """Seal a value that belongs to `owner`."""
        nonce = os.urandom(NONCE_BYTES)
        return Sealed(key_id(self.keys[0]), nonce + _cipher(self.keys[0]).encrypt(nonce, value.encode(), owner.encode()))

    def open(self, sealed: Sealed, owner: str) -> str:
        """The value. Raises `KeyMissing`, and `KeyUnusable` for what is damaged or belongs to another owner."""
        key = next((key for key in self.keys if key_id(key) == sealed.key_id), None)
        if key is None:
            raise KeyMissing(f"The key {sealed.key_id} of {owner} is not here ({self.words} holds another); set the secret anew.")
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - only who has secrets pays for it

        try:
            value = _cipher(key).decrypt(sealed.data[:NONCE_BYTES], sealed.data[NONCE_BYTES:], owner.encode())
        except InvalidTag:
            raise KeyUnusable(f"What is stored of {owner} is damaged, or was moved from another place; set it anew.") from None
        return value.decode()

    def opens(self, sealed_with: str) -> bool:
        """Whether a key is here."""
        return any(key_id(key) == sealed_with for key in self.keys)


def _cipher(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - only who has secrets pays for it

    return AESGCM(key)


def owner_of_secret(workspace_id: int, name: str) -> str:
    """What a secret is bound to."""
    return f"secret {name!r} of workspace {workspace_id}"


def owner_of_use(run_id: str, variable: str) -> str:
    """What a job's copy is bound to."""
    return f"variable {variable!r} of job {run_id}"


def new_key() -> bytes:
    """A random key."""
    return os.urandom(KEY_BYTES)


def key_id(key: bytes) -> str:
    """Tells keys apart, and nothing of them."""
    return hashlib.sha256(b"jupyter_mlws secrets key" + key).hexdigest()[:16]


def written(keys: Sequence[bytes]) -> str:
    """Keys as a file holds them: a line each."""
    return "".join(f"{base64.b64encode(key).decode()}\n" for key in keys)


def read(text: str, where: str) -> tuple[bytes, ...]:
    """The keys in a text: base64, with commas, spaces or line ends between; lines with `#` are comments. Raises `KeyUnusable`."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    found = []
    for word in " ".join(lines).replace(",", " ").split():
        try:
            key = base64.b64decode(word.replace("-", "+").replace("_", "/") + "=" * (-len(word) % 4), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != KEY_BYTES:
            raise KeyUnusable(
                f"{where} holds something that is no key: each is {KEY_BYTES} random bytes in base64, as `openssl rand -base64 32` "
                "makes them."
            )
        found.append(key)
    if not found:
        raise KeyUnusable(f"{where} is empty; a key for secrets is {KEY_BYTES} random bytes in base64.")
    return tuple(found)
