"""The contract types of `import_rules.py` refuse what they should, so that a kept contract means something."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAD = """
[tool.importlinter]
root_packages = ["pkg", "light"]
include_external_packages = true
contract_types = ["may_import: tests.project.import_rules.MayImport", "slice_doors: tests.project.import_rules.SliceDoors"]
[[tool.importlinter.contracts]]
name = "rule"
"""
DOORS = """
type = "slice_doors"
container = "pkg.domain"
doors = ["service"]
exceptions = ["pkg.domain.find.store -> pkg.domain.*.tables"]
"""


def lint(folder: Path, rule: str, files: dict[str, str]) -> tuple[bool, list[str]]:
    """Whether the rule is kept over `files` (dotted names and source), and the imports that it refused."""
    modules = {"pkg": "", "light": "", "pkg.domain": ""} | files
    packages = {name.rpartition(".")[0] for name in modules} | {"pkg", "light", "pkg.domain"}
    for name, source in modules.items():
        parts = name.split(".")
        path = folder.joinpath(*parts, "__init__.py") if name in packages else folder.joinpath(*parts).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    for package in filter(None, packages):
        folder.joinpath(*package.split("."), "__init__.py").touch()
    config = folder / "pyproject.toml"
    config.write_text(textwrap.dedent(HEAD) + rule + "\n")
    paths = f"import sys; sys.path[:0] = [{str(folder)!r}, {str(ROOT)!r}]"
    lines = [paths, "from importlinter.cli import lint_imports_command", "lint_imports_command()"]
    command = [sys.executable, "-c", "\n".join(lines), "--config", str(config), "--no-cache"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    return done.returncode == 0, re.findall(r"- (\S+ -> \S+) \(l", done.stdout)


@pytest.mark.parametrize(
    ("rule", "files", "refused"),
    [
        ('type = "may_import"\nsources = ["pkg.kit"]', {"pkg.kit": "import pkg.db", "pkg.db": ""}, ["pkg.kit -> pkg.db"]),
        ('type = "may_import"\nsources = ["pkg.kit"]', {"pkg.kit.a": "import pkg.kit.b", "pkg.kit.b": "import json, yaml"}, []),
        (
            'type = "may_import"\nsources = ["pkg.sdk"]\nallowed = ["pkg.domain.*.schemas"]',
            {"pkg.sdk": "import pkg.domain.a.schemas, pkg.domain.a.store", "pkg.domain.a.schemas": "", "pkg.domain.a.store": ""},
            ["pkg.sdk -> pkg.domain.a.store"],
        ),
        (
            'type = "may_import"\nsources = ["light"]\nstandard_library_only = true',
            {"light.a": "import json, yaml, pkg", "light.b": "import light.a"},
            ["light.a -> pkg", "light.a -> yaml"],
        ),
        (
            'type = "may_import"\nsources = ["pkg"]\nas_packages = false\nallowed = ["pkg.sdk"]',
            {"pkg": "import pkg.sdk, pkg.db", "pkg.sdk": "import pkg.db", "pkg.db": ""},
            ["pkg -> pkg.db"],
        ),
        (
            DOORS,
            {
                "pkg.domain.runs.store": "from pkg.domain.runs import tables; from pkg.domain.jobs import service, tables as t",
                "pkg.domain.runs.tables": "",
                "pkg.domain.jobs.service": "",
                "pkg.domain.jobs.tables": "",
            },
            ["pkg.domain.runs.store -> pkg.domain.jobs.tables"],
        ),
        (
            DOORS,
            {
                "pkg.domain.find.store": "import pkg.domain.runs.tables, pkg.domain.runs.store",
                "pkg.domain.find.service": "import pkg.domain.runs.tables",
                "pkg.domain.runs.tables": "",
                "pkg.domain.runs.store": "",
            },
            ["pkg.domain.find.service -> pkg.domain.runs.tables", "pkg.domain.find.store -> pkg.domain.runs.store"],
        ),
    ],
)
def test_refuses_what_is_not_allowed(tmp_path: Path, rule: str, files: dict[str, str], refused: list[str]) -> None:
    kept, found = lint(tmp_path, rule, files)
    assert found == refused
    assert kept is (not refused)
