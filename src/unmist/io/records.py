"""Whole records: an input as tables of all its columns, cut where the caller says."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import Generic, Protocol, TypeVar

import pyarrow as pa

from unmist.io.delimited import CsvRecord, csv_records
from unmist.io.json_table import JsonLayout
from unmist.io.jsonlines import JsonRecord, jsonl_records
from unmist.io.layouts import CsvLayout, PlainLayout, PlainRecord
from unmist.io.parquet_records import ParquetRecords
from unmist.io.record_chunk import CHUNK_BYTES, CHUNK_ROWS, Chunk
from unmist.io.row import ReadRequest, Row
from unmist.io.source import READERS, make_request, resolve_format
from unmist.io.stream import ByteStream

__all__ = ["CHUNK_ROWS", "Chunk", "Records", "open_records"]


class Records(Protocol):
    """One open input. Rows are good and bad records; filtered ones only count.

    The chunks depend on where the reading stands and on what is asked for, never on how it got
    there: skipping to a row and reading to it give the same chunks from there on.
    """

    @property
    def text_column(self) -> str:
        """The column of a chunk's table that holds the text."""

    @property
    def position(self) -> int:
        """Records gone by, filtered ones among them: those after a row belong to it."""

    def skip(self, rows: int) -> None:
        """Pass over rows. Only before the first ``take``."""

    def take(self, rows: int) -> Chunk | None:
        """At most ``rows`` rows, fewer where they are large; ``None`` after the last one.

        Raises:
            InputError: the input cannot be read any further.
        """


@contextmanager
def open_records(
    source: str, *, format: str = "auto", column: str | None = None, field: str = "hostname"
) -> Iterator[Records]:
    """Open one input, plain or compressed, for reading all its columns in constant memory.

    Tables (CSV, JSONL, Parquet) keep their columns. Plain lines, Zeek and EVE have ``text``,
    ``source`` and ``line``. The arguments are those of :func:`unmist.io.open_rows`.

    Raises:
        UsageError: an unknown format, or the column is not in the input.
        InputError: the input as a whole cannot be read.
    """
    request = make_request(source, format=format, column=column, field=field)
    with ByteStream(source) as stream:
        kind = resolve_format(stream, request, format)
        if kind == "parquet":
            with ParquetRecords(stream, request) as records:
                yield records
        elif kind == "csv":
            yield _csv(csv_records(stream, request), request)
        elif kind == "jsonl":
            yield _jsonl(jsonl_records(stream, request), request)
        else:
            rows = (PlainRecord(row) for row in READERS[kind](stream, request))
            yield _StreamRecords(request, rows, PlainLayout())


class _HasRow(Protocol):
    @property
    def row(self) -> Row: ...


_R = TypeVar("_R", bound=_HasRow)
_C = TypeVar("_C", contravariant=True)


class _Layout(Protocol[_C]):
    """How the good records of one input become a table."""

    @property
    def text_column(self) -> str: ...

    def size(self, record: _C, /) -> int: ...

    def table(self, records: Sequence[_C], /) -> pa.Table: ...


class _StreamRecords(Generic[_R]):
    """Records that come one by one; one is read ahead, to know where the input ends."""

    def __init__(self, request: ReadRequest, records: Iterator[_R], layout: _Layout[_R]) -> None:
        self._counts, self._records, self._layout = request.counts, records, layout
        self._handed = self._filtered = 0
        self._next = next(records, None)

    @property
    def text_column(self) -> str:
        return self._layout.text_column

    @property
    def position(self) -> int:
        return self._handed + self._counts.filtered

    def skip(self, rows: int) -> None:
        if not rows:
            return
        while rows and self._next is not None:
            self._next = next(self._records, None)
            self._handed += 1
            rows -= 1
        self._filtered = self._counts.filtered

    def take(self, rows: int) -> Chunk | None:
        good: list[_R] = []
        bad: list[Row] = []
        size = 0
        while self._next is not None and len(good) + len(bad) < rows and size < CHUNK_BYTES:
            size += self._layout.size(self._next)
            if self._next.row.problem is None:
                good.append(self._next)
            else:
                bad.append(self._next.row)
            self._next = next(self._records, None)
        self._handed += len(good) + len(bad)
        filtered = self._counts.filtered - self._filtered
        self._filtered = self._counts.filtered
        if not (good or bad or filtered):
            return None
        return Chunk(
            table=self._layout.table(good),
            lines=[record.row.line for record in good],
            bad=bad,
            filtered=filtered,
            size=size,
            end=self._next is None,
        )


def _csv(records: Iterator[CsvRecord], request: ReadRequest) -> Records:
    first = next(records, None)
    layout = CsvLayout(first.names, first.place) if first is not None else CsvLayout((), 0)
    return _StreamRecords(request, chain((first,) if first else (), records), layout)


def _jsonl(records: Iterator[JsonRecord], request: ReadRequest) -> Records:
    head: list[JsonRecord] = []
    size = 0
    for record in islice(records, CHUNK_ROWS):
        head.append(record)
        size += JsonLayout.size(record)
        if size >= CHUNK_BYTES:
            break
    return _StreamRecords(request, chain(head, records), JsonLayout(head))
