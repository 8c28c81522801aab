"""The README and the docs say what is so: links lead somewhere, commands exist, Python blocks name what is there."""

from __future__ import annotations

import ast
import html
import importlib
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from jupyter_mlws.specs.fields import FIELDS
from tests.project.files import ROOT, project_files

README = ROOT / "README.md"
PAGES = [README, *(p for p in project_files(".md") if p.is_relative_to(ROOT / "docs") or p.is_relative_to(ROOT / "examples"))]
GENERATED = {ROOT / "docs" / "reference" / name for name in ("cli.md", "python.md", "rest.md", "settings.md")}  # docs/generate.py
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
page = pytest.mark.parametrize("path", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())


def blocks(path: Path, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    return [textwrap.dedent(match[2]) for match in BLOCK.finditer(path.read_text(encoding="utf-8")) if match[1] == language]


def slug(heading: str) -> str:
    """The anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def headings_of(path: Path) -> list[str]:
    """The headings of a page, if it is one."""
    return (
        re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE) if path.suffix == ".md" and path.exists() else []
    )


def links_of(path: Path) -> list[str]:
    """Where the links and pictures of a page lead."""
    return re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", path.read_text(encoding="utf-8")))


def shell_lines(path: Path) -> list[list[str]]:
    """The commands of the shell blocks, as words; `<run>` stands for a word."""
    text = "\n".join(blocks(path, "bash")).replace("\\\n", " ")
    return [shlex.split(re.sub(r"<[\w ]+>", "0" * 32, line), comments=True) for line in text.splitlines() if line.strip()]


@page
def test_links_lead_somewhere(path: Path) -> None:
    broken = []
    for target in links_of(path):
        if re.match(r"https?://|mailto:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        if file in GENERATED:
            continue
        headings = headings_of(file) if anchor else []
        if not file.exists() or (anchor and anchor not in map(slug, headings)):
            broken.append(target)
    assert broken == []


def test_the_first_page_leads_to_all_others() -> None:
    def pages_of(nav: Any) -> list[str]:
        parts = nav.values() if isinstance(nav, dict) else nav
        return [nav] if isinstance(nav, str) else [name for part in parts for name in pages_of(part)]

    listed = pages_of(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    linked = links_of(ROOT / "docs" / "index.md")
    assert [name for name in listed if name not in ["index.md", *linked]] == []


def test_each_picture_of_the_docs_is_shown() -> None:
    shown = {(path.parent / target).resolve() for path in PAGES for target in links_of(path)}
    assert [path.name for path in sorted((ROOT / "docs" / "images").iterdir()) if path not in shown] == []


@page
def test_make_targets_exist(path: Path) -> None:
    rules = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    asked = {words[1] for words in shell_lines(path) if words[:1] == ["make"] and len(words) > 1}
    asked |= set(re.findall(r"`make ([a-z-]+)", path.read_text(encoding="utf-8")))
    assert asked - rules == set()


def test_a_terminal_with_the_printed_exports_finds_the_runs_of_the_demo() -> None:
    printed = subprocess.run(
        ["make", "-s", "exports", f"VENV={sys.prefix}", "MLWS_DATA_DIR="], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    clean = {"PATH": "/usr/bin:/bin"}
    asked = f'{printed}\ncommand -v mlws; echo "$MLWS_DATA_DIR"'
    found = subprocess.run(["bash", "-ec", asked], env=clean, capture_output=True, text=True, check=True).stdout
    assert found.split("\n")[:2] == [f"{sys.prefix}/bin/mlws", f"{ROOT}/.demo"]
    rules = (ROOT / "Makefile").read_text(encoding="utf-8").split("\n\n")
    for target in ("demo", "lab"):
        (rule,) = [rule for rule in rules if rule.startswith(f"{target}:")]
        assert "no-print-directory exports" in rule


def test_a_bench_over_its_limit_keeps_none_from_running(tmp_path: Path) -> None:
    over, within = tmp_path / "over.py", tmp_path / "within.py"
    over.write_text("print('too slow'); raise SystemExit(1)")
    within.write_text("print('quick')")
    made = [f"{sys.prefix}/.stamp-dev", f"{sys.prefix}-mlflow/.stamp"]  # nothing is installed by a test
    command = ["make", "-s", "bench", f"VENV={sys.prefix}", f"BENCH={over} {within}", *(f"--old-file={one}" for one in made)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split("\n")[:4] == [f"== {over}", "too slow", f"== {within}", "quick"]
    assert (done.returncode != 0, f"Over a limit, or failed: {over}\n" in done.stderr) == (True, True)
    command[4] = f"BENCH={within}"
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0


@page
def test_commands_exist_with_their_options(path: Path) -> None:
    main = importlib.import_module("jupyter_mlws.cli").main
    inline = [shlex.split(code) for code in re.findall(r"`(mlws [a-z][^`<\n]*)`", path.read_text(encoding="utf-8"))]
    for words in [*shell_lines(path), *inline]:
        if words[:1] != ["mlws"]:
            continue
        context, command, rest = click.Context(main, info_name="mlws"), main, words[1:]
        while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            name, found, rest = command.resolve_command(context, rest)
            assert found is not None, words
            context, command = click.Context(found, info_name=name, parent=context), found
        options = {name for parameter in command.params for name in [*parameter.opts, *parameter.secondary_opts]}
        given = {word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)}
        assert given - options - {"--help", "--version"} == set(), words


@page
def test_python_blocks_name_what_is_there(path: Path) -> None:
    for block in blocks(path, "python"):
        tree = ast.parse(block)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                module = importlib.import_module(node.module)
                assert all(hasattr(module, alias.name) for alias in node.names), block
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "mlws":
                assert hasattr(importlib.import_module("mlws"), node.attr), f"mlws.{node.attr}"


def test_documentation_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    reference = (tmp_path / "site" / "reference" / "cli.html").read_text(encoding="utf-8")
    assert "mlws job create" in reference
    job_files = html.unescape((tmp_path / "site" / "reference" / "job-files.html").read_text(encoding="utf-8"))
    assert [field.path for field in FIELDS if f"<code>{field.path}</code>" not in job_files] == []
