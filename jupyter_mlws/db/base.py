"""Declarative base, naming convention of constraints, and the column types that all tables share."""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Boolean, Dialect, Integer, LargeBinary, MetaData, String, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

BigId = BigInteger().with_variant(Integer(), "sqlite")
"""An integer key that SQLite numbers by itself."""
Words = Text().with_variant(Text(collation="C"), "postgresql")
"""Text of any length. It compares byte by byte on PostgreSQL as it does on SQLite, whatever the database's language: lists are
sorted alike, a folder is one range of an index of paths, and no update of the system's languages makes an index of text wrong."""


def varchar(length: int) -> String:
    """Text of at most `length` characters, which compares as `Words` do. SQLite does not mind the length."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class JsonText(TypeDecorator[Any]):
    """A msgspec-encodable value, kept as JSON text; read back as plain Python values, or as `shape` where one is given."""

    impl = Text
    cache_ok = True

    def __init__(self, shape: Any = None) -> None:
        super().__init__()
        self.shape = shape

    def process_bind_param(self, value: Any, _dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: Any, _dialect: Dialect) -> Any:
        if value is None:
            return None
        return msgspec.json.decode(value, type=Any if self.shape is None else self.shape)


class EnumText(TypeDecorator[Enum]):
    """A `str` enum, kept as its value."""

    impl = varchar(32)
    cache_ok = True

    def __init__(self, enum: type[Enum]) -> None:
        super().__init__()
        self.enum = enum

    def process_bind_param(self, value: Any, _dialect: Dialect) -> str | None:
        return None if value is None else str(self.enum(value).value)

    def process_result_value(self, value: Any, _dialect: Dialect) -> Enum | None:
        return None if value is None else self.enum(value)


def one_of(column: str, enum: type[Enum]) -> str:
    """SQL of a CHECK that `column` holds a value of `enum`."""
    values = ", ".join(f"'{member.value}'" for member in enum)
    return f"{column} IN ({values})"


class Base(DeclarativeBase):
    """Base of all rows."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as a class attribute
        int: BigInteger(),
        str: Words,
        bytes: LargeBinary(),
        bool: Boolean(),
    }
