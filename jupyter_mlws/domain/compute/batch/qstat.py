"""What `qstat -f` prints: jobs as lines `name = value`, in the shape that Torque, OpenPBS and PBS Pro have in common."""

from __future__ import annotations

import re

BEGIN = re.compile(r"Job Id:\s*(\S+)")
ATTRIBUTE = re.compile(r"(\s+)([A-Za-z_][\w.-]*) = (.*)")
SPAN = re.compile(r"(?:(\d+):)?(\d+):(\d+):(\d+)|(?:(\d+):)?(\d+)")


def jobs(text: str) -> dict[str, dict[str, str]]:
    """The attributes of jobs, by their numbers; names in lower case, as `Exit_status` is written both ways."""
    found: dict[str, dict[str, str]] = {}
    job: dict[str, str] = {}
    indent = last = ""
    for line in text.splitlines():
        if begin := BEGIN.match(line):
            job = found[begin[1]] = {}
            indent = last = ""
            continue
        attribute = ATTRIBUTE.fullmatch(line)
        # A long value goes on in the next line, which is indented otherwise, whatever stands in it.
        if attribute is not None and indent in ("", attribute[1]):
            indent, last = attribute[1], attribute[2].lower()
            job[last] = attribute[3]
        elif last and line[:1].isspace() and line.strip():
            job[last] += line.strip("\t\r\n") if line.startswith("\t") else line.strip()
    return found


def seconds(span: str) -> int | None:
    """How long `[[days:]hours:]minutes:seconds`, or so many seconds, are; None for what is neither."""
    found = SPAN.fullmatch(span.strip())
    if found is None:
        return None
    days, hours, minutes, rest, short_minutes, short = (int(one or 0) for one in found.groups())
    return ((days * 24 + hours) * 60 + minutes + short_minutes) * 60 + rest + short


def nodes(exec_host: str) -> str:
    """The hosts of `exec_host`: `n1/0+n1/1` is n1."""
    return ", ".join(dict.fromkeys(one.partition("/")[0] for one in exec_host.split("+") if one not in ("", "--")))
