"""Runs, jobs, lists and comparisons as HTML. Whatever came from a person or a program is escaped."""

from __future__ import annotations

import time
from html import escape
from typing import TYPE_CHECKING, Any

from jupyter_mlws.sdk.comparison import Comparison
from jupyter_mlws.sdk.results import Job, Run
from jupyter_mlws.sdk.runs import RunList

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_ROWS = 50
MAX_PAIRS = 20
CELL = "text-align:left;padding:2px 12px 2px 0;vertical-align:top"
STATUS_MARKS = {"Completed": "✓", "Failed": "✕", "Running": "●", "NotResponding": "!", "Canceled": "–"}
STATUS_COLORS = {
    "Completed": "--jp-success-color1",
    "Failed": "--jp-error-color1",
    "NotResponding": "--jp-error-color1",
    "Running": "--jp-brand-color1",
}


def html(shown: Any) -> str:
    """A run, a job, a list of runs or a comparison."""
    if isinstance(shown, Job):
        return run_html(shown.run)
    if isinstance(shown, Run):
        return run_html(shown)
    if isinstance(shown, RunList):
        return list_html(shown)
    if isinstance(shown, Comparison):
        return comparison_html(shown)
    return f"<pre>{escape(repr(shown))}</pre>"


def run_html(run: Run) -> str:
    """Name with link, status, parameters, metrics."""
    rows = [("Run", link(run)), ("Status", status(run))]
    if run.error is not None:
        where = f"cell {run.error.cell + 1}: " if run.error.cell is not None else ""
        rows.append(("Error", escape(cut(where + run.error.message, 400))))
    rows.append(("Experiment", escape(run.experiment_name)))
    if run.duration_ms is not None:
        rows.append(("Took", duration(run.duration_ms)))
    rows += pairs("Parameters", run.params.items())
    rows += pairs("Metrics", ((key, number(summary.last)) for key, summary in run.metrics.items()))
    rows += pairs("Tags", run.tags.items())
    body = "".join(f'<tr><th scope="row" style="{CELL}">{name}</th><td style="{CELL}">{value}</td></tr>' for name, value in rows)
    return f"<table>{body}</table>"


def list_html(runs: RunList) -> str:
    """A row a run; at most 50."""
    shown = runs[:MAX_ROWS]
    if not shown:
        return "<p>No runs.</p>"
    rows = [
        [
            link(run),
            status(run),
            escape(run.experiment_name),
            when(run.started_at or run.created_at),
            duration(run.duration_ms),
            ", ".join(f"{escape(cut(key, 24))}={number(m.last)}" for key, m in list(run.metrics.items())[:3]),
        ]
        for run in shown
    ]
    more = runs.total - len(shown) if runs.total is not None and runs.total > len(shown) else 0
    tail = f"<p>… {more} more</p>" if more else ""
    return table(["Name", "Status", "Experiment", "Started", "Took", "Metrics"], rows) + tail


def comparison_html(comparison: Comparison) -> str:
    """A column a run, what differs first; what is the same is grey."""
    head = ["", *(link(run) for run in comparison.runs)]
    rows = []
    for row in comparison.rows():
        name = escape(f"{row.group}.{row.name}" if row.group != "run" else row.name)
        values = ["–" if value is None else escape(cut(number(value), 200)) for value in row.values]
        style = "" if row.differs else "opacity:.55"
        rows.append([f'<span style="{style}">{cell}</span>' for cell in [name, *values]])
    return table(head, rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML already."""
    titles = "".join(f'<th scope="col" style="{CELL}">{title}</th>' for title in head)
    body = "".join("<tr>" + "".join(f'<td style="{CELL}">{cell}</td>' for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"


def link(run: Run) -> str:
    """The run's name, leading to its page."""
    name = escape(cut(run.name or run.id))
    try:
        address = run.url
    except TypeError:  # made by hand, it knows no server
        return name
    return f'<a href="{escape(address)}" target="_blank" rel="noopener">{name}</a>'


def status(run: Run) -> str:
    """Mark and word, in the Lab's colours."""
    word = run.status.value
    color = f' style="color:var({STATUS_COLORS[word]})"' if word in STATUS_COLORS else ""
    waits = f" {escape(run.waiting.reason)}" if run.waiting else ""
    return f"<span{color}>{STATUS_MARKS.get(word, '○')} {word}</span>{waits}"


def pairs(title: str, items: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """One row of `key = value` lines; none where there are none."""
    all_items = list(items)
    lines = [f"<code>{escape(cut(key))}</code> = {escape(cut(value))}" for key, value in all_items[:MAX_PAIRS]]
    if len(all_items) > MAX_PAIRS:
        lines.append(f"… and {len(all_items) - MAX_PAIRS} more")
    return [(title, "<br>".join(lines))] if lines else []


def cut(text: str, limit: int = 80) -> str:
    """Text of at most so many characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def number(value: Any) -> str:
    """Four significant digits; NaN and infinities as they are."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def duration(ms: int | None) -> str:
    """A duration."""
    if ms is None:
        return ""
    seconds = ms / 1000
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds // 60)} min {int(seconds % 60)} s"


def when(ms: int) -> str:
    """A time, local."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(ms / 1000))
