"""A kernel's token is exchanged for one of another workspace of its owner, and for nothing else; it dies with the kernel's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.live import LiveServer
from tests.security.api import Answer, Api
from tests.security.errors import check_refusal
from tests.security.world import World, expire

ROUTE = "/tokens/exchange"


@pytest.fixture
def kernel(target: LiveServer, world: World) -> Iterator[Api]:
    """A kernel as this server starts them, in the first workspace."""
    made = world.person.ok("POST", "/tokens", {"workspace": world.a.name, "exchangeable": True})
    api = Api(target, made["secret"])
    yield api
    api.close()
    world.person.ok("DELETE", f"/tokens/{made['id']}")


def exchanged(api: Api, workspace: str) -> str:
    """The token for another workspace."""
    secret: str = api.ok("POST", ROUTE, {"workspace": workspace})["secret"]
    return secret


def refused(answer: Answer, status: int, code: str) -> None:
    """The answer is this refusal."""
    assert (answer.status, check_refusal(answer)["code"]) == (status, code), answer.text


def test_the_new_token_is_for_the_other_workspace_alone(target: LiveServer, world: World, kernel: Api):
    assert kernel.ask("GET", f"/workspaces/{world.b.name}").status == 404
    with closing(Api(target, exchanged(kernel, world.b.name))) as there:
        me = there.ok("GET", "/info")["actor"]
        assert (me["kind"], me["workspace"]) == ("kernel", world.b.name)
        assert me["name"] == world.person.ok("GET", "/info")["actor"]["name"]
        run = there.ok("POST", f"/workspaces/{world.b.name}/runs", {})["id"]
        assert there.ask("GET", f"/workspaces/{world.a.name}").status == 404
        assert there.ask("GET", f"/runs/{world.a.run}").status == 404
        assert kernel.ask("GET", f"/runs/{run}").status == 404
        assert there.ask("DELETE", f"/runs/{run}", query={"purge": True}).status == 403
        assert there.ask("POST", "/workspaces", {"name": "by-a-kernel"}).status == 403


def test_asking_again_makes_no_more_tokens(world: World, kernel: Api):
    first = kernel.ok("POST", ROUTE, {"workspace": world.b.name})
    assert kernel.ok("POST", ROUTE, {"workspace": world.b.name}) == first
    own = kernel.ok("POST", ROUTE, {"workspace": world.a.name})
    assert own["secret"] == kernel.token


def test_a_workspace_that_is_not_there(kernel: Api):
    for name in ("no-such", "", "../x", "a/b", "x" * 500, "<b>"):
        answer = kernel.ask("POST", ROUTE, {"workspace": name})
        refused(answer, 404, "workspace_not_found")
        assert "`mlws workspace create`" in answer.text
    for body in ({}, {"workspace": None}, {"workspace": 1}, {"workspace": "default", "user": "root"}):
        refused(kernel.ask("POST", ROUTE, body), 400, "bad_input")


def test_no_other_token_can_be_exchanged(target: LiveServer, world: World, kernel: Api):
    """Not one that a person made for one workspace, not a job's, not an exchanged one; and nobody makes one of another."""
    plain = world.person.ok("POST", "/tokens", {"workspace": world.a.name})["secret"]
    for secret in (plain, world.a.job_token, exchanged(kernel, world.b.name), target.token, str(target.owner()["token"])):
        with closing(Api(target, secret)) as api:
            for name in (world.a.name, world.b.name, "no-such"):
                answer = api.ask("POST", ROUTE, {"workspace": name})
                assert answer.status == 403, (secret, answer.text)
                check_refusal(answer)
    parent = str(kernel.token)
    forged = [
        f"{plain}.kernel",
        f"{world.a.job_token}.kernel",
        parent.removesuffix(".kernel"),
        f"{parent}.kernel",
        f"{parent}.{world.a.kernel['id']}",
        f"{exchanged(kernel, world.b.name)}.kernel",
        exchanged(kernel, world.b.name).partition(".")[0],
    ]
    for secret in forged:
        with closing(Api(target, secret)) as api:
            assert api.ask("POST", ROUTE, {"workspace": world.b.name}).status == 401, secret
            assert api.ask("GET", "/info").status == 401, secret


def test_it_dies_with_the_kernels_token(target: LiveServer, world: World):
    made = world.person.ok("POST", "/tokens", {"workspace": world.a.name, "exchangeable": True})
    with closing(Api(target, made["secret"])) as kernel, closing(Api(target, exchanged(kernel, world.b.name))) as there:
        assert there.ask("GET", "/info").status == 200
        world.person.ok("DELETE", f"/tokens/{made['id']}")
        for api in (kernel, there):
            assert api.ask("GET", "/info").status == 401
            assert api.ask("POST", ROUTE, {"workspace": world.b.name}).status == 401


def test_it_ends_with_the_time_of_the_kernels_token(target: LiveServer, world: World):
    made = world.person.ok("POST", "/tokens", {"workspace": world.a.name, "exchangeable": True})
    with closing(Api(target, made["secret"])) as kernel, closing(Api(target, exchanged(kernel, world.b.name))) as there:
        assert there.ask("GET", "/info").status == 200
        expire(target, made["id"])
        deadline = time.monotonic() + 7  # a token is remembered for five seconds
        while there.ask("GET", "/info").status != 401:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        # Within the five seconds in which the old token is remembered, too, nothing is made of it.
        assert kernel.ask("POST", ROUTE, {"workspace": world.b.name}).status in (401, 403)


def test_one_that_was_revoked_does_not_come_back(target: LiveServer, world: World, kernel: Api):
    made = kernel.ok("POST", ROUTE, {"workspace": world.b.name})
    world.person.ok("DELETE", f"/tokens/{made['id']}")
    with closing(Api(target, made["secret"])) as there:
        assert there.ask("GET", "/info").status == 401
    refused(kernel.ask("POST", ROUTE, {"workspace": world.b.name}), 403, "not_exchangeable")
    assert kernel.ask("GET", "/info").status == 200


def test_an_archived_workspace_takes_nothing_new(target: LiveServer, world: World, kernel: Api):
    name = "archived-for-kernels"
    world.person.ok("POST", "/workspaces", {"name": name})
    world.person.ok("POST", f"/workspaces/{name}/archive")
    with closing(Api(target, exchanged(kernel, name))) as there:
        refused(there.ask("POST", f"/workspaces/{name}/runs", {}), 409, "workspace_archived")
