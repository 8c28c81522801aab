"""Reading notebooks: parameters, and what is wrong with them."""

from __future__ import annotations

import json

import pytest

from jupyter_mlws.domain.jobs.errors import KernelMissing, NotANotebook, NotebookNotFound, ParameterType, UnknownParameter
from jupyter_mlws.domain.jobs.notebooks import check_kernel, check_parameters, inspect_notebook
from jupyter_mlws.domain.jobs.parameters import declared

SOURCE = """# parameters
%matplotlib inline
# how fast
# it learns
lr: float = 1e-3

epochs = 10  # passes
x = y = None # type: int the thing
name: "str | None" = None
layers = [64,
  32]  # sizes
opts: dict[str, int] = {'a': 1}
n = len('abc')
neg = -3
a, b = 1, 2
hash_in_text = "# no comment"
epochs2 = 1 if 2 == 3 else 4
lr = 0.5  # again
"""


def write(tmp_path, content, name="n.ipynb"):
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def notebook(source=SOURCE, **metadata):
    cell = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": source.splitlines(True), "outputs": []}
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": metadata,
        "cells": [{"cell_type": "markdown", "source": "#", "metadata": {}}, cell],
    }


def test_parameters_of_python():
    found = declared(SOURCE, "python")
    assert [(f.name, f.type, f.default, f.help) for f in found] == [
        ("epochs", "int", 10, "passes"),
        ("x", "int", None, "the thing"),
        ("y", "int", None, "the thing"),
        ("name", "str", None, ""),
        ("layers", "list", [64, 32], "sizes"),
        ("opts", "dict", {"a": 1}, ""),
        ("n", "unknown", None, ""),
        ("neg", "int", -3, ""),
        ("hash_in_text", "str", "# no comment", ""),
        ("epochs2", "unknown", None, ""),
        ("lr", "float", 0.5, "again"),
    ]
    assert {f.name for f in found if not f.required_literal} == {"n", "epochs2"}
    assert next(f for f in found if f.name == "n").default_source == "len('abc')"
    assert [f.name for f in found if f.annotated] == ["x", "y", "name", "opts"]


def test_comment_above():
    field = declared("# how fast\n# it learns\nlr: float = 1e-3\n# far\n\nk = 1", "python")
    assert [f.help for f in field] == ["how fast it learns", ""]


@pytest.mark.parametrize("source", ["def broken(:\nx = 1", "x = 1\x00", "(" * 5000])
def test_source_that_does_not_parse(source):
    declared(source, "python")


def test_other_languages():
    fields = declared('alpha <- 0.5 # rate\nok = TRUE\nval name = "x"\nf <- function(x) x', "R")
    assert [(f.name, f.type, f.default) for f in fields][:3] == [
        ("alpha", "float", 0.5),
        ("ok", "bool", True),
        ("name", "str", "x"),
    ]


def test_values_in_quotes_hold_slashes_and_marks_of_comments():
    source = 'path <- "data/x#1.csv"  # where\nurl = \'http://x/"y"\'\nrounds <- 2L\nhalf <- 1/2 # h\nval s = "a\\"b"; // t\nopen <- "a'
    assert [(f.name, f.type, f.default, f.help) for f in declared(source, "R")] == [
        ("path", "str", "data/x#1.csv", "where"),
        ("url", "str", 'http://x/"y"', ""),
        ("rounds", "int", 2, ""),
        ("half", "unknown", None, "h"),
        ("s", "str", 'a"b', "t"),
    ]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("line", ["x <- {}'", "x <- {}1 / {}'", "x {}'", "{}'"])
def test_a_long_line_of_another_language_is_read_at_once(line):
    """Where parts of the pattern compete for the same spaces, thousands of them take hours."""
    assert declared(line.format(*[" " * 50_000] * 2), "R") == []


def test_inspection(tmp_path):
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    found = inspect_notebook(write(tmp_path, notebook(kernelspec=spec)))
    assert (found.name, found.kernel, found.kernel_display_name, found.language) == ("n", "python3", "Python 3", "python")
    assert (found.has_parameters_cell, found.cells, len(found.parameters)) == (True, 2, 11)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"a": 1,\n  b}', "line 2, column 3"),
        ("[1]", "no `nbformat`"),
        ('{"nbformat": 9}', "format 9"),
        ('{"nbformat": 4, "cells": [1]}', "cell 1 is not an object"),
        ('{"nbformat": 4}', "no list of `cells`"),
        ('{"nbformat": 2}', "cannot be converted"),
        ("[" * 200_000, "nested too deeply"),
        ("", "line 1, column 1"),
    ],
)
def test_what_is_no_notebook(tmp_path, content, words):
    with pytest.raises(NotANotebook, match=words):
        inspect_notebook(write(tmp_path, content))


def test_folder_bytes_and_nothing(tmp_path):
    with pytest.raises(NotANotebook, match="is a folder"):
        inspect_notebook(tmp_path)
    (tmp_path / "b.ipynb").write_bytes(b'{"nbformat": 4, "x": "\xff"}')
    with pytest.raises(NotANotebook, match="UTF-8"):
        inspect_notebook(tmp_path / "b.ipynb")
    with pytest.raises(NotebookNotFound, match=r"There is no notebook sub/n\.ipynb"):
        inspect_notebook(tmp_path / "no.ipynb", shown="sub/n.ipynb")


def test_kernels():
    assert check_kernel("ir", ["ir", "python3"], shown="n.ipynb") == "ir"
    with pytest.raises(KernelMissing, match=r"'cobol' is not installed.*ir, python3"):
        check_kernel("cobol", ["python3", "ir"], shown="n.ipynb")
    with pytest.raises(
        KernelMissing, match=r"kernel of n.ipynb is ir on the compute target far-gpu: choose that target.*python3"
    ):
        check_kernel("mlws-far-gpu.ir", ["python3"], shown="n.ipynb")
    with pytest.raises(KernelMissing, match="names no kernel"):
        check_kernel(None, ["python3"], shown="n.ipynb")


def test_parameters_that_do_not_fit(tmp_path):
    found = inspect_notebook(write(tmp_path, notebook()))
    check_parameters(found, {"epochs": 1.5, "lr": 1, "x": None, "n": "anything", "name": "a", "layers": [], "opts": {}})
    with pytest.raises(
        UnknownParameter, match=r"no parameter 'epoch'. Did you mean 'epochs'\? Declared are: epochs, x, y"
    ) as caught:
        check_parameters(found, {"epoch": 1})
    assert caught.value.field == "parameters.epoch"
    for name, value, words in (
        ("epochs", "x", "an int"),
        ("layers", 1, "a list"),
        ("x", 0.5, "an int"),
        ("epochs", True, "not a bool"),
    ):
        with pytest.raises(ParameterType, match=words):
            check_parameters(found, {name: value})
    bare = inspect_notebook(write(tmp_path, {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}))
    with pytest.raises(UnknownParameter, match="none of its cells has the tag"):
        check_parameters(bare, {"x": 1})
