"""One way in: any source, any format, as a stream of rows."""

from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO

from unmist.errors import UsageError
from unmist.io.columnar import read_parquet
from unmist.io.delimited import read_csv
from unmist.io.detect import detect_format
from unmist.io.eve import read_eve
from unmist.io.jsonlines import read_jsonl
from unmist.io.lines import read_lines
from unmist.io.row import ReadCounts, ReadRequest, Row
from unmist.io.stream import ByteStream
from unmist.io.zeek import read_zeek

Reader = Callable[[ByteStream, ReadRequest], Iterator[Row]]

READERS: Mapping[str, Reader] = {
    "lines": read_lines,
    "zeek": read_zeek,
    "eve": read_eve,
    "csv": read_csv,
    "jsonl": read_jsonl,
    "parquet": read_parquet,
}

FORMATS = ("auto", *READERS)


def open_rows(
    source: str,
    *,
    format: str = "auto",
    column: str | None = None,
    field: str = "hostname",
    counts: ReadCounts | None = None,
    stdin: BinaryIO | None = None,
) -> Iterator[Row]:
    """Read one input, plain or compressed with gzip or zstd, row by row in constant memory.

    Args:
        source: path, or ``-`` for standard input.
        format: one of ``FORMATS``; ``auto`` looks at the first line.
        column: column, JSON key or (EVE) dotted path; ``None`` takes the format's own.
        field: field kind, which decides the default column: ``hostname``, ``url``, ``header``.
        counts: updated as rows are handed out.
        stdin: what ``-`` reads instead of the process's standard input.

    Returns:
        Good and bad rows in input order. The input is opened at the first one and closed after
        the last one, or when the iterator is closed.

    Raises:
        UsageError: at once for an unknown format or a column for plain lines; while iterating
            when the column is not in the input.
        InputError: while iterating, when the input as a whole cannot be read.
    """
    request = make_request(source, format=format, column=column, field=field, counts=counts)
    return _read(source, stdin, request, format)


def make_request(
    source: str,
    *,
    format: str = "auto",
    column: str | None = None,
    field: str = "hostname",
    counts: ReadCounts | None = None,
) -> ReadRequest:
    """What ``open_rows`` asks a reader for, checked as it says."""
    if format not in FORMATS:
        raise UsageError(f"no format {format!r}; choose one of: {', '.join(FORMATS)}")
    if format == "lines" and column is not None:
        raise UsageError("plain lines have no columns; leave out --column or choose a --format")
    # A file name need not be UTF-8, but what is written about its rows has to be.
    shown = source.encode(errors="backslashreplace").decode()
    return ReadRequest(shown, column, field, counts if counts is not None else ReadCounts())


def _read(source: str, stdin: BinaryIO | None, request: ReadRequest, format: str) -> Iterator[Row]:
    counts = request.counts
    with ByteStream(source, stdin) as stream:
        reader = READERS[resolve_format(stream, request, format)]
        for row in reader(stream, request):
            if row.problem is None:
                counts.rows += 1
            else:
                counts.bad += 1
            yield row


def resolve_format(stream: ByteStream, request: ReadRequest, format: str) -> str:
    """The format itself, or for ``auto`` the one that the start of the stream is in.

    Raises:
        UsageError: a column is asked for, and the first line has no columns.
    """
    return pick_format(stream.head(), request) if format == "auto" else format


def pick_format(head: bytes, request: ReadRequest) -> str:
    """The format of an input that starts with ``head``.

    Raises:
        UsageError: a column is asked for, and the first line has no columns.
    """
    detected = detect_format(head, request.column)
    if detected == "lines" and request.column is not None and head:
        # Reading a table as plain lines would classify whole records, so a mistyped name stops.
        first = head.lstrip().partition(b"\n")[0][:200].decode(errors="backslashreplace")
        message = f"no column {request.column!r} in the first line {first!r}"
        raise UsageError(f"{request.source}: {message}; check --column, or choose a --format")
    return detected
