"""Whole records: an input as tables of all its columns, cut where the caller says."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import Generic, Protocol, TypeVar

import pyarrow as pa

from unmist.io.delimited import CsvRecord, csv_records
from unmist.io.event_records import EventLayout, eve_records, zeek_records
from unmist.io.json_table import JsonLayout
from unmist.io.jsonlines import jsonl_records
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

    def share(self, size: int) -> float:
        """How much of the input, which has ``size`` bytes as it is stored, was read, about."""

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

    Tables (CSV, JSONL, Parquet) keep their columns. Plain lines have ``text``, ``source`` and
    ``line``, and Zeek and EVE have these before the columns of the record. The arguments are
    those of :func:`unmist.io.open_rows`.

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
            yield _csv(stream, csv_records(stream, request), request)
        elif kind == "jsonl":
            yield _typed(
                stream, jsonl_records(stream, request), JsonLayout, JsonLayout.size, request
            )
        elif kind == "zeek":
            yield _typed(
                stream, zeek_records(stream, request), EventLayout, EventLayout.size, request
            )
        elif kind == "eve":
            yield _typed(
                stream, eve_records(stream, request), EventLayout, EventLayout.size, request
            )
        else:
            rows = (PlainRecord(row) for row in READERS[kind](stream, request))
            yield _StreamRecords(stream, _counted(rows, request), PlainLayout())


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

    def __init__(
        self,
        stream: ByteStream,
        records: Iterator[tuple[int, _R | None]],
        layout: _Layout[_R],
    ) -> None:
        self._stream, self._records, self._layout = stream, records, layout
        self._handed = self._filtered = 0
        self._before, self._next = next(records)

    @property
    def text_column(self) -> str:
        return self._layout.text_column

    @property
    def position(self) -> int:
        return self._handed + self._before

    def share(self, size: int) -> float:
        return min(self._stream.raw_read / size, 1.0) if size else 1.0

    def skip(self, rows: int) -> None:
        if not rows:
            return
        while rows and self._next is not None:
            self._before, self._next = next(self._records)
            self._handed += 1
            rows -= 1
        self._filtered = self._before

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
            self._before, self._next = next(self._records)
        self._handed += len(good) + len(bad)
        filtered = self._before - self._filtered
        self._filtered = self._before
        if not (good or bad or filtered):
            return None
        return Chunk(
            table=self._layout.table(good),
            lines=[record.row.line for record in good],
            offsets=[record.row.offset for record in good],
            bad=bad,
            filtered=filtered,
            size=size,
            end=self._next is None,
        )


def _counted(records: Iterator[_R], request: ReadRequest) -> Iterator[tuple[int, _R | None]]:
    """Each record after the number of filtered ones before it; at the end ``None`` after all."""
    for record in records:
        yield request.counts.filtered, record
    yield request.counts.filtered, None


def _csv(stream: ByteStream, records: Iterator[CsvRecord], request: ReadRequest) -> Records:
    first = next(records, None)
    layout = CsvLayout(first.names, first.place) if first is not None else CsvLayout((), 0)
    every = chain((first,) if first else (), records)
    return _StreamRecords(stream, _counted(every, request), layout)


def _typed(
    stream: ByteStream,
    records: Iterator[_R],
    make: Callable[[Sequence[_R]], _Layout[_R]],
    size_of: Callable[[_R], int],
    request: ReadRequest,
) -> Records:
    """Records whose columns and types are those of the first ones."""
    counted = _counted(records, request)
    head: list[tuple[int, _R | None]] = []
    found: list[_R] = []
    size = 0
    for before, record in islice(counted, CHUNK_ROWS):
        head.append((before, record))
        if record is not None:
            found.append(record)
            size += size_of(record)
        if size >= CHUNK_BYTES:
            break
    return _StreamRecords(stream, chain(head, counted), make(found))
