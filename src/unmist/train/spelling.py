"""Hashed byte n-grams that pieces of like spelling share, inside the token table itself.

A row of the table is what it learns by itself and, added to it, the mean of the vectors of its
piece's n-grams. The table always holds the sum, so that whoever reads it (encoder, masked-token
head, export) knows nothing of this: n-grams get the gradient of the rows they are in, and what they
learn is added to those rows. A piece met rarely moves with all that are spelt like it.

Source: Bojanowski et al., "Enriching Word Vectors with Subword Information", arXiv 1607.04606.
"""

import warnings
from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from unmist.text import ngrams

BITS: Final = 14  # of the n-gram table: 16,384 rows beside 24,576 pieces


class Spelling(nn.Module):
    """Vectors of n-grams [2 ** BITS, hidden], zero at first, and the table that they are part of.

    Args:
        table: the token table, [vocabulary, hidden].
        pieces: bytes of each of its rows; a row without bytes has no n-grams.
    """

    def __init__(self, table: Tensor, pieces: Sequence[bytes]) -> None:
        super().__init__()
        self.grams = nn.Parameter(torch.zeros(1 << BITS, table.shape[1]))
        self._table, self._learnt = [table], self.grams.detach().clone()  # listed: not its own
        found = [ngrams.of_one(piece, BITS) if piece else np.empty(0, int) for piece in pieces]
        lengths = np.array([len(grams) for grams in found])
        rows = np.repeat(np.arange(len(found)), lengths)
        places = torch.from_numpy(np.stack([rows, np.concatenate(found)]))
        shares = torch.from_numpy((1 / lengths[rows]).astype(np.float32))
        shape = (len(found), 1 << BITS)
        with warnings.catch_warnings():  # torch calls its CSR layout "in beta"
            warnings.simplefilter("ignore", UserWarning)
            mean = torch.sparse_coo_tensor(places, shares, shape).coalesce()
            self._mean, self._back = mean.to_sparse_csr(), mean.t().coalesce().to_sparse_csr()

    @torch.no_grad()
    def take(self) -> None:
        """Before the optimiser's step: the gradient of the table's rows as one of n-grams."""
        gradient = self._table[0].grad
        self.grams.grad = None if gradient is None else self._back @ gradient
        self._learnt = self.grams.detach().clone()

    @torch.no_grad()
    def give(self) -> None:
        """After it: what n-grams have learnt, added to the table's rows."""
        self._table[0].add_(self._mean @ (self.grams - self._learnt))

    def forward(self) -> Tensor:
        """What n-grams are of each row of the table: [vocabulary, hidden]."""
        out: Tensor = self._mean @ self.grams
        return out
