"""Runs, jobs, lists and comparisons as HTML. Whatever came from a person or a program is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from jupyter_mlws.sdk import text
from jupyter_mlws.sdk.comparison import Comparison
from jupyter_mlws.sdk.results import Job, Run
from jupyter_mlws.sdk.table import Table
from jupyter_mlws.sdk.text import STATUS_MARKS, duration, failure, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_ROWS = 50
MAX_PAIRS = 20
CELL = "text-align:left;padding:2px 12px 2px 0;vertical-align:top"
LINK = "color:var(--jp-content-link-color,LinkText)"  # the Lab colours the links of outputs, not those of widgets
STATUS_COLORS = {
    "Completed": "--jp-success-color1",
    "Failed": "--jp-error-color1",
    "NotResponding": "--jp-error-color1",
    "Running": "--jp-brand-color1",
}


def html(shown: Any) -> str:
    """A run, a job, a comparison, or a list of anything."""
    if isinstance(shown, Job):
        return run_html(shown.run)
    if isinstance(shown, Run):
        return run_html(shown)
    if isinstance(shown, Comparison):
        return comparison_html(shown)
    if isinstance(shown, Table):
        return list_html(shown)
    return f"<pre>{escape(repr(shown))}</pre>"


def run_html(run: Run) -> str:
    """Name with link, status, parameters, metrics."""
    rows = [("Run", link(run)), ("Status", status(run))]
    if run.error is not None:
        rows.append(("Error", escape(cut(failure(run.error.message, run.error.cell), 400))))
    rows.append(("Experiment", escape(run.experiment_name)))
    if run.duration_ms is not None:
        rows.append(("Took", duration(run.duration_ms)))
    rows += pairs("Parameters", run.params.items())
    rows += pairs("Metrics", ((key, number(float(summary.last))) for key, summary in run.metrics.items()))
    rows += pairs("Tags", run.tags.items())
    body = "".join(f'<tr><th scope="row" style="{CELL}">{name}</th><td style="{CELL}">{value}</td></tr>' for name, value in rows)
    return f"<table>{body}</table>"


def list_html(items: Table[Any]) -> str:
    """A row for each; at most 50."""
    form = items.form
    shown = items[:MAX_ROWS]
    if not len(shown):
        return f"<p>No {escape(form.what)}s.</p>"
    runs = all(isinstance(item, Run) for item in shown)
    rows = [[*_cells(items, item), *([_metrics(item)] if runs else [])] for item in shown]
    total = items.total
    more = total - len(shown) if total is not None and total > len(shown) else 0
    head = [escape(column.title) for column in form.columns] + (["Metrics"] if runs else [])
    return table(head, rows) + (f"<p>… {more} more</p>" if more else "")


def _cells(items: Table[Any], item: Any) -> list[str]:
    columns = items.form.columns
    cells = [escape(cut(text.printable(cell), 200)) for cell in items.form.row(item)]
    titles = [column.title for column in columns]
    if isinstance(item, Run):
        cells[titles.index("Name")] = link(item)
        cells[titles.index("Status")] = status(item)
    return cells


def _metrics(run: Run) -> str:
    return ", ".join(f"{escape(cut(key, 24))}={number(m.last)}" for key, m in list(run.metrics.items())[:3])


def comparison_html(comparison: Comparison) -> str:
    """A column a run, what differs first; what is the same is grey."""
    head = ["", *(link(run) for run in comparison.runs)]
    rows = []
    for row in comparison.rows():
        name = escape(row.title)
        values = [escape(cut(cell, 200)) for cell in row.cells()]
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
        address = run.link
    except TypeError:  # made by hand, it knows no server
        return name
    if address is None:
        return name
    return f'<a href="{escape(address)}" target="_blank" rel="noopener" style="{LINK}">{name}</a>'


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


def cut(words: str, limit: int = 80) -> str:
    """Text of at most so many characters."""
    return words if len(words) <= limit else words[: limit - 1] + "…"
