"""JSON objects as a table whose columns and types stay the same from the first part to the last."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import pyarrow as pa

from unmist.io.jsonlines import JsonRecord, decode_value, escape_invalid_utf8

MAX_COLUMNS: Final = 1000
"""Keys that become columns of their own."""

JSON_METADATA: Final = {b"unmist": b"json"}
"""Marks a field whose strings are JSON."""

_INT64: Final = range(-(1 << 63), 1 << 63)
_EXACT_IN_DOUBLE: Final = range(-(1 << 53), (1 << 53) + 1)
_Members = Mapping[str, bytes]


class JsonLayout:
    """Columns and types after the first records of an input.

    A key whose values there are all strings, booleans, integers or numbers is a column of that
    type; any other is a column of JSON. What a later record holds beyond that, a new key or a
    value of another type, is in the last column, a JSON object, so that nothing is lost.

    Args:
        head: the first records, bad ones among them.
    """

    def __init__(self, head: Sequence[JsonRecord]) -> None:
        text = next((record.column for record in head if record.column is not None), "text")
        seen: dict[str, set[str]] = {text: {"string"}}
        for record in head:
            if record.row.problem is None:
                _see(record.members, seen)
        self.text_column: str = text
        self._kinds = {name: _column_kind(found) for name, found in seen.items()}
        self._kinds[text] = "string"
        self._rest = "_rest"
        while self._rest in self._kinds:
            self._rest += "_"
        fields = [_field(name, kind) for name, kind in self._kinds.items()]
        self._schema = pa.schema([*fields, _field(self._rest, "json")])

    @staticmethod
    def size(record: JsonRecord, /) -> int:
        """Bytes of its values."""
        if record.row.problem is not None:
            return len(record.row.text)
        return sum(len(memoryview(value)) for value in record.members.values())

    def table(self, records: Sequence[JsonRecord], /) -> pa.Table:
        """The table [records, columns and the rest]."""
        columns: dict[str, list[Any]] = {name: [] for name in self._schema.names}
        for record in records:
            members = {name: _utf8(value) for name, value in record.members.items()}
            rest = {name: value for name, value in members.items() if name not in self._kinds}
            for name, kind in self._kinds.items():
                value, fits = _convert(members.get(name), kind)
                columns[name].append(value)
                if not fits:
                    rest[name] = members[name]
            columns[self._rest].append(_object(rest) if rest else None)
        return pa.table(columns, schema=self._schema)


def _see(members: Mapping[str, msgspec.Raw], seen: dict[str, set[str]]) -> None:
    for name, raw in members.items():
        if name in seen or len(seen) < MAX_COLUMNS:
            seen.setdefault(name, set()).add(_kind(bytes(raw)))


def _kind(raw: bytes) -> str:
    first = raw[:1]
    if first == b'"':
        return "string"
    if first in (b"t", b"f"):
        return "bool"
    if first == b"n":
        return "null"
    if first in (b"{", b"["):
        return "json"
    if any(sign in raw for sign in (b".", b"e", b"E")):
        return "float"
    return "int"


def _column_kind(found: set[str]) -> str:
    kinds = found - {"null"}
    if kinds == {"int", "float"}:
        return "float"
    return next(iter(kinds)) if len(kinds) == 1 else "json"


def _field(name: str, kind: str) -> pa.Field:
    types = {"bool": pa.bool_(), "int": pa.int64(), "float": pa.float64()}
    metadata = JSON_METADATA if kind == "json" else None
    return pa.field(name, types.get(kind, pa.string()), metadata=metadata)


def _utf8(raw: msgspec.Raw) -> bytes:
    """The value as it stands in the line; a member that is not the text may be invalid UTF-8."""
    value = bytes(raw)
    try:
        value.decode()
    except UnicodeDecodeError:
        return escape_invalid_utf8(value)
    return value


def _convert(raw: bytes | None, kind: str) -> tuple[Any, bool]:
    """The value for a column of this kind, and whether it is one."""
    if raw is None or _kind(raw) == "null":
        return None, True
    if kind == "json":
        return raw.decode(), True
    found = _kind(raw)
    if found != kind and (found, kind) != ("int", "float"):
        return None, False
    try:
        value = decode_value(msgspec.Raw(raw))
    except msgspec.DecodeError:  # a number beyond every double
        return None, False
    return (value, True) if _fits(value, kind) else (None, False)


def _fits(value: Any, kind: str) -> bool:
    if isinstance(value, bool | str):
        return True
    if isinstance(value, float):
        return kind == "float"
    return value in (_INT64 if kind == "int" else _EXACT_IN_DOUBLE)


def _object(members: _Members) -> str:
    return msgspec.json.encode({k: msgspec.Raw(v) for k, v in members.items()}).decode()
