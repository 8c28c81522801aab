"""Addresses of pages: `<base>/mlws/open/runs/<id>` leads into JupyterLab; `<base>/mlws/docs` shows the REST API."""

from __future__ import annotations

import html
import json
import re
import secrets
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web
from tornado.escape import url_escape
from tornado.httputil import url_concat

PAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9/_.:-]{0,300}")


class OpenPage(JupyterHandler):
    """Redirects to the Lab with the page in the query; survives login, since Jupyter's `next` keeps the whole address."""

    @web.authenticated
    def get(self, page: str) -> None:
        """Open a page of ours in JupyterLab."""
        if not PAGE.fullmatch(page) or ".." in page:
            raise web.HTTPError(404)
        self.redirect(url_concat(f"{self.base_url}lab", {"mlws": page}))


class ClientPage(JupyterHandler):
    """Where the links lead that MLflow's clients print: `<tracking URI>/#/experiments/1/runs/<id>`. Browsers keep what follows the
    `#` to themselves, so a few lines of script find the page."""

    @web.authenticated
    def get(self) -> None:
        """Go on to the run, the experiment, or the Lab."""
        nonce = secrets.token_urlsafe(16)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Content-Security-Policy", f"default-src 'none'; script-src 'nonce-{nonce}'; frame-ancestors 'self'")
        lab = url_path_join(self.base_url, "lab")
        self.finish(
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Jupyter ML Workspace</title></head>'
            f'<body><p><a href="{html.escape(lab)}">Open JupyterLab</a></p><script nonce="{nonce}">{CLIENT_SCRIPT}'
            f"location.replace({json.dumps(lab)} + (page ? '?mlws=' + page : ''));</script></body></html>"
        )


CLIENT_SCRIPT = """
const [, experiment, run] = /^#\\/experiments\\/(\\d{1,19})(?:\\/runs\\/([0-9a-f]{32}))?/.exec(location.hash) || [];
const page = run ? 'runs/' + run : experiment ? 'experiments/' + experiment : '';
"""


class ApiPage(JupyterHandler):
    """The REST API for people, without scripts: readable in any browser, and under a strict content policy."""

    @web.authenticated
    def get(self) -> None:
        """Every route with its parameters and answers."""
        from jupyter_mlws.server.info import document  # noqa: PLC0415 - needed on request only

        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'")
        self.finish(api_page(document(), self.base_url))


def api_page(document: dict[str, Any], base_url: str) -> str:
    """The reference as one HTML page."""
    sections: dict[str, list[str]] = {}
    for path, verbs in document["paths"].items():
        for method, operation in verbs.items():
            sections.setdefault(operation["tags"][0], []).append(_operation(method, path, operation))
    navigation = " · ".join(f'<a href="#{url_escape(tag)}">{html.escape(tag)}</a>' for tag in sorted(sections))
    body = "".join(
        f'<h2 id="{url_escape(tag)}">{html.escape(tag)}</h2>{"".join(operations)}' for tag, operations in sorted(sections.items())
    )
    schemas = "".join(
        f'<details id="schema-{html.escape(name)}"><summary><code>{html.escape(name)}</code> '
        f"{html.escape(schema.get('description', ''))}</summary>{_properties(schema)}</details>"
        for name, schema in document["components"]["schemas"].items()
    )
    address = html.escape(f"{base_url.rstrip('/')}{document['servers'][0]['url']}")
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>REST API · Jupyter ML Workspace</title>"
        f"<style>{STYLE}</style></head><body><main><h1>REST API</h1><p>All paths stand under <code>{address}</code>. "
        f'The same as a document for programs: <a href="{address}/openapi.json">openapi.json</a>.</p>'
        f"<nav>{navigation}</nav>{body}<h2>Schemas</h2>{schemas}</main></body></html>"
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{html.escape(p['name'])}</code></td><td>{html.escape(p['in'])}{', required' if p['required'] else ''}</td>"
        f"<td>{_type(p['schema'])}</td></tr>"
        for p in operation["parameters"]
    )
    table = f"<table><tr><th>Parameter</th><th>In</th><th>Type</th></tr>{rows}</table>" if rows else ""
    body = operation.get("requestBody", {}).get("content", {})
    takes = "".join(f"<p>Body: {html.escape(kind)}, {_type(content['schema'])}</p>" for kind, content in body.items())
    answers = "".join(
        f"<li><b>{status}</b> {html.escape(answer['description'].splitlines()[0])}"
        + "".join(f", {_type(content['schema'])}" for content in answer.get("content", {}).values())
        + "</li>"
        for status, answer in operation["responses"].items()
    )
    description = html.escape(operation.get("description", ""))
    return (
        f"<details><summary><b class='{method}'>{method.upper()}</b> <code>{html.escape(path)}</code> "
        f"{html.escape(operation['summary'])}</summary><p>{description}</p>{table}{takes}<ul>{answers}</ul></details>"
    )


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = html.escape(schema["$ref"].rsplit("/", 1)[1])
        return f'<a href="#schema-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(part) for part in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if "enum" in schema:
        return " | ".join(f"<code>{html.escape(str(value))}</code>" for value in schema["enum"])
    return html.escape(str(schema.get("format") or schema.get("type") or "any"))


def _properties(schema: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{html.escape(name)}</code></td><td>{_type(value)}</td><td>{html.escape(value.get('description', ''))}</td></tr>"
        for name, value in schema.get("properties", {}).items()
    )
    return f"<table><tr><th>Field</th><th>Type</th><th></th></tr>{rows}</table>" if rows else f"<p>{_type(schema)}</p>"


STYLE = """
:root { color-scheme: light dark; font: 14px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code { font: 13px ui-monospace, monospace; } summary { cursor: pointer; padding: .2rem 0; }
table { border-collapse: collapse; margin: .5rem 0; } th, td { text-align: left; padding: .15rem .8rem .15rem 0; vertical-align: top; }
details > :not(summary) { margin-left: 1.2rem; } h2 { margin-top: 2rem; }
"""

PAGES: list[tuple[str, type[JupyterHandler]]] = [
    (r"(?:/w/[^/]+)?/", ClientPage),
    (r"/open/(.+)", OpenPage),
    (r"/docs/?", ApiPage),
]
