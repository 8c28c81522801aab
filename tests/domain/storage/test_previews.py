"""Previews: safe, bounded, decided by bytes."""

from __future__ import annotations

import json
import os
import pickle
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.domain.storage.previews import make_preview, media_type_of
from jupyter_mlws.domain.storage.schemas import Preview

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


@pytest.fixture
def look(tmp_path: Path) -> Any:
    def made(name: str, data: bytes) -> Preview:
        path = tmp_path / "blob"
        path.write_bytes(data)
        return make_preview(path, name, len(data))

    return made


@pytest.mark.parametrize(
    ("name", "data", "kind", "media_type"),
    [
        ("a.png", PNG, "image", "image/png"),
        ("a.html", PNG, "image", "image/png"),
        ("a.jpg", b"\xff\xd8\xff\xe0" + bytes(9), "image", "image/jpeg"),
        ("a.gif", b"GIF89a" + bytes(9), "image", "image/gif"),
        ("a.webp", b"RIFF\n\0\0\0WEBPVP8 ", "image", "image/webp"),
        ("a.png", b"<svg onload=alert(1)>", "text", "image/png"),
        ("a.svg", b"<svg onload=alert(1)/>", "text", "image/svg+xml"),
        ("a.html", b"<script>1</script>", "text", "text/html"),
        ("a.py", b"print(1)", "text", "text/plain"),
        ("unknown", b"plain", "text", "text/plain"),
        ("a.ipynb", b"{}", "notebook", "application/x-ipynb+json"),
        ("a.bin", bytes(100), "binary", "application/octet-stream"),
        ("a.txt", os.urandom(5000), "binary", "text/plain"),
        ("a.pdf", b"%PDF-1.4\0", "binary", "application/pdf"),
        ("empty", b"", "text", "text/plain"),
        ("empty.json", b"", "text", "application/json"),
    ],
)
def test_kinds(look: Any, name: str, data: bytes, kind: str, media_type: str) -> None:
    found = look(name, data)
    assert (found.kind, found.media_type, found.path, found.size) == (kind, media_type, name, len(data))


def test_text_is_tolerant_and_cut(look: Any) -> None:
    assert look("a", "grün 😀".encode()).text == "grün 😀"
    assert look("a", b"ok " * 50 + b"\xff\xfe!").text.endswith("\ufffd\ufffd!")
    assert look("a.txt", "hé".encode("utf-16")).text == "hé"
    assert look("a.txt", b"\xef\xbb\xbfx").text == "x"
    long = look("a.log", "é".encode() * 400_000)
    assert long.truncated
    assert set(long.text) == {"é"}
    assert len(long.text.encode()) <= 512_000


def test_json_is_laid_out_as_written(look: Any) -> None:
    found = look("a.json", b'{"b":1.10,"a":[1e400,12345678901234567890123],"b":"\\u00e9"}')
    assert found.kind == "json"
    assert found.text.splitlines()[1] == '  "b": 1.10,'
    assert "12345678901234567890123" in found.text
    assert found.text.count('"b"') == 2


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b"[" * 33 + b"]" * 33,
        b'"' + b'\\"' * 240_000,
        b"{'a': 1}",
        b'{"a": NaN}',
        b"[" + b"1," * 200_000 + b"1]",
        json.dumps("x" * 600_000).encode(),
        b"9" * 5000 + b"x",
    ],
)
def test_hostile_json_is_text(look: Any, data: bytes) -> None:
    start = time.perf_counter()
    found = look("a.json", data)
    assert found.kind == "text"
    assert time.perf_counter() - start < 1
    assert found.truncated == (len(data) > 512_000)


def test_tables(look: Any) -> None:
    found = look("a.csv", b'\xef\xbb\xbfname,"x, y"\r\nann,"1\n2"\r\n=cmd,\0z\r\n')
    assert (found.kind, found.columns, found.truncated) == ("table", ["name", "x, y"], False)
    assert found.rows == [["ann", "1\n2"], ["=cmd", "z"]]
    assert look("a.tsv", b"a\tb,c\n1\t2").rows == [["1", "2"]]
    assert look("a.csv", b"a;b\n1;2").columns == ["a", "b"]
    assert look("a.csv", b"").columns == []


def test_tables_are_bounded(look: Any) -> None:
    wide = ",".join(["c" * 2000] * 500).encode() + b"\n"
    found = look("a.csv", wide * 3)
    assert found.truncated
    assert len(found.columns) == 100
    assert len(found.columns[0]) == 1000
    long = look("a.csv", b"a,b\n" + b"1,2\n" * 2_000_000)
    assert (len(long.rows), long.truncated) == (200, True)
    assert (len(look("a.csv", b"a\n" + b"1\n" * 200).rows), look("a.csv", b"a\n" + b"1\n" * 200).truncated) == (200, False)
    half = look("a.csv", b"a,b\n" + b"x" * 5_000_000)
    assert half.truncated
    assert look("a.csv", b'a,b\n"' + b"x" * 1_000_000).kind == "table"
    assert look("a.csv", b'"' + b"x" * 1_000_000).kind == "text"


class Bomb:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, ("canary",)


def test_nothing_is_unpickled(look: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found: list[str] = []
    watching = True
    sys.addaudithook(
        lambda event, _: found.append(event) if watching and event.startswith(("pickle.", "exec", "import")) else None
    )
    data = pickle.dumps(Bomb())
    for name in ("model.pkl", "model.joblib", "a.txt", "a.json", "a.csv", "a.ipynb", "a.npy", "a.pt"):
        look(name, data)
    watching = False
    assert found == []
    assert not (tmp_path / "canary").exists()


def test_too_large_an_image(tmp_path: Path) -> None:
    path = tmp_path / "blob"
    path.write_bytes(PNG)
    assert make_preview(path, "a.png", 33_000_000).kind == "too_large"


def test_media_types_come_from_our_table() -> None:
    assert media_type_of("A/B.PNG") == "image/png"
    assert media_type_of("x.html.txt") == "text/plain"
    assert {media_type_of(name) for name in ("x", "x.", ".png", "x.unknown", "x.png\r\n", "")} == {"application/octet-stream"}
