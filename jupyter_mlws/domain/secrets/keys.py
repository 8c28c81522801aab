"""Where the key is that secrets are sealed with: never in the database, and never made anew while there are secrets.

In this order: the variable MLWS_SECRETS_KEY, the file that the setting names, `secrets.key` in the data folder, the keyring of the
operating system. A first key goes into the keyring where there is a usable one, else into `secrets.key`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import threading
from typing import TYPE_CHECKING, Any

from jupyter_mlws.domain.secrets.errors import KeyMissing, KeyUnusable
from jupyter_mlws.domain.secrets.sealing import Keys, key_id, new_key, read, written
from jupyter_mlws.kit.durable import synced

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

VARIABLE = "MLWS_SECRETS_KEY"
KEYRING_SERVICE = "jupyter_mlws"


class KeyPlaces:
    """The places of one server. All methods may block; they are called from threads."""

    def __init__(self, folder_file: Path, *, named_file: Path | None = None, given: str = "") -> None:
        """`given`: what MLWS_SECRETS_KEY held; `named_file`: what the setting says."""
        self.folder_file = folder_file
        self.named_file = named_file
        self._given = given
        self.sealing = threading.Lock()
        """Held from looking for the keys until what they sealed is stored, so that no key goes, or is made twice, in between."""

    def find(self, known: Sequence[str]) -> Keys | None:
        """The keys that are here; None if there are none and none is needed. `known`: ids of those that secrets are sealed with.

        Raises `KeyMissing` if none is here and there are secrets, `KeyUnusable` for one that others can read.
        """
        if self._given:
            return Keys("environment", f"the variable {VARIABLE}", read(self._given, f"The variable {VARIABLE}"))
        if self.named_file is not None:
            return Keys("file", str(self.named_file), read(_private_text(self.named_file), str(self.named_file)))
        if os.path.lexists(self.folder_file):
            return Keys("folder", str(self.folder_file), read(_private_text(self.folder_file), str(self.folder_file)))
        in_keyring = [key for key in map(_from_keyring, known) if key is not None]
        if in_keyring:
            return Keys("keyring", "the keyring of the operating system", tuple(in_keyring))
        if known:
            raise KeyMissing(
                f"The key that the secrets here are sealed with ({known[0]}) was not found: not in {VARIABLE}, not in "
                f"{self.folder_file}, and not in the keyring of the operating system. Bring it back; on several machines "
                f"{VARIABLE} or the setting `secrets_key_file` gives all of them the same. Without it, delete the secrets and set "
                "them anew."
            )
        return None

    def make(self) -> Keys:
        """A first key. Where another was made at the same moment that one counts."""
        key = new_key()
        if _into_keyring(key):
            return Keys("keyring", "the keyring of the operating system", (key,))
        with contextlib.suppress(FileExistsError):
            _write_new(self.folder_file, written([key]))
        return Keys("folder", str(self.folder_file), read(_private_text(self.folder_file), str(self.folder_file)))

    def add(self, now: Keys) -> Keys:
        """A further key, which seals from now on; the old ones go on opening. Those that a person gave are changed by that person."""
        if now.place in ("environment", "file"):
            return now
        key = new_key()
        keys = now._replace(keys=(key, *now.keys))
        if now.place == "keyring":
            if not _into_keyring(key):
                raise KeyUnusable("The keyring of the operating system takes no new key now; unlock it and try again.")
            return keys
        _replace(self.folder_file, written(keys.keys))
        return keys

    def keep_first(self, now: Keys) -> None:
        """Forget the keys that seal nothing any more."""
        if now.place == "keyring":
            for key in now.keys[1:]:
                _out_of_keyring(key_id(key))
        elif now.place == "folder":
            _replace(self.folder_file, written(now.keys[:1]))


def _private_text(path: Path) -> str:
    """The text of a file that nobody else can read."""
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077 and os.name != "nt":
                raise KeyUnusable(
                    f"{path} can be read or written by others (mode {mode:o}), so its key may be known; `chmod 600` it, and if "
                    "somebody else can have read it, `mlws secret rotate-key` makes another."
                )
            return file.read(65536)
    except OSError as error:
        raise KeyMissing(f"The key for secrets in {path} cannot be read: {error.strerror}.") from None


def _write_new(path: Path, text: str) -> None:
    """Make a file that only this user can read, whole or not at all. Raises FileExistsError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    _write(temporary, text)
    try:
        os.link(temporary, path)
    finally:
        temporary.unlink()
    synced(path.parent)


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    _write(temporary, text)
    temporary.replace(path)
    synced(path.parent)


def _write(path: Path, text: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()  # of a process of this number that was killed
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _keyring() -> Any:
    """The keyring module, if it is installed and has something to keep keys in."""
    try:
        import keyring  # noqa: PLC0415 - optional
    except ImportError:
        return None
    try:
        return keyring if keyring.get_keyring().priority >= 1 else None
    except Exception as error:  # noqa: BLE001 - a backend of whatever kind that does not work
        log.warning("The keyring of the operating system cannot be used: %s", error)
        return None


def _from_keyring(name: str) -> bytes | None:
    keyring = _keyring()
    if keyring is None:
        return None
    try:
        text = keyring.get_password(KEYRING_SERVICE, name)
    except Exception as error:  # noqa: BLE001 - locked, or of whatever kind
        log.warning("The keyring of the operating system does not answer: %s", error)
        return None
    return None if not text else read(text, "The keyring of the operating system")[0]


def _into_keyring(key: bytes) -> bool:
    keyring = _keyring()
    if keyring is None:
        return False
    try:
        keyring.set_password(KEYRING_SERVICE, key_id(key), written([key]).strip())
    except Exception as error:  # noqa: BLE001 - locked, or of whatever kind
        log.warning("The keyring of the operating system takes no key: %s", error)
        return False
    return _from_keyring(key_id(key)) == key


def _out_of_keyring(name: str) -> None:
    keyring = _keyring()
    if keyring is not None:
        with contextlib.suppress(Exception):  # it seals nothing any more, so it does no harm there
            keyring.delete_password(KEYRING_SERVICE, name)
