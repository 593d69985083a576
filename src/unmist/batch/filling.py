"""What goes into a part: every row of a chunk, as an answered row or as a dead letter."""

from collections.abc import Sequence

import pyarrow as pa

from unmist.batch.annotate import MODEL_HASH, bad_reasons
from unmist.batch.parts import DeadLetters, PartWriter
from unmist.batch.work import Piece
from unmist.io import Row


class Filling:
    """A part that is being filled: good rows go to the writer, bad ones to the dead letters.

    Attributes:
        rows: rows in the part.
        filtered: records that went by without a text of the wanted kind.
        offset: byte at which the first row starts, if the input has such.
        last: records of the input that have gone by.
        end: whether the input ends here.
    """

    def __init__(
        self,
        writer: PartWriter,
        dead: DeadLetters,
        source: str,
        tasks: Sequence[str],
        model_hash: str,
    ) -> None:
        self._writer, self._dead, self._source, self._tasks = writer, dead, source, tasks
        self._metadata = {MODEL_HASH: model_hash.encode()}
        self.rows = self.filtered = self.last = 0
        self.offset: int | None = None
        self.end = False

    def add(self, piece: Piece, answers: pa.Table) -> tuple[int, int]:
        """Write a chunk with its answers; its good and its bad rows."""
        chunk = piece.chunk
        reasons = bad_reasons(answers, self._tasks)
        refused = _refused(piece, reasons, self._source) if reasons else []
        table = chunk.table
        for field, column in zip(answers.schema, answers.columns, strict=True):
            table = table.append_column(field, column)
        if refused:
            table = table.filter(pa.array([reason is None for reason in reasons], pa.bool_()))
        metadata = (table.schema.metadata or {}) | self._metadata
        self._writer.write(table.replace_schema_metadata(metadata), chunk.size)
        bad = sorted([*chunk.bad, *refused], key=lambda row: row.line)
        for row in bad:
            self._dead.add(row)
        if not self.rows + self._dead.count - len(bad):
            starts = [*chunk.offsets[:1], *(row.offset for row in chunk.bad[:1])]
            self.offset = min((start for start in starts if start is not None), default=None)
        self.rows += table.num_rows
        self.filtered += chunk.filtered
        self.last, self.end = piece.position, chunk.end
        return table.num_rows, len(bad)


def _refused(piece: Piece, reasons: Sequence[str | None], source: str) -> list[Row]:
    """The rows that only the model found to be bad."""
    chunk = piece.chunk
    texts = piece.texts.cast(pa.large_binary()).to_pylist()
    places = zip(texts, chunk.lines, chunk.offsets, reasons, strict=True)
    return [
        Row(text.decode(errors="backslashreplace"), source, line, reason, offset)
        for text, line, offset, reason in places
        if reason is not None
    ]
