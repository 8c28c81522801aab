"""What is asked of the kernel over there beside what clients ask: to be one of ours, and for what a job there has made."""

from __future__ import annotations

import ast
import asyncio
import base64
import functools
import hashlib
import io
import json
import os
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlws.runner.gateway.allowance import Allowance
from jupyter_mlws.runner.gateway.remote import Refused
from mlws import far_kernel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_mlws.runner.gateway.link import Link

PACKAGE = Path(far_kernel.__file__).parent
MODULE = "_mlws_far"
PATIENCE_S = 60.0
MOST_WITHOUT = 10
"""So many answers without a byte in them are believed that there is more."""
UNREAD = 1 << 62
"""So much is said to be had of a file that cannot be read: it is asked for again by the next look only."""
NO_ANSWER = "The kernel over there answers with something that is no answer: what runs in it has changed what is asked there."
PAUSES_S = (0.1, 0.3, 1.0, 3.0)
OF_SPOOL = re.compile(r"spool/[0-9A-Za-z][0-9A-Za-z._-]*\.(wal|blob)")
OF_WORK = re.compile(r"work/(outputs|logs)/.+", re.DOTALL)
R_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Errand:
    """Speaks to the kernel over there through a link that runs."""

    def __init__(
        self, link: Link, language: str, job: Path | None, work: Path | None, allowance: Allowance | None = None
    ) -> None:
        """`job`: the folder of a job here, `work`: its working folder; both None for a kernel of no job."""
        self._allowance = allowance or Allowance(0)
        self._link = link
        self._language = language
        self._job, self._work = job, work
        self._had: dict[str, int] = {}
        self._fetching = asyncio.Lock()

    async def arrive(self, variables: Mapping[str, str]) -> str:
        """Give the kernel its variables, and in Python `mlws`. A sentence where that is not done in its language."""
        if self._language == "r":
            await self._execute(_in_r(variables))
            return ""
        if self._language != "python":
            return "" if not variables else f"Kernels in {self._language} are not given variables of this server."
        await self._execute(
            f"import sys as _s, types as _t; _s.modules[{MODULE!r}] = _t.ModuleType({MODULE!r}); "
            f"exec({_source()!r}, _s.modules[{MODULE!r}].__dict__); del _s, _t"
        )
        digest, data = package()
        if not await self._call("look", digest) and not await self._call("take", digest, base64.b64encode(data).decode()):
            raise Refused("The kernel over there cannot keep `mlws`: neither its home nor its temporary folder can be written.")
        await self._call("arrive", digest, dict(variables), self._job is not None)
        return ""

    async def reach(self, url: str) -> str | None:
        """Why this server is not reached from there; empty where it is, None where that cannot be asked."""
        return str(await self._call("reach", url)) if self._language == "python" else None

    async def fetch(self, *, ends: bool = False, waits: bool = True) -> None:
        """Take in what the job has logged since; with `ends` the files that it made, too. Raises `TooMuch` where that is more than it may
        bring, before the files are fetched. It `waits` while the job goes on: a cell may be before it, however long that takes."""
        if self._job is None or self._language != "python":
            return
        async with self._fetching:
            more, without = True, 0
            unread: dict[str, str] = {}
            while more:
                patience = None if waits and not ends else PATIENCE_S
                told = await self._call("fetch", {**self._had, **dict.fromkeys(unread, UNREAD)}, ends, patience=patience)
                files, left, more = _fetched(told)
                came = 0
                self._allowance.take(0, left)
                for name, begin, data in files:
                    if begin >= 0:
                        came += self._store(name, begin, data)
                    else:  # the others are not lost for it
                        unread[name] = data.decode(errors="replace")
                without = 0 if came else without + 1
                if more and without >= MOST_WITHOUT:
                    raise Refused("The kernel over there says that there is more to fetch, and tells nothing more.")
        for name, text in unread.items():
            raise Refused(f"{name[:200]} cannot be read over there: {text[:200]}.")

    def _store(self, name: str, begin: int, data: bytes) -> int:
        """Append to a file here; so many bytes. Its name comes from over there: it may lead nowhere else, and leave no hole, whose bytes
        nobody sent and somebody would copy."""
        path = self._path(name)
        self._allowance.take(len(data))
        if begin != self._had.get(name, 0):
            raise Refused(
                f"The kernel over there goes on with {name[:200]!r} at byte {begin}, and was asked for {self._had.get(name, 0)}."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags, 0o600), "r+b") as file:
            file.seek(begin)
            file.write(data)
            if name.startswith("work/"):
                file.truncate()
        self._had[name] = begin + len(data)
        return len(data)

    def _path(self, name: str) -> Path:
        assert self._job is not None  # noqa: S101 - the caller looked
        if OF_SPOOL.fullmatch(name):
            return self._job / name
        parts = name.split("/")
        if self._work is not None and OF_WORK.fullmatch(name) and not {"", ".", ".."} & set(parts) and "\0" not in name:
            path = self._work.joinpath(*parts[1:])
            if path.parent.resolve().is_relative_to(self._work.resolve()):
                return path
        raise Refused(f"The kernel over there names a file that is none of its own: {name[:200]!r}.")

    async def _call(self, function: str, *arguments: Any, patience: float | None = PATIENCE_S) -> Any:
        """What a function of `far_kernel` answers. Each may be asked again."""
        expression = f"__import__('sys').modules[{MODULE!r}].call({function!r}, {list(arguments)!r})"
        content = _silent("") | {"user_expressions": {"answer": expression}}
        reply: dict[str, Any] = {}
        for pause in PAUSES_S:
            reply = await self._link.ask("execute_request", content, patience)
            if reply.get("status") != "aborted":  # as what stands in the queue behind a cell that fails
                break
            await asyncio.sleep(pause)
        answer = (reply.get("user_expressions") or {}).get("answer") or reply
        if answer.get("status") != "ok":
            raise Refused(f"The kernel over there fails with {answer.get('ename')}: {str(answer.get('evalue'))[:500]}.")
        try:
            return json.loads(ast.literal_eval(answer["data"]["text/plain"]))
        except (ValueError, LookupError, TypeError, SyntaxError, RecursionError, MemoryError):
            raise Refused(NO_ANSWER) from None

    async def _execute(self, code: str) -> None:
        reply = await self._link.ask("execute_request", _silent(code), PATIENCE_S)
        if reply.get("status") != "ok":
            raise Refused(f"The kernel over there fails with {reply.get('ename')}: {str(reply.get('evalue'))[:500]}.")


def _fetched(told: Any) -> tuple[list[tuple[str, int, bytes]], int, bool]:
    """The files of an answer, each with where its bytes go (below 0: the words why there are none); how many bytes are left, and whether
    there is more. Raises `Refused`."""
    try:
        files = [
            (str(name), int(begin), base64.b64decode(text) if int(begin) >= 0 else str(text).encode(errors="replace"))
            for name, begin, text in told["files"]
        ]
        return files, int(told["left"]), bool(told["more"])
    except (ValueError, LookupError, TypeError, OverflowError):
        raise Refused(NO_ANSWER) from None


@functools.cache
def _source() -> str:
    return Path(far_kernel.__file__).read_text(encoding="utf-8")


def _silent(code: str) -> dict[str, Any]:
    how = {"silent": True, "store_history": False, "allow_stdin": False, "stop_on_error": False}
    return {"code": code, "user_expressions": {}, **how}


def _in_r(variables: Mapping[str, str]) -> str:
    """The variables in R, whose texts in double quotes have the escapes of JSON, but for `\\/` and pairs of surrogates."""
    given = [
        f"{name}={json.dumps(value, ensure_ascii=False)}"
        for name, value in variables.items()
        if R_NAME.fullmatch(name) and "\0" not in value
    ]
    return f"invisible(Sys.setenv({', '.join(given)}))" if given else ""


@functools.cache
def package() -> tuple[str, bytes]:
    """The hash of `mlws` as a zip, and the zip, which is the same each time."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(PACKAGE.rglob("*.py")):
            info = zipfile.ZipInfo(path.relative_to(PACKAGE.parent).as_posix(), (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(info, path.read_bytes())
    data = held.getvalue()
    return hashlib.sha256(data).hexdigest(), data
