"""Labelled rows of a user's file: all of them, or a clear word on why not."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from unmist.errors import InputError, UsageError
from unmist.labelled import table

CSV = "host,kind,owner\na.com,x,1\nb.com,y,2\n\nc.com,,3\n,x,4\nd.com,x,5\n"


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(CSV)
    rows = table.read(path, "host", "kind")
    assert (rows.texts, rows.labels, rows.groups) == (
        ["a.com", "b.com", "d.com"],
        ["x", "y", "x"],
        [],
    )
    assert rows.left_out == {"empty": 2, "no label": 1}  # a blank line among them
    assert table.read(path, "host", "kind", "owner").groups == ["1", "2", "5"]


def test_jsonl_and_parquet_give_the_same_rows(tmp_path: Path) -> None:
    lines = tmp_path / "rows.jsonl.gz"
    lines.write_bytes(
        gzip.compress(b'{"host": "a.com", "kind": 1}\n{"host": "b.com", "kind": 2}\n')
    )
    columns = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"host": ["a.com", "b.com"], "kind": [1, 2]}), columns)
    for path in (lines, columns):
        rows = table.read(path, "host", "kind")
        assert (rows.texts, rows.labels) == (["a.com", "b.com"], ["1", "2"])


def test_a_broken_line_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"host": "a.com", "kind": "x"}\n{"host": \n{"host": "b.com", "kind": "y"}\n')
    rows = table.read(path, "host", "kind")
    assert rows.texts == ["a.com", "b.com"]
    assert sum(rows.left_out.values()) == 1


def test_errors_name_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(CSV)
    with pytest.raises(UsageError, match="host, kind, owner"):
        table.read(path, "host", "colour")
    with pytest.raises(UsageError, match="colour"):
        table.read(path, "colour", "kind")
    empty = tmp_path / "empty.csv"
    empty.write_text("host,kind\na.com,\n")
    with pytest.raises(InputError, match=r"no row with a text and a label \(1 no label\)"):
        table.read(empty, "host", "kind")
    with pytest.raises(InputError):
        table.read(tmp_path / "missing.csv", "host", "kind")
