"""What `make demo` runs: the notebook `digits.ipynb` twice as tracked jobs, followed live, and compared.

Ends with 0 if both jobs completed, else with 1 (or 130 after Ctrl+C, which cancels them).
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlws import Workspace
from jupyter_mlws.sdk import ClientError

if TYPE_CHECKING:
    from jupyter_mlws.sdk.jobs import JobUpdate
    from jupyter_mlws.sdk.results import Job, Run

NOTEBOOK = Path(__file__).with_name("digits.ipynb")
EXPERIMENT = "digits"
GOAL = "test_accuracy"  # the greater the better
JOBS: list[tuple[str, dict[str, Any]]] = [
    ("plain", {"epochs": 20, "augment": False}),
    ("with shifted copies", {"epochs": 20, "augment": True}),
]
METRICS = [GOAL, "test_f1", "test_loss", "val_accuracy", "train_loss"]


class Screen:
    """Log lines, and below them one line that tells how far the job is; where output goes to a file, plain lines only."""

    def __init__(self) -> None:
        self.live = sys.stdout.isatty()
        self._told = ""

    def line(self, text: str) -> None:
        """Print a line, above the status line."""
        print(f"\r\033[K{text}" if self.live else text, flush=True)

    def status(self, text: str) -> None:
        """Tell how far it is, if that has changed."""
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r\033[K{text[:width]}", end="", flush=True)
        elif text != self._told:
            print(text, flush=True)
        self._told = text

    def clear(self) -> None:
        """Take the status line away."""
        if self.live:
            print("\r\033[K", end="", flush=True)
        self._told = ""


def progress_text(name: str, update: JobUpdate, *, bar: bool) -> str:
    """Where a job is, in a few words."""
    run = update.run
    if run.waiting is not None:
        return f"{name}: waits, {run.waiting.reason}"
    if run.progress is None or run.status.value != "Running":
        return f"{name}: {run.status.value}"
    done, total = run.progress.done, run.progress.total
    drawn = f"{'▓' * (10 * done // max(total, 1)):░<10} " if bar else ""
    return f"{name}: {drawn}cell {min(done + 1, total)} of {total}"


def submit(ws: Workspace, screen: Screen) -> list[tuple[str, Job]]:
    """Submit all jobs; `local` runs as many of them at once as it has slots."""
    jobs = []
    for name, parameters in JOBS:
        job = ws.jobs.create(notebook=NOTEBOOK, parameters=parameters, name=name, experiment=EXPERIMENT)
        screen.line(
            f"submitted {name!r}: {', '.join(f'{key}={value}' for key, value in parameters.items())}   (run {job.id[:8]})"
        )
        jobs.append((name, job))
    return jobs


def follow(ws: Workspace, jobs: list[tuple[str, Job]], screen: Screen) -> list[Run]:
    """Print logs and progress of all jobs until each has ended; a job that does not complete ends the demo."""
    width = max(len(name) for name, _ in jobs)
    following = {name: ws.jobs.follow(job.id, every=0.1) for name, job in jobs}
    latest: dict[str, JobUpdate] = {}
    while following:
        for name, updates in list(following.items()):
            update = next(updates, None)
            if update is None:
                following.pop(name)
                run = latest[name].run
                screen.line(f"{name:<{width}} │ {run.status.value} in {seconds(run)}")
                check(name, run)
                continue
            latest[name] = update
            for text in update.text.splitlines():
                screen.line(f"{name:<{width}} │ {text}")
        going = [progress_text(name, latest[name], bar=screen.live) for name in following if name in latest]
        if going:
            screen.status("  " + "   ".join(going))
    screen.clear()
    return [latest[name].run for name, _ in jobs]


def check(name: str, run: Run) -> None:
    """End the demo if a job did not complete."""
    if run.status.value != "Completed":
        why = run.error.message if run.error else run.reason or "no reason was given"
        raise SystemExit(f"\nThe job {name!r} ended as {run.status.value}: {why}\nIts log stands above.")


def seconds(run: Run) -> str:
    """A run's duration."""
    return f"{(run.duration_ms or 0) / 1000:.1f} s"


def value_of(run: Run, metric: str) -> float:
    """The last value of a metric; a run without it fails the demo."""
    if metric not in run.metrics:
        raise SystemExit(f"The run {run.name!r} has no metric {metric!r}.")
    return float(run.metrics[metric].last)


def differing(runs: list[Run]) -> list[str]:
    """Names of the parameters that are not the same in all runs."""
    names = sorted({name for run in runs for name in run.params})
    return [name for name in names if len({run.params.get(name) for run in runs}) > 1]


def comparison(runs: list[Run]) -> str:
    """A table with a column for each run."""
    rows = [["", *(run.name for run in runs)]]
    rows += [[name, *(run.params.get(name, "") for run in runs)] for name in differing(runs)]
    rows += [[metric, *(f"{value_of(run, metric):.4f}" for run in runs)] for metric in METRICS]
    rows.append(["duration", *(seconds(run) for run in runs)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(["", row[0].ljust(widths[0]), *(row[i].rjust(widths[i]) for i in range(1, len(row)))]) for row in rows]
    lines.insert(1, "  " + "─" * (len(lines[0]) - 2))
    return "\n".join(lines)


def verdict(runs: list[Run]) -> str:
    """Which run is best, by how much, and what was different in it."""
    ranked = sorted(runs, key=lambda run: value_of(run, GOAL), reverse=True)
    best, second = ranked[0], ranked[1]
    gain = value_of(best, GOAL) - value_of(second, GOAL)
    if gain == 0:
        faster = min(ranked, key=lambda run: run.duration_ms or 0)
        return f"Both reach {GOAL} {value_of(best, GOAL):.4f}; {faster.name!r} needs less time for it ({seconds(faster)})."
    changes = ", ".join(f"{name} {best.params.get(name)} instead of {second.params.get(name)}" for name in differing(runs))
    return (
        f"Best: {best.name!r}, because its {GOAL} is {value_of(best, GOAL):.4f} against {value_of(second, GOAL):.4f} "
        f"(+{gain:.4f}).\nWhat differs: {changes}."
    )


def main() -> None:
    """Run both jobs, compare them, and say what to do next."""
    start = time.monotonic()
    ws = Workspace.start_or_connect()
    screen = Screen()
    jobs = submit(ws, screen)
    try:
        runs = follow(ws, jobs, screen)
    except BaseException:
        screen.clear()
        for _, job in jobs:
            ws.jobs.cancel(job.id)
        raise
    print(f"\n{comparison(runs)}\n\n{verdict(runs)}\n\nAll in {time.monotonic() - start:.0f} s. See them in JupyterLab: make lab")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\ncanceled", file=sys.stderr)
        sys.exit(130)
    except ClientError as error:
        sys.exit(f"The demo failed: {error}")
