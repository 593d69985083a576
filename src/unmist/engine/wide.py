"""A wide head: a linear layer on hashed byte n-grams, beside the adapter's own head.

An encoder this small has read too little to know every spelling; a linear model on n-grams knows
spellings and nothing else. Their logits are added, so that each covers for the other.

Source: Cheng et al., "Wide & Deep Learning for Recommender Systems", arXiv 1606.07792.
"""

from collections.abc import Sequence

import numpy as np

from unmist.text import ngrams


class Wide:
    """Weights of one task's wide head.

    Args:
        weight: int8 [2**bits, outputs], see :attr:`unmist.artifact.TaskCard.outputs`.
        scale: float32 [outputs]; a weight times its output's scale is a logit.
    """

    def __init__(self, weight: np.ndarray, scale: np.ndarray) -> None:
        self.weight, self.scale = weight, scale
        self.bits = weight.shape[0].bit_length() - 1

    def logits(self, texts: Sequence[bytes]) -> np.ndarray:
        """What the n-grams of each text add to its logits: float32 [n, outputs]."""
        return together([self], texts)[0]


def together(heads: Sequence[Wide], texts: Sequence[bytes]) -> list[np.ndarray]:
    """What the n-grams of each text add to the logits of several heads: float32 [n, outputs] each.

    N-grams are hashed once. Sums are taken over integers, so they do not depend on their order or
    on the other rows.
    """
    bits = max(head.bits for head in heads)
    if len(texts) == 1:
        totals = _totals_of_one(heads, ngrams.of_one(texts[0], bits), bits)
    else:
        totals = _totals(heads, texts, bits)
    length = np.sqrt(ngrams.counts(texts))[:, None]
    return [
        (total / length * head.scale).astype(np.float32)
        for head, total in zip(heads, totals, strict=True)
    ]


def _totals_of_one(heads: Sequence[Wide], buckets: np.ndarray, bits: int) -> list[np.ndarray]:
    return [
        head.weight.take(buckets >> (bits - head.bits), axis=0).sum(0, dtype=np.int64)[None]
        for head in heads
    ]


def _totals(heads: Sequence[Wide], texts: Sequence[bytes], bits: int) -> list[np.ndarray]:
    totals = [np.zeros((len(texts), head.weight.shape[1]), np.int64) for head in heads]
    for rows, buckets in ngrams.hashed(texts, bits):
        if not len(rows):
            continue
        starts = np.flatnonzero(np.diff(rows, prepend=-1))
        for head, total in zip(heads, totals, strict=True):
            chosen = head.weight[buckets >> (bits - head.bits)]
            total[rows[starts]] += np.add.reduceat(chosen, starts, axis=0, dtype=np.int64)
    return totals
