"""Whether `sys.exit` ended this script, and with which code: at its end the interpreter tells that to nobody.

From the first run on, `sys.exit` raises a `SystemExit` that notices who asks for its code. A handler of the program does so from
its own code, and the program goes on; the interpreter, when it is about to end, from no Python code at all. A `SystemExit` that the
program raises itself goes unnoticed.
"""

from __future__ import annotations

import builtins
import sys
from types import BuiltinFunctionType
from typing import Any, NoReturn

_code = builtins.SystemExit.__dict__["code"]
_ended_by: builtins.SystemExit | None = None


class SystemExit(builtins.SystemExit):
    """As the builtin one, which it is in every `except`."""

    @property
    def code(self) -> Any:
        """As given to `sys.exit`."""
        global _ended_by
        if sys._getframe().f_back is None:
            _ended_by = self
        return _code.__get__(self)

    @code.setter
    def code(self, value: Any) -> None:
        _code.__set__(self, value)


def watch() -> None:
    """Notice from now on how the script ends; one that has replaced `sys.exit` itself is left alone."""
    if isinstance(sys.exit, BuiltinFunctionType):
        sys.exit = _exit


def _exit(status: Any = None) -> NoReturn:
    """Exit the interpreter by raising SystemExit(status), as the function of `sys` does."""
    if isinstance(status, builtins.SystemExit):
        raise SystemExit(*status.args)
    raise SystemExit(*(status if isinstance(status, tuple) else () if status is None else (status,)))


def failure() -> builtins.SystemExit | None:
    """What ended this script with another code than 0; None as long as nothing did."""
    return None if _ended_by is None or _code.__get__(_ended_by) in (None, 0) else _ended_by
