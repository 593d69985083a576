"""Inputs as rows to index: text, vector, labels, and all that the input says about a row."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from unmist.errors import UsageError
from unmist.io import Row
from unmist.io.records import CHUNK_ROWS, open_records
from unmist.search.times import COLUMNS, TIME, to_time

if TYPE_CHECKING:
    from unmist.model import Model

VECTOR: Final = "vector"
MODEL_HASH: Final = b"model_hash"
OWN: Final = {
    "text": pa.string(),
    "source": pa.string(),
    "line": pa.int64(),
    "time": TIME,
}
"""What every row of an index has; columns of the input of such a name get a ``_`` more."""


class Rows(NamedTuple):
    """Some rows of one input.

    Attributes:
        table: :data:`OWN`, labels, and the input's own columns. [n, columns]
        texts: the texts. [n]
        vectors: float16 [n, dim] where the input came with them, else ``None``.
        model_hash: of the model that made ``vectors``.
        bad: rows that cannot be indexed, in all of this chunk.
        filtered: records without a text of the wanted kind.
    """

    table: pa.Table
    texts: list[str]
    vectors: np.ndarray | None
    model_hash: str | None
    bad: list[Row]
    filtered: int


class Reading:
    """How inputs are read.

    Args:
        model: gives the model; called once there are labels to ask for.
        format: one of ``unmist.io.FORMATS``.
        column: column of the text, ``None`` for the format's own.
        field: field kind.
        tasks: specialists whose labels to add.
        time: column of the time; ``None`` takes the first of :data:`COLUMNS` that is there.
    """

    def __init__(
        self,
        model: Callable[[], "Model"],
        *,
        field: str,
        format: str = "auto",
        column: str | None = None,
        tasks: Sequence[str] = (),
        time: str | None = None,
    ) -> None:
        self.model, self.field, self.tasks = model, field, tuple(tasks)
        self._format, self._column, self._time = format, column, time

    def read(self, source: str) -> Iterator[Rows]:
        """The rows of one input, in order and in constant memory.

        Raises:
            InputError: it cannot be read.
            UsageError: it lacks a column that was asked for.
        """
        with open_records(
            source, format=self._format, column=self._column, field=self.field
        ) as records:
            while (chunk := records.take(CHUNK_ROWS)) is not None:
                shown = source.encode(errors="backslashreplace").decode()
                found = self._rows(chunk.table, records.text_column, chunk.lines, shown)
                yield found._replace(bad=chunk.bad + found.bad, filtered=chunk.filtered)

    def _rows(self, table: pa.Table, column: str, lines: list[int], source: str) -> Rows:
        vectors, model_hash = _vectors(table)
        bad: list[Row] = []
        if vectors is not None:
            good = np.isfinite(vectors).all(axis=1) & vectors.any(axis=1)
            if not good.all():
                bad = [Row("", source, lines[i], "no_vector") for i in np.flatnonzero(~good)]
                table, vectors = table.filter(pa.array(good)), vectors[good]
                lines = [line for line, kept in zip(lines, good, strict=True) if kept]
            table = table.drop_columns([VECTOR])
        data = table.column(column).cast(pa.large_binary()).to_pylist()
        texts = [value.decode(errors="backslashreplace") for value in data]
        own = {
            "text": pa.array(texts, pa.string()),
            "source": pa.array([source] * len(texts), pa.string()),
            "line": pa.array(lines, pa.int64()),
            "time": self._times(table, source),
        }
        places = {"source": pa.string(), "line": pa.int64()}
        if all(
            n in table.column_names and table.schema.field(n).type == k for n, k in places.items()
        ):
            # Plain lines, and what a job made of them: there the places of rows are columns.
            own |= {name: table.column(name) for name in places}
            table = table.drop_columns(list(places))
        table = table.drop_columns([column]) if column == "text" else table
        own |= self._labels(texts, source, lines)
        for name in table.column_names:
            free = name
            while free in own or free == VECTOR:
                free += "_"
            own[free] = table.column(name)
        return Rows(pa.table(own), texts, vectors, model_hash, bad, 0)

    def _times(self, table: pa.Table, source: str) -> pa.Array:
        names = [name for name in (self._time,) if name] or COLUMNS
        for name in names:
            if name in table.column_names:
                return to_time(table.column(name))
        if self._time is not None:
            listed = ", ".join(map(repr, table.column_names))
            raise UsageError(f"{source}: no column {self._time!r} for --time; it has: {listed}")
        return pa.nulls(table.num_rows, TIME)

    def _labels(self, texts: list[str], source: str, lines: list[int]) -> dict[str, Any]:
        rows = [Row(t, source, n) for t, n in zip(texts, lines, strict=True)] if self.tasks else []
        asked = self.model().ask_rows(rows, self.tasks) if rows else []
        own = {}
        for number, task in enumerate(self.tasks):
            verdicts, name = [of[number] for of in asked], task.replace("-", "_")
            own[f"{name}_label"] = pa.array([v.label for v in verdicts], pa.string())
            own[f"{name}_score"] = pa.array([v.score for v in verdicts], pa.float32())
        return own


def _vectors(table: pa.Table) -> tuple[np.ndarray | None, str | None]:
    """The vectors that ``unmist run --embed`` or ``unmist embed`` wrote; a missing one is zero."""
    metadata = table.schema.metadata or {}
    if VECTOR not in table.column_names or MODEL_HASH not in metadata:
        return None, None
    kind = table.schema.field(VECTOR).type
    if not pa.types.is_fixed_size_list(kind) or not pa.types.is_floating(kind.value_type):
        return None, None
    width = kind.list_size
    out = np.zeros((table.num_rows, width), np.float16)
    column = table.column(VECTOR).combine_chunks()
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    start = 0
    for chunk in chunks:
        there = chunk.is_valid().to_numpy(zero_copy_only=False)
        values = chunk.drop_null().flatten().fill_null(0).to_numpy(zero_copy_only=False)
        with np.errstate(over="ignore"):  # out of range is infinite, and refused as that
            out[start : start + len(chunk)][there] = values.reshape(-1, width)
        start += len(chunk)
    return out, metadata[MODEL_HASH].decode("ascii", "backslashreplace")
