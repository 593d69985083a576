"""Some records of one input, taken apart into good, bad and filtered ones."""

from typing import Final, NamedTuple

import pyarrow as pa

from unmist.io.row import Row

CHUNK_ROWS: Final = 4096
"""Rows that are held at once."""

CHUNK_BYTES: Final = 8 << 20
"""Bytes after which a chunk takes no further row, so that long rows do not fill the memory."""


class Chunk(NamedTuple):
    """Consecutive records.

    Attributes:
        table: the good ones, all columns of the input; [good rows, columns], also when empty.
        lines: 1-based line, for Parquet row, of each good one.
        offsets: byte of the decompressed input at which it starts; ``None`` for Parquet.
        bad: the bad ones.
        filtered: records after the rows of the chunk before that hold nothing of the wanted kind.
        size: bytes read for the rows, about; the same whenever the same rows are read.
        end: nothing follows.
    """

    table: pa.Table
    lines: list[int]
    offsets: list[int | None]
    bad: list[Row]
    filtered: int
    size: int
    end: bool
