"""JSON objects as a table whose columns and types stay the same from the first part to the last."""

from collections.abc import Collection, Iterable, Mapping, Sequence
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
_Raws = Mapping[str, msgspec.Raw]


class MemberColumns:
    """Columns for the members of JSON objects, with one object more for what fits none of them.

    Args:
        seen: name to the kinds of its values in the first records.
        known: name to the kind of its column, where that is known beforehand.
        taken: names that the columns must not have; theirs get an underscore more.
    """

    def __init__(
        self,
        seen: Mapping[str, set[str]],
        known: Mapping[str, str],
        taken: Collection[str] = (),
    ) -> None:
        kinds = {name: _column_kind(found) for name, found in seen.items()}
        self._kinds = {**kinds, **known}
        self._rest = _free("_rest", self._kinds)
        used = {*taken, *self._kinds, self._rest}
        shown = {name: _free(name, used) if name in taken else name for name in self._kinds}
        self.fields = [_field(shown[name], kind) for name, kind in self._kinds.items()]
        self.fields.append(_field(self._rest, "json"))

    def values(self, records: Iterable[_Raws]) -> list[list[Any]]:
        """The values of each field."""
        columns: dict[str, list[Any]] = {name: [] for name in [*self._kinds, self._rest]}
        for record in records:
            members = {name: _utf8(value) for name, value in record.items()}
            rest = {name: value for name, value in members.items() if name not in self._kinds}
            for name, kind in self._kinds.items():
                value, fits = _convert(members.get(name), kind)
                columns[name].append(value)
                if not fits:
                    rest[name] = members[name]
            columns[self._rest].append(_object(rest) if rest else None)
        return list(columns.values())


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
                see(record.members, seen)
        self.text_column: str = text
        self._columns = MemberColumns(seen, {text: "string"})
        self._schema = pa.schema(self._columns.fields)

    @staticmethod
    def size(record: JsonRecord, /) -> int:
        """Bytes of its values."""
        if record.row.problem is not None:
            return len(record.row.text)
        return size_of(record.members)

    def table(self, records: Sequence[JsonRecord], /) -> pa.Table:
        """The table [records, columns and the rest]."""
        values = self._columns.values(record.members for record in records)
        return pa.table(values, schema=self._schema)


def size_of(members: _Raws) -> int:
    """Bytes of the values."""
    return sum(len(memoryview(value)) for value in members.values())


def see(members: _Raws, seen: dict[str, set[str]]) -> None:
    """Note of which kind the values are."""
    for name, raw in members.items():
        if name in seen or len(seen) < MAX_COLUMNS:
            seen.setdefault(name, set()).add(_kind(bytes(raw)))


def _free(name: str, used: Collection[str]) -> str:
    while name in used:
        name += "_"
    return name


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
