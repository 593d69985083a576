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
        weight: int8 [2**bits, labels].
        scale: float32 [labels]; a weight times its label's scale is a logit.
    """

    def __init__(self, weight: np.ndarray, scale: np.ndarray) -> None:
        self.weight, self.scale = weight, scale
        self._bits = weight.shape[0].bit_length() - 1

    def logits(self, texts: Sequence[bytes]) -> np.ndarray:
        """What the n-grams of each text add to its logits: float32 [n, labels].

        Sums are taken over integers, so they do not depend on their order or on the other rows.
        """
        total = np.zeros((len(texts), self.weight.shape[1]), np.int64)
        for rows, buckets in ngrams.hashed(texts, self._bits):
            if len(rows):
                starts = np.flatnonzero(np.diff(rows, prepend=-1))
                sums = np.add.reduceat(self.weight[buckets], starts, axis=0, dtype=np.int64)
                total[rows[starts]] += sums
        length = np.sqrt(ngrams.counts(texts))
        out: np.ndarray = (total / length[:, None] * self.scale).astype(np.float32)
        return out
