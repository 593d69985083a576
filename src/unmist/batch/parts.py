"""The files of one part: its rows and its dead letters, each whole or not there."""

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Protocol

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from unmist.batch.disk import output_error
from unmist.batch.plan import PartFormat
from unmist.io import AtomicFile, Row
from unmist.io.json_table import JSON_METADATA
from unmist.visible import visible

GROUP_ROWS: Final = 65_536
GROUP_BYTES: Final = 32 << 20
_LETTER_CHARS: Final = 200


class HashedFile:
    """What goes to a file, counted and hashed on its way."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size = 0
        self.closed = False

    def write(self, data: bytes) -> int:
        """Write all of ``data``."""
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing: the file is flushed as it is closed."""

    def tell(self) -> int:
        """Bytes written."""
        return self.size

    @property
    def sha256(self) -> str:
        """SHA-256 of what was written, as hex digits."""
        return self._digest.hexdigest()


class PartWriter(Protocol):
    """Takes the tables of one part in order; all have the same schema."""

    def write(self, table: pa.Table, size: int) -> None:
        """Append a table that was made of about ``size`` bytes of input."""

    def close(self) -> None:
        """Write what is still held and the end of the format."""


@contextlib.contextmanager
def open_part(file: HashedFile, to: PartFormat) -> Iterator[PartWriter]:
    """A writer for the format, closed at the end; after an exception nothing more is written."""
    writer: ParquetPart | JsonlPart = ParquetPart(file) if to == "parquet" else JsonlPart(file)
    try:
        yield writer
        writer.close()
    except BaseException:
        writer.abandon()
        raise


class ParquetPart:
    """Parquet; the row groups depend on nothing but the rows of the part."""

    def __init__(self, file: HashedFile) -> None:
        self._file = file
        self._writer: Any = None
        self._held: list[pa.Table] = []
        self._rows = self._size = 0

    def write(self, table: pa.Table, size: int) -> None:
        """Hold a table until a row group is full."""
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._file, table.schema, compression="zstd")
        self._held.append(table)
        self._rows += table.num_rows
        self._size += size
        if self._rows >= GROUP_ROWS or self._size >= GROUP_BYTES:
            self._write_group()

    def close(self) -> None:
        """Write the last row group and the index."""
        self._write_group()
        if self._writer is not None:
            self._writer.close()

    def abandon(self) -> None:
        """Let go of the library's writer without an error; the file will be thrown away."""
        if self._writer is not None:
            with contextlib.suppress(Exception):
                self._writer.close()

    def _write_group(self) -> None:
        if self._rows:
            # In one piece, because pages would end where the tables do.
            group = pa.concat_tables(self._held).combine_chunks()
            self._writer.write_table(group, row_group_size=self._rows)
        self._held = []
        self._rows = self._size = 0


class JsonlPart:
    """One object a row, null for what is not there; columns of JSON are written as they are."""

    def __init__(self, file: HashedFile) -> None:
        self._file = file
        self._encode = msgspec.json.Encoder(enc_hook=str).encode

    def write(self, table: pa.Table, size: int) -> None:
        """Write the rows of a table."""
        columns = [_values(table.column(i), field) for i, field in enumerate(table.schema)]
        names = table.column_names
        for cells in zip(*columns, strict=True):
            record = dict(zip(names, cells, strict=True))
            self._file.write(self._encode(record) + b"\n")

    def close(self) -> None:
        """Lines need no end."""

    def abandon(self) -> None:
        """Nothing is held."""


def _values(column: pa.ChunkedArray, field: pa.Field) -> Sequence[Any]:
    try:
        values: list[Any] = column.to_pylist()
    except UnicodeDecodeError:  # a string column of a hostile Parquet file
        raw = column.cast(pa.large_binary()).to_pylist()
        values = [v if v is None else v.decode(errors="backslashreplace") for v in raw]
    if (field.metadata or {}).items() >= JSON_METADATA.items():
        return [None if v is None else msgspec.Raw(v.encode()) for v in values]
    return values


class DeadLetters:
    """The bad rows of one part, a JSON object each; no file when there are none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack = contextlib.ExitStack()
        self._file: BinaryIO | None = None
        self._encode = msgspec.json.Encoder().encode
        self.count = 0

    def __enter__(self) -> "DeadLetters":
        return self

    def add(self, row: Row) -> None:
        """Write one letter."""
        if self._file is None:
            self._file = self._stack.enter_context(AtomicFile(self._path))
        letter = {
            "file": row.source,
            "line": row.line,
            "offset": row.offset,
            "reason": row.problem,
            "text": visible(row.text[:_LETTER_CHARS]),
        }
        self._file.write(self._encode(letter) + b"\n")
        self.count += 1

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(exc_type, exc, traceback)
        if exc_type is None and self._file is None:
            try:  # of a part of this number that was never finished
                os.unlink(self._path)
            except FileNotFoundError:
                pass
            except OSError as error:
                raise output_error(self._path, error) from None
