"""The rows of an index: a column of all of them, or all columns of a few."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from unmist.errors import InputError
from unmist.search.manifest import Manifest

_GROUPS_HELD: Final = 64


class Table:
    """Row files as one table, read where it is asked for.

    Raises:
        InputError: a file is damaged, or the files do not hold the rows of the manifest.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._folder = folder
        self._names = manifest.names("rows")
        self._files = [self._open(name) for name in self._names]
        self._starts = np.cumsum([0, *(file.metadata.num_rows for file in self._files)])
        if self._starts[-1] != manifest.rows:
            message = f"holds {self._starts[-1]:,} rows, its manifest says {manifest.rows:,}"
            raise InputError(f"{message}; restore it, or index again", str(folder))
        # Where each row group of each file begins, to find the group of a row.
        self._groups = [
            np.cumsum([0, *(f.metadata.row_group(i).num_rows for i in range(f.num_row_groups))])
            for f in self._files
        ]
        self.columns = list(dict.fromkeys(n for f in self._files for n in f.schema_arrow.names))
        self._group = lru_cache(_GROUPS_HELD)(self._read_group)
        self._held: dict[str, list[pa.ChunkedArray]] = {}

    def __len__(self) -> int:
        return int(self._starts[-1])

    def column(self, name: str) -> list[pa.ChunkedArray]:
        """A column of all rows, a piece for each file; null where a file lacks it. Kept."""
        if name not in self._held:
            self._held[name] = [
                self._read(file, name)
                if name in file.schema_arrow.names
                else pa.chunked_array([pa.nulls(file.metadata.num_rows)])
                for file in self._files
            ]
        return self._held[name]

    def groups(self) -> Iterator[pa.Table]:
        """All rows with all columns, some thousands at a time."""
        for place, file in enumerate(self._files):
            for group in range(file.num_row_groups):
                yield self._read_group(place, group)

    def records(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """All columns of a few rows, in that order; columns that their file lacks are left out."""
        out = []
        for row in rows:
            place = int(np.searchsorted(self._starts, row, side="right")) - 1
            inside = row - int(self._starts[place])
            group = int(np.searchsorted(self._groups[place], inside, side="right")) - 1
            table = self._group(place, group)
            (record,) = table.slice(inside - int(self._groups[place][group]), 1).to_pylist()
            out.append(record)
        return out

    def _open(self, name: str) -> Any:
        path = self._folder / name
        try:
            return pq.ParquetFile(path, memory_map=True)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _damaged(path, error) from None

    def _read(self, file: Any, name: str) -> pa.ChunkedArray:
        try:
            return file.read(columns=[name]).column(name)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _damaged(self._folder, error) from None

    def _read_group(self, place: int, group: int) -> pa.Table:
        try:
            return self._files[place].read_row_group(group, use_threads=False)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _damaged(self._folder / self._names[place], error) from None


def _damaged(path: Path, error: Exception) -> InputError:
    first = (str(error).splitlines() or [type(error).__name__])[0]
    return InputError(f"damaged index ({first}); restore it, or index again", str(path))
