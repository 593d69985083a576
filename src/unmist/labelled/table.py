"""Labelled rows of a user's own file: CSV, JSON lines or Parquet, compressed or not."""

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from unmist.errors import InputError, UsageError
from unmist.io.records import CHUNK_ROWS, open_records


@dataclass
class Table:
    """Labelled rows, in the order of the file.

    Attributes:
        texts: what is classified.
        labels: its label.
        groups: what must stay together when the rows are split, or empty.
        left_out: reason to number of rows that cannot be learnt from.
    """

    texts: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)

    def leave_out(self, reason: str, rows: int = 1) -> None:
        """Count rows that are not used."""
        if rows:
            self.left_out[reason] = self.left_out.get(reason, 0) + rows


def read(
    path: Path, text: str, label: str, group: str | None = None, format: str = "auto"
) -> Table:
    """All labelled rows of a file.

    Args:
        path: the file.
        text: column of the text.
        label: column of its label.
        group: column that says which rows belong together, or None.
        format: ``csv``, ``jsonl`` or ``parquet``; ``auto`` looks at the file.

    Raises:
        UsageError: a column is not in the file, or the file has no columns.
        InputError: the file cannot be read, or holds no row with a text and a label.
    """
    table = Table()
    wanted = [name for name in (text, label, group) if name is not None]
    with open_records(str(path), format=format, column=text, field="other") as records:
        while (chunk := records.take(CHUNK_ROWS)) is not None:
            missing = [name for name in wanted if name not in chunk.table.column_names]
            if missing and len(chunk.table):
                known = ", ".join(chunk.table.column_names)
                raise UsageError(f"{path}: no column {missing[0]!r}; its columns: {known}")
            for row in chunk.bad:
                table.leave_out(row.problem or "bad row")
            table.leave_out("no text", chunk.filtered)
            _add(table, chunk.table, text, label, group)
    if not table.texts:
        why = ", ".join(f"{n} {reason}" for reason, n in table.left_out.items()) or "it is empty"
        raise InputError(f"no row with a text and a label ({why})", str(path))
    return table


def _add(table: Table, rows: pa.Table, text: str, label: str, group: str | None) -> None:
    if not len(rows):
        return
    groups = _strings(rows, group) if group is not None else [""] * len(rows)
    for said, named, kin in zip(_strings(rows, text), _strings(rows, label), groups, strict=True):
        if said is None or not said.strip():
            table.leave_out("no text")
        elif named is None or not named.strip():
            table.leave_out("no label")
        elif group is not None and not kin:
            table.leave_out("no group")
        else:
            table.texts.append(said)
            table.labels.append(named.strip())
            if group is not None and kin is not None:
                table.groups.append(kin)


def _strings(rows: pa.Table, name: str) -> list[str | None]:
    values = rows.column(name).to_pylist()
    return [None if value is None else str(value) for value in values]
