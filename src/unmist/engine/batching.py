"""Which rows go through the encoder together: few padded tokens, no needlessly small batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

MAX_BATCH_TOKENS: Final = 4096
MAX_PADDING: Final = 0.1  # share of a batch's tokens, once the batch is worth running alone
WORTH_ALONE: Final = 512  # tokens


@dataclass(frozen=True)
class Batch:
    """``rows`` [n] are positions in the caller's list; ``ids`` [n, length] int32, padded with 0."""

    rows: np.ndarray
    ids: np.ndarray


def plan(rows: Sequence[Sequence[int]]) -> list[Batch]:
    """Sort rows by length and cut them into batches; every row appears exactly once."""
    lengths = np.array([len(row) for row in rows], np.int64)
    order = np.argsort(lengths, kind="stable")
    batches, start, used = [], 0, 0
    for position, row in enumerate(order):
        length = int(lengths[row])
        taken = position - start
        full = (taken + 1) * length > MAX_BATCH_TOKENS
        padding = 1 - (used + length) / ((taken + 1) * length) if length else 0.0
        if taken and (full or (used >= WORTH_ALONE and padding > MAX_PADDING)):
            batches.append(_batch(rows, order[start:position]))
            start, used = position, 0
        used += length
    if start < len(order):
        batches.append(_batch(rows, order[start:]))
    return batches


def _batch(rows: Sequence[Sequence[int]], chosen: np.ndarray) -> Batch:
    width = len(rows[chosen[-1]])
    ids = np.zeros((len(chosen), width), np.int32)
    for i, row in enumerate(chosen):
        ids[i, : len(rows[row])] = rows[row]
    return Batch(chosen, ids)
