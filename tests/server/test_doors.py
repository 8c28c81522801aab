"""Who gets in: all that the router leads to, without credentials and with the wrong ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest

from jupyter_mlws.kit.openapi import contracts_of
from jupyter_mlws.server.router import rules_below
from jupyter_mlws.server.routes import all_routes
from tests.live import LiveServer

DOORS = [(method.upper(), re.sub(r"\{\w+\}", "x", route.path)) for route in all_routes() for method, _ in contracts_of(route)]


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "eHh4eHh4eHh4eHh4eHh4eA==",
}


def address(pattern: str) -> str:
    """An address that a rule's pattern takes."""
    plain = re.sub(r"\(\?P<\w+>[^)]*\)", "1", pattern.replace("(?:/w/[^/]+)?", "").replace("(?:/w/(?P<workspace>[^/]+))?", ""))
    plain = plain.replace("(?:ajax-)?", "").replace("[23]", "2").replace("[.]", ".").replace("\\.", ".").replace("/?", "")
    found = plain.replace("(.+)", "runs/1").replace(".*", "anything")
    assert re.fullmatch(pattern, found), (pattern, found)
    return found


RULES = sorted({address(pattern) for pattern, _ in rules_below("")})


def test_the_router_has_routes():
    assert len(DOORS) > 60
    assert {"/mlws/", "/mlws/docs", "/mlws/open/runs/1", "/mlws/api/v1/changes/ws", "/mlws/anything"} <= set(RULES)


@pytest.mark.parametrize("path", RULES)
def test_no_rule_lets_a_stranger_in(server: LiveServer, path: str):
    with httpx.Client(base_url=server.url) as nobody:
        for method in METHODS:
            answer = nobody.request(method, path)
            if answer.status_code == 302:
                assert (method, answer.headers["Location"].startswith("/login?next=")) in (("GET", True), ("HEAD", True)), path
            else:
                assert answer.status_code in (401, 403, 405), (method, path, answer.status_code)
        unknown = nobody.get(path, headers={"Authorization": "Bearer mlws_" + "x" * 43})
        assert unknown.status_code in (302, 401, 403, 405), path


@pytest.mark.parametrize("query", ["", "?since=0", "?token=wrong"])
def test_no_stranger_listens_to_the_changes(server: LiveServer, query: str):
    address = f"{server.url}/mlws/api/v1/changes/ws{query}"
    for headers in ({}, {"Authorization": "Bearer mlws_" + "x" * 43}, {"Authorization": "token wrong"}):
        assert httpx.get(address, headers={**UPGRADE, **headers}).status_code in (401, 403)


@pytest.mark.parametrize("path", ["/", "/w/default/", "/docs", "/docs/", "/open/runs/1"])
def test_a_page_asks_a_stranger_to_sign_in_and_comes_back(server: LiveServer, path: str):
    answer = httpx.get(f"{server.url}/mlws{path}")
    assert (answer.status_code, answer.content) == (302, b"")
    assert answer.headers["Location"] == f"/login?next={quote(f'/mlws{path}', safe='')}"


@pytest.mark.parametrize(("method", "path"), DOORS)
def test_a_stranger_is_refused(server: LiveServer, method: str, path: str):
    answer = server.request(method, path, anonymous=True)
    assert answer.status_code in (401, 403), answer.text
    assert answer.json()["error"]["code"] in ("unauthenticated", "forbidden")


@pytest.mark.parametrize(("method", "path"), DOORS)
def test_an_unknown_token_is_refused(server: LiveServer, method: str, path: str):
    answer = server.request(method, path, token="mlws_" + "x" * 43)
    assert answer.status_code == 401, answer.text


@pytest.fixture(scope="module")
def browser(server: LiveServer) -> Iterator[httpx.Client]:
    """A browser that is signed in: one login for all routes."""
    with httpx.Client(base_url=server.url, follow_redirects=True) as made:
        made.get("/lab", params={"token": server.token})
        assert made.get("/mlws/api/v1/health").status_code == 200
        yield made


@pytest.mark.parametrize(("method", "path"), [door for door in DOORS if door[0] != "GET"])
def test_a_cookie_without_the_xsrf_token_changes_nothing(browser: httpx.Client, method: str, path: str):
    answer = browser.request(method, f"/mlws/api/v1{path}", content=b"{}")
    assert answer.status_code == 403, answer.text


def test_a_token_in_the_query_is_no_token_of_ours(server: LiveServer):
    token = server.owner()["token"]
    assert server.request("GET", "/info", anonymous=True, params={"token": token}).status_code in (401, 403)


def test_a_foreign_host_is_refused(server: LiveServer):
    token = server.owner()["token"]
    for host in ("evil.example", "localhost.evil.example") * 2:
        assert server.get("/info", headers={"Host": "localhost:1"}, token=token).status_code == 200
        assert server.get("/info", headers={"Host": host}).status_code == 403
        assert server.get("/info", headers={"Host": host}, token=token).status_code == 403


def test_an_unknown_address_answers_404_in_our_shape(server: LiveServer):
    answer = server.get("/nothing/here?x=1")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


def test_a_method_that_an_address_does_not_take_answers_405(server: LiveServer):
    answer = server.request("PATCH", "/health")
    assert answer.status_code == 405
    assert answer.json()["error"]["code"] == "method_not_allowed"
