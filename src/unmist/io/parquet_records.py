"""All columns of a Parquet file, from any row on."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType

import pyarrow as pa

from unmist.io.columnar import cell_row, open_parquet, parquet_failures, require_text
from unmist.io.columns import pick_column
from unmist.io.record_chunk import CHUNK_BYTES, CHUNK_ROWS, Chunk
from unmist.io.row import ReadRequest, bad_row
from unmist.io.stream import ByteStream


class ParquetRecords:
    """The records of a Parquet file; whole row groups are skipped without reading them.

    Dictionaries are replaced by their values, because what a dictionary holds depends on where
    the reading began. A file that turns out damaged on the way ends with one bad row,
    ``corrupt_parquet``.

    Raises:
        InputError: this is not a Parquet file.
        UsageError: the column is missing or does not hold text.
    """

    def __init__(self, stream: ByteStream, request: ReadRequest) -> None:
        self._source = request.source
        self._file = open_parquet(stream, request)
        try:
            schema = self._file.schema_arrow
            self.text_column = pick_column(schema.names, request)
            kind = schema.field(self.text_column).type
            require_text(pa, kind, self.text_column, request.source)
        except BaseException:
            self._file.close()
            raise
        fields = [field.with_type(_plain(field.type)) for field in schema]
        self._schema = pa.schema(fields, metadata=schema.metadata)
        self._row_bytes = _row_bytes(self._file.metadata)
        self._chunk_rows = min(max(CHUNK_BYTES // self._row_bytes, 1), CHUNK_ROWS)
        self.position = 0
        self._ahead: pa.Table = self._schema.empty_table()
        self._batches: Iterator[pa.RecordBatch] | None = None
        self._damaged = False

    def __enter__(self) -> ParquetRecords:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def share(self, size: int) -> float:
        """The share of its rows; see :class:`unmist.io.records.Records`."""
        every: int = self._file.metadata.num_rows
        return min(self.position / max(every, 1), 1.0)

    def skip(self, rows: int) -> None:
        """Pass over rows; costs nothing before the first ``take``."""
        self.position += rows

    def take(self, rows: int) -> Chunk | None:
        """The next rows; see :class:`unmist.io.records.Records`."""
        rows = min(rows, self._chunk_rows)
        if self._batches is None:
            self._batches = self._read(self.position)
        more = True
        while more and self._ahead.num_rows <= rows:  # one more tells whether this is the end
            more = self._pull(self._batches)
        table = self._ahead.slice(0, rows)
        self._ahead = self._ahead.slice(rows)
        chunk = self._chunk(table, end=not more and not self._ahead.num_rows)
        if self._damaged and table.num_rows < rows:
            self._damaged = False
            self.position += 1
            chunk.bad.append(bad_row(b"", "corrupt_parquet", self._source, self.position))
        elif self._damaged:
            chunk = chunk._replace(end=False)
        return chunk if table.num_rows or chunk.bad else None

    def _chunk(self, table: pa.Table, *, end: bool) -> Chunk:
        # As bytes, because a string column of a hostile file need not be UTF-8.
        values = table.column(self.text_column).cast(pa.large_binary()).to_pylist()
        rows = [
            cell_row(value, self._source, self.position + i)
            for i, value in enumerate(values, start=1)
        ]
        self.position += len(rows)
        bad = [row for row in rows if row.problem is not None]
        if bad:
            table = table.filter(pa.array([row.problem is None for row in rows], pa.bool_()))
        lines = [row.line for row in rows if row.problem is None]
        return Chunk(table, lines, [None] * len(lines), bad, 0, self._row_bytes * len(rows), end)

    def _pull(self, batches: Iterator[pa.RecordBatch]) -> bool:
        """Read one batch more; False at the end."""
        try:
            batch = next(batches, None)
        except parquet_failures():
            self._damaged = True
            return False
        if batch is None:
            return False
        table = pa.Table.from_batches([batch]).cast(self._schema)
        self._ahead = pa.concat_tables([self._ahead, table])
        return True

    def _read(self, first: int) -> Iterator[pa.RecordBatch]:
        # Group by group: batches across groups would fall otherwise after a skip.
        metadata = self._file.metadata
        for group in range(metadata.num_row_groups):
            rows = metadata.row_group(group).num_rows
            if first >= rows:
                first -= rows
                continue
            for batch in self._file.iter_batches(self._chunk_rows, row_groups=[group]):
                if first < batch.num_rows:
                    yield batch.slice(first)
                first = max(first - batch.num_rows, 0)


def _row_bytes(metadata: pa.parquet.FileMetaData) -> int:
    groups = (metadata.row_group(i) for i in range(metadata.num_row_groups))
    return max((g.total_byte_size // max(g.num_rows, 1) for g in groups), default=0) + 1


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    views = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}
    return views.get(kind, kind)
