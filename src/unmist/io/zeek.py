"""Zeek logs: tab-separated with ``#`` header lines, or one JSON object a line."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from unmist.errors import InputError
from unmist.io.columns import first_column, zeek_columns
from unmist.io.jsonlines import Extract, decode_object, decode_value, json_rows
from unmist.io.lines import Line, split_lines
from unmist.io.row import ReadRequest, Row, bad_row, value_row
from unmist.io.stream import LineSource

# Zeek writes a backslash as \\ and every other byte it does not print as \xNN.
_ESCAPE = re.compile(rb"\\(?:\\|x([0-9a-fA-F]{2}))")


class ZeekMembers(msgspec.Struct):
    """The members of a JSON log record that can hold a value."""

    query: Any = None
    server_name: Any = None
    host: Any = None
    uri: Any = None
    user_agent: Any = None


_record_decoder = msgspec.json.Decoder(ZeekMembers)


def unescape(value: bytes) -> bytes:
    """Decode the escapes of Zeek's ASCII writer: ``\\xNN`` and a doubled backslash."""
    return _ESCAPE.sub(lambda match: bytes.fromhex(match[1].decode()) if match[1] else b"\\", value)


def read_zeek(stream: LineSource, request: ReadRequest) -> Iterator[Row]:
    """The rows of one column of a Zeek log, TSV or JSON.

    Raises:
        InputError: a TSV log has data before any ``#fields`` line.
        UsageError: the column is not in the log, or the field kind has no default column.
    """
    if stream.head().lstrip().startswith(b"{"):
        return read_zeek_json(stream, request)
    return read_zeek_tsv(stream, request)


def read_zeek_json(stream: LineSource, request: ReadRequest) -> Iterator[Row]:
    """As ``read_zeek``, of a log that is known to be JSON."""
    return json_rows(stream, request, zeek_json_extract(request))


def zeek_json_extract(request: ReadRequest) -> Extract:
    """What finds the value in a line of a JSON log."""
    if request.column is not None:
        column = request.column
        return lambda line: _member(line, column)
    columns = tuple(zeek_columns(request).values())

    def extract(line: bytes) -> Sequence[object]:
        record = _record_decoder.decode(line)
        found = (getattr(record, column) for column in columns)
        return (next((value for value in found if value is not None), None),)

    return extract


def _member(line: bytes, column: str) -> Sequence[object]:
    members = decode_object(line)
    value = decode_value(members[column]) if column in members else None
    return value if isinstance(value, list) else (value,)


class ZeekHeader:
    """What the ``#`` lines of one log say about the lines that follow."""

    def __init__(self, separator: bytes = b"\t") -> None:
        self.separator = separator
        self.set_separator = b","
        self.unset = b"-"
        self.empty = b"(empty)"
        self.path = ""
        self.fields: list[str] = []
        self.types: list[str] = []

    def read(self, line: bytes) -> None:
        """Take in one header line other than ``#separator``; unknown ones say nothing."""
        name, *values = line.split(self.separator)
        if name == b"#fields":
            self.fields = [value.decode(errors="backslashreplace") for value in values]
        elif name == b"#types":
            self.types = [value.decode(errors="backslashreplace") for value in values]
        elif values and values[0]:
            self._read_setting(name, values[0])

    def _read_setting(self, name: bytes, value: bytes) -> None:
        if name == b"#path":
            self.path = value.decode(errors="backslashreplace")
        elif name == b"#set_separator":
            self.set_separator = unescape(value)
        elif name == b"#empty_field":
            self.empty = value
        elif name == b"#unset_field":
            self.unset = value


class _Column(msgspec.Struct, frozen=True):
    """Where the wanted value is: ``index`` is ``None`` when this log does not have it."""

    index: int | None
    is_set: bool = False


def read_zeek_tsv(
    stream: LineSource, request: ReadRequest, *, required: bool = True
) -> Iterator[Row]:
    """As ``read_zeek``, of a log that is known to be TSV.

    With ``required`` the first log of a concatenation must have the column. Records of any other
    log without it are bad rows.
    """
    return (record.row for record in zeek_tsv_records(stream, request, required=required))


class ZeekRecord(NamedTuple):
    """One record of a TSV log.

    Attributes:
        row: the text asked for, or what is wrong with the record.
        header: what holds for it. It changes while the reading goes on.
        values: as many as the header has fields; without meaning for a bad row.
    """

    row: Row
    header: ZeekHeader
    values: Sequence[bytes]


def zeek_tsv_records(
    stream: LineSource, request: ReadRequest, *, required: bool = True
) -> Iterator[ZeekRecord]:
    """As ``read_zeek_tsv``, with all values. A set is one record for each of its members."""
    header = ZeekHeader()
    column: _Column | None = None
    for number, raw, problem, offset in split_lines(stream):
        line = raw.removesuffix(b"\r")
        if problem is not None:
            yield ZeekRecord(bad_row(raw, problem, request.source, number, offset), header, ())
        elif line.startswith(b"#"):
            header = _next_header(header, line)
            column = None
        elif not line or line.isspace():
            yield ZeekRecord(bad_row(line, "empty", request.source, number, offset), header, ())
        else:
            if column is None:
                column = _locate(header, request, number, required=required)
                required = False
            whole = Line(number, line, None, offset)
            yield from _record_rows(whole, header, column, request)


def _next_header(header: ZeekHeader, line: bytes) -> ZeekHeader:
    # Concatenated logs repeat the header, each time starting with #separator.
    if line.startswith(b"#separator "):
        return ZeekHeader(unescape(line.partition(b" ")[2]) or b"\t")
    header.read(line)
    return header


def _locate(header: ZeekHeader, request: ReadRequest, number: int, *, required: bool) -> _Column:
    """The wanted column; only the first log of a concatenation has to have it."""
    if required and not header.fields:
        message = (
            "no #fields header before the first record of a Zeek log; add the header, "
            "or use --format lines, or --format csv with --column"
        )
        raise InputError(message, request.source, number)
    if request.column is not None:
        candidates: Sequence[str] = (request.column,)
    else:
        by_path = zeek_columns(request)
        candidates = (by_path.get(header.path, ""), *by_path.values())
        candidates = tuple(dict.fromkeys(filter(None, candidates)))
    if not required and not set(candidates) & set(header.fields):
        return _Column(None)
    index = header.fields.index(first_column(header.fields, candidates, request.source))
    kind = header.types[index] if index < len(header.types) else ""
    return _Column(index, kind.startswith(("set[", "vector[")))


def _record_rows(
    line: Line, header: ZeekHeader, column: _Column, request: ReadRequest
) -> Iterator[ZeekRecord]:
    values = line.raw.split(header.separator)
    problem = None
    if column.index is None:
        problem = "missing_column"
    elif len(values) < len(header.fields):
        problem = "too_few_fields"
    elif len(values) > len(header.fields):
        problem = "too_many_fields"
    if problem is not None or column.index is None:
        problem = problem or "missing_column"
        row = bad_row(line.raw, problem, request.source, line.number, line.offset)
        yield ZeekRecord(row, header, ())
        return
    value = values[column.index]
    for part in value.split(header.set_separator) if column.is_set else (value,):
        if part in (header.unset, header.empty):
            request.counts.filtered += 1
        else:
            text = unescape(part) if b"\\" in part else part
            row = value_row(text, request.source, line.number, line.offset)
            yield ZeekRecord(row, header, values)
