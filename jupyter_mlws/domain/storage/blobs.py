"""The blob store: bytes named by their SHA-256, below one folder, as `ab/cdef…`.

A blob appears whole or not at all: it is written under a passing name, synced, renamed, and its folder synced. Then it never
changes (mode 0444). Everything here is synchronous and meant for threads; `run` hands work to a small pool.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import os
import re
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, ParamSpec, TypeVar

from jupyter_mlws.domain.storage.disk import NOFOLLOW, PIECE, READ, clone, disk, hash_of, hashed, open_below
from jupyter_mlws.domain.storage.errors import BadHash, BlobMissing, FileChanged, HashMismatch, NotAFile
from jupyter_mlws.kit.errors import MlwsError
from jupyter_mlws.kit.ids import new_id
from jupyter_mlws.kit.sinks import StoredBlob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 4
PASSING = "tmp-"
LEFTOVER_S = 24 * 3600.0
SHA256 = re.compile(r"[0-9a-f]{64}")


class StoredSource(NamedTuple):
    """A file that was stored, as it was then."""

    sha256: str
    size: int
    mtime_ns: int
    inode: int
    executable: bool

    @property
    def blob(self) -> StoredBlob:
        """Its bytes."""
        return StoredBlob(self.sha256, self.size)


class BlobOnDisk(NamedTuple):
    """A blob as the folder shows it; its content is not looked at."""

    sha256: str
    size: int
    mtime: float
    """When the same bytes were last stored, seconds since the epoch."""


class BlobStore:
    """Blobs below `root`. Thread-safe, and safe beside other processes on the same folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._pool: ThreadPoolExecutor | None = None

    # Reading

    def path(self, sha256: str) -> Path:
        """Where these bytes lie, or would. Raises `BadHash` for anything that is no hash."""
        if SHA256.fullmatch(sha256) is None:
            raise BadHash(f"{sha256[:80]!r} is not a SHA-256 in lower-case hex.", field="sha256")
        return self.root / sha256[:2] / sha256[2:]

    def exists(self, sha256: str) -> bool:
        """Whether these bytes are here."""
        return self._stat(sha256) is not None

    def missing(self, hashes: Iterable[str]) -> set[str]:
        """Those of the hashes whose bytes are not here; quick for thousands."""
        root = str(self.root)
        return {one for one in set(hashes) if not os.path.lexists(f"{root}/{one[:2]}/{one[2:]}")}

    def size(self, sha256: str) -> int:
        """Bytes of a blob. Raises `BlobMissing`."""
        found = self._stat(sha256)
        if found is None:
            raise _missing(sha256)
        return found.st_size

    def open(self, sha256: str) -> BinaryIO:
        """A blob, to read. Raises `BlobMissing`."""
        try:
            return os.fdopen(os.open(self.path(sha256), READ), "rb")
        except OSError as error:
            raise _missing(sha256) from error

    def verify(self, sha256: str) -> bool:
        """Whether the bytes on disk still have their hash. Raises `BlobMissing`."""
        with self.open(sha256) as file:
            return hash_of(file)[0] == sha256

    def all(self) -> Iterator[BlobOnDisk]:
        """Every blob on disk, in no order."""
        for folder in self._folders():
            with os.scandir(folder) as entries:
                for entry in entries:
                    name = folder.name + entry.name
                    if SHA256.fullmatch(name) and entry.is_file(follow_symlinks=False):
                        with contextlib.suppress(FileNotFoundError):
                            status = entry.stat(follow_symlinks=False)
                            yield BlobOnDisk(name, status.st_size, status.st_mtime)

    # Writing

    def writer(self, sha256: str = "") -> BlobWriter:
        """A new blob, written piece by piece; `sha256` is what it will be, where that is known."""
        name = new_id()
        # Spread over the folders: ext4 makes files five times slower in one crowded folder.
        path = self.root / (sha256 or name)[:2] / (PASSING + name)
        with disk():
            self._make_folder(path.parent)
            return BlobWriter(self, path)

    def put_bytes(self, data: bytes) -> StoredBlob:
        """Store bytes that are in memory."""
        with self.writer() as writer:
            writer.write(data)
            return writer.commit()

    def put_file(self, path: Path | str, *, below: Path | None = None, moving: bool = False) -> StoredSource:
        """Store a regular file as it is at one moment.

        With `below`, `path` is relative to it and no component of it may be a link. Without it only the last component is
        held to that. `moving` takes as many bytes as the file had at first, though it is written to meanwhile. Raises
        `NotAFile`, `BadPath`, `FileChanged` (written to meanwhile), `StorageFull`, `StorageFailed`.
        """
        source = self._take(path, below, moving=moving)
        self._sync({self.path(source.sha256).parent})
        return source

    def put_files(self, paths: Sequence[Path | str], *, below: Path | None = None) -> list[StoredSource | MlwsError]:
        """As `put_file`, for many: in parallel, folders synced once. A file that cannot be stored gives its error."""

        def take(path: Path | str) -> StoredSource | MlwsError:
            try:
                return self._take(path, below)
            except MlwsError as error:
                return error

        if len(paths) <= 2:
            done = [take(path) for path in paths]
        else:
            # A pool of its own: the shared one may be what runs us.
            with ThreadPoolExecutor(2 * THREADS, thread_name_prefix="mlws-put") as pool:
                done = list(pool.map(take, paths))
        self._sync({self.root / part for part in {one.sha256[:2] for one in done if isinstance(one, StoredSource)}})
        return done

    def discard(self, sha256: str, before: float) -> int:
        """Remove a blob last stored before this time (seconds since the epoch). Returns the bytes freed, 0 if it stays.

        It is moved aside first and looked at again, so that somebody who stores the same bytes just now keeps them.
        """
        path = self.path(sha256)
        aside = path.with_name(PASSING + new_id())
        try:
            if path.stat().st_mtime >= before:
                return 0
            path.rename(aside)
            status = aside.stat()
            if status.st_mtime >= before:
                aside.replace(path)
                return 0
            aside.unlink()
        except FileNotFoundError:
            return 0
        return status.st_size

    def sweep_leftovers(self, older_than_s: float = LEFTOVER_S) -> int:
        """Remove what killed writers left. Returns the bytes freed."""
        freed = 0
        for path, size in self.leftovers(older_than_s):
            with contextlib.suppress(OSError):
                path.unlink()
                freed += size
        return freed

    def leftovers(self, older_than_s: float = LEFTOVER_S) -> list[tuple[Path, int]]:
        """(path, bytes) of what killed writers left: files that nobody has written to for so long."""
        found, before = [], time.time() - older_than_s
        for path in [path for folder in self._folders() for path in folder.glob(PASSING + "*")]:
            with contextlib.suppress(OSError):
                status = path.lstat()
                if status.st_mtime < before:
                    found.append((path, status.st_size))
        return found

    # Threads

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` in one of a few threads of the store."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="mlws-blobs")
        return await asyncio.get_running_loop().run_in_executor(self._pool, functools.partial(function, *args, **kwargs))

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown(wait=True)
            self._pool = None

    def _stat(self, sha256: str) -> os.stat_result | None:
        try:
            status = self.path(sha256).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return status if stat.S_ISREG(status.st_mode) else None

    def _folders(self) -> list[Path]:
        try:
            with os.scandir(self.root) as entries:
                return [Path(e.path) for e in entries if len(e.name) == 2 and e.is_dir(follow_symlinks=False)]
        except FileNotFoundError:
            return []

    def _take(self, path: Path | str, below: Path | None, *, moving: bool = False) -> StoredSource:
        source = _open_source(path, below)
        try:
            before = os.fstat(source)
            if not stat.S_ISREG(before.st_mode):
                raise NotAFile(f"{str(path)!r} is not a regular file.", field="path")
            take = self._take_small if before.st_size <= PIECE else self._take_large
            blob = take(source, before, moving=moving)
        finally:
            os.close(source)
        if blob is None:
            raise FileChanged(f"{str(path)!r} was written to while it was being stored; try again.", field="path")
        return StoredSource(blob.sha256, blob.size, before.st_mtime_ns, before.st_ino, bool(before.st_mode & 0o100))

    def _take_small(self, source: int, before: os.stat_result, *, moving: bool) -> StoredBlob | None:
        """Store an open file by way of memory, so that one which is here already costs no write. None: it changed."""
        data = os.read(source, before.st_size if moving else before.st_size + 1)
        if not moving and (len(data) != before.st_size or _version(before) != _version(os.fstat(source))):
            return None
        blob = StoredBlob(hashlib.sha256(data).hexdigest(), len(data))
        if not self._renew(*blob):
            with self.writer(blob.sha256) as writer:
                writer.write(data)
                writer.commit(sync_folder=False)
        return blob

    def _take_large(self, source: int, before: os.stat_result, *, moving: bool) -> StoredBlob | None:
        with self.writer() as writer:
            writer.copy(source, before.st_size if moving else None)
            if not moving and (_version(before) != _version(os.fstat(source)) or writer.size != before.st_size):
                return None
            return writer.commit(sync_folder=False)

    def _renew(self, sha256: str, size: int) -> bool:
        """Let what is here already count as stored now. False if it is not here, or has another size (and so is damaged)."""
        target = self.path(sha256)
        try:
            os.utime(target)
            return target.stat().st_size == size
        except (FileNotFoundError, NotADirectoryError):
            return False

    def _place(self, temporary: Path, sha256: str, size: int) -> Path:
        """Give a finished file its name. What is there already stays, and counts as stored now."""
        target = self.path(sha256)
        if self._renew(sha256, size):
            temporary.unlink()
            return target.parent
        self._make_folder(target.parent)
        temporary.replace(target)
        return target.parent

    def _make_folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._sync({self.root})
        except BaseException:
            with contextlib.suppress(OSError):  # so that the next one syncs it; another may have put a file there
                folder.rmdir()
            raise

    def _sync(self, folders: set[Path]) -> None:
        if os.name == "nt":  # folders cannot be synced there
            return
        with disk():
            for folder in folders:
                descriptor = os.open(folder, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)


class BlobWriter:
    """A blob that is being written: a context manager; what is not committed at its end is gone."""

    def __init__(self, store: BlobStore, path: Path) -> None:
        self._store = store
        self._path = path
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | NOFOLLOW, 0o600)
        self._file = os.fdopen(descriptor, "w+b")
        self._hash = hashlib.sha256()
        self._open = True
        self.size = 0

    def __enter__(self) -> BlobWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.abort()

    def write(self, data: bytes | memoryview) -> None:
        """Append. Raises `StorageFull` and `StorageFailed`."""
        with disk():
            self._file.write(data)
        self._hash.update(data)
        self.size += len(data)

    def copy(self, source: int, limit: int | None = None) -> None:
        """Take the whole of an open file, or its first `limit` bytes. Only into an empty blob.

        By reference where the file system can, else byte by byte.
        """
        if limit is None and clone(source, self._file.fileno()):
            self._hash, self.size = hashed(self._file)
            return
        buffer = memoryview(bytearray(PIECE))
        with open(source, "rb", buffering=0, closefd=False) as file:
            while count := file.readinto(buffer if limit is None else buffer[: limit - self.size]) or 0:
                self.write(buffer[:count])

    def commit(self, expected_sha256: str | None = None, *, sync_folder: bool = True) -> StoredBlob:
        """Keep it. Raises `HashMismatch`, `StorageFull` and `StorageFailed`, and then keeps nothing."""
        sha256 = self._hash.hexdigest()
        try:
            if expected_sha256 is not None and expected_sha256.lower() != sha256:
                raise HashMismatch(f"What arrived has the hash {sha256}, not {expected_sha256[:80]}; send it again.")
            with disk():
                self._file.flush()
                self._path.chmod(0o444)
                os.fsync(self._file.fileno())
                self._file.close()
                folder = self._store._place(self._path, sha256, self.size)
                if sync_folder:
                    self._store._sync({folder})
            self._open = False
        finally:
            self.abort()
        return StoredBlob(sha256, self.size)

    def abort(self) -> None:
        """Forget what was written; after `commit` this does nothing."""
        if self._open:
            self._open = False
            with contextlib.suppress(OSError):
                self._file.close()
            self._path.unlink(missing_ok=True)


def _missing(sha256: str) -> BlobMissing:
    return BlobMissing(f"The content {sha256[:12]}… is not in the artifact store; `mlws db check` lists what is missing.")


def _version(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _open_source(path: Path | str, below: Path | None) -> int:
    try:
        return os.open(path, READ) if below is None else open_below(below, str(path))
    except OSError as error:
        raise NotAFile(f"{str(path)!r} cannot be read: {error.strerror or error}.", field="path") from error
