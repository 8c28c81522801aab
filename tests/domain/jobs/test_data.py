"""Copying data, and looking up what lies elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jupyter_mlws.domain.jobs.data import copy, deliver
from jupyter_mlws.domain.jobs.errors import MirrorMissing
from jupyter_mlws.domain.jobs.mirrors import mirrored
from jupyter_mlws.domain.jobs.schemas import CommandSpec, JobOutput
from jupyter_mlws.kit.errors import BadInput


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with all that may lie in one."""
    source = tmp_path / "source"
    (source / "deep" / "empty").mkdir(parents=True)
    (source / "a.txt").write_text("new")
    (source / "deep" / "run.sh").write_text("#!")
    (source / "deep" / "run.sh").chmod(0o755)
    (source / "deep" / "inside").symlink_to("../a.txt")
    (source / "whole").symlink_to(source / "deep")
    (tmp_path / "other.txt").write_text("other")
    (source / "out").symlink_to("../other.txt")
    (source / "circle").symlink_to("circle")
    os.mkfifo(source / "pipe")
    return source


def test_a_folder_is_added_to_the_one_that_is_there(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    (target / "deep").mkdir(parents=True)
    (target / "a.txt").write_text("old and longer")
    (target / "kept.txt").write_text("kept")
    (folder / "circle").unlink()
    for _ in range(2):
        copy(folder, target, iter)
        assert (target / "a.txt").read_text() == "new"
        assert (target / "kept.txt").read_text() == "kept"
        assert os.access(target / "deep" / "run.sh", os.X_OK)
        assert (target / "deep" / "empty").is_dir()
        assert (target / "deep" / "inside").resolve() == target / "a.txt"
        assert (target / "whole").resolve() == target / "deep"
        assert (target / "out").resolve() == tmp_path / "other.txt"
        assert not (target / "pipe").exists()
    assert sorted(path.name for path in target.iterdir()) == ["a.txt", "deep", "kept.txt", "out", "whole"]


def test_a_link_in_a_circle_is_left_out(folder: Path, tmp_path: Path) -> None:
    copy(folder, tmp_path / "target", iter)
    assert (tmp_path / "target" / "a.txt").exists()
    assert not os.path.lexists(tmp_path / "target" / "circle")


def test_no_folder_that_is_there_goes_for_a_link_and_nothing_is_written_through_one(tmp_path: Path) -> None:
    source, target, originals = tmp_path / "outputs" / "x", tmp_path / "target", tmp_path / "originals"
    for folder in (source, target, originals):
        folder.mkdir(parents=True)
    (originals / "a.txt").write_text("original")
    (source / "data").symlink_to(originals)
    copy(source, target, iter)
    assert (target / "data").resolve() == originals
    (source / "data").unlink()
    (source / "data").mkdir()
    (source / "data" / "a.txt").write_text("made")
    copy(source, target, iter)
    assert [(path / "a.txt").read_text() for path in (originals, target / "data")] == ["original", "made"]
    (source / "data" / "a.txt").unlink()
    (source / "data").rmdir()
    (source / "data").symlink_to(originals)
    left: list[str] = []
    spec = CommandSpec(command="x", outputs={"x": JobOutput(path=str(target))})
    deliver(spec, tmp_path, {}, lambda _, why: left.append(why))
    assert "a folder lies where the link 'data' would" in left[0]
    assert (target / "data" / "a.txt").read_text() == "made"


def test_a_folder_is_not_copied_into_itself(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="into itself"):
        copy(folder, folder / "deep" / "jobs" / "inputs", iter)
    assert not (folder / "deep" / "jobs").exists()
    (tmp_path / "other").symlink_to(folder)
    copy(folder, tmp_path / "other", iter)
    assert (folder / "a.txt").read_text() == "new"


def test_what_cannot_be_delivered_is_told(tmp_path: Path) -> None:
    cwd = tmp_path / "cwd"
    (cwd / "outputs").mkdir(parents=True)
    os.mkfifo(cwd / "outputs" / "pipe")
    (cwd / "outputs" / "link").symlink_to(tmp_path)
    (cwd / "outputs" / "fine").write_text("x")
    (tmp_path / "file").write_text("")
    paths = {"pipe": "p", "link": "l", "none": "n", "fine": "file/below", "away": "azureml:x:1"}
    outputs = {
        name: JobOutput(path=str(tmp_path / path) if ":" not in path else path, type="uri_file") for name, path in paths.items()
    }
    (cwd / "outputs" / "away").write_text("x")
    left: dict[str, str] = {}
    deliver(CommandSpec(command="x", outputs=outputs), cwd, {}, left.__setitem__)
    assert {name: why.split(",")[0].split(" to ")[0] for name, why in left.items()} == {
        "outputs/pipe": "is no file or folder of its own",
        "outputs/link": "is no file or folder of its own",
        "outputs/none": "the job did not make it",
        "outputs/fine": "was not copied",
        "outputs/away": "was not copied",
    }


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("https://a.org/x", "one/x"),
        ("https://a.org/x/y/z.csv?sig=%2F#top", "two/z.csv"),
        ("https://a.org/x/y", "two"),
        ("https://a.org/x/y/", "two"),
        ("https://a.org/x/yz", "one/x/yz"),
        ("azureml:iris:1", "iris"),
        ("azureml:iris:11", None),
        ("azureml:iris@latest", None),
        ("https://a.organ/x", None),
    ],
)
def test_the_longest_entry_in_whole_names_wins(tmp_path: Path, reference: str, found: str | None) -> None:
    places = {"https://a.org/": "one", "https://a.org/x/y": "two", "azureml:iris:1": "iris", "": "none"}
    mirrors = {entry: str(tmp_path / place) for entry, place in places.items()}
    if found is None:
        with pytest.raises(MirrorMissing, match="lies elsewhere"):
            mirrored(mirrors, reference, field="path")
    else:
        assert mirrored(mirrors, reference, field="path") == tmp_path / found


def test_a_mirror_is_a_whole_path() -> None:
    with pytest.raises(MirrorMissing, match="has no absolute path for 'azureml:a:1', but 'data'"):
        mirrored({"azureml:a:1": "data"}, "azureml:a:1", field="path")
