"""CSV with a header row, delimited by comma, tab or semicolon."""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from unmist.errors import InputError
from unmist.io.columns import pick_column
from unmist.io.lines import Line, split_lines
from unmist.io.row import MAX_LINE_BYTES, ReadRequest, Row, bad_row, value_row
from unmist.io.stream import ByteStream

DELIMITERS = (",", "\t", ";")

MAX_RECORD_LINES = 256
"""Lines that one quoted record may span; beyond it the quote counts as a stray one."""


def sniff_delimiter(header: bytes, column: str | None) -> str | None:
    """The delimiter that splits ``header`` so that ``column`` is among the names.

    Without a column: the one that gives the most names. ``None`` when no delimiter fits.
    """
    line = header.decode(errors="surrogateescape")
    names = {delimiter: _split_header(line, delimiter) for delimiter in DELIMITERS}
    if column is not None:
        names = {key: value for key, value in names.items() if column in value}
    return max(names, key=lambda delimiter: len(names[delimiter]), default=None)


def _split_header(line: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []


class _UnfinishedRecordError(Exception):
    """A quote stays open for too long, or up to a line that cannot be part of a record."""


class _RecordLines:
    """Lines for ``csv.reader``, kept until their record is whole.

    One stray quote makes the reader swallow line after line. When that turns out, ``undo`` gives
    up the first line only and hands out the others again, so that they are not lost with it.
    """

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._again: deque[Line] = deque()
        self._record: list[Line] = []
        self._record_bytes = 0

    def start(self) -> Line | None:
        """The line that the next record begins with, ``None`` at the end."""
        self._record.clear()
        self._record_bytes = 0
        line = self._next()
        if line is not None:
            self._again.appendleft(line)
        return line

    def skip(self) -> None:
        """Leave out the line that ``start`` returned."""
        self._again.popleft()

    def undo(self) -> None:
        """Hand out all lines of the record but the first once more."""
        self._again.extendleft(reversed(self._record[1:]))

    def __iter__(self) -> "_RecordLines":
        return self

    def __next__(self) -> str:
        line = self._next()
        if line is None:
            raise StopIteration
        self._record_bytes += len(line.raw)
        if self._record and (
            line.problem is not None
            or len(self._record) >= MAX_RECORD_LINES
            or self._record_bytes > MAX_LINE_BYTES
        ):
            self._again.appendleft(line)
            raise _UnfinishedRecordError
        self._record.append(line)
        # Surrogate escapes carry bytes that are not UTF-8 through the csv module unharmed.
        return line.raw.decode(errors="surrogateescape") + "\n"

    def _next(self) -> Line | None:
        return self._again.popleft() if self._again else next(self._lines, None)


class CsvRecord(NamedTuple):
    """One record with all of its columns.

    Attributes:
        row: the text asked for, or what is wrong with the record.
        names: the header's names, as many as ``fields``; empty when the header itself is bad.
        place: which of them holds the text.
        fields: the values, surrogate escapes for bytes that are not UTF-8; empty for a record
            that could not be taken apart.
    """

    row: Row
    names: Sequence[str]
    place: int
    fields: Sequence[str]


def read_csv(stream: ByteStream, request: ReadRequest) -> Iterator[Row]:
    """The rows of one column; a quoted field may span lines, the row's line is its first.

    Raises:
        InputError: there is no readable header row.
        UsageError: the column is not in the header; the message lists the columns.
    """
    return (record.row for record in csv_records(stream, request))


def csv_records(stream: ByteStream, request: ReadRequest) -> Iterator[CsvRecord]:
    """As ``read_csv``, with all columns."""
    lines = _RecordLines(split_lines(stream))
    header = lines.start()
    if header is None:
        return
    if header.problem is not None:
        row = bad_row(header.raw, header.problem, request.source, header.number, header.offset)
        yield CsvRecord(row, (), 0, ())
        return
    delimiter = sniff_delimiter(header.raw, request.column) or ","
    # Strict, because the lenient mode takes a record cut inside quotes for a whole one.
    records = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        names = [name.strip() for name in next(records)]
    except (csv.Error, _UnfinishedRecordError) as error:
        message = "the header row is not valid CSV; fix its quotes or use --format lines"
        raise InputError(message, request.source, 1) from error
    index = names.index(pick_column(names, request))
    while (line := lines.start()) is not None:
        if line.problem is not None:
            lines.skip()
            row = bad_row(line.raw, line.problem, request.source, line.number, line.offset)
            yield CsvRecord(row, names, index, ())
            continue
        try:
            fields = next(records)
        except (csv.Error, _UnfinishedRecordError) as error:
            lines.undo()
            problem = _problem_of(error)
            row = bad_row(line.raw, problem, request.source, line.number, line.offset)
            yield CsvRecord(row, names, index, ())
            continue
        row = _record_row(fields, index, len(names), line, request.source)
        yield CsvRecord(row, names, index, fields)


def _problem_of(error: Exception) -> str:
    # The csv module's limit on a field is one for the whole process, so it is left as it is.
    return "field_too_long" if "field limit" in str(error) else "malformed_csv"


def _record_row(fields: Sequence[str], index: int, expected: int, line: Line, source: str) -> Row:
    if len(fields) != expected:
        problem = "too_few_fields" if len(fields) < expected else "too_many_fields"
        if not fields or line.raw.isspace():
            problem = "empty"
        return bad_row(line.raw, problem, source, line.number, line.offset)
    value = fields[index]
    if value.isascii():
        return value_row(value, source, line.number, line.offset)
    data = value.encode(errors="surrogateescape")
    return value_row(data, source, line.number, line.offset)
