"""Files and functions stay small enough to read in one go.

Over budget warns, over one and a half times the budget fails. A file that must be longer says why in a line of its own near its
top: `budget: <reason>`.
"""

from __future__ import annotations

import ast
import re
import warnings
from pathlib import Path

import pytest

from tests.project.files import ROOT, project_files

PYTHON_FILE, PYTHON_FUNCTION, PYTHON_INIT = 400, 50, 60
TSX_FILE, TSX_FUNCTION = 250, 80
TEST_FILE = 500
SLACK = 1.5
EXCUSE = re.compile(r"^\s*(#|//|\*)?\s*budget: \S.{10,}", re.MULTILINE)


class OverBudget(UserWarning):
    """Something is longer than its budget, and not yet too long."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def is_test(path: Path) -> bool:
    name = name_of(path)
    return name.startswith(("tests/", "ui-tests/")) or "/__tests__/" in name


def file_budget(path: Path) -> int:
    """How many lines the file may have."""
    if is_test(path):
        return TEST_FILE
    if path.name == "__init__.py":
        return PYTHON_INIT
    return TSX_FILE if path.suffix == ".tsx" else PYTHON_FILE


def function_lengths(path: Path) -> list[tuple[str, int]]:
    """Each function of a Python file with its number of lines, without its docstring."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0]
            has_docstring = ast.get_docstring(node, clean=False) is not None
            docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if has_docstring else 0
            lines = (node.end_lineno or node.lineno) - node.lineno + 1 - docstring
            found.append((f"{name_of(path)}:{node.lineno} {node.name}", lines))
    return found


def component_lengths(path: Path) -> list[tuple[str, int]]:
    """Each top-level function of a TSX file with its number of lines, up to the next line that closes at column 0."""
    found = []
    lines = path.read_text(encoding="utf-8").splitlines()
    opening = re.compile(r"^(?:export )?(?:default )?(?:async )?(?:function\*? (\w+)|const (\w+)\b.*(?:=>|function\b).*)")
    for number, line in enumerate(lines):
        match = opening.match(line)
        if match:
            end = next((i for i in range(number + 1, len(lines)) if re.match(r"^[})\]]", lines[i])), number)
            found.append((f"{name_of(path)}:{number + 1} {match[1] or match[2]}", end - number + 1))
    return found


def measure() -> list[tuple[str, int, int]]:
    """(what, lines, budget) of everything that has a budget."""
    rows = []
    for path in project_files(".py", ".ts", ".tsx"):
        text = path.read_text(encoding="utf-8")
        if EXCUSE.search("\n".join(text.splitlines()[:30])):
            continue
        rows.append((name_of(path), len(text.splitlines()), file_budget(path)))
        if path.suffix == ".py" and not is_test(path):
            rows += [(what, lines, PYTHON_FUNCTION) for what, lines in function_lengths(path)]
        if path.suffix == ".tsx" and not is_test(path):
            rows += [(what, lines, TSX_FUNCTION) for what, lines in component_lengths(path)]
    return rows


@pytest.mark.filterwarnings("default::tests.project.test_budgets.OverBudget")
def test_files_and_functions_keep_their_budget() -> None:
    rows = measure()
    assert rows
    too_long = [f"{what}: {lines} lines, budget {budget}" for what, lines, budget in rows if lines > SLACK * budget]
    for what, lines, budget in rows:
        if budget < lines <= SLACK * budget:
            warnings.warn(f"{what}: {lines} lines, budget {budget}", OverBudget, stacklevel=1)
    assert not too_long, "far over budget; split by meaning:\n" + "\n".join(too_long)


def test_no_file_is_cut_in_numbered_parts_or_called_utils() -> None:
    attic = re.compile(r"(^|/)(utils?|helpers?|common|misc)(\.\w+|/)|_part_?\d|part_?\d\.(py|tsx?)$", re.IGNORECASE)
    assert [name_of(p) for p in project_files(".py", ".ts", ".tsx") if attic.search(name_of(p))] == []


SAMPLE = '''
def small():
    """Doc
    string."""
    return 1
'''


def test_measures_functions_without_their_docstrings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.project.test_budgets.ROOT", tmp_path)
    (tmp_path / "a.py").write_text(SAMPLE)
    (tmp_path / "a.tsx").write_text("export function Page() {\n  return (\n    <p />\n  );\n}\n\nconst B = () => {\n};\n")
    assert function_lengths(tmp_path / "a.py") == [("a.py:2 small", 2)]
    assert component_lengths(tmp_path / "a.tsx") == [("a.tsx:1 Page", 5), ("a.tsx:7 B", 2)]
