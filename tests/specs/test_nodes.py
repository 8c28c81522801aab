"""YAML that is broken, or means harm: refused with its line, in bounded time."""

from __future__ import annotations

import time

import pytest
import yaml
from hypothesis import assume, example, given
from hypothesis import strategies as st

from jupyter_mlws.domain.jobs.schemas import JOB_FILE_CHARS
from jupyter_mlws.specs.errors import JobFileInvalid, Problem
from jupyter_mlws.specs.job_files import read_job_file
from jupyter_mlws.specs.nodes import MAX_DEPTH, MAX_NODES, Mapping, Node, Scalar, Sequence, compose
from tests.specs.conftest import outcome

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{above}'] * 10)}]\n" for above, name in zip("abcdefghi", "bcdefghij", strict=True)
)
BROKEN = [
    ("command: [a\nb: c", "job.yml, line 2, column 2: this is not YAML: "),
    ("command: a: b", "job.yml, line 1, column 11: this is not YAML: mapping values are not allowed here."),
    ("\tcommand: x", "job.yml, line 1, column 1: this is not YAML: "),
    ("command: 'x", "job.yml, line 1, column 12: this is not YAML: "),
    ("command: x\n# \x07", "job.yml, line 2: YAML has no character U+0007; leave it out."),
    ('command: "\\UFFFFFFFF"', "job.yml: this is not YAML: an escape or a directive has a number out of range."),
    (
        "%YAML 1." + "9" * 5000 + "\n---\ncommand: x",
        "job.yml: this is not YAML: an escape or a directive has a number out of range.",
    ),
    ("", "job.yml: there is nothing in it."),
    ("# only words", "job.yml: there is nothing in it."),
    ("command: x\n---\ncommand: y", "job.yml, line 2, column 1: a second document begins here, and there may be only one."),
    ("- command", "job.yml, line 1, column 1: a job file is a mapping, a value for each field, not a list."),
    ("just words", 'job.yml, line 1, column 1: a job file is a mapping, a value for each field, not "just words".'),
    ("command: a\ntype: command\ncommand: b", "job.yml, line 3, command: this key stands twice; first in job.yml, line 1."),
    ("tags:\n  a: x\n  a: y", "job.yml, line 3, tags.a: this key stands twice; first in job.yml, line 2."),
    ("1: x", "job.yml, line 1, column 1: a key is text, not 1; put it in quotes."),
    ("tags: {on: x}", "job.yml, line 1, tags: a key is text, not on; put it in quotes."),
    ("? [a]\n: x", "job.yml, line 1, column 3: a key is text, not a list; put it in quotes."),
    ("a: &a {command: x}\n<<: *a", "job.yml, line 2, column 1: merging with << is not supported; write the keys out."),
    (
        "command: !!python/object/apply:os.system [id]",
        "job.yml, line 1, command: the tag !!python/object/apply:os.system is not supported",
    ),
    ("tags: {a: !!binary aGk=}", "job.yml, line 1, tags.a: the tag !!binary is not supported"),
    ("tags: {a: !mine x}", "job.yml, line 1, tags.a: the tag !mine is not supported"),
    ("command: *gone", "job.yml, line 1, command: nothing above has the anchor &gone."),
    ("tags: &t {a: *t}", "job.yml, line 1, tags.a: nothing above has the anchor &t."),
    ('command: "a\\0b"', "job.yml, line 1, command: an escape stands for U+0000, which no text may have."),
    ('command: "\\ud800"', "job.yml, line 1, command: an escape stands for U+D800, which no text may have."),
    (LAUGHS, f"job.yml, line 4, d: more than {MAX_NODES:,} values, those of aliases counted each time."),
    ("tags:\n" + "".join(f"  t{n}: x\n" for n in range(MAX_NODES)), f"more than {MAX_NODES:,} values"),
    ("a: " + "[" * 30_000, f"job.yml, line 1, a: it is nested more than {MAX_DEPTH} deep here."),
    ("a: " + "{b: " * 10_000, f"it is nested more than {MAX_DEPTH} deep here."),
    ("? " * 30_000, f"it is nested more than {MAX_DEPTH} deep here."),
]


@pytest.mark.parametrize(("text", "words"), BROKEN, ids=[words[9:60] for _, words in BROKEN])
def test_broken_yaml_is_told_with_its_place(text: str, words: str) -> None:
    with pytest.raises(JobFileInvalid) as failure:
        read_job_file(text, file="job.yml")
    assert words in failure.value.message
    assert (failure.value.status, failure.value.code, bool(failure.value.field)) == (400, "job_file_invalid", True)


def test_aliases_within_bounds_are_what_they_name() -> None:
    text = "inputs: {a: &a 0.5, b: *a}\ncommand: echo ${{inputs.a}} ${{inputs.b}}"
    assert read_job_file(text, file="job.yml").job.spec.command == "echo 0.5 0.5"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text",
    [
        "command: " + "x y " * 16_000,
        "command: |\n" + "  x\n" * 16_000,
        "command: " + "1:" * 32_000 + "1",
        "command: x\nlimits: {timeout: " + "9" * 60_000 + "}",
        "command: x\ntags: {a: 0x" + "f" * 60_000 + "}",
        "# " * 30_000,
        "a: " + "'" * 60_001,
        "- " * 30_000,
        "&a " * 20_000,
        "a:\n" + "".join(f"{' ' * n}- b\n" for n in range(300)),
        LAUGHS,
    ],
    ids=lambda text: text[:20],
)
def test_the_worst_file_takes_seconds_at_most(text: str) -> None:
    began = time.process_time()
    found = outcome(text[:JOB_FILE_CHARS])
    assert time.process_time() - began < 4
    assert not isinstance(found, JobFileInvalid) or len(found.message) < 1000


def plain(node: Node) -> object:
    """A node as the values that it stands for."""
    if isinstance(node, Mapping):
        return {key: plain(entry.node) for key, entry in node.entries.items()}
    return [plain(item) for item in node.items] if isinstance(node, Sequence) else node.value


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.booleans())
def test_values_are_those_that_pyyaml_reads(value: object, flow: bool) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True)
    try:
        node = compose(text, "x.yml")
    except Problem:
        assume("\\0" not in text)  # NUL is what we refuse and PyYAML takes
        raise
    assert plain(node) == yaml.safe_load(text)


TOKENS = st.lists(
    st.sampled_from(
        [
            "command",
            "type",
            "inputs",
            "tags",
            "x",
            "1",
            "1e-3",
            "true",
            "~",
            ": ",
            ":",
            "- ",
            "\n",
            "\n  ",
            "\n    ",
            "[",
            "]",
            "{",
            "}",
            ", ",
            "&a ",
            "*a",
            "? ",
            "|\n",
            ">-\n",
            "'",
            '"',
            "# ",
            "---\n",
            "...\n",
            "!!str ",
            "! ",
            "%YAML 1.1\n",
            "<<: ",
            "${{inputs.x}}",
            "\\",
            "\t",
        ]
    ),
    max_size=40,
).map("".join)


@given(TOKENS | st.text(max_size=200))
@example('"\\x')
@example("- |9\n")
@example("%TAG ! \n--- !a b")
@example("a: 0x_")
@example("a: 0b_\nb: 1_")
@example("{? : }")
@example("\ufeffcommand: x")
def test_any_text_is_read_or_refused(text: str) -> None:
    found = outcome(text)
    if isinstance(found, JobFileInvalid):
        assert found.message.startswith("job.yml")
        assert all(line.isprintable() for line in found.message.split("\n"))
    else:
        assert "command" in text


def test_lines_and_columns_are_those_of_an_editor() -> None:
    root = compose("a: 1\n\nbb:\n  - x\n  - {c: 'y'}\n", "x.yml")
    assert isinstance(root, Mapping)
    assert root.entries["bb"].place[1:] == (3, 1)
    items = root.entries["bb"].node
    assert isinstance(items, Sequence)
    assert [item.place[1:] for item in items.items] == [(4, 5), (5, 5)]
    assert isinstance(items.items[1], Mapping)
    inner = items.items[1].entries["c"].node
    assert isinstance(inner, Scalar)
    assert (inner.place[1:], inner.source, inner.text) == ((5, 9), "'y'", "y")
