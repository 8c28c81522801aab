"""Secrets through the front door: set, listed, deleted, sealed; another key; the resource."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from tests.live import LiveServer

PATH = "/workspaces/default/secrets"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    made = LiveServer(tmp_path_factory.mktemp("secrets")).start()
    yield made
    made.stop()


def sealed_of(server: LiveServer, name: str) -> tuple[str, bytes]:
    with closing(sqlite3.connect(f"file:{server.data_dir}/mlws.db?mode=ro", uri=True)) as database:
        found: tuple[str, bytes] = database.execute("SELECT key_id, sealed FROM secrets WHERE name = ?", [name]).fetchone()
    return found


def resource(server: LiveServer) -> dict[str, str]:
    found = server.ok("GET", "/workspaces/default/resources")["resources"]
    return next(one for one in found if one["kind"] == "secret_store")


def test_a_secret_is_set_listed_without_its_value_replaced_and_deleted(server: LiveServer):
    assert resource(server)["health"] == "absent"
    made = server.ok("PUT", f"{PATH}/HF_TOKEN", {"value": "hf_0123456789"})
    assert (made["name"], made["jobs"], made["waiting"], made["readable"]) == ("HF_TOKEN", 0, [], True)
    key, sealed = sealed_of(server, "HF_TOKEN")
    assert b"hf_0123456789" not in sealed
    again = server.ok("PUT", f"{PATH}/HF_TOKEN", {"value": "hf_0123456789"})
    assert again["created_at"] == made["created_at"]
    assert again["updated_at"] >= made["updated_at"]
    assert sealed_of(server, "HF_TOKEN")[1] != sealed, "the same value is never sealed alike"
    assert sealed_of(server, "HF_TOKEN")[0] == key
    listed = server.get(PATH)
    assert [one["name"] for one in listed.json()["secrets"]] == ["HF_TOKEN"]
    assert "hf_0123456789" not in listed.text
    assert resource(server)["health"] == "ok"
    assert resource(server)["location"].endswith("secrets.key")
    assert server.get(f"{PATH}/HF_TOKEN").status_code == 405
    assert server.request("DELETE", f"{PATH}/HF_TOKEN").status_code == 204
    assert server.request("DELETE", f"{PATH}/HF_TOKEN").json()["error"]["code"] == "secret_not_found"
    assert server.get(PATH).json()["secrets"] == []


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("A", "abc", "unusable_secret"),
        ("A", " a \n", "unusable_secret"),
        ("A", "with\0nul", "bad_input"),
        ("A", "x" * 32_769, "bad_input"),
        ("with space", "value", "bad_input"),
        ("-dash", "value", "bad_input"),
        ("é", "value", "bad_input"),
    ],
)
def test_what_cannot_be_a_secret_is_refused_and_the_value_is_not_repeated(server: LiveServer, name: str, value: str, code: str):
    answer = server.request("PUT", f"{PATH}/{name}", json={"value": value})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code
    assert value not in answer.text


def test_one_cannot_be_moved_to_another_name(server: LiveServer):
    server.ok("PUT", f"{PATH}/mine", {"value": "value of mine"})
    server.ok("PUT", f"{PATH}/theirs", {"value": "value of theirs"})
    _, sealed = sealed_of(server, "mine")
    server.stop()
    with closing(sqlite3.connect(server.data_dir / "mlws.db")) as database:
        database.execute("UPDATE secrets SET sealed = ? WHERE name = 'theirs'", [sealed])
        database.commit()
    server.start()
    run_id = server.submit({"kind": "command", "command": "echo $X"}, secrets={"X": "theirs"})
    assert "moved from another place" in server.wait(run_id, "Failed")["error"]["message"]


def test_all_are_sealed_anew_with_another_key(server: LiveServer):
    server.ok("PUT", f"{PATH}/kept", {"value": "value that is kept"})
    server.request("DELETE", f"{PATH}/theirs")
    old, before = sealed_of(server, "kept"), (server.data_dir / "secrets.key").read_text()
    done = server.ok("POST", "/secrets/rotate-key")
    assert done["secrets"] >= 1
    assert done["todo"] == ""
    assert sealed_of(server, "kept")[0] != old[0]
    after = (server.data_dir / "secrets.key").read_text()
    assert before not in after
    assert len(after.split()) == 1
    run_id = server.submit({"kind": "command", "command": 'printf %s "$X" | wc -c'}, secrets={"X": "kept"})
    server.wait(run_id, "Completed")
    assert server.ok("GET", f"/jobs/{run_id}/log")["text"] == "18\n"


def test_secrets_set_while_the_key_is_changed_by_several_are_not_lost(new_server: Callable[..., LiveServer]):
    server = new_server().start()

    def put(n: int) -> int:
        return server.request("PUT", f"{PATH}/s{n}", json={"value": f"value of {n}"}).status_code

    def rotate(_: int) -> int:
        return server.request("POST", "/secrets/rotate-key").status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(put, range(8))) == {200}, "the first key is made once"
        for start in range(8, 48, 8):
            done = [pool.submit(rotate if n % 2 else put, n) for n in range(start, start + 8)]
            assert {one.result() for one in done} == {200}
    listed = server.ok("GET", PATH)["secrets"]
    assert len(listed) == 28
    assert [one["name"] for one in listed if not one["readable"]] == []
    assert len((server.data_dir / "secrets.key").read_text().split()) == 1


def test_without_its_key_a_secret_is_listed_as_lost_and_can_be_deleted(new_server: Callable[..., LiveServer]):
    server = new_server().start()
    server.ok("PUT", f"{PATH}/lost", {"value": "value to be lost"})
    shutil.move(server.data_dir / "secrets.key", server.data_dir / "away")
    listed = server.ok("GET", PATH)
    assert [one["readable"] for one in listed["secrets"]] == [False]
    assert "MLWS_SECRETS_KEY" in listed["kept"]
    assert resource(server)["health"] == "degraded"
    answer = server.request("PUT", f"{PATH}/other", json={"value": "value"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "secrets_key_missing")
    run_id = server.submit({"kind": "command", "command": "true"}, secrets={"X": "lost"})
    assert "was not found" in server.wait(run_id, "Failed")["error"]["message"]
    assert server.request("DELETE", f"{PATH}/lost").status_code == 204
    server.ok("PUT", f"{PATH}/other", {"value": "value"})


def test_a_key_of_the_environment_is_not_handed_on(new_server: Callable[..., LiveServer]):
    key = "bWx3cy1zZWNyZXRzLWtleS1vZi0zMi1ieXRlcyEhISE="
    server = new_server(environment={"MLWS_SECRETS_KEY": key}).start()
    server.ok("PUT", f"{PATH}/mine", {"value": "value of mine"})
    assert not (server.data_dir / "secrets.key").exists()
    run_id = server.submit({"kind": "command", "command": 'printf %s "$X" | wc -c; env'}, secrets={"X": "mine"})
    server.wait(run_id, "Completed")
    log = server.ok("GET", f"/jobs/{run_id}/log")["text"]
    assert log.startswith("13\n")
    assert key not in log
    assert "put a new key before the old one" in server.ok("POST", "/secrets/rotate-key")["todo"]


def test_a_workspace_takes_its_secrets_along_when_it_goes(server: LiveServer):
    server.ok("POST", "/workspaces", {"name": "gone"})
    server.ok("PUT", "/workspaces/gone/secrets/mine", {"value": "value"})
    server.ok("POST", "/workspaces/gone/archive")
    assert server.request("PUT", "/workspaces/gone/secrets/mine", json={"value": "value"}).status_code == 409
    server.ok("DELETE", "/workspaces/gone")
    with closing(sqlite3.connect(f"file:{server.data_dir}/mlws.db?mode=ro", uri=True)) as database:
        left = database.execute("SELECT count(*) FROM secrets WHERE workspace_id NOT IN (SELECT id FROM workspaces)").fetchone()
        here = database.execute("SELECT DISTINCT w.name FROM secrets s JOIN workspaces w ON w.id = s.workspace_id").fetchall()
    assert left == (0,)
    assert here == [("default",)]
