"""Inputs to distinct texts, with the columns that the page may be coloured by."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from unmist.errors import InputError, UsageError
from unmist.io import Row
from unmist.io.records import CHUNK_ROWS, open_records
from unmist.map.points import Texts


class Gathering:
    """Distinct texts of one or several inputs; the first row of a text gives its columns.

    Attributes:
        rows: rows read, bad ones among them.
        unreadable: inputs that failed as a whole.
    """

    def __init__(self, columns: Sequence[str] = ()) -> None:
        self._places: dict[str, int] = {}
        self._found = Texts([], [], [], [], {name: [] for name in columns})
        self.rows = 0
        self.unreadable: list[str] = []

    def read(
        self,
        inputs: Iterable[str],
        *,
        format: str,
        column: str | None,
        field: str,
        bad: Callable[[Row], None],
        failed: Callable[[str], None],
    ) -> Texts:
        """Read all inputs; one that cannot be read costs only itself.

        Args:
            inputs: file names, ``-`` for standard input.
            format: one of ``unmist.io.FORMATS``.
            column: column of the text, or ``None``.
            field: field kind.
            bad: called with every bad row.
            failed: called with the reason of every input that cannot be read.

        Raises:
            UsageError: a column to colour by is in none of the inputs.
        """
        for source in inputs:
            try:
                self._one(source, format, column, field, bad)
            except (InputError, UsageError) as error:
                self.unreadable.append(source)
                failed(str(error))
        for name, values in self._found.columns.items():
            if values and all(value is None for value in values):
                raise UsageError(
                    f"no column {name!r} with values in the inputs; "
                    "check --by against the header of the input"
                )
        return self._found

    def _one(
        self, source: str, format: str, column: str | None, field: str, bad: Callable[[Row], None]
    ) -> None:
        with open_records(source, format=format, column=column, field=field) as records:
            while (chunk := records.take(CHUNK_ROWS)) is not None:
                self.rows += len(chunk.lines) + len(chunk.bad)
                for row in chunk.bad:
                    bad(row)
                texts = chunk.table.column(records.text_column).to_pylist()
                kept: dict[str, list[Any]] = {}
                for name in self._found.columns:
                    held = name in chunk.table.column_names
                    kept[name] = (
                        chunk.table.column(name).to_pylist() if held else [None] * len(texts)
                    )
                for i, (text, line) in enumerate(zip(texts, chunk.lines, strict=True)):
                    self._add(text, source, line, {name: kept[name][i] for name in kept})

    def _add(self, text: str | bytes, source: str, line: int, values: dict[str, Any]) -> None:
        if isinstance(text, bytes):
            text = text.decode("utf-8", "backslashreplace")
        found = self._found
        place = self._places.setdefault(text, len(self._places))
        if place < len(found.texts):
            found.counts[place] += 1
            return
        found.texts.append(text)
        found.sources.append(source.encode(errors="backslashreplace").decode())
        found.lines.append(line)
        found.counts.append(1)
        for name, value in values.items():
            found.columns[name].append(value)
