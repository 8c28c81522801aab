"""Parameters as R reads them; that it does is shown in `tests/jobs/test_r.py`."""

from __future__ import annotations

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


@pytest.mark.parametrize("letter", ["\0", "\ud800"])
def test_what_r_has_no_text_for_is_said(letter: str):
    with pytest.raises(ValueError, match=r"R has no text with the character U\+"):
        translators.RText.translate_str(f"a{letter}")
