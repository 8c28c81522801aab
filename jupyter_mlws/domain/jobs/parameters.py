"""Reads the declared parameters of a notebook from the source of its `parameters` cell, without running it.

A parameter is a plain assignment to a name at the top level of the cell. Its type comes from the annotation, from a comment
`# type: int`, or from the default; its help is the comment beside it, else the comment lines right above.
"""

from __future__ import annotations

import ast
import io
import math
import re
import tokenize
from typing import Any, Literal

from jupyter_mlws.domain.jobs.schemas import ParameterField
from jupyter_mlws.kit.surrogates import whole_text

TypeName = Literal["int", "float", "bool", "str", "list", "dict", "none", "unknown"]

NAMES: dict[str, TypeName] = {
    **dict.fromkeys(("list", "List", "Sequence", "tuple", "Tuple", "set"), "list"),
    **dict.fromkeys(("dict", "Dict", "Mapping"), "dict"),
    **dict.fromkeys(("None", "NoneType"), "none"),
    "int": "int",
    "float": "float",
    "bool": "bool",
    "str": "str",
}
TYPE_COMMENT = re.compile(r"^type:\s*(?P<type>[^\s#]+)\s*#?\s*(?P<help>.*)$")
ASSIGNMENT = re.compile(
    r"^\s*(?:(?:val|var|let|const)\s+)?(?P<name>[A-Za-z_.][\w.]*)\s*(?:<-|=)"
    r"(?P<value>(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|/(?!/)|[^#/\"'])*)(?:(?:#|//)(?P<help>.*))?$"
)
"""Nothing in it can match the same spaces as what stands beside it: a long line would take for ever."""
R_INTEGER = re.compile(r"(-?\d+)L")
MAGIC = re.compile(r"(?m)^[ \t]*[%!?].*$")


def declared(source: str, language: str) -> list[ParameterField]:
    """The parameters that `source` declares; of another language than Python by lines of the form `name = value  # help`."""
    if language.lower() != "python":
        return _by_lines(source)
    source = MAGIC.sub("", source)
    try:
        tree = ast.parse(source)
        comments = _comments(source)
    except (SyntaxError, ValueError, tokenize.TokenError, RecursionError, MemoryError):
        return _by_lines(source)
    fields: dict[str, ParameterField] = {}
    for statement in tree.body:
        for name, annotation, value in _assigned(statement):
            beside = comments.get(statement.end_lineno or statement.lineno)
            comment = beside[1] if beside is not None and not beside[0] else _above(comments, statement.lineno)
            match = TYPE_COMMENT.match(comment)
            if match is not None:
                comment = match["help"]
                annotation = annotation or _parsed(match["type"])
            fields.pop(name, None)  # the last assignment counts, and gives the place
            fields[name] = _field(name, annotation, value, source, comment)
    return list(fields.values())


def _assigned(statement: ast.stmt) -> list[tuple[str, ast.expr | None, ast.expr]]:
    """(name, annotation, value) of each name that the statement gives a value."""
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value is not None:
        return [(statement.target.id, statement.annotation, statement.value)]
    if isinstance(statement, ast.Assign):
        return [(target.id, None, statement.value) for target in statement.targets if isinstance(target, ast.Name)]
    return []


def _field(name: str, annotation: ast.expr | None, value: ast.expr, source: str, comment: str) -> ParameterField:
    literal, default = _literal(value)
    kind = _annotated(annotation) if annotation is not None else "unknown"
    annotated = kind != "unknown"
    if kind == "unknown" and literal:
        kind = type_of(default)
    return ParameterField(
        name=name,
        type=kind,
        default=default,
        default_source=ast.get_source_segment(source, value) or "",
        help=comment,
        required_literal=literal,
        annotated=annotated,
    )


def type_of(value: Any) -> TypeName:
    """The name of a JSON value's type."""
    if value is None:
        return "none"
    return NAMES.get(type(value).__name__, "unknown")


def _literal(value: ast.expr) -> tuple[bool, Any]:
    """Whether the expression is a value that JSON can carry, and that value."""
    try:
        found = _json_value(ast.literal_eval(value))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False, None
    return True, found


def _json_value(value: Any) -> Any:
    if isinstance(value, (list, tuple, set)):
        return [_json_value(item) for item in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise ValueError("JSON objects have text keys")
        return {whole_text(key): _json_value(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("JSON has no such number")
    if isinstance(value, str):
        return whole_text(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    raise ValueError("not a JSON value")


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # a NUL is a ValueError before Python 3.12
        return None


def _annotated(annotation: ast.expr) -> TypeName:
    """The type that an annotation names: `int`, `Optional[int]`, `int | None`, `"int"`, `list[int]`, `typing.List`."""
    if isinstance(annotation, ast.Constant):
        if isinstance(annotation.value, str):
            inner = _parsed(annotation.value)
            return _annotated(inner) if inner is not None else "unknown"
        return "none" if annotation.value is None else "unknown"
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        kinds = {_annotated(annotation.left), _annotated(annotation.right)} - {"none"}
        return kinds.pop() if len(kinds) == 1 else "unknown"
    if isinstance(annotation, ast.Subscript):
        if _last_name(annotation.value) in ("Optional", "Final", "Annotated"):
            inner = annotation.slice
            return _annotated(inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else inner)
        return _annotated(annotation.value)
    return NAMES.get(_last_name(annotation), "unknown")


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _comments(source: str) -> dict[int, tuple[bool, str]]:
    """For each line with a comment: whether it stands alone, and its text."""
    found = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            alone = not token.line[: token.start[1]].strip()
            found[token.start[0]] = (alone, token.string.lstrip("#").strip())
    return found


def _above(comments: dict[int, tuple[bool, str]], line: int) -> str:
    """The comment lines right above `line`, joined."""
    texts: list[str] = []
    while (above := comments.get(line - 1 - len(texts))) is not None and above[0]:
        texts.insert(0, above[1])
    if len(texts) and line - len(texts) == 1 and texts[0].lower() in ("parameters", "params"):
        texts.pop(0)  # the cell's own heading, as papermill writes it
    return " ".join(texts)


def _by_lines(source: str) -> list[ParameterField]:
    """Parameters of a language that we do not parse."""
    fields: dict[str, ParameterField] = {}
    for line in source.splitlines():
        match = ASSIGNMENT.match(line)
        if match is None:
            continue
        text = match["value"].strip().rstrip(";").strip()
        value = {"TRUE": "True", "FALSE": "False", "true": "True", "false": "False", "NULL": "None", "nothing": "None"}.get(
            text, text
        )
        if (whole := R_INTEGER.fullmatch(value)) is not None:
            value = whole[1]
        node = _parsed(value)
        literal, default = _literal(node) if node is not None else (False, None)
        fields[match["name"]] = ParameterField(
            name=match["name"],
            type=type_of(default) if literal else "unknown",
            default=default,
            default_source=text,
            help=(match["help"] or "").strip(),
            required_literal=literal,
            annotated=False,
        )
    return list(fields.values())
