"""How runs look in a notebook: small tables that load nothing and escape everything."""

from __future__ import annotations

import time
from html import escape
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Mapping, Tuple

from mlws.connection import open_link, open_url

if TYPE_CHECKING:
    from mlws.run import Run

MAX_ROWS = 12
_CELL = "text-align:left;padding:2px 12px 2px 0"


def run_html(run: Run) -> str:
    """A run as a table: name with link, status, params and last metrics."""
    refused = run.refusal
    if refused is None:
        rows = [("Run", link_html(run.id, run.name or run.id)), ("Status", escape(run.status))]
    else:
        rows = [("Run", escape(run.name or run.id)), ("Status", escape(f"Refused by the server: {refused}"))]
    if run.experiment:
        rows.append(("Experiment", escape(run.experiment)))
    rows += _section("Params", run.params.items())
    rows += _section("Metrics", ((key, number(value)) for key, value in run.metrics.items()))
    body = "".join(
        f'<tr><th scope="row" style="{_CELL}">{label}</th><td style="{_CELL}">{value}</td></tr>' for label, value in rows
    )
    return f"<table>{body}</table>"


def link_html(run_id: str, text: str) -> str:
    """A link to a run's page."""
    return f'<a href="{escape(open_link("runs", run_id))}" target="_blank" rel="noopener">{escape(text)}</a>'


def _section(title: str, pairs: Iterable[Tuple[str, str]]) -> List[Tuple[str, str]]:
    shown = list(pairs)
    if not shown:
        return []
    lines = [f"<code>{escape(_cut(key))}</code> = {escape(_cut(value))}" for key, value in shown[:MAX_ROWS]]
    if len(shown) > MAX_ROWS:
        lines.append(f"… and {len(shown) - MAX_ROWS} more")
    return [(title, "<br>".join(lines))]


def run_markdown(run: Run) -> str:
    """A run as a line of Markdown."""
    if run.refusal is not None:
        return f"**{_plain(run.name or run.id)}** · refused by the server: {_plain(run.refusal, 400)}"
    metrics = ", ".join(f"{_plain(key)} = {number(value)}" for key, value in list(run.metrics.items())[:MAX_ROWS])
    return f"**[{_plain(run.name or run.id)}]({open_link('runs', run.id)})** · {run.status}" + (
        f" · {metrics}" if metrics else ""
    )


def _plain(text: str, limit: int = 80) -> str:
    shown = escape(_cut(" ".join(text.split()), limit), quote=False)
    return "".join("\\" + c if c in r"\`*_{}[]()#+-.!|~$" else c for c in shown)


def _cut(text: str, limit: int = 80) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def number(value: Any) -> str:
    """A metric's value with at most six digits; what is not finite, also as the wire has it, as the pages show it."""
    text = f"{value:.6g}" if isinstance(value, (int, float)) else str(value)
    return {"nan": "NaN", "inf": "∞", "-inf": "−∞", "Infinity": "∞", "-Infinity": "−∞"}.get(text, text)


class RunTable:
    """The answer to `%mlws list`: rows of the server's runs, as text and as HTML."""

    HEADER = ("Name", "Status", "Started", "Duration", "Metrics", "Id")

    def __init__(self, runs: List[Dict[str, Any]]) -> None:
        self.runs = runs

    def rows(self) -> List[Tuple[str, ...]]:
        """The cells of the table, as text."""
        return [
            (
                _cut(str(run["name"]), 40),
                str(run["status"]),
                _when(run),
                _duration(run),
                _metrics(run.get("metrics") or {}),
                str(run["id"]),
            )
            for run in self.runs
        ]

    def __repr__(self) -> str:
        if not self.runs:
            return "No runs yet. `with mlws.start_run(): …` makes the first."
        table = [self.HEADER, *self.rows()]
        widths = [max(len(row[column]) for row in table) for column in range(len(self.HEADER))]
        return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in table)

    def _repr_html_(self) -> str:
        if not self.runs:
            return f"<p>{escape(repr(self))}</p>"
        head = "".join(f'<th scope="col" style="{_CELL}">{title}</th>' for title in self.HEADER)
        body = ""
        for row in self.rows():
            cells = [link_html(row[-1], row[0]), *(escape(cell) for cell in row[1:])]
            body += "<tr>" + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in cells) + "</tr>"
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _when(run: Mapping[str, Any]) -> str:
    started = run.get("started_at") or run.get("created_at")
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(started / 1000)) if started else ""


def _duration(run: Mapping[str, Any]) -> str:
    ms = run.get("duration_ms")
    if ms is None:
        return ""
    seconds = ms / 1000
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds // 60)} min {int(seconds % 60)} s"


def _metrics(metrics: Mapping[str, Any]) -> str:
    shown = [f"{_cut(key, 24)}={number(summary.get('last'))}" for key, summary in list(metrics.items())[:3]]
    return ", ".join(shown) + (" …" if len(metrics) > 3 else "")


class Link:
    """The answer to `%mlws open`: a link to a page of the workspace."""

    def __init__(self, run_id: str, name: str) -> None:
        self.run_id, self.url, self.name = run_id, open_url("runs", run_id), name

    def __repr__(self) -> str:
        return self.url or "No JupyterLab runs on this data folder: start one with `jupyter lab`, then try again."

    def _repr_html_(self) -> str:
        return link_html(self.run_id, f"Open run {_cut(self.name)}")
