"""Where the key is: who may read it, when one is made, and what is said where it is missing."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlws.domain.secrets.errors import KeyMissing, KeyUnusable
from jupyter_mlws.domain.secrets.keys import KeyPlaces
from jupyter_mlws.domain.secrets.sealing import Keys, Sealed, key_id, new_key, read, written

BACKEND = """
import json, pathlib, os
from keyring.backend import KeyringBackend
class Backend(KeyringBackend):
    priority = 5
    def _all(self):
        path = pathlib.Path(os.environ["KEYRING_FILE"])
        return json.loads(path.read_text()) if path.exists() else {}
    def get_password(self, service, username):
        return self._all().get(f"{service}/{username}")
    def set_password(self, service, username, password):
        pathlib.Path(os.environ["KEYRING_FILE"]).write_text(json.dumps({**self._all(), f"{service}/{username}": password}))
    def delete_password(self, service, username):
        found = self._all()
        del found[f"{service}/{username}"]
        pathlib.Path(os.environ["KEYRING_FILE"]).write_text(json.dumps(found))
"""
"""A keyring in a file: what the tests can see into, behind the real `keyring` package."""


def test_the_first_key_is_made_for_this_user_alone(tmp_path: Path):
    places = KeyPlaces(tmp_path / "secrets.key")
    assert places.find([]) is None
    made = places.make()
    assert (made.place, made.words) == ("folder", str(tmp_path / "secrets.key"))
    assert (tmp_path / "secrets.key").stat().st_mode & 0o777 == 0o600
    assert places.find([]) == made
    assert [path.name for path in tmp_path.iterdir()] == ["secrets.key"]


def test_servers_that_make_one_at_the_same_moment_have_the_same(tmp_path: Path):
    script = "import sys; from pathlib import Path; from jupyter_mlws.domain.secrets.keys import KeyPlaces; "
    script += "print(KeyPlaces(Path(sys.argv[1])).make().keys[0].hex())"
    running = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "secrets.key")], stdout=subprocess.PIPE) for _ in range(4)
    ]
    answers = {process.communicate()[0] for process in running}
    assert len(answers) == 1
    make_alone = KeyPlaces(tmp_path / "secrets.key").find([])
    assert make_alone is not None
    assert answers == {make_alone.keys[0].hex().encode() + b"\n"}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused_with_words(tmp_path: Path, mode: int):
    places = KeyPlaces(tmp_path / "secrets.key")
    places.make()
    (tmp_path / "secrets.key").chmod(mode)
    with pytest.raises(KeyUnusable, match="chmod 600"):
        places.find([])


@pytest.mark.parametrize("text", ["", "short", "# only a comment\n", base64.b64encode(b"x" * 31).decode()])
def test_what_is_no_key_is_refused(tmp_path: Path, text: str):
    (tmp_path / "named").write_text(text)
    (tmp_path / "named").chmod(0o600)
    with pytest.raises(KeyUnusable, match="base64"):
        KeyPlaces(tmp_path / "secrets.key", named_file=tmp_path / "named").find([])


def test_none_is_made_anew_while_there_are_secrets(tmp_path: Path):
    with pytest.raises(KeyMissing, match="MLWS_SECRETS_KEY"):
        KeyPlaces(tmp_path / "secrets.key").find(["0123456789abcdef"])


def test_what_is_given_wins_and_the_first_of_several_seals(tmp_path: Path):
    new, old = new_key(), new_key()
    given = KeyPlaces(tmp_path / "secrets.key", given=f"{base64.urlsafe_b64encode(new).decode()},{written([old])}").find([])
    assert given is not None
    assert given.place == "environment"
    assert given.keys == (new, old)
    assert given.seal("value", "owner").key_id == key_id(new)
    assert read(written([new, old]), "here") == (new, old)


def test_a_value_opens_for_its_owner_alone():
    keys = Keys("file", "here", (new_key(),))
    sealed = keys.seal("the välue", "secret 'a' of workspace 1")
    assert keys.open(sealed, "secret 'a' of workspace 1") == "the välue"
    with pytest.raises(KeyUnusable, match="moved from another place"):
        keys.open(sealed, "secret 'b' of workspace 1")
    damaged = Sealed(sealed.key_id, sealed.data[:-1] + bytes([sealed.data[-1] ^ 1]))
    with pytest.raises(KeyUnusable):
        keys.open(damaged, "secret 'a' of workspace 1")
    with pytest.raises(KeyMissing):
        keys._replace(keys=(new_key(),)).open(sealed, "secret 'a' of workspace 1")


@pytest.fixture
def keyring_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    import keyring

    (tmp_path / "filed_keyring.py").write_text(BACKEND)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("KEYRING_FILE", str(tmp_path / "keyring.json"))
    before = keyring.get_keyring()
    import filed_keyring  # type: ignore[import-not-found]

    keyring.set_keyring(filed_keyring.Backend())
    yield tmp_path / "keyring.json"
    keyring.set_keyring(before)


def test_a_keyring_that_works_keeps_the_key_and_the_folder_has_none(tmp_path: Path, keyring_file: Path):
    places = KeyPlaces(tmp_path / "secrets.key")
    made = places.make()
    assert made.place == "keyring"
    assert not (tmp_path / "secrets.key").exists()
    known = [key_id(made.keys[0])]
    assert places.find(known) == made
    rotated = places.add(made)
    assert rotated.keys[1] == made.keys[0] != rotated.keys[0]
    places.keep_first(rotated)
    assert known[0] not in keyring_file.read_text()
    assert key_id(rotated.keys[0]) in keyring_file.read_text()
