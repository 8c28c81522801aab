"""Artifacts: each is copied into the spool at the call, so that the original may change, and uploaded in the background."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Dict, Iterator, List, Mapping, Union

from mlws import values
from mlws.process import say
from mlws.spool import PART

if TYPE_CHECKING:
    from mlws.run import Run

IO_TYPES = ("uri_file", "uri_folder", "mltable", "model", "literal")
MAX_NAMED = 5
_COPY_STEP = 1 << 30


def log_file(run: Run, local_path: Union[str, os.PathLike[str]], artifact_path: str | None) -> None:
    """Queue a file, or a folder under its own name, for upload."""
    source = os.fspath(local_path)
    base = os.path.basename(os.path.abspath(source))
    target = values.artifact_path(f"{values.artifact_path(artifact_path)}/{base}" if artifact_path else base)
    if os.path.isdir(source):
        log_folder(run, source, target)
    else:
        _queue_copy(run, source, target)


def log_folder(run: Run, folder: Union[str, os.PathLike[str]], artifact_path: str | None) -> None:
    """Queue all files below a folder for upload. Links to folders are left out, and told: in a job's folder they lead to all its data."""
    root = os.fspath(folder)
    if not os.path.isdir(root):
        raise NotADirectoryError(f"{root!r} is no folder.")
    prefix = values.artifact_path(artifact_path) + "/" if artifact_path else ""
    linked: List[str] = []
    for here, folders, names in os.walk(root):
        linked += [
            os.path.relpath(os.path.join(here, each), root) for each in folders if os.path.islink(os.path.join(here, each))
        ]
        for name in sorted(names):
            path = os.path.join(here, name)
            if os.path.isfile(path):  # no sockets, pipes, or links to nowhere
                _queue_copy(run, path, values.artifact_path(prefix + os.path.relpath(path, root)))
    if linked:
        shown = ", ".join(map(repr, sorted(linked)[:MAX_NAMED])) + (", …" if len(linked) > MAX_NAMED else "")
        say(
            f"links to folders are not followed, and were left out of {root!r}: {shown}; log what you want of them by its own path"
        )


def log_content(run: Run, content: bytes, name: str, op: str = "artifact") -> None:
    """Queue bytes for upload as the file `name`."""
    path = values.artifact_path(name)
    try:
        blob = run._ready().new_blob()
        with _whole(blob) as file:
            file.write(content)
    except OSError as error:
        run._lost(f"{path!r} could not be kept for upload: {error.strerror or error}")
        return
    run._send(op, path=path, blob=os.path.basename(blob))


def _queue_copy(run: Run, source: str, path: str) -> None:
    with open(source, "rb") as original:  # a missing file is the caller's to know
        try:
            blob = run._ready().new_blob()
            with _whole(blob) as copy:
                _copy(original.fileno(), copy.fileno())
        except OSError as error:
            run._lost(f"{source!r} could not be copied for upload: {error.strerror or error}")
            return
    run._send("artifact", path=path, blob=os.path.basename(blob))


@contextmanager
def _whole(blob: str) -> Iterator[BinaryIO]:
    """A file that has its name once all of it is there: the spool may be read by others meanwhile."""
    with open(blob + PART, "wb", opener=_private) as file:
        yield file
    os.replace(blob + PART, blob)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _copy(source: int, target: int) -> None:
    copied = 0
    if hasattr(os, "copy_file_range"):  # shares the blocks on file systems that can
        try:
            while True:
                count = os.copy_file_range(source, target, _COPY_STEP)
                if not count:
                    return
                copied += count
        except OSError:
            if copied:
                raise
    while True:
        chunk = os.read(source, 1 << 20)
        if not chunk:
            return
        view = memoryview(chunk)
        while view:
            view = view[os.write(target, view) :]


def figure_bytes(figure: Any, name: str) -> bytes:
    """A figure in the format that the ending of `name` says: matplotlib, plotly, or PIL, told apart by their methods."""
    from io import BytesIO, StringIO

    ending = os.path.splitext(name)[1].lstrip(".").lower() or "png"
    figure = figure if hasattr(figure, "savefig") else getattr(figure, "figure", figure)
    out = BytesIO()
    if hasattr(figure, "savefig"):
        figure.savefig(out, format=ending, bbox_inches="tight")
    elif hasattr(figure, "write_html"):
        if ending in ("html", "htm"):
            page = StringIO()
            figure.write_html(page)
            return page.getvalue().encode()
        figure.write_image(out, format=ending)
    elif hasattr(figure, "save"):
        figure.save(out, format={"jpg": "JPEG", "tif": "TIFF"}.get(ending, ending.upper()))
    else:
        raise TypeError(f"A {type(figure).__name__} cannot be drawn; pass a matplotlib, plotly or PIL figure.")
    return out.getvalue()


def table_bytes(data: Any, name: str) -> bytes:
    """A table as CSV, or with tabs where `name` ends in `.tsv`."""
    import csv
    from io import StringIO

    separator = "\t" if name.lower().endswith(".tsv") else ","
    if hasattr(data, "to_csv"):
        return str(data.to_csv(index=False, sep=separator)).encode()
    if hasattr(data, "write_csv"):
        return str(data.write_csv(separator=separator)).encode()
    out = StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\n")
    if isinstance(data, Mapping):
        columns = {key: list(column) for key, column in data.items()}
        if len({len(column) for column in columns.values()}) > 1:
            raise ValueError(f"The columns of a table have one length, not { ({k: len(c) for k, c in columns.items()}) }.")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values()))
    elif isinstance(data, (list, tuple)) and all(isinstance(row, Mapping) for row in data):
        header: List[Any] = list(dict.fromkeys(key for row in data for key in row))
        writer.writerow(header)
        writer.writerows([row.get(key, "") for key in header] for row in data)
    else:
        raise TypeError(f"A table is a DataFrame, a dict of columns or a list of dicts, not {type(data).__name__}.")
    return out.getvalue().encode("utf-8", "replace")


def json_bytes(data: Any) -> bytes:
    """`data` as indented JSON."""
    import json

    try:
        text = json.dumps(data, indent=2, default=_plain)
    except TypeError:  # a key that is neither text nor number
        text = json.dumps(_with_plain_keys(data), indent=2, default=lambda value: _with_plain_keys(_plain(value)))
    return text.encode()


def _with_plain_keys(value: Any) -> Any:
    """`value` with keys that JSON has: numpy's numbers as numbers, tuples and others as text."""
    if isinstance(value, dict):
        return {_plain_key(key): _with_plain_keys(one) for key, one in value.items()}
    return [_with_plain_keys(one) for one in value] if isinstance(value, (list, tuple)) else value


def _plain_key(key: Any) -> Any:
    if key is None or isinstance(key, (str, int, float)):
        return key
    plain = key.item() if hasattr(key, "item") else key
    return plain if isinstance(plain, (str, int, float)) else str(key)


def _plain(value: Any) -> Any:
    for method in ("tolist", "item"):
        if hasattr(value, method):
            return getattr(value, method)()
    return sorted(value, key=str) if isinstance(value, (set, frozenset)) else str(value)


def described(name: str, uri: Any, of_type: str | None, digest: str | None) -> Dict[str, Any]:
    """An input or output as the server keeps it; a local path becomes absolute."""
    if of_type is not None and of_type not in IO_TYPES:
        raise ValueError(f"The type of an input or output is one of {', '.join(IO_TYPES)}, not {of_type!r:.80}.")
    address = os.fspath(uri) if isinstance(uri, os.PathLike) else uri
    if isinstance(address, str) and of_type != "literal" and "://" not in address and address and os.path.exists(address):
        address = os.path.abspath(address)
        of_type = of_type or ("uri_folder" if os.path.isdir(address) else "uri_file")
    entry = {"name": name, "type": of_type or "uri_file", "uri": values.text(address, 4000)}
    if digest is not None:
        entry["digest"] = values.text(digest, 4000)
    return entry
