"""The PostgreSQL that the tests run on: where it comes from, what happens without it, and that it goes."""

from __future__ import annotations

import os

import pytest
from sqlalchemy import text

from tests import postgres as servers
from tests.postgres import PostgresServer, start_or_skip


def test_without_it_a_test_is_skipped_and_in_ci_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "find_binaries", lambda: None)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no PostgreSQL server is installed here"):
        start_or_skip()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="nothing may be skipped, but no PostgreSQL server"):
        start_or_skip()


@pytest.mark.postgres
def test_it_listens_on_loopback_alone_and_goes_without_a_trace(postgres: PostgresServer) -> None:
    with postgres.administer() as connection:
        assert connection.execute(text("SHOW listen_addresses")).scalar_one() == "127.0.0.1"
        assert connection.execute(text("SELECT inet_server_addr()::text")).scalar_one().startswith("127.0.0.1")
    own = PostgresServer(postgres.binaries).start()
    pid = own.pid
    os.kill(pid, 0)
    assert own.port != postgres.port
    own.stop()
    assert not own.folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
