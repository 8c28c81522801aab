"""Parameters as R reads them; that it does is shown in `tests/jobs/test_r.py`."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from papermill.translators import papermill_translators

from jupyter_mlws.runner import translators


def test_text_is_written_with_the_escapes_that_r_has():
    translators.register()
    code = papermill_translators.find_translator("ir", "R").codify(
        {"a": 'é "\\" €\n😀\x7f', "b": ["ü"], "c": {"k": None, "on": True}}
    )
    assert code.splitlines()[1:] == [
        r'a = "\u00e9 \"\\\" \u20ac\n\U0001f600\u007f"',
        r'b = list("\u00fc")',
        'c = list("k" = NULL, "on" = TRUE)',
    ]


@pytest.mark.parametrize("names", [[""], ["", "b"], ["n" * 10_001], ["a", "b c"], ['"', "NULL"]])
def test_whatever_names_a_dict_has_r_has_them(names: list[str]):
    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed (Debian: apt install r-base-core)")
    translators.register()
    given = {"d": {name: [at, {name: True}] for at, name in enumerate(names)}}
    code = papermill_translators.find_translator("ir", "R").codify(given)
    told = f"{code}\ncat(nchar(names(d)), sapply(d, function(x) x[[1]]), sapply(d, function(x) names(x[[2]]) == names(d)[x[[1]] + 1]))"
    ran = subprocess.run(["Rscript", "-"], input=told, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    lengths, numbers = [str(len(name)) for name in names], [str(at) for at in range(len(names))]
    assert ran.stdout.split() == [*lengths, *numbers, *["TRUE"] * len(names)]


@pytest.mark.parametrize("letter", ["\0", "\ud800"])
def test_what_r_has_no_text_for_is_said(letter: str):
    with pytest.raises(ValueError, match=r"R has no text with the character U\+"):
        translators.RText.translate_str(f"a{letter}")
