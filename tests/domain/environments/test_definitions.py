"""What an environment may be defined by, and the forms in which one is named."""

from __future__ import annotations

import pytest

from jupyter_mlws.domain.environments import definitions, recipes
from jupyter_mlws.domain.environments.aliases import meant_by
from jupyter_mlws.domain.environments.errors import UnusableDefinition, UnusableEnvironment
from jupyter_mlws.domain.environments.references import Named, read
from jupyter_mlws.domain.environments.schemas import CondaDefinition, PythonDefinition, RequirementsDefinition


@pytest.mark.parametrize(
    "text",
    [
        "numpy\nscipy >= 1.9 ; python_version > '3.8'\n",
        "# a comment\nnumpy  # another\n\n",
        "-i https://example.org/simple\n--{}-url=https://${TOKEN}@example.org/simple\nnumpy".replace("{}", "extra-index"),
        "pkg @ file:///data/pkg-1.0-py3-none-any.whl\n/data/other.whl\n-f /data/wheels",
        "pkg @ git+https://example.org/a/b.git@v1\npkg2 @ git+ssh://git@example.org/a.git",
        "pkg @ https://me:${TOKEN}@example.org/pkg.whl",
        "numpy==2.0 \\\n  --hash=sha256:abc\n--require-hashes",
    ],
)
def test_a_requirements_text_that_is_whole_in_itself_is_kept(text: str) -> None:
    checked = definitions.checked(RequirementsDefinition(requirements=text))
    assert isinstance(checked, RequirementsDefinition)
    assert definitions.checked(checked) == checked


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("-r ../../etc/passwd", "Line 1 ('-r ../../etc/passwd') names another file"),
        ("numpy\n-r/etc/passwd", "Line 2"),
        ("--requirement=other.txt", "names another file"),
        ("-c constraints.txt", "names another file"),
        ("-e .", "can be edited"),
        ("--editable=/data/pkg", "can be edited"),
        ("num\\\npy\n-r\\\n x", "Line 3"),
        ("../pkg", "relative path"),
        ("./pkg.whl", "relative path"),
        ("wheels/pkg.whl", "relative path"),
        ("pkg @ file:pkg.whl", "relative path"),
        ("--find-links wheels", "absolute path"),
        ("-i https://me:secret@example.org/simple", "user name or password"),
        ("pkg @ https://token@example.org/pkg.whl", "user name or password"),
        ("pkg @ https://me:secret@${HOST}/pkg.whl", "user name or password"),
        ("pkg @ https://me:secret-${X}@example.org/pkg.whl", "user name or password"),
        ("--config-settings x=y", "is not taken"),
        ("-x y", "is not taken"),
        ("--global-option=--x", "is not taken"),
        ("-i", "needs a value"),
        ("numpy\x1b[31m", "control character"),
    ],
)
def test_what_lies_outside_of_a_requirements_text_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(UnusableDefinition) as caught:
        definitions.checked(RequirementsDefinition(requirements=text))
    assert words in caught.value.message
    assert caught.value.field == "definition.requirements"


@pytest.mark.parametrize("python", ["python3", "../python", "/usr/../bin/python", "-c", "4.0", "3.11; rm"])
def test_an_interpreter_is_a_version_or_an_absolute_path(python: str) -> None:
    with pytest.raises(UnusableDefinition):
        definitions.checked(RequirementsDefinition(requirements="numpy", python=python))
    with pytest.raises(UnusableDefinition):
        definitions.checked(PythonDefinition(python=python))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a", "is a mapping"),
        ("dependencies: numpy", "is a mapping"),
        ("dependencies: [numpy]\nprefix: /opt", "and no 'prefix'"),
        ("dependencies: [{npm: [x]}]", "A dependency is a text"),
        ("dependencies: [{pip: ['-r x.txt']}]", "names another file"),
        ("dependencies: ['--yes']", "cannot be '--yes'"),
        ("dependencies: [&a numpy, *a]", "aliases"),
        ("dependencies: [!!python/object:os.system x]", "cannot be read"),
        ("channels: ['https://u:p@example.org']\ndependencies: [numpy]", "user name or password"),
        ("dependencies: " + "[" * 3000, "cannot be read"),
    ],
)
def test_conda_files_are_read_without_running_anything(text: str, words: str) -> None:
    with pytest.raises(UnusableDefinition) as caught:
        definitions.checked(CondaDefinition(conda_file=text))
    assert words in caught.value.message


def test_a_conda_file_without_a_tool_names_those_that_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UnusableEnvironment, match="micromamba, mamba, conda"):
        recipes.tool_for(CondaDefinition(conda_file="dependencies: [numpy]\n"))


def test_the_hash_goes_by_what_is_installed_and_by_which_python() -> None:
    first = RequirementsDefinition(requirements="numpy\n")
    assert recipes.key_of(first) == recipes.key_of(RequirementsDefinition(requirements="numpy\n"))
    others: list[RequirementsDefinition | CondaDefinition] = [
        RequirementsDefinition(requirements="numpy\nscipy\n"),
        RequirementsDefinition(requirements="numpy\n", notebooks=False),
        CondaDefinition(conda_file="dependencies: [numpy]\n"),
    ]
    assert len({recipes.key_of(one) for one in (first, *others)}) == 4


@pytest.mark.parametrize(
    ("reference", "named"),
    [
        ("sk", Named("sk", None)),
        ("sk:3", Named("sk", 3)),
        ("sk@latest", Named("sk", None)),
        ("azureml:sk-1.5:2", Named("sk-1.5", 2)),
        ("azureml:sk@latest", Named("sk", None)),
        ("azureml://registries/azureml/environments/sk/labels/latest", Named("sk", None)),
        ("azureml://registries/azureml/environments/sk/versions/7", Named("sk", 7)),
        ("sk@stable", None),
        ("sk:0", None),
        ("sk:1.0", None),
        ("../sk", None),
        ("azureml://other/sk", None),
        ("", None),
    ],
)
def test_the_forms_of_names(reference: str, named: Named | None) -> None:
    assert read(reference) == named


def test_an_alias_that_is_written_so_wins_over_patterns_and_long_ones_over_short_ones() -> None:
    table = {"azureml:sk*": "any", "azureml:sk-1.5*": "near", "azureml:sk-1.5@latest": "exact"}
    assert [meant_by(table, one) for one in ("azureml:sk-1.5@latest", "azureml:sk-1.5:3", "azureml:sk", "x")] == [
        "exact",
        "near",
        "any",
        None,
    ]
    assert meant_by({"a*" * 250: "x"}, "a" * 499 + "b") == "x"
    assert meant_by({"a*" * 240 + "c": "x"}, "a" * 500) is None
    assert [meant_by({"a*a": "x"}, one) for one in ("a", "aa", "aba")] == [None, "x", "x"]
