"""Two contract types for import-linter, which say what may be imported; its own types say what may not.

Run by `lint-imports` (configuration in pyproject.toml, rules in docs/explanation/architecture.md).
"""

from __future__ import annotations

import fnmatch
import sys
from typing import Any

from importlinter import Contract, ContractCheck, fields, output


def in_package(module: str, package: str) -> bool:
    """Whether `module` is `package` or lies in it."""
    return module == package or module.startswith(package + ".")


def matches(module: str, pattern: str) -> bool:
    """Whether `module`, or a package it lies in, matches `pattern`, in which `*` stands for one name."""
    parts, wanted = module.split("."), pattern.split(".")
    return len(parts) >= len(wanted) and all(fnmatch.fnmatchcase(p, w) for p, w in zip(parts, wanted, strict=False))


class _DirectImports(Contract):
    """Base: reports the direct imports that `allows` refuses."""

    def importers(self, graph: Any) -> list[str]:
        raise NotImplementedError

    def allows(self, importer: str, imported: str) -> bool:
        raise NotImplementedError

    def check(self, graph: Any, verbose: bool) -> ContractCheck:
        refused = []
        for importer in self.importers(graph):
            for imported in sorted(graph.find_modules_directly_imported_by(importer)):
                if not self.allows(importer, imported):
                    lines = [d["line_number"] for d in graph.get_import_details(importer=importer, imported=imported)]
                    refused.append((importer, imported, lines))
        return ContractCheck(kept=not refused, metadata={"refused": refused})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, imported, lines in check.metadata["refused"]:
            output.print_error(f"- {importer} -> {imported} (l.{', '.join(map(str, lines))})", bold=False)
        output.new_line()


class MayImport(_DirectImports):
    """The modules of `sources` import, of ours, only themselves and `allowed`.

    Options: `sources` (packages; those that do not exist are passed over); `as_packages` (false: without what lies in them);
    `allowed` (packages, `*` for one name); `ignore_modules` (modules or packages to leave out); `standard_library_only` (true: of others'
    packages, too, only `allowed`).
    """

    type_name = "may_import"

    sources: Any = fields.ListField(subfield=fields.StringField())
    as_packages: Any = fields.BooleanField(default=True)
    allowed: Any = fields.ListField(subfield=fields.StringField(), default=[])
    ignore_modules: Any = fields.ListField(subfield=fields.StringField(), default=[])
    standard_library_only: Any = fields.BooleanField(default=False)

    def importers(self, graph: Any) -> list[str]:
        return sorted(m for m in graph.modules if self._is_source(m) and not any(in_package(m, i) for i in self.ignore_modules))

    def _is_source(self, module: str) -> bool:
        return any(in_package(module, s) if self.as_packages else module == s for s in self.sources)

    def allows(self, importer: str, imported: str) -> bool:
        if self._is_source(imported) or any(matches(imported, a) for a in self.allowed):
            return True
        if imported.split(".")[0] in self.session_options["root_packages"]:
            return False
        return not self.standard_library_only or imported.split(".")[0] in sys.stdlib_module_names


class SliceDoors(_DirectImports):
    """Between the slices of `container` only the `doors` of another slice are imported (and its package, for its name).

    Options: `container`; `doors` (module names); `exceptions` (`importer -> imported` with `*` for one name).
    """

    type_name = "slice_doors"

    container: Any = fields.StringField()
    doors: Any = fields.ListField(subfield=fields.StringField())
    exceptions: Any = fields.ListField(subfield=fields.StringField(), default=[])

    def importers(self, graph: Any) -> list[str]:
        return sorted(m for m in graph.modules if m.startswith(self.container + "."))

    def allows(self, importer: str, imported: str) -> bool:
        if not imported.startswith(self.container + "."):
            return True
        depth = self.container.count(".") + 1
        ours, theirs = importer.split(".")[depth:], imported.split(".")[depth:]
        if ours[0] == theirs[0] or len(theirs) == 1 or theirs[1] in self.doors:
            return True
        pairs = (e.split("->") for e in self.exceptions)
        return any(matches(importer, a.strip()) and matches(imported, b.strip()) for a, b in pairs)
