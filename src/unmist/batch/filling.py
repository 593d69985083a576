"""What goes into a part: every row of a chunk, as an answered row or as a dead letter."""

from collections.abc import Sequence

import pyarrow as pa

from unmist.batch.annotate import Annotate, bad_reasons
from unmist.batch.parts import DeadLetters, PartWriter
from unmist.io import Row
from unmist.io.records import Chunk


class Filling:
    """A part that is being filled: good rows go to the writer, bad ones to the dead letters.

    Attributes:
        rows: rows in the part.
        filtered: records that went by without a text of the wanted kind.
    """

    def __init__(
        self, annotate: Annotate, writer: PartWriter, dead: DeadLetters, source: str
    ) -> None:
        self._annotate, self._writer, self._dead, self._source = annotate, writer, dead, source
        self.rows = self.filtered = 0

    def add(self, chunk: Chunk) -> tuple[int, int]:
        """Annotate and write a chunk; its good and its bad rows."""
        table = self._annotate(chunk.table)
        table, refused = self._split(table, chunk.lines)
        self._writer.write(table, chunk.size)
        bad = sorted([*chunk.bad, *refused], key=lambda row: row.line)
        for row in bad:
            self._dead.add(row)
        self.rows += table.num_rows
        self.filtered += chunk.filtered
        return table.num_rows, len(bad)

    def _split(self, table: pa.Table, lines: Sequence[int]) -> tuple[pa.Table, list[Row]]:
        """Rows that the model answered, and those that only the model found to be bad."""
        reasons = bad_reasons(table, self._annotate.tasks)
        if not any(reasons):
            return table, []
        texts = table.column(self._annotate.text_column).cast(pa.large_binary()).to_pylist()
        refused = [
            Row(text.decode(errors="backslashreplace"), self._source, line, reason)
            for text, line, reason in zip(texts, lines, reasons, strict=True)
            if reason is not None
        ]
        good = pa.array([reason is None for reason in reasons], pa.bool_())
        return table.filter(good), refused
