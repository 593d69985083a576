"""Zeek and EVE with every column of the record beside the text."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa

from unmist.io.eve import eve_extract
from unmist.io.json_table import MemberColumns, see, size_of
from unmist.io.jsonlines import Extract, decode_object, json_rows
from unmist.io.layouts import PLAIN_SCHEMA, plain_columns
from unmist.io.row import ReadRequest, Row
from unmist.io.stream import LineSource
from unmist.io.zeek import ZeekHeader, unescape, zeek_json_extract, zeek_tsv_records

_NUMBER: Final = re.compile(rb"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_TYPES: Final = {
    "count": "int",
    "int": "int",
    "port": "int",
    "double": "float",
    "time": "float",
    "interval": "float",
    "bool": "bool",
}
"""Zeek type to the kind of the column; sets and vectors are JSON, all others strings."""


class EventRecord(NamedTuple):
    """One text and the record it was found in.

    Attributes:
        row: the text, or what is wrong with the record.
        members: column to JSON value; without meaning for a bad row.
        kinds: column to the kind that the log says its values have, if it does.
    """

    row: Row
    members: Mapping[str, msgspec.Raw]
    kinds: Mapping[str, str]


def zeek_records(stream: LineSource, request: ReadRequest) -> Iterator[EventRecord]:
    """As :func:`unmist.io.zeek.read_zeek`, with all columns."""
    if stream.head().lstrip().startswith(b"{"):
        yield from _json(stream, request, zeek_json_extract(request))
        return
    for row, header, values in zeek_tsv_records(stream, request):
        # At once, because the header changes with the next log of a concatenation.
        if row.problem is None:
            kinds = _kinds(header)
            yield EventRecord(row, _members(header, values, kinds), kinds)
        else:
            yield EventRecord(row, {}, {})


def eve_records(stream: LineSource, request: ReadRequest) -> Iterator[EventRecord]:
    """As :func:`unmist.io.eve.read_eve`, with all members."""
    return _json(stream, request, eve_extract(request))


def _json(stream: LineSource, request: ReadRequest, extract: Extract) -> Iterator[EventRecord]:
    members: dict[str, msgspec.Raw] = {}

    def remember(line: bytes) -> Sequence[object]:
        nonlocal members
        values = extract(line)
        if values:
            members = decode_object(line)
        return values

    # The rows of a line come before the next line is looked at, so the members are theirs.
    for row in json_rows(stream, request, remember):
        yield EventRecord(row, members, {})


def _kinds(header: ZeekHeader) -> dict[str, str]:
    types = [*header.types, *[""] * (len(header.fields) - len(header.types))]
    return {name: _kind(kind) for name, kind in zip(header.fields, types, strict=False)}


def _kind(zeek_type: str) -> str:
    if zeek_type.startswith(("set[", "vector[")):
        return "json"
    return _TYPES.get(zeek_type, "string")


def _members(
    header: ZeekHeader, values: Sequence[bytes], kinds: Mapping[str, str]
) -> dict[str, msgspec.Raw]:
    return {
        name: msgspec.Raw(_value(value, kinds[name], header))
        for name, value in zip(header.fields, values, strict=True)
    }


def _value(value: bytes, kind: str, header: ZeekHeader) -> bytes:
    """As Zeek's JSON writer would write it; what does not fit the column's type is a string."""
    if value == header.unset:
        return b"null"
    if kind == "json":
        parts = () if value == header.empty else value.split(header.set_separator)
        return b"[" + b",".join(_string(part) for part in parts) + b"]"
    if kind == "bool" and value in (b"T", b"F"):
        return b"true" if value == b"T" else b"false"
    if kind in ("int", "float") and _NUMBER.fullmatch(value):
        return value
    return _string(b"" if value == header.empty else value)


def _string(value: bytes) -> bytes:
    text = unescape(value) if b"\\" in value else value
    return msgspec.json.encode(text.decode(errors="backslashreplace"))


class EventLayout:
    """Text, source and line of every row, then the columns of its record.

    A column of the record by one of the first three names gets an underscore more; types and
    later columns are as for :class:`unmist.io.json_table.JsonLayout`.

    Args:
        head: the first records, bad ones among them.
    """

    text_column = "text"

    def __init__(self, head: Sequence[EventRecord]) -> None:
        seen: dict[str, set[str]] = {}
        known: Mapping[str, str] = {}
        for record in head:
            if record.row.problem is None:
                see(record.members, seen)
                known = known or record.kinds
        named = {name: kind for name, kind in known.items() if name in seen}
        self._columns = MemberColumns(seen, named, PLAIN_SCHEMA.names)
        self._schema = pa.schema([*PLAIN_SCHEMA, *self._columns.fields])

    @staticmethod
    def size(record: EventRecord, /) -> int:
        """Bytes of its values."""
        return len(record.row.text) + size_of(record.members)

    def table(self, records: Sequence[EventRecord], /) -> pa.Table:
        """The table [records, 3 and the columns and the rest]."""
        values: list[list[Any]] = self._columns.values(record.members for record in records)
        rows = plain_columns([record.row for record in records])
        return pa.table([*rows, *values], schema=self._schema)
