"""What becomes of each field: the table is kept, and what is wrong names file, line and field."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from jupyter_mlws.domain.jobs.errors import ComputeMissing, SnapshotUnconfirmed, UnknownParameter
from jupyter_mlws.domain.jobs.schemas import CommandSpec, JobCreate, NotebookSpec, SourceManifest
from jupyter_mlws.kit.errors import BadInput
from jupyter_mlws.specs.fields import FIELDS, Fate, Field
from jupyter_mlws.specs.job_files import beside, read_job_file
from tests.specs.conftest import Read, Refused, outcome

LEAST = {
    "command": "type: command\ncommand: echo ${{inputs.needed}}\ninputs:\n  needed: 1\n",
    "notebook": "type: notebook\nnotebook: n.ipynb\n",
}
WHOLE = """\
$schema: https://azuremlschemas.azureedge.net/latest/commandJob.schema.json
type: command
command: |
  python train.py --lr ${{inputs.lr}} \\
    --kind "${{ inputs.kind }}" --deep ${{inputs.deep}}
code: ./src
inputs:
  lr: 0.10
  kind: a b
  deep: {value: true}
environment_variables:
  A_B: "1"
experiment_name: iris
display_name: first
description: "What it is, ${{as it stands}}"
tags:
  team: vision
compute: azureml:local
limits:
  timeout: 60
"""
BESIDE = {
    "inputs.<name>.type": "path: d.csv",
    "inputs.<name>.mode": "path: d.csv",
    "inputs.<name>.optional": "value: 0.01",
    "inputs.<name>.description": "value: 0.01",
}
"""Fields that mean something only beside another one."""
ROWS = [(field, kind) for field in FIELDS for kind in field.kinds]


def with_field(field: Field, kind: str) -> str:
    """The least file of a type, with one more field, or with it instead of the one that it has."""
    head, _, rest = field.path.replace("<name>", "needed").partition(".")
    text = LEAST[kind]
    if head == "inputs":
        text = text.replace("  needed: 1\n", "")
        inner = rest.removeprefix("needed").lstrip(".")
        more = f", {BESIDE[field.path]}" if field.path in BESIDE else ""
        return f"{text}  needed: {{{inner}: {field.example}{more}}}\n" if inner else f"{text}  needed: {field.example}\n"
    if head == "outputs":
        text = text.replace("}}\ninputs", "}} ${{outputs.needed}}\ninputs")
        inner = rest.removeprefix("needed").lstrip(".")
        return f"{text}outputs:\n  needed: {f'{{{inner}: {field.example}}}' if inner else field.example}\n"
    kept = "".join(line for line in text.splitlines(keepends=True) if not line.startswith(f"{head}:"))
    return f"{kept}{head}:\n  {rest}: {field.example}\n" if rest else f"{kept}{head}: {field.example}\n"


@pytest.mark.parametrize(("field", "kind"), ROWS, ids=[f"{field.path}-{kind}" for field, kind in ROWS])
def test_each_field_meets_the_fate_that_the_table_names(read: Read, refused: Refused, field: Field, kind: str) -> None:
    if field.path == "type":
        field = msgspec.structs.replace(field, example=kind)
    text, path = with_field(field, kind), field.path.replace("<name>", "needed")
    if field.fate is Fate.REFUSED:
        error = refused(text)
        assert error.message.startswith(f"job.yml, line {text.count(chr(10))}, {path}: ")
        assert error.field == path
        return
    found = read(text)
    told = [(warning.field, warning.line) for warning in found.warnings]
    if field.fate is Fate.WARNED:
        line = text.count("\n")  # it was added at the end
        assert told == [(path, line)]
        assert f"job.yml, line {line}, {path}: {field.about}" == found.warnings[0].message
        assert found.job == read(LEAST[kind]).job
    else:
        assert [one for one in told if one[0] == path] == []
        holder: Any = found.job
        for name in filter(None, field.into.split(".")):
            holder = getattr(holder, name)
        assert holder is not UNSET
        if path.startswith("inputs") and isinstance(found.job.spec, CommandSpec):
            data = field.shape in ("input_type", "data_path", "input_mode")
            assert found.job.spec.command == ("echo ${{inputs.needed}}" if data else "echo 0.01")
            assert isinstance(found.job.spec.inputs, dict) is data
        elif path.startswith("outputs") and isinstance(found.job.spec, CommandSpec):
            assert isinstance(found.job.spec.outputs, dict)


def test_a_whole_file(read: Read) -> None:
    found = read(WHOLE)
    assert found.job == JobCreate(
        spec=CommandSpec(command='python train.py --lr 0.1 \\\n  --kind "a b" --deep True\n', code="./src"),
        experiment="iris",
        name="first",
        note="What it is, ${{as it stands}}",
        tags={"team": "vision"},
        env={"A_B": "1"},
        target="local",
        timeout_s=60,
    )
    assert found.warnings == []
    assert found.source is not None
    assert (found.source.field, found.source.path, found.source.line) == ("code", "./src", 6)


def test_a_notebook(read: Read) -> None:
    text = "type: notebook\nnotebook: nb/t.ipynb\nkernel: python3\n"
    text += "parameters: {lr: 1e-3, big: 2.5E+3, n: 0x1F, text: '1e-3', deep: {a: [1, ~, no]}}"
    assert read(text).job.spec == NotebookSpec(
        notebook="nb/t.ipynb",
        kernel="python3",
        parameters={"lr": 0.001, "big": 2500.0, "n": 31, "text": "1e-3", "deep": {"a": [1, None, False]}},
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("5", "5"),
        ("0.10", "0.1"),
        ("1e-3", "1e-3"),
        ('"0.10"', "0.10"),
        ("yes", "True"),
        ("'yes'", "yes"),
        ("2024-01-31", "2024-01-31"),
        ("a b", "a b"),
        ("$HOME; ls", "$HOME; ls"),
        ("''", ""),
        (".5", "0.5"),
        ("-3", "-3"),
        ("1_000", "1000"),
        ("{value: 7}", "7"),
    ],
)
def test_a_literal_stands_in_the_command_as_text(read: Read, value: str, text: str) -> None:
    found = read(f"command: 'go [${{{{inputs.x}}}}]'\ninputs: {{x: {value}}}")
    assert found.job.spec.command == f"go [{text}]"  # type: ignore[union-attr]


WRONG = [
    ("limits: {timeout: soon}", 'line 2, limits.timeout: a whole number of seconds is needed, not "soon".'),
    ("limits: {timeout: 1.5}", "line 2, limits.timeout: a whole number of seconds is needed, not 1.5."),
    ("limits: {timeout: true}", "line 2, limits.timeout: a whole number of seconds is needed, not true."),
    ("limits: {timeout: '60'}", 'line 2, limits.timeout: a whole number of seconds is needed, not "60".'),
    ("limits: {timeout: 0}", "line 2, limits.timeout: expected a whole number of at least 1."),
    ("limits: {timeout: 99999999999999999999}", "line 2, limits.timeout: "),
    ("limits: {trial_timeout: 5}", "line 2, limits.trial_timeout: job files have no such field."),
    ("limits: 60", "line 2, limits: a mapping is needed, not 60."),
    ("limits:", "line 2, limits: a mapping is needed, not nothing."),
    ("display_name:", "line 2, display_name: a text is needed, and there is nothing. Leave the field out if it is not meant."),
    ("display_name: 5", 'line 2, display_name: a text is needed, not 5; put it in quotes: "5".'),
    ("display_name: ''", "line 2, display_name: expected text that is not empty."),
    (f"display_name: {'x' * 501}", "line 2, display_name: expected text of at most 500 characters."),
    ("display_name: [a]", "line 2, display_name: a text is needed, not a list."),
    ("display_name: '${{name}}'", "line 2, display_name: an expression, ${{…}}, stands in `command` only."),
    ("display_nam: x", "line 2, display_nam: job files have no such field. Did you mean display_name?"),
    ('"dis\\eplay": x', r"line 2, dis\x1bplay: job files have no such field."),
    ('display_name: {"\\e[2J": 1}', "line 2, display_name: a text is needed, not a mapping."),
    ('limits: {timeout: "\\e[2J"}', r'line 2, limits.timeout: a whole number of seconds is needed, not "\x1b[2J".'),
    ("tags: [a]", "line 2, tags: a mapping, a value for each name, is needed, not a list."),
    ("tags: {a: 1}", 'line 2, tags.a: a text is needed, not 1; put it in quotes: "1".'),
    ("tags: {'': x}", "line 2, tags: expected text that is not empty"),
    ("environment_variables: {a-b: x}", "line 2, environment_variables.a-b: the name of a variable has letters"),
    ("environment_variables: {A: on}", 'line 2, environment_variables.A: a text is needed, not on; put it in quotes: "on".'),
    ("environment_variables: {A: '${{inputs.x}}'}", "line 2, environment_variables.A: an expression"),
    ("compute: 'azureml:'", "line 2, compute: the name of a compute target is needed"),
    ("code: https://example.org/code.git", 'line 2, code: a path on this disk is needed, not "https://example.org/code.git".'),
    ("code: azureml:code:1", "line 2, code: a path on this disk is needed"),
    ("code: git+ssh://example.org/x", "line 2, code: a path on this disk is needed"),
    ("code: ''", "line 2, code: a path on this disk is needed"),
    ("type: Command", 'line 2, type: "command" or "notebook" is needed, not "Command".'),
    ("type: pipeline", "line 2, type: pipeline jobs are not supported; supported are command and notebook jobs."),
    ("notebook: a.ipynb", "line 2, notebook: this field is for notebook jobs (`type: notebook`); this is a command job."),
    ("parameters: {}", "line 2, parameters: this field is for notebook jobs"),
    ("type: notebook", "line 1, command: this field is for command jobs (`type: command`); this is a notebook job."),
    ("type: notebook", "job.yml, notebook: a notebook job needs this field."),
    ("inputs: 5", "line 2, inputs: a mapping, a value for each name, is needed, not 5."),
    ("inputs: {a-b: 1}", "line 2, inputs.a-b: the name of an input has letters"),
    ("inputs: {a: }", "line 2, inputs.a: a number, a text or a truth value is needed, and there is nothing."),
    ("inputs: {a: [1]}", "line 2, inputs.a: a number, a text or a truth value is needed, not a list."),
    ("inputs: {a: {}}", "line 2, inputs.a: a value is needed, and there is none: a literal has `value`, data has `path`."),
    ("inputs: {a: {type: string}}", "line 2, inputs.a: a value is needed, and there is none."),
    ("inputs: {a: {type: integer, value: 1.5}}", "line 2, inputs.a.value: the type says integer, and this is 1.5."),
    ("inputs: {a: {type: number, default: x}}", 'line 2, inputs.a.default: the type says number, and this is "x".'),
    ("inputs: {a: {type: string, path: x}}", "line 2, inputs.a.path: a literal has none; it is for data."),
    ("inputs: {a: {path: x, value: 1}}", "line 2, inputs.a.value: data has a `path`, a literal has a value"),
    ("inputs: {a: {type: table, path: x}}", "line 2, inputs.a.type: one of uri_folder, uri_file, "),
    ("inputs: {a: {path: x, mode: upload}}", "line 2, inputs.a.mode: upload: it is a mode of outputs."),
    ("inputs: {a: {path: x, mode: eval_mount}}", "line 2, inputs.a.mode: eval_mount: an MLTable is not evaluated here"),
    ("inputs: {a: {path: ''}}", "line 2, inputs.a.path: a path, an address or a reference is needed"),
    ("inputs: {a: {path: 'x\0y'}}", "line 2"),
    ("inputs: {a: {optional: 1, path: x}}", "line 2, inputs.a.optional: true or false is needed, not 1."),
    ("inputs: {a: {optional: false}}", "line 2, inputs.a: a value is needed"),
    ("outputs: 5", "line 2, outputs: a mapping, a value for each name, is needed, not 5."),
    ("outputs: {a-b: }", "line 2, outputs.a-b: the name of an output has letters"),
    ("outputs: {a: x}", 'line 2, outputs.a: a mapping, or nothing, is needed, not "x".'),
    ("outputs: {a: {mode: ro_mount}}", "line 2, outputs.a.mode: one of rw_mount, upload, direct is needed"),
    ("outputs: {a: {mode: direct}}", "line 2, outputs.a.mode: what is written directly needs a `path`."),
    ("outputs: {a: {name: x}}", "line 2, outputs.a.name: An output is not registered as an asset."),
    ("outputs: {a: {nam: x}}", "line 2, outputs.a.nam: there is no such field; an output has"),
    ("inputs: {a: {valu: 1}}", "line 2, inputs.a.valu: there is no such field; an input is a literal value"),
    ("inputs: {a: '${{parent.inputs.x}}'}", "line 2, inputs.a: an expression"),
]


@pytest.mark.parametrize(("line", "words"), WRONG, ids=[line[:40] for line, _ in WRONG])
def test_what_is_wrong_names_file_line_and_field(refused: Refused, line: str, words: str) -> None:
    error = refused(f"command: x\n{line}\n")
    assert any(
        f"{one}".startswith(words if words.startswith("job.yml") else f"job.yml, {words}") for one in error.message.split("\n")
    )
    assert error.field
    assert "\x1b" not in error.message


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("${{inputs.b}}", "line 2, command: there is no input 'b'; declared under `inputs` are: a."),
        ("|\n  echo\n  echo ${{inputs.a}}\n\n  echo ${{inputs.b}}", "line 6, command: there is no input 'b'"),
        (">-\n  echo ${{inputs.a}}\n  ${{ inputs.b }}", "line 4, command: there is no input 'b'"),
        ('"echo ${{inputs.a}} \\\n  ${{inputs.b}}"', "line 3, command: there is no input 'b'"),
        ("${{outputs.model}}", "line 2, command: there is no output 'model'; declared under `outputs` are: none."),
        ("${{parent.inputs.a}}", "line 2, command: the expression 'parent.inputs.a' is not supported; ${{inputs.<name>}} and"),
        ("go $[[--b ${{inputs.b}}]]", "line 2, command: there is no input 'b'"),
        ("go $[[--a ${{inputs.a}}", "line 2, command: each $[[ around an input is closed by ]]."),
        ("${{inputs.a.path}}", "line 2, command: the expression 'inputs.a.path' is not supported"),
        ("${{ }}", "line 2, command: the expression '' is not supported"),
        ("${{inputs.a", "line 2, command: each ${{ is closed by }}, and none stands in another."),
        ("${{ ${{inputs.a}} }}", "line 2, command: each ${{ is closed by }}, and none stands in another."),
        ("5", 'line 2, command: a text is needed, not 5; put it in quotes: "5".'),
        ("", "line 2, command: a text is needed, and there is nothing."),
        ("[a, b]", "line 2, command: a text is needed, not a list."),
    ],
)
def test_expressions_that_mean_nothing_are_errors(refused: Refused, command: str, words: str) -> None:
    error = refused(f"inputs: {{a: 1}}\ncommand: {command}\n")
    assert error.message.startswith(f"job.yml, {words}")
    assert error.field == "command"


def test_inputs_cannot_make_a_command_of_any_length(refused: Refused) -> None:
    text = f"inputs: {{a: {'x' * 20_000}, e: ''}}\ncommand: {'${{inputs.a}}' * 1000}"
    assert "with its inputs put in, it has 1 to 100,000 characters" in refused(text).message
    assert "with its inputs put in" in refused("inputs: {e: ''}\ncommand: ${{inputs.e}}").message


def test_an_input_is_put_in_once_and_not_read_again(read: Read) -> None:
    found = read("inputs: {a: '}} $x {{', b: 1}\ncommand: ${{inputs.a}}${{inputs.b}}\n")
    assert found.job.spec == CommandSpec(command="}} $x {{1")


def test_an_input_that_nobody_uses_is_told(read: Read) -> None:
    found = read("command: x\ninputs:\n  a: 1\nname: n\n")
    assert [warning.message for warning in found.warnings] == [
        "job.yml, line 3, inputs.a: The command does not use this input.",
        "job.yml, line 4, name: The server makes the id of a job itself; `display_name` names the run.",
    ]


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_the_file(refused: Refused) -> None:
    error = refused("code: 5\ncommand: ${{inputs.a}}\nlimits: {timeout: x, tries: 3}\nfoo: 1\ntags: 3\n")
    assert [line.partition(": ")[0] for line in error.message.split("\n")] == [
        "job.yml, line 1, code",
        "job.yml, line 2, command",
        "job.yml, line 3, limits.timeout",
        "job.yml, line 3, limits.tries",
        "job.yml, line 4, foo",
        "job.yml, line 5, tags",
    ]
    assert error.field == "code"
    many = refused("command: x\n" + "".join(f"a{n}: 1\n" for n in range(50)))
    assert many.message.count("\n") == 20
    assert many.message.endswith("job.yml: 30 more fields are wrong.")


def test_set_wins_over_the_file(read: Read) -> None:
    found = read(
        WHOLE, inputs__lr="1", limits__timeout="5", tags__more="7", display_name="'12'", experiment_name="12", type="command"
    )
    assert found.job.spec.command.startswith("python train.py --lr 1 ")  # type: ignore[union-attr]
    assert (found.job.timeout_s, found.job.tags, found.job.name) == (5, {"team": "vision", "more": "7"}, "12")
    assert found.job.experiment == "12"  # beside the file what was given is taken as the text that it is
    nested = read_job_file(
        "type: notebook\nnotebook: n.ipynb", file="job.yml", changes={"parameters.a": "[1, {b: x}]", "tags.x.y": "z"}
    )
    assert nested.job.spec == NotebookSpec(notebook="n.ipynb", parameters={"a": [1, {"b": "x"}]})
    assert nested.job.tags == {"x.y": "z"}
    assert [(w.line, w.message) for w in read("command: x", name="n").warnings] == [
        (None, "set, name: The server makes the id of a job itself; `display_name` names the run.")
    ]


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("limits.timeout", "soon", 'set, limits.timeout: a whole number of seconds is needed, not "soon".'),
        ("compute", "", "set, compute: there is nothing in it."),
        ("compute", "[a", "set, compute: this is not YAML: "),
        ("compute", "a\n---\nb", "set, compute: a second document begins here"),
        ("tags", "{a: x, a: y}", "set, tags.a: this key stands twice; first in set."),
        ("tags.a", "!!python/name:os x", "set, tags.a: the tag !!python/name:os is not supported"),
        ("command.x", "y", "job.yml, line 1, command: set names a key of it, 'x', but it is \"x\"."),
        ("nothing", "1", "set, nothing: job files have no such field."),
        ("", "1", "set: job files have no such field."),
        ("outputs.x", "1", "set, outputs.x: a mapping, or nothing, is needed, not 1."),
        ("tags.", "1", "set, tags: expected text that is not empty"),
        ("inputs.a b", "1", "set, inputs.a b: the name of an input"),
    ],
)
def test_a_wrong_set_names_itself(path: str, value: str, words: str) -> None:
    with pytest.raises(BadInput) as failure:
        read_job_file("command: x", file="job.yml", changes={path: value})
    assert failure.value.message.startswith(words)


def test_many_sets_have_a_bound() -> None:
    changes = {f"parameters.p{n}": f"[{', '.join(['1'] * 1000)}]" for n in range(5)}
    with pytest.raises(BadInput, match="more than 4,000 values together"):
        read_job_file("type: notebook\nnotebook: n.ipynb", file="job.yml", changes=changes)


def test_later_errors_are_told_with_their_line(read: Read) -> None:
    found = read("type: notebook\nnotebook: n.ipynb\nparameters:\n  a: 1\n  b: 2\ncompute: moon\n")
    error = found.located(UnknownParameter("No parameter 'b'.", field="parameters.b"))
    assert isinstance(error, UnknownParameter)
    assert (error.message, error.field) == ("job.yml, line 5, parameters.b: No parameter 'b'.", "parameters.b")
    target = found.located(ComputeMissing("There is no compute target 'moon'.", field="target"))
    assert (target.message, target.field) == ("job.yml, line 6, compute: There is no compute target 'moon'.", "compute")
    assert str(found.located(BadInput("Names no kernel.", field="spec.kernel"))) == "job.yml, kernel: Names no kernel."
    for other in (SnapshotUnconfirmed("Large.", field="confirm_large"), BadInput("x"), BadInput("x", field="Idempotency-Key")):
        assert found.located(other).message in ("Large.", "x")


@pytest.mark.parametrize(
    ("folder", "path", "found"),
    [
        ("", "src", "src"),
        ("", ".", "."),
        ("", "./", "."),
        ("a/b", "./src", "a/b/src"),
        ("a/b", "../src/x.ipynb", "a/src/x.ipynb"),
        ("a/b", "../..", "."),
        ("a", "../../x", "../x"),
        ("", "../x", "../x"),
        ("a/./b/", "x", "a/b/x"),
        ("a", "b/../../../x", "a/b/../../../x"),
        ("/srv/p", "../x", "/srv/p/../x"),
        ("/", "x", "/x"),
        ("a", "/abs", "/abs"),
        ("../a", "../x", "../x"),
    ],
)
def test_paths_go_from_the_folder_of_the_file(folder: str, path: str, found: str) -> None:
    assert beside(folder, path) == found


def test_sources_are_placed(read: Read) -> None:
    command, notebook, none = read("command: x\ncode: ../src"), read("type: notebook\nnotebook: nb/n.ipynb"), read("command: x")
    sent = SourceManifest(files=[])
    assert command.placed("a/b").spec == CommandSpec(command="x", code="a/src")
    assert command.placed(UNSET, sent).spec == CommandSpec(command="x", code=".")
    assert notebook.placed("a").spec == NotebookSpec(notebook="a/nb/n.ipynb")
    assert notebook.placed("a", sent).spec == NotebookSpec(notebook="n.ipynb")
    assert none.placed(UNSET) == none.job
    with pytest.raises(BadInput, match=r"job\.yml, line 2, code: say where the file lies"):
        command.placed(UNSET)
    with pytest.raises(BadInput, match="takes nothing along"):
        none.placed(UNSET, sent)


@given(
    st.dictionaries(
        st.sampled_from([field.path.partition(".")[0] for field in FIELDS]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda i: st.lists(i, max_size=2) | st.dictionaries(st.text(max_size=5), i, max_size=2),
            max_leaves=4,
        ),
        max_size=6,
    )
)
def test_no_field_is_silently_ignored(fields: dict[str, Any]) -> None:
    """Whatever a file has is in the job, is warned of, or refuses the file."""
    text = msgspec.json.encode({"type": "command", "command": "x", **fields}).decode()
    found = outcome(text)
    if isinstance(found, BadInput):
        assert found.field
        return
    warned = {warning.field.partition(".")[0] for warning in found.warnings}
    honoured = {field.path.partition(".")[0] for field in FIELDS if field.fate is Fate.HONOURED}
    for name, value in fields.items():
        assert name in warned or name in honoured
        if name == "display_name":
            assert found.job.name == value
        if name == "tags":
            assert found.job.tags == value
