"""The router asks few rules of many: it must find what asking all of them would find."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.web import Application, _ApplicationRouter

from jupyter_mlws.kit.refusals import NotHere
from jupyter_mlws.mlflow_api.routes import mlflow_routes
from jupyter_mlws.server.pages import PAGES
from jupyter_mlws.server.router import ByEnd
from jupyter_mlws.server.routes import all_routes

RULES: list[tuple[str, Any]] = [
    *((f"/api/v1{route.pattern}", route.handler) for route in all_routes()),
    *PAGES,
    *mlflow_routes(),
    (".*", NotHere),
]
ODD = [
    "",
    "/",
    "/runs/",
    "/runs//",
    "/api/v1/runs/log",
    "/api/v1/runs/x/log/",
    "/w/a b/api/2.0/mlflow/runs/get",
    "/w//version",
    "/x/version",
]


def addresses() -> list[str]:
    plain = [re.sub(r"\(\?P<\w+>[^)]*\)", "1", pattern).replace("\\.", ".").replace("[.]", ".") for pattern, _ in RULES]
    plain = [path.replace("(?:ajax-)?", "").replace("[23]", "2").replace(".*", "anything").replace("/?", "") for path in plain]
    return [re.sub(r"\(\?:/w/[^)]*\)\?", place, path) for path in plain for place in ("", "/w/some")]


def test_each_address_leads_where_all_rules_would_lead():
    application = Application()
    make = partial(_ApplicationRouter, application)
    quick, whole = ByEnd(RULES, make), make(RULES)
    found = set()
    for path in [*addresses(), *ODD]:
        line = RequestStartLine("GET", path, "HTTP/1.1")
        request = HTTPServerRequest(start_line=line, headers=HTTPHeaders(Host="here"))
        delegates = [router.find_handler(request) for router in (quick, whole)]
        classes = [getattr(delegate, "handler_class", None) for delegate in delegates]
        assert classes[0] is classes[1], path
        assert getattr(delegates[0], "path_kwargs", None) == getattr(delegates[1], "path_kwargs", None), path
        found.add(classes[0])
    assert found >= {handler for _, handler in RULES}, "each rule has an address here"
