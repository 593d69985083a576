"""What the layers that no adapter changes make of the training rows, computed once.

A specialist adapts the upper layers, so below them every epoch would compute the same again. Kept
in float16, two bytes a number: half a gigabyte for 100,000 hostnames.
"""

from typing import Final

import numpy as np
import torch
from torch import Tensor

from unmist.train.encoder import Encoder
from unmist.train.specialist import Rows

MOST_BYTES: Final = 6 << 30
_BATCH_TOKENS: Final = 8192


class Lower:
    """Args:
    encoder: whose layers below ``first`` do not change.
    rows: what it reads.
    first: the lowest layer that does change.
    bf16: whether to multiply in bfloat16.
    """

    def __init__(self, encoder: Encoder, rows: Rows, first: int, bf16: bool) -> None:
        lengths = np.array([len(row) for row in rows.ids])
        self._starts = np.cumsum(lengths) - lengths
        self._kept = torch.empty((int(lengths.sum()), encoder.shape.hidden), dtype=torch.float16)
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            for chosen, ids in rows.batches(_BATCH_TOKENS):
                found = encoder.below(ids, first).to(torch.float16)
                self._kept[self._places(chosen, ids.shape[1])] = found

    def __call__(self, chosen: np.ndarray, length: int) -> Tensor:
        """float32 [rows, length, hidden] of rows that all have this length."""
        return self._kept[self._places(chosen, length)].float()

    def _places(self, chosen: np.ndarray, length: int) -> Tensor:
        return torch.from_numpy(self._starts[chosen][:, None] + np.arange(length))


def worth_keeping(rows: Rows, encoder: Encoder, first: int) -> bool:
    """Whether there are layers below, and memory for what they say."""
    size = 2 * encoder.shape.hidden * sum(map(len, rows.ids))
    return first > 0 and size <= MOST_BYTES
