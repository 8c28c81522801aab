"""The same requests at MLflow's own server and at ours, and what differs between their answers.

Requests name things by symbols (`$run1`), which stand for each server's own ids; ids and times of the clock in answers are replaced
by symbols again, so that whole bodies can be compared. Fields that a request told are compared as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx

CLOCK_MS = 1_500_000_000_000
"""Requests of tests tell small times: what is later was read from a clock."""
TIMES = frozenset(
    [
        *["creation_time", "last_update_time", "start_time", "end_time", "creation_timestamp", "last_updated_timestamp"],
        *["creation_timestamp_ms", "last_updated_timestamp_ms"],
    ]
)
UNORDERED = frozenset(
    ["metrics", "params", "tags", "aliases", "latest_versions", "dataset_inputs", "model_inputs", "model_outputs"]
)
"""Lists inside of things: clients make dicts of them, and their order means nothing."""
SYMBOL = re.compile(r"\$[a-z]+\d+")
HEX = re.compile(r"(?:\bm-)?\b[0-9a-f]{32}\b")
EXPERIMENT = re.compile(r"((?:mlflow-artifacts:/|Experiment with id=|in experiment with id |The experiment ))(\d+)")


class Asked(NamedTuple):
    """One request, in symbols."""

    method: str
    path: str
    body: Any = None
    query: dict[str, Any] | None = None

    def __str__(self) -> str:
        told = [json.dumps(part, ensure_ascii=False) for part in (self.query, self.body) if part is not None]
        return " ".join([self.method, self.path, *told])


class Answer(NamedTuple):
    """A status and a body, in symbols. A page for people is the text `HTML`."""

    status: int
    body: Any

    @property
    def code(self) -> str | None:
        """The code of an error."""
        return self.body.get("error_code") if self.status != 200 and isinstance(self.body, dict) else None

    @property
    def message(self) -> str:
        """Its words."""
        return str(self.body.get("message", "")) if isinstance(self.body, dict) else str(self.body)


class Side:
    """One of the servers: how to ask it, and what the symbols mean there."""

    def __init__(self, name: str, root: str, headers: dict[str, str] | None = None) -> None:
        self.name = name
        self.http = httpx.Client(base_url=f"{root}/api/2.0/mlflow/", headers=headers, timeout=60)
        self.ids: dict[str, str] = {}
        self.symbols: dict[str, str] = {}
        self.experiments: dict[str, str] = {}

    def learn(self, symbol: str, found: str) -> None:
        """From now on the symbol stands for this id."""
        self.ids[symbol] = found
        (self.experiments if found.isdigit() else self.symbols)[found] = symbol

    def ask(self, asked: Asked) -> tuple[int, Any]:
        """The status and the body of an answer, as they come."""
        body, query = self.filled(asked.body), self.filled(asked.query)
        options = {"params": query} if query else {}
        answer = self.http.request(asked.method, self.filled(asked.path), **options, **({} if body is None else {"json": body}))
        try:
            return answer.status_code, answer.json()
        except ValueError:
            return answer.status_code, "HTML" if "<" in answer.text else answer.text

    def filled(self, value: Any) -> Any:
        """A part of a request with this server's ids for its symbols."""
        if isinstance(value, str):
            return SYMBOL.sub(lambda found: self.ids.get(found[0], found[0]), value)
        if isinstance(value, dict):
            return {name: self.filled(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self.filled(part) for part in value]
        return value

    def in_symbols(self, value: Any, name: str = "", depth: int = 0) -> Any:
        """A part of an answer without what only this server knows."""
        if isinstance(value, dict):
            return {key: self.in_symbols(part, key, depth + 1) for key, part in value.items()}
        if isinstance(value, list):
            parts = [self.in_symbols(part, name, depth) for part in value]
            return sorted(parts, key=lambda part: json.dumps(part, sort_keys=True)) if depth > 1 and name in UNORDERED else parts
        if name == "next_page_token":
            return "TOKEN"
        if name in TIMES and isinstance(value, int) and value > CLOCK_MS:
            return "NOW"
        return self._text(value, name) if isinstance(value, str) else value

    def _text(self, text: str, name: str) -> str:
        if name == "experiment_id":
            return self.experiments.get(text, text)
        if text in self.symbols:
            return self.symbols[text]
        text = HEX.sub(lambda found: self.symbols.get(found[0], found[0]), text)
        return EXPERIMENT.sub(lambda found: found[1] + self.experiments.get(found[2], found[2]), text)


class Accepted(NamedTuple):
    """A difference that is meant: its row on the page of differences, how it is known, and requests of which the last one shows it."""

    name: str
    row: str
    known: Callable[[Asked, Answer, Answer], bool]
    shown: list[Asked]


class Difference(AssertionError):
    """The servers answered differently, and nobody said that they may."""


class Pair:
    """Both servers."""

    def __init__(self, theirs: Side, ours: Side, accepted: list[Accepted], alike: Callable[[Any], Any]) -> None:
        self.theirs = theirs
        self.ours = ours
        self.accepted = accepted
        self.alike = alike
        self._made = 0

    def symbol(self, kind: str) -> str:
        """A symbol that was not used before."""
        self._made += 1
        return f"${kind}{self._made}"

    def ask(self, method: str, where: str, body: Any = None, **query: Any) -> Answer:
        """Ask both, and compare: our answer, in symbols."""
        return self.compare(Asked(method, where, body, query or None))[1]

    def make(self, kind: str, where: str, path: str, body: Any) -> str | None:
        """Ask both to make something, and give its ids a symbol; None if both refuse. `where` is the path to the id in the answer."""
        asked, symbol = Asked("POST", path, body), self.symbol(kind)
        raw = [(side, *side.ask(asked)) for side in (self.theirs, self.ours)]
        for side, status, found in raw:
            if status == 200:
                for part in where.split("/"):
                    found = found[part]
                side.learn(symbol, str(found))
        answer = self._judge(asked, raw)[1]
        return symbol if answer.status == 200 else None

    def compare(self, asked: Asked) -> tuple[Answer, Answer, str | None]:
        """Both answers, and the name of what differs, which is one of the differences that are accepted."""
        raw = [(side, *side.ask(asked)) for side in (self.theirs, self.ours)]
        return self._judge(asked, raw)

    def pages(self, method: str, path: str, body: dict[str, Any]) -> None:
        """All pages of a search."""
        for _ in range(20):
            asked = Asked(method, path, query=body) if method == "GET" else Asked(method, path, body)
            raw = [(side, *side.ask(asked)) for side in (self.theirs, self.ours)]
            ours = self._judge(asked, raw)[1]
            if ours.status != 200 or "next_page_token" not in ours.body:
                return
            token = self.symbol("token")
            for side, _, found in raw:
                side.ids[token] = found["next_page_token"]
            body = {**body, "page_token": token}

    def _judge(self, asked: Asked, raw: list[tuple[Side, int, Any]]) -> tuple[Answer, Answer, str | None]:
        theirs, ours = (Answer(status, self.alike(side.in_symbols(body))) for side, status, body in raw)
        if theirs == ours:
            return theirs, ours, None
        for one in self.accepted:
            if one.known(asked, theirs, ours):
                return theirs, ours, one.name
        raise Difference(f"{asked}\n  theirs {theirs.status} {_shown(theirs.body)}\n  ours   {ours.status} {_shown(ours.body)}")


def _shown(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False, sort_keys=True)[:3000]
