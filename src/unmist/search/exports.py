"""An index as files that databases load in bulk: PostgreSQL with pgvector, Qdrant, OpenSearch.

- ``postgres``: a script for ``psql -f``: table, ``COPY`` with its rows, HNSW index, in one
  transaction. Needs pgvector 0.7 or later (``halfvec``).
- ``qdrant``: on every line a body for ``PUT /collections/{name}/points``.
- ``opensearch``: lines for ``POST /_bulk``: an ``index`` action, then the document.

Every row becomes a record with its number as id; its own columns are in ``columns``.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, NamedTuple

import msgspec
import numpy as np

from unmist.errors import UsageError
from unmist.io import AtomicFile
from unmist.search.index import Index
from unmist.search.rows import OWN

Target = Literal["postgres", "qdrant", "opensearch"]

_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_POINTS: Final = 256  # of one request
_encode: Final = msgspec.json.Encoder(enc_hook=str).encode


class Record(NamedTuple):
    """One row: its number, what every row has, labels and scores, own columns, vector [dim]."""

    row: int
    own: dict[str, Any]
    labels: dict[str, Any]
    columns: dict[str, Any]
    vector: np.ndarray


def write_export(path: Path, index: Index, to: Target, name: str) -> int:
    """Write an index for a database; the file appears whole or not at all.

    Args:
        path: the file.
        index: what to write.
        to: the database.
        name: of the table (PostgreSQL) or index (OpenSearch); Qdrant's is part of the address.

    Returns:
        Rows written.

    Raises:
        UsageError: ``name`` is none that these databases take without quoting.
        OutputError: the file cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no table's name: use a-z, 0-9 and _, at most 63 of them")
    with AtomicFile(path) as file:
        _WRITERS[to](file, index, name)
    return len(index.table)


def records(index: Index) -> Iterator[Record]:
    """Every row of an index, in order and in constant memory."""
    row = 0
    for table in index.table.groups():
        vectors = index.vectors.gather(table.column("vector").to_numpy())
        names = [n for n in table.column_names if n.endswith(("_label", "_score"))]
        for own, vector in zip(table.to_pylist(), vectors, strict=True):
            yield Record(
                row,
                {name: _clean(own[name]) for name in OWN},
                {n: _clean(own[n]) for n in names},
                {
                    _clean(n): _clean(v)
                    for n, v in own.items()
                    if n not in OWN and n not in names and n != "vector"
                },
                vector,
            )
            row += 1


def _clean(value: Any) -> Any:
    """Without NUL, which PostgreSQL refuses; bytes as text."""
    if isinstance(value, bytes):
        value = value.decode(errors="backslashreplace")
    if isinstance(value, str):
        return value.replace("\0", "\\x00")
    if isinstance(value, dict):
        return {_clean(k): _clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(v) for v in value]
    return value


def _postgres(file: BinaryIO, index: Index, name: str) -> None:
    manifest = index.manifest
    file.write(
        f"""\
BEGIN;
CREATE EXTENSION IF NOT EXISTS vector;
CREATE TABLE {name} (
  id bigint PRIMARY KEY,
  text text NOT NULL,
  source text,
  line bigint,
  time timestamptz,
  labels jsonb NOT NULL,
  columns jsonb NOT NULL,
  vector halfvec({manifest.dim}) NOT NULL
);
COMMENT ON TABLE {name} IS 'unmist model {manifest.model_hash}, field {manifest.field}';
COPY {name} (id, text, source, line, time, labels, columns, vector) FROM stdin;
""".encode()
    )
    for record in records(index):
        own = record.own
        cells = [str(record.row), own["text"], own["source"], own["line"], own["time"]]
        cells += [_encode(record.labels).decode(), _encode(record.columns).decode()]
        cells.append("[" + ",".join(f"{x:.6g}" for x in record.vector.tolist()) + "]")
        file.write("\t".join(map(_copy_cell, cells)).encode(errors="backslashreplace") + b"\n")
    file.write(
        f"\\.\nCREATE INDEX ON {name} USING hnsw (vector halfvec_cosine_ops);\nCOMMIT;\n".encode()
    )


_ESCAPES: Final = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def _copy_cell(value: object) -> str:
    return r"\N" if value is None else str(value).translate(_ESCAPES)


def _document(record: Record, model_hash: str) -> dict[str, Any]:
    return {
        **record.own,
        "labels": record.labels,
        "columns": record.columns,
        "model_hash": model_hash,
    }


def _numbers(vector: np.ndarray) -> list[float]:
    return [round(x, 6) for x in vector.tolist()]


def _qdrant(file: BinaryIO, index: Index, name: str) -> None:
    points: list[dict[str, Any]] = []
    for record in records(index):
        payload = _document(record, index.manifest.model_hash)
        point = {"id": record.row, "vector": _numbers(record.vector), "payload": payload}
        points.append(point)
        if len(points) == _POINTS:
            file.write(_encode({"points": points}) + b"\n")
            points = []
    if points:
        file.write(_encode({"points": points}) + b"\n")


def _opensearch(file: BinaryIO, index: Index, name: str) -> None:
    for record in records(index):
        action = {"index": {"_index": name, "_id": str(record.row)}}
        document = _document(record, index.manifest.model_hash)
        document["vector"] = _numbers(record.vector)
        file.write(_encode(action) + b"\n" + _encode(document) + b"\n")


_WRITERS: Final[dict[Target, Callable[[BinaryIO, Index, str], None]]] = {
    "postgres": _postgres,
    "qdrant": _qdrant,
    "opensearch": _opensearch,
}
