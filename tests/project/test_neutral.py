"""Nothing in the tree speaks of one machine, one registry or a list of tasks that readers cannot see."""

from __future__ import annotations

import re

import pytest

from tests.project.files import ROOT, project_files

# Written so that this file does not find itself.
PATTERNS = {
    "a machine's path": r"(?<![\w.<])/(?:w[o]rk|r[o]ot|U[s]ers/\w|h[o]me/(?!me\b|user\b|jovyan\b)\w+)/",
    "a registry host": r"https?://(?:registry|files|deb|pkgs|index|mirror)[.-]|__arch[i]veUrl|--(?:extra-)?index-url",
    "a number on a list of tasks": r"(?:^|[\s(])#(?:\d{1,2}|\d{4,5})\b(?![\w-])|\b(?:[Ii]ssue|[Tt]icket|PR)s? #?\d",
}
BINARY = {".png", ".jpg", ".gif", ".ico", ".woff2", ".db", ".gz", ".zip"}
LOCKS = [ROOT / "yarn.lock", ROOT / "ui-tests" / "yarn.lock"]


@pytest.mark.parametrize("what", PATTERNS)
def test_tree_is_neutral(what: str) -> None:
    pattern = re.compile(PATTERNS[what], re.MULTILINE)
    files = [p for p in project_files() if p.suffix not in BINARY]
    files += [p for p in LOCKS if p.exists() and what == "a registry host"]
    found = []
    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace")
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{path.relative_to(ROOT)}:{line}: {match[0].strip()}")
    assert found == []


def test_examples_carry_no_outputs() -> None:
    for path in project_files(".ipynb"):
        text = path.read_text(encoding="utf-8")
        assert '"execution_count": null' in text, path
        assert not re.search(r'"outputs": \[\s*\{|"execution_count": \d', text), f"{path.relative_to(ROOT)}: clear its outputs"
