"""Artifacts, figures, tables, inputs and outputs; environment and git."""

from __future__ import annotations

import csv
import io
import json
import subprocess

import numpy as np
import pandas as pd
import pytest


def test_a_file_is_kept_as_it_was_at_the_call(online, tracker, places):
    file = places / "model.bin"
    file.write_bytes(b"first")
    with online.start_run() as run:
        run.log_artifact(file)
        file.write_bytes(b"second")
        run.log_artifact(str(file), "checkpoints/1")
        file.unlink()
    assert tracker.only()["artifacts"] == {"model.bin": b"first", "checkpoints/1/model.bin": b"second"}
    assert not list((places / "spool").glob("*.blob"))


def test_links_to_folders_are_told(online, tracker, places, capsys):
    folder, data = places / "out", places / "pictures"
    for each in (folder / "sub", data):
        each.mkdir(parents=True)
    (data / "big.bin").write_text("b")
    (folder / "a.txt").write_text("a")
    (folder / "linked.txt").symlink_to(data / "big.bin")
    (folder / "linked").symlink_to(data)
    (folder / "sub" / "above").symlink_to(folder)
    with online.start_run() as run:
        run.log_artifacts(folder)
        said = capsys.readouterr().err
        run.log_artifact(folder / "linked")
    assert set(tracker.only()["artifacts"]) == {"a.txt", "linked.txt", "linked/big.bin"}
    assert said.count("not followed") == 1
    assert "'linked', 'sub/above'" in said
    assert capsys.readouterr().err == ""


def test_folders_keep_their_shape(online, tracker, places):
    folder = places / "out"
    (folder / "sub folder").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "sub folder" / "ü&=?#%.txt").write_text("b")
    (folder / "nowhere").symlink_to("missing")
    with online.start_run() as run:
        run.log_artifacts(folder)
        run.log_artifact(folder, "whole")
    artifacts = tracker.only()["artifacts"]
    assert set(artifacts) == {"a.txt", "sub folder/ü&=?#%.txt", "whole/out/a.txt", "whole/out/sub folder/ü&=?#%.txt"}


def test_a_large_file_arrives_whole(online, tracker, places):
    file = places / "large"
    file.write_bytes(bytes(range(256)) * 80_000)
    with online.start_run() as run:
        run.log_artifact(file)
    assert tracker.only()["artifacts"]["large"] == file.read_bytes()


def test_what_is_not_there_is_said_at_once(mlws, places):
    run = mlws.start_run()
    with pytest.raises(FileNotFoundError):
        run.log_artifact(places / "missing")
    with pytest.raises(NotADirectoryError):
        run.log_artifacts(places / "missing")


def test_what_could_not_be_kept_is_missed(online, tracker, monkeypatch, capsys):
    from mlws import sender

    run = online.start_run()
    assert run.flush(5)

    def full():
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(sender.sender(), "new_blob", full)
        run.log_text("x", "x.txt")
    run.end()
    other = online.start_run()
    assert (run.flush(5), other.flush(5), online.flush(5)) == (False, True, False)
    assert "'x.txt' could not be kept for upload: No space left on device" in capsys.readouterr().err
    assert tracker.runs[run.id]["artifacts"] == {}


def test_figures(online, tracker):
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib.figure import Figure
    from PIL import Image

    class Plotly:
        def write_html(self, out):
            out.write("<html>plot</html>")

        def write_image(self, out, format):
            out.write(b"image as " + format.encode())

    figure = Figure()
    axes = figure.subplots()
    axes.plot([1, 2])
    with online.start_run() as run:
        run.log_figure(figure, "figure.png")
        run.log_figure(axes, "axes.svg")
        run.log_figure(Image.new("RGB", (2, 2)), "image.jpg")
        run.log_figure(Plotly(), "plot.html")
        run.log_figure(Plotly(), "plot.webp")
        with pytest.raises(TypeError, match="cannot be drawn"):
            run.log_figure(object(), "x.png")
    found = tracker.only()["artifacts"]
    assert found["figure.png"][:8] == b"\x89PNG\r\n\x1a\n"
    assert b"<svg" in found["axes.svg"]
    assert found["image.jpg"][:3] == b"\xff\xd8\xff"
    assert (found["plot.html"], found["plot.webp"]) == (b"<html>plot</html>", b"image as webp")


def test_tables(online, tracker):
    columns = {"a": [1, 2], "b": ["x,y", 'q"']}
    with online.start_run() as run:
        run.log_table(columns, "columns.csv")
        run.log_table(pd.DataFrame(columns), "frame.csv")
        run.log_table([{"a": 1}, {"b": np.float64(2)}], "rows.csv")
        run.log_table(columns, "tabs.tsv")
        with pytest.raises(ValueError, match="one length"):
            run.log_table({"a": [1], "b": [1, 2]}, "x.csv")
        with pytest.raises(TypeError, match="A table is"):
            run.log_table("text", "x.csv")
    found = {name: list(csv.reader(io.StringIO(content.decode()))) for name, content in tracker.only()["artifacts"].items()}
    assert found["columns.csv"] == found["frame.csv"] == [["a", "b"], ["1", "x,y"], ["2", 'q"']]
    assert found["rows.csv"] == [["a", "b"], ["1", ""], ["", "2.0"]]
    assert found["tabs.tsv"][0] == ["a\tb"]


def test_dicts_and_texts(online, tracker):
    with online.start_run() as run:
        run.log_dict({"a": np.arange(2), "b": {1}, "c": np.int64(3)}, "x.json")
        run.log_text("ä", "deep/er/x.txt")
    artifacts = tracker.only()["artifacts"]
    assert json.loads(artifacts["x.json"]) == {"a": [0, 1], "b": [1], "c": 3}
    assert artifacts["deep/er/x.txt"] == "ä".encode()


def test_keys_that_json_does_not_know(online, tracker):
    data = {np.int64(3): 1, (1, 2): {np.float32(0.5): [{("deep",): np.arange(2)}]}, None: True, 7: {1}, "text": 1}
    with online.start_run() as run:
        run.log_dict(data, "x.json")
        endless: dict[str, object] = {}
        endless["self"] = endless
        with pytest.raises(ValueError, match="Circular"):
            run.log_dict(endless, "y.json")
    found = json.loads(tracker.only()["artifacts"]["x.json"])
    assert found == {"3": 1, "(1, 2)": {"0.5": [{"('deep',)": [0, 1]}]}, "null": True, "7": [1], "text": 1}


def test_inputs_and_outputs(online, tracker, places, monkeypatch):
    monkeypatch.chdir(places)
    (places / "train.csv").write_text("a")
    with online.start_run() as run:
        run.log_input("train", "train.csv")
        run.log_input("folder", places, digest="sha256:1")
        run.log_output("model", "s3://bucket/model", "model")
        run.log_input("seed", 7, "literal")
        with pytest.raises(ValueError, match="uri_folder"):
            run.log_input("x", "y", "table")
    declared = tracker.only()["io"]
    assert declared[0]["inputs"] == [{"name": "train", "uri": str(places / "train.csv")}]
    assert declared[1]["inputs"][0]["type"] == "uri_folder"
    assert declared[2]["outputs"] == [{"name": "model", "type": "model", "uri": "s3://bucket/model"}]
    assert declared[3]["inputs"][0]["uri"] == "7"


def test_the_state_of_the_repository(places):
    from mlws import environment

    def git(*args):
        subprocess.run(
            ["git", "-c", "user.name=t", "-c", "user.email=t@t", *args], cwd=places / "repo", check=True, capture_output=True
        )

    assert environment.git_state(str(places)) is None
    (places / "repo").mkdir()
    git("init", "-b", "work/x")
    assert environment.git_state(str(places / "repo")) == {"dirty": False, "branch": "work/x"}
    (places / "repo" / "a.py").write_text("a = 1\n")
    git("add", ".")
    git("commit", "-m", "one")
    git("remote", "add", "origin", "https://user:secret@example.org/a/b.git")
    state = environment.git_state(str(places / "repo")) or {}
    assert len(state.pop("commit")) == 40
    assert state == {"branch": "work/x", "remote": "https://example.org/a/b.git", "dirty": False}
    (places / "repo" / "a.py").write_text("a = 2\n")
    state = environment.git_state(str(places / "repo")) or {}
    assert state["dirty"] is True
    assert "+a = 2" in state["patch"]


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://tok@github.com/a/b", "https://github.com/a/b"),
        ("https://u:p%40@h:8443/a?token=x", "https://h:8443/a"),
        ("ssh://git@h/a", "ssh://h/a"),
        ("git@h:a/b.git", "git@h:a/b.git"),
        ("/local/path", "/local/path"),
    ],
)
def test_remotes_keep_no_credentials(url, clean):
    from mlws import environment

    assert environment.without_credentials(url) == clean
