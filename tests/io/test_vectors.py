import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from unmist.errors import UsageError
from unmist.io import write_vectors
from unmist.io.vectors import Batch

VECTORS = (np.arange(15) / 7).astype(np.float32).reshape(5, 3)
TEXTS = ["a", "b", "c\u20ac", "d", "e"]


def batches() -> Iterator[Batch]:
    yield TEXTS[:2], VECTORS[:2]
    yield [], VECTORS[:0]
    yield TEXTS[2:], VECTORS[2:]


def test_npy(tmp_path: Path) -> None:
    write_vectors(tmp_path / "v.npy", batches(), "hash")
    loaded = np.load(tmp_path / "v.npy", allow_pickle=False)
    assert loaded.dtype == np.float32
    np.testing.assert_array_equal(loaded, VECTORS)
    assert np.load(tmp_path / "v.npy", mmap_mode="r").offset == 128


def test_parquet(tmp_path: Path) -> None:
    write_vectors(tmp_path / "v.parquet", batches(), "hash")
    table = pq.read_table(tmp_path / "v.parquet")
    assert table.schema.field("vector").type == pa.list_(pa.float32(), 3)
    assert table.schema.metadata[b"model_hash"] == b"hash"
    assert table["text"].to_pylist() == TEXTS
    np.testing.assert_array_equal(np.array(table["vector"].to_pylist(), np.float32), VECTORS)


def test_jsonl(tmp_path: Path) -> None:
    write_vectors(tmp_path / "v.JSONL", batches(), "hash")
    records = [
        msgspec.json.decode(line) for line in (tmp_path / "v.JSONL").read_bytes().splitlines()
    ]
    assert [record["text"] for record in records] == TEXTS
    assert {record["model_hash"] for record in records} == {"hash"}
    vectors = np.array([record["vector"] for record in records], np.float32)
    np.testing.assert_array_equal(vectors, VECTORS)


@pytest.mark.parametrize("suffix", [".npy", ".parquet", ".jsonl"])
def test_nothing_to_write(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"v{suffix}"
    write_vectors(path, [], "hash")
    if suffix == ".npy":
        assert np.load(path).shape == (0, 0)
    elif suffix == ".parquet":
        assert pq.read_table(path).num_rows == 0
    else:
        assert path.read_bytes() == b""


def test_non_contiguous_and_other_precision(tmp_path: Path) -> None:
    vectors = np.asfortranarray(VECTORS.astype(np.float64))
    write_vectors(tmp_path / "v.npy", [(TEXTS, vectors)], "hash")  # type: ignore[list-item]
    np.testing.assert_array_equal(np.load(tmp_path / "v.npy"), VECTORS)


def test_unknown_suffix(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'.txt'; choose a suffix of: .npy, .parquet, .jsonl"):
        write_vectors(tmp_path / "v.txt", batches(), "hash")


@pytest.mark.parametrize("suffix", [".npy", ".parquet", ".jsonl"])
@pytest.mark.parametrize(
    "bad", [(["x"], VECTORS[:2]), (["x"], VECTORS[0]), (["x"], VECTORS[:1, :2])]
)
def test_wrong_shape_leaves_no_file(suffix: str, bad: Batch, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="vectors of"):
        write_vectors(tmp_path / f"v{suffix}", [(TEXTS, VECTORS), bad], "hash")
    assert os.listdir(tmp_path) == []
