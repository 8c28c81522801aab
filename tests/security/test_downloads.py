"""What browsers are given: stored scripts stay inert, whatever they hide in."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import zipfile
from typing import Any

import httpx
import pytest

from jupyter_mlws.server.pages import api_page
from tests.live import LiveServer
from tests.security.api import Answer, Api
from tests.security.shapes import DOCUMENT, VERBS, Verb
from tests.security.world import World, example_path

IMG = "<img src=x onerror=window.__pwn=1>"
LINK = "javascript:window.__pwn=1"
SCRIPT = b"<script>window.__pwn=1</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="window.__pwn=1">' + SCRIPT + b"</svg>"
FILES = {
    "page.html": SCRIPT,
    "page.HTM": SCRIPT,
    "page.xhtml": SCRIPT,
    "picture.svg": SVG,
    "feed.xml": b'<?xml version="1.0"?><x:script xmlns:x="http://www.w3.org/1999/xhtml">window.__pwn=1</x:script>',
    "code.js": b"window.__pwn=1",
    "style.css": b"@import 'javascript:1'",
    "paper.pdf": b"%PDF-1.7 /JavaScript (window.__pwn=1)",
    "readme.md": f"[x]({LINK}) {IMG}".encode(),
    "plain.txt": SCRIPT,
    "fake.png": SCRIPT,
    "no suffix": SCRIPT,
    "book.ipynb": b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {"trusted": true}, "cells": []}',
    "table.csv": b"a,b\r\n=cmd|' /C calc'!A0,1\r\n",
    "data.json": b'{"a": "<script>window.__pwn=1</script>"}',
}
SHOWN = {"image/png", "image/jpeg", "image/gif", "image/webp", "text/plain; charset=utf-8"}
DOWNLOADS = sorted(
    (
        verb
        for verb in VERBS
        if verb.method == "GET" and verb.contract.reply is None and verb.contract.media_type != "text/event-stream"
    ),
    key=lambda verb: verb.name,
)
IMAGES = {"GET /jobs/{run_id}/notebook/image", "GET /runs/{run_id}/notebook/image"}
"""They answer a picture out of a notebook, or nothing."""
NAMES = [
    'quo"te.txt',
    "semi;colon.txt",
    "new line.txt",
    "ünïcode 🦊.html",
    "per%cent.txt",
    "a,b=c.txt",
    "back`tick$(x).txt",
    ".htaccess",
    "CON",
]
NAMES += ["'; filename=evil.html", "\u202egnp.html", "long" * 60, "attachment; filename=x.html", "a\u2028b.txt", "=?utf-8?q?x?="]


def stored(person: Api, world: World, files: dict[str, bytes]) -> str:
    """A run with these artifacts, the same as its snapshot."""
    run = str(person.ok("POST", f"/workspaces/{world.a.name}/runs", {"name": IMG})["id"])
    for name, content in files.items():
        for area in ("artifacts", "snapshot"):
            person.ok("PUT", f"/runs/{run}/{area}/content", query={"path": name}, content=content)
    return run


def check_inert(answer: Answer) -> None:
    """A browser runs nothing of this answer, and sniffs nothing into it."""
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox"
    kind, how = answer.headers["content-type"], answer.headers["content-disposition"]
    assert how.startswith("inline; " if kind in SHOWN and how.startswith("inline") else "attachment; ")
    assert "set-cookie" not in answer.headers or "mlws" not in answer.headers["set-cookie"]


def test_the_download_routes_are_these():
    assert {verb.name for verb in DOWNLOADS} == {
        "GET /runs/{run_id}/artifacts/content",
        "GET /runs/{run_id}/artifacts/zip",
        "GET /runs/{run_id}/snapshot/content",
        "GET /runs/{run_id}/snapshot/zip",
        "GET /runs/{run_id}/metrics/csv",
        *IMAGES,
    }


@pytest.mark.parametrize("kind", ["image/png", "image/svg+xml"])
def test_images_of_notebooks_are_sandboxed(person: Api, world: World, kind: str):
    """Only pictures in which nothing can run are shown apart from their notebook."""
    output = {"output_type": "display_data", "data": {kind: base64.b64encode(b"\x89PNG\r\n").decode()}, "metadata": {}}
    cell = {"cell_type": "code", "source": "", "metadata": {}, "execution_count": 1, "outputs": [output]}
    book = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]}
    run = stored(person, world, {"book.ipynb": json.dumps(book).encode()})
    found = {}
    for place in range(6):
        query = {"area": "artifacts", "path": "book.ipynb", "place": place}
        found[place] = person.ask("GET", f"/runs/{run}/notebook/image", query=query)
    images = [answer for answer in found.values() if answer.status == 200]
    assert len(images) == (1 if kind == "image/png" else 0), {place: answer.text for place, answer in found.items()}
    for answer in images:
        assert answer.headers["content-type"] == kind
        assert answer.headers["content-security-policy"] == "sandbox"
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("verb", [verb for verb in DOWNLOADS if verb.name not in IMAGES], ids=lambda verb: verb.name)
def test_every_download_is_sandboxed(person: Api, world: World, verb: Verb):
    run = stored(person, world, FILES)
    paths: list[dict[str, Any]] = [{"path": name} for name in FILES] if verb.path.endswith("content") else [{}]
    for query in paths:
        answer = person.ask("GET", example_path(verb.path, world.a, run_id=run), query=query)
        assert answer.status == 200
        check_inert(answer)
        if "path" in query:
            assert answer.body == FILES[query["path"]]
            shown = answer.headers["content-disposition"].startswith("inline")
            assert shown == (query["path"] in ("plain.txt", "readme.md", "fake.png")), query
            saved = person.ask("GET", example_path(verb.path, world.a, run_id=run), query={**query, "download": True})
            assert saved.headers["content-disposition"].startswith("attachment; ")
            part = person.ask("GET", example_path(verb.path, world.a, run_id=run), query=query, headers={"Range": "bytes=0-3"})
            assert part.status == 206
            check_inert(part)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_adds_nothing_to_the_header(person: Api, world: World, name: str):
    run = stored(person, world, {name: SCRIPT})
    for query in ({"path": name}, {"path": name, "download": True}):
        answer = person.ask("GET", f"/runs/{run}/artifacts/content", query=query)
        assert answer.body == SCRIPT
        check_inert(answer)
        pattern = r"""(attachment|inline); filename="[A-Za-z0-9._ -]*"; filename\*=UTF-8''[A-Za-z0-9._~%-]*"""
        assert re.fullmatch(pattern, answer.headers["content-disposition"]), answer.headers["content-disposition"]
    zipped = person.ask("GET", f"/runs/{run}/artifacts/zip")
    assert zipfile.ZipFile(io.BytesIO(zipped.body)).namelist() == [name]


def test_stored_scripts_come_back_as_json_text_only(person: Api, world: World):
    body: dict[str, Any] = {"name": IMG, "note": f"{IMG} [x]({LINK})", "source": LINK, "tags": {IMG: LINK}, "params": {IMG: IMG}}
    run = person.ok("POST", f"/workspaces/{world.a.name}/runs", {**body, "experiment": IMG})["id"]
    person.ok("POST", f"/runs/{run}/io", {"outputs": [{"name": IMG, "uri": LINK}]})
    person.ok("POST", f"/runs/{run}/end", {"status": "Failed", "error": {"message": IMG, "traceback": IMG, "cell_name": IMG}})
    for path in (
        f"/runs/{run}",
        f"/workspaces/{world.a.name}/runs",
        f"/workspaces/{world.a.name}/experiments",
        f"/runs/{run}/history",
    ):
        answer = person.ask("GET", path)
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
    refused = person.ask("GET", f"/workspaces/{world.a.name}/runs", query={"filter": IMG})
    assert refused.headers["content-type"] == "application/json; charset=utf-8"


def test_previews_are_json_and_run_nothing(person: Api, world: World):
    run = stored(person, world, FILES)
    for name in FILES:
        for area in ("artifacts", "snapshot"):
            answer = person.ask("GET", f"/runs/{run}/{area}/preview", query={"path": name})
            assert answer.status == 200
            assert answer.headers["content-type"] == "application/json; charset=utf-8"
            assert answer.json()["kind"] in ("text", "json", "table", "notebook", "image")
    assert person.ok("GET", f"/runs/{run}/artifacts/preview", query={"path": "fake.png"})["kind"] == "text"


def test_tables_hold_no_formulas(person: Api, world: World):
    run = person.ok("POST", f"/workspaces/{world.a.name}/runs", {})["id"]
    keys = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", "\n=1", 'quo"te', "a,b", "-5"]
    metrics = [{"key": key, "value": value, "time": 1} for key in keys for value in (1.5, "NaN", "-Infinity")]
    person.ok("POST", f"/runs/{run}/log", {"batch_id": "formulas", "metrics": metrics})
    answer = person.ask("GET", f"/runs/{run}/metrics/csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert len(rows) == 1 + len(metrics)
    number = re.compile(r"-?(\d+(\.\d+)?|Infinity)")
    for cell in (cell for row in rows for cell in row):
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) or number.fullmatch(cell), cell


def test_the_reference_page_escapes_and_runs_nothing(target: LiveServer):
    answer = httpx.get(f"{target.url}/mlws/docs", headers={"Authorization": f"Bearer {target.token}"})
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<script" not in answer.text
    evil: dict[str, Any] = {
        "paths": {f"/{IMG}": {"get": {**DOCUMENT["paths"]["/health"]["get"], "summary": IMG, "description": IMG, "tags": [IMG]}}},
        "components": {"schemas": {IMG: {"description": IMG, "properties": {IMG: {"type": IMG, "description": IMG}}}}},
        "servers": [{"url": f"/{IMG}"}],
    }
    evil["paths"][f"/{IMG}"]["get"]["parameters"] = [{"name": IMG, "in": IMG, "required": True, "schema": {"enum": [IMG]}}]
    assert IMG not in api_page(evil, f"/{IMG}")


OFF_SITE = [
    "//evil.example",
    "///evil.example",
    "\\\\evil.example",
    "/\\evil.example",
    "https:evil.example",
    "https://evil.example",
]
OFF_SITE += [
    "javascript:alert(1)",
    "%2f%2fevil.example",
    "/%5cevil.example",
    "..//evil.example",
    "runs/../../evil",
    "runs/%2e%2e/x",
    "a%0d%0aX: y",
]
OFF_SITE += [
    "runs/x?next=//evil.example",
    "runs/x%3fnext=//evil",
    "runs/x%23//evil",
    "runs/x&token=1",
    "x" * 1000,
    "@evil.example",
    ".evil",
]


@pytest.mark.parametrize("page", OFF_SITE)
def test_opening_a_page_never_leaves_this_site(target: LiveServer, page: str):
    headers = {"Authorization": f"Bearer {target.token}"}
    request = httpx.Request("GET", f"{target.url}/", headers=headers)
    request.url = request.url.copy_with(raw_path=f"/mlws/open/{page}".encode())
    with httpx.Client() as client:
        answer = client.send(request, follow_redirects=False)
    assert answer.status_code in (302, 400, 404), answer.text[:200]
    if answer.status_code == 302:
        assert answer.headers["location"].startswith("/lab?mlws=")
        assert "//" not in answer.headers["location"]
        assert "&" not in answer.headers["location"]
    assert "x" not in answer.headers


def test_a_socket_from_another_site_is_refused(target: LiveServer):
    upgrade = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    with httpx.Client() as browser:
        browser.get(f"{target.url}/api", params={"token": target.token})
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {**upgrade, "Origin": "https://evil.example", "Cookie": cookie}
    assert httpx.get(f"{target.url}/mlws/api/v1/changes/ws", headers=headers).status_code == 403
