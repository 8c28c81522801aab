"""The PostgreSQL that the tests run on: where it comes from, what happens without it, and that it goes."""

from __future__ import annotations

import os

import pytest
from sqlalchemy import text

from tests import postgres as servers
from tests.postgres import PostgresServer, start_or_skip


def test_without_it_a_test_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "find_binaries", lambda: None)
    with pytest.raises(pytest.skip.Exception, match="no PostgreSQL server is installed here"):
        start_or_skip()


@pytest.mark.parametrize(
    "how", ["def test_it(nothing): pass", "@pytest.mark.skipif(True, reason='it is not there')\ndef test_it(): pass"]
)
def test_in_ci_each_skip_is_a_failure(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    pytester.makeconftest("from tests.skips import pytest_runtest_makereport")
    fixture = "@pytest.fixture\ndef nothing(): pytest.skip('it is not there')"
    pytester.makepyfile(f"import pytest\n{fixture}\n{how}")
    monkeypatch.delenv("CI", raising=False)
    pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(skipped=1)
    monkeypatch.setenv("CI", "true")
    result = pytester.runpytest("-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*CI=true: nothing may be skipped, but it is not there*"])


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
