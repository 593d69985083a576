"""Text vectors to .npy, .parquet or .jsonl, batch by batch."""

import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from unmist.errors import UsageError
from unmist.io.columnar import import_pyarrow
from unmist.io.sinks import AtomicFile

Batch = tuple[list[str], NDArray[np.float32]]
"""n texts and their float32 vectors [n, d]."""

_NPY_MAGIC = b"\x93NUMPY\x01\x00"
_NPY_HEADER_BYTES = 128  # magic and length included; any 64-bit shape fits


def write_vectors(path: str | os.PathLike[str], batches: Iterable[Batch], model_hash: str) -> None:
    """Write vectors in the format that the suffix of ``path`` names, holding one batch at a time.

    ``.npy`` holds float32 [n, d] and nothing else; ``.parquet`` the columns ``text`` and ``vector``
    with ``model_hash`` in the schema metadata; ``.jsonl`` an object with ``text``, ``vector`` and
    ``model_hash`` a line. The file appears whole or not at all.

    Args:
        path: the file to write; its suffix is the format.
        batches: texts and vectors, the same d in all of them.
        model_hash: identifies the model that the vectors are comparable within.

    Raises:
        UsageError: another suffix.
        OutputError: the file cannot be written.
        ValueError: a batch whose shape does not fit its texts or the batches before it.
    """
    suffix = os.path.splitext(os.fspath(path))[1].lower()
    if suffix not in _WRITERS:
        known = ", ".join(_WRITERS)
        raise UsageError(f"{path}: no vector format {suffix!r}; choose a suffix of: {known}")
    with AtomicFile(path) as file:
        _WRITERS[suffix](file, _checked(batches), model_hash)


def _checked(batches: Iterable[Batch]) -> Iterator[Batch]:
    width: int | None = None
    for texts, vectors in batches:
        if vectors.ndim != 2 or len(vectors) != len(texts):
            raise ValueError(f"{len(texts)} texts with vectors of shape {vectors.shape}")
        if width is None:
            width = vectors.shape[1]
        if vectors.shape[1] != width:
            raise ValueError(f"vectors of width {vectors.shape[1]} after width {width}")
        yield texts, np.ascontiguousarray(vectors, dtype="<f4")


def _write_npy(file: BinaryIO, batches: Iterator[Batch], model_hash: str) -> None:
    # The number of rows is known at the end only, so the header's place is kept free.
    file.write(bytes(_NPY_HEADER_BYTES))
    rows = width = 0
    for texts, vectors in batches:
        file.write(vectors.data)
        rows += len(texts)
        width = vectors.shape[1]
    file.seek(0)
    file.write(_npy_header(rows, width))


def _npy_header(rows: int, width: int) -> bytes:
    length = _NPY_HEADER_BYTES - len(_NPY_MAGIC) - 2
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {width}), }}"
    return _NPY_MAGIC + length.to_bytes(2, "little") + text.ljust(length - 1).encode() + b"\n"


def _write_parquet(file: BinaryIO, batches: Iterator[Batch], model_hash: str) -> None:
    pa, pq = import_pyarrow()
    first = next(batches, ([], np.zeros((0, 0), dtype=np.float32)))
    width = first[1].shape[1]
    vector_type = pa.list_(pa.float32(), width)
    fields = [("text", pa.string()), ("vector", vector_type)]
    schema = pa.schema(fields, metadata={"model_hash": model_hash})
    with pq.ParquetWriter(file, schema) as writer:
        for texts, vectors in itertools.chain((first,), batches):
            if not texts:  # without any batch the width is 0, which arrow has no arrays of
                continue
            flat = pa.array(vectors.reshape(-1))
            column = pa.FixedSizeListArray.from_arrays(flat, width)
            columns = [pa.array(texts, pa.string()), column]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def _write_jsonl(file: BinaryIO, batches: Iterator[Batch], model_hash: str) -> None:
    encoder = msgspec.json.Encoder()
    for texts, vectors in batches:
        for text, vector in zip(texts, vectors.tolist(), strict=True):
            record = {"text": text, "vector": vector, "model_hash": model_hash}
            file.write(encoder.encode(record) + b"\n")


_WRITERS: Mapping[str, Callable[[BinaryIO, Iterator[Batch], str], None]] = {
    ".npy": _write_npy,
    ".parquet": _write_parquet,
    ".jsonl": _write_jsonl,
}
