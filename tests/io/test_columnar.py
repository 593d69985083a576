import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from unmist.errors import InputError, UsageError
from unmist.io import open_rows
from unmist.io.columnar import _BATCH_ROWS

Table = Callable[..., list[tuple[int, str, str | None]]]


def parquet(path: Path, **columns: Any) -> bytes:
    pq.write_table(pa.table(columns), path)
    return path.read_bytes()


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.large_binary(),
        pa.dictionary(pa.int32(), pa.string()),
    ],
    ids=str,
)
def test_text_columns(kind: pa.DataType, tmp_path: Path, table: Table) -> None:
    values = pa.array(["a.org", None, "", "b\u00fccher.de"]).cast(kind)
    data = parquet(tmp_path / "a", n=[1, 2, 3, 4], host=values)
    expected = [
        (1, "a.org", None),
        (2, "", "missing_value"),
        (3, "", "empty"),
        (4, "b\u00fccher.de", None),
    ]
    assert [(r.line, r.text, r.problem) for r in open_rows(str(tmp_path / "a"))] == expected
    assert table(data) == expected
    assert table(gzip.compress(data)) == expected


def test_bytes_that_are_not_text(tmp_path: Path, table: Table) -> None:
    data = parquet(tmp_path / "a", text=pa.array([b"a\xff", b"a\0b"], pa.binary()))
    assert table(data) == [(1, "a\\xff", "invalid_utf8"), (2, "a\0b", "nul_byte")]


def test_several_batches(tmp_path: Path, table: Table) -> None:
    names = [f"host{n}" for n in range(2 * _BATCH_ROWS + 1)]
    data = parquet(tmp_path / "a", text=names)
    assert table(data) == [(n, name, None) for n, name in enumerate(names, 1)]


@pytest.mark.parametrize("column", ["hostnam", None])
def test_missing_column_lists_the_columns(column: str | None, tmp_path: Path, table: Table) -> None:
    with pytest.raises(UsageError, match="one of: 'a', 'b'"):
        table(parquet(tmp_path / "a", a=["x"], b=["y"]), column=column)


@pytest.mark.parametrize("values", [[1], [["x"]], [{"x": "y"}]], ids=["int", "list", "struct"])
def test_column_of_another_type(values: list[Any], tmp_path: Path, table: Table) -> None:
    with pytest.raises(UsageError, match=r"'text' holds .* not strings"):
        table(parquet(tmp_path / "a", text=values))


def test_not_parquet(tmp_path: Path, table: Table) -> None:
    whole = parquet(tmp_path / "a", text=["x"])
    for data in (b"", b"PAR1", whole[:-10], b"text\n" * 10):
        with pytest.raises(InputError, match="not a readable Parquet file"):
            table(data, format="parquet")


def test_truncated_compression_is_named(tmp_path: Path, table: Table) -> None:
    data = gzip.compress(parquet(tmp_path / "a", text=["x"]))[:-20]
    with pytest.raises(InputError, match="truncated_compression"):
        table(data)


def test_corrupt_page_ends_with_one_bad_row(tmp_path: Path, table: Table) -> None:
    path = tmp_path / "a"
    names = pa.table({"text": [f"host{n}" for n in range(3000)]})
    pq.write_table(names, path, row_group_size=1000, compression="zstd", use_dictionary=False)
    chunk = pq.read_metadata(path).row_group(2).column(0)
    data = bytearray(path.read_bytes())
    middle = chunk.data_page_offset + chunk.total_compressed_size // 2
    data[middle : middle + 64] = bytes(64)
    rows = table(bytes(data))
    assert [problem for *_, problem in rows].count("corrupt_parquet") == 1
    assert rows[-1][2] == "corrupt_parquet"
    assert rows[-1][0] == len(rows)
