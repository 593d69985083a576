"""Hashed byte n-grams of rows of text, many rows at a time.

A row is read between a start and an end byte, so that what opens or closes a name is seen as such.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

SIZES: Final = (1, 2, 3, 4, 5)
START: Final = b"\x02"
END: Final = b"\x03"
_BASE: Final = np.uint64(0x100000001B3)
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


def hashed(texts: Sequence[bytes], bits: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The n-grams of each size, hashed into ``2**bits`` buckets.

    Args:
        texts: rows.
        bits: 1 to 32.

    Yields:
        For each of :data:`SIZES`, (``rows`` int64 [m], ascending; ``buckets`` int64 [m]). A row
        shorter than the size has none. Time and memory are linear in the bytes.
    """
    lengths = np.array([len(text) + 2 for text in texts], np.int64)
    joined = b"".join(START + text + END for text in texts)
    data = np.frombuffer(joined, np.uint8).astype(np.uint64) + np.uint64(1)
    row = np.repeat(np.arange(len(texts)), lengths)
    left = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(data))  # bytes to the row's end
    code = np.zeros(len(data), np.uint64)
    for size in SIZES:
        # code[i] is a polynomial in the bytes i to i + size - 1, one longer at every turn.
        code = code[: len(data) - size + 1] * _BASE + data[size - 1 :]
        whole = left[: len(code)] >= size
        buckets = (code[whole] * _MIX) >> np.uint64(64 - bits)
        yield row[: len(code)][whole], buckets.astype(np.int64)


def of_one(text: bytes, bits: int) -> np.ndarray:
    """All buckets of one row: int64 [m], as :func:`hashed` has them, in a fraction of the time."""
    data = np.frombuffer(START + text + END, np.uint8).astype(np.uint64) + np.uint64(1)
    code, codes = np.zeros(len(data), np.uint64), []
    for size in SIZES:
        code = code[: len(data) - size + 1] * _BASE + data[size - 1 :]
        codes.append(code)
    return ((np.concatenate(codes) * _MIX) >> np.uint64(64 - bits)).astype(np.int64)


def counts(texts: Sequence[bytes]) -> np.ndarray:
    """Number of n-grams of all sizes of each row: int64 [n]."""
    lengths = np.array([len(text) + 2 for text in texts], np.int64)
    total: np.ndarray = sum(np.maximum(lengths - size + 1, 0) for size in SIZES)  # type: ignore[assignment]
    return total
