"""How much of a step is matrix products: what they take, beside what the machine can do."""

import time
from collections.abc import Sequence

import torch

from unmist.train.encoder import Shape

_SIDE = 2048
_REPEATS = 3


def matrix_rate(bf16: bool) -> float:
    """FLOP a second of a product of two square matrices, the best of some."""
    kind = torch.bfloat16 if bf16 else torch.float32
    one, other = torch.randn(_SIDE, _SIDE, dtype=kind), torch.randn(_SIDE, _SIDE, dtype=kind)
    best = float("inf")
    for _ in range(_REPEATS):
        began = time.perf_counter()
        one @ other
        best = min(best, time.perf_counter() - began)
    return 2 * _SIDE**3 / best


def encoder_flops(shape: Shape, rows: Sequence[tuple[int, int]]) -> float:
    """FLOP of the encoder's matrix products, forward and backward.

    Args:
        shape: the encoder's.
        rows: (number of rows, their length in tokens) of each batch.
    """
    layer = shape.hidden * (4 * shape.hidden + 3 * shape.intermediate)
    each = [
        count * length * (6 * layer + 12 * length * shape.hidden) for count, length in rows
    ]  # a product costs twice its forward pass again, for both gradients
    return float(shape.layers * sum(each))


def vocabulary_flops(shape: Shape, tokens: int) -> float:
    """FLOP of naming hidden tokens, forward and backward."""
    return 6.0 * tokens * shape.hidden * (shape.vocabulary + shape.hidden)
