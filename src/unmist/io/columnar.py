"""One column of a Parquet file, batch by batch."""

import importlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from unmist.errors import InputError, UsageError
from unmist.io.columns import pick_column
from unmist.io.row import ReadRequest, Row, bad_row, value_row
from unmist.io.stream import ByteStream

PARQUET_MAGIC = b"PAR1"
_BATCH_ROWS = 4096


def read_parquet(stream: ByteStream, request: ReadRequest) -> Iterator[Row]:
    """The rows of a string or binary column; ``Row.line`` is the 1-based row.

    A file that turns out damaged on the way ends with one bad row, ``corrupt_parquet``.

    Raises:
        InputError: this is not a Parquet file.
        UsageError: the column is missing or does not hold text, or pyarrow is not installed.
    """
    pyarrow, _ = import_pyarrow()
    file = open_parquet(stream, request)
    with file:
        schema = file.schema_arrow
        column = pick_column(schema.names, request)
        require_text(pyarrow, schema.field(column).type, column, request.source)
        line = 0
        try:
            for values in _batches(pyarrow, file, column):
                for value in values:
                    line += 1
                    yield cell_row(value, request.source, line)
        except parquet_failures():
            yield bad_row(b"", "corrupt_parquet", request.source, line + 1)


def open_parquet(stream: ByteStream, request: ReadRequest) -> Any:
    """The ``pyarrow.parquet.ParquetFile`` of a stream.

    Raises:
        InputError: this is not a Parquet file.
        UsageError: pyarrow is not installed.
    """
    _, parquet = import_pyarrow()
    content = stream.seekable()
    if stream.damage is not None:
        message = f"{stream.damage}: a Parquet file has its index at the end; fetch it again"
        raise InputError(message, request.source)
    try:
        file = parquet.ParquetFile(content)
        file.schema_arrow  # noqa: B018  (reading it is what may fail)
    except parquet_failures() as error:
        message = f"not a readable Parquet file ({_first_line(error)}); check --format"
        raise InputError(message, request.source) from None
    return file


def parquet_failures() -> tuple[type[Exception], ...]:
    """What pyarrow raises about a damaged file."""
    pyarrow, _ = import_pyarrow()
    return (pyarrow.ArrowException, OSError, ValueError, NotImplementedError)


def import_pyarrow() -> tuple[ModuleType, ModuleType]:
    """``pyarrow`` and ``pyarrow.parquet``, loaded late: they take long and few inputs need them.

    Raises:
        UsageError: pyarrow is not installed or does not load.
    """
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise UsageError(f"Parquet needs pyarrow, which does not load: {error}") from None


def require_text(pyarrow: Any, kind: Any, column: str, source: str) -> None:
    """Raise ``UsageError`` unless a column of this Arrow type holds strings or bytes."""
    types = pyarrow.types
    if types.is_dictionary(kind):
        kind = kind.value_type
    checks = (
        types.is_string,
        types.is_large_string,
        types.is_string_view,
        types.is_binary,
        types.is_large_binary,
        types.is_binary_view,
        types.is_fixed_size_binary,
    )
    if not any(check(kind) for check in checks):
        message = f"column {column!r} holds {kind}, not strings; pass --column with a string column"
        raise UsageError(f"{source}: {message}")


def _batches(pyarrow: Any, file: Any, column: str) -> Iterator[list[bytes | None]]:
    for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=[column]):
        # As bytes, because a string column of a hostile file need not be UTF-8.
        yield batch.column(column).cast(pyarrow.large_binary()).to_pylist()


def cell_row(value: bytes | None, source: str, line: int) -> Row:
    """The row of one cell, which may be null."""
    if value is None:
        return bad_row(b"", "missing_value", source, line)
    return value_row(value, source, line)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
