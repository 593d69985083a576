"""How records that come one by one become a table: plain texts, and CSV with all its columns."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import pyarrow as pa

from unmist.io.delimited import CsvRecord
from unmist.io.row import Row


class PlainRecord(NamedTuple):
    """A record that is nothing but its text."""

    row: Row


PLAIN_SCHEMA: Final = pa.schema(
    [("text", pa.string()), ("source", pa.string()), ("line", pa.int64())]
)


def plain_columns(rows: Sequence[Row]) -> list[list[Any]]:
    """Text, source and line of every row."""
    return [[row.text for row in rows], [row.source for row in rows], [row.line for row in rows]]


class PlainLayout:
    """Text, source and line of every row."""

    text_column = "text"

    def size(self, record: PlainRecord, /) -> int:
        """Characters of its text."""
        return len(record.row.text)

    def table(self, records: Sequence[PlainRecord], /) -> pa.Table:
        """The table [records, 3]."""
        return pa.table(plain_columns([record.row for record in records]), schema=PLAIN_SCHEMA)


class CsvLayout:
    """Every column of a CSV file as strings, under names that are made distinct."""

    def __init__(self, names: Sequence[str], place: int) -> None:
        self._names = _distinct(names) or ["text"]
        self.text_column = self._names[place]
        self._schema = pa.schema([(name, pa.string()) for name in self._names])

    def size(self, record: CsvRecord, /) -> int:
        """Characters of its values."""
        return sum(map(len, record.fields)) or len(record.row.text)

    def table(self, records: Sequence[CsvRecord], /) -> pa.Table:
        """The table [records, names]."""
        columns: Sequence[Sequence[str]] = list(zip(*(r.fields for r in records), strict=True))
        if not records:
            columns = [()] * len(self._names)
        return pa.table([list(map(_readable, column)) for column in columns], schema=self._schema)


def _distinct(names: Sequence[str]) -> list[str]:
    taken: dict[str, None] = {}
    for number, name in enumerate(names, start=1):
        wanted = distinct = _readable(name) or f"column_{number}"
        copy = 1
        while distinct in taken:
            copy += 1
            distinct = f"{wanted}_{copy}"
        taken[distinct] = None
    return list(taken)


def _readable(value: str) -> str:
    """The value with bytes that are not UTF-8 written ``\\xNN``."""
    if value.isascii():
        return value
    return value.encode(errors="surrogateescape").decode(errors="backslashreplace")
