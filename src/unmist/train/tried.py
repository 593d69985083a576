"""Ways of pretraining that need code of their own, to be measured beside the one that is used.

Each changes one thing of :class:`unmist.train.run.Run`: what is hidden, what a token's input
is, or what is asked of it. ``unmist evaluate trials`` gives all of them the same minutes.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from unmist.text import Tokenizer, ngrams
from unmist.train.encoder import Embeddings, Encoder, Shape
from unmist.train.mixture import Batch
from unmist.train.pretrainer import Pretrainer
from unmist.train.run import Run

_BITS: Final = 15  # of the n-gram table: 32,768 rows beside 24,576 pieces
_CORRUPTED: Final = 0.15  # share of the tokens left visible that are replaced
_WEIGHT: Final = 5.0  # of telling replaced tokens, an easy question
_NARROWER: Final = 4  # how much the generator of ELECTRA is narrower than the encoder


class WholeLabels(Run):
    """Hides all pieces of a label, path segment or word together, instead of single pieces."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._opens = opening(self.tokenizer)

    def _hidden(self, batch: Batch, generator: np.random.Generator) -> np.ndarray:
        whole = self.recipe.anneal_whole_rows if self.state["annealing"] else self.recipe.whole_rows
        return mask_words(batch.ids, self._opens, self.recipe.mask_rate, whole, generator)


def opening(tokenizer: Tokenizer) -> np.ndarray:
    """Of each token whether a new label or word begins with it: bool [vocabulary].

    The tokenizer splits before separators, so that a piece with one opens something new.
    """
    return np.array([not p[:1].isalnum() and p[:1] < b"\x80" for p in tokenizer.pieces])


def mask_words(
    ids: np.ndarray,
    opens: np.ndarray,
    rate: float,
    whole_rows: float,
    generator: np.random.Generator,
) -> np.ndarray:
    """Tokens [rows, length] to hide, all of a word or none; the first of a row never."""
    rows, length = ids.shape
    word = np.cumsum(opens[ids] | (np.arange(length) == 1), axis=1)
    hidden: np.ndarray = np.take_along_axis(generator.random((rows, length + 1)), word, 1) < rate
    hidden[:, 0] = False
    hidden[generator.random(rows) < whole_rows] = False
    return hidden


class SpeltEmbeddings(Embeddings):
    """Token table and, added to it, the mean of the hashed byte n-grams of each piece.

    Source: Bojanowski et al., "Enriching Word Vectors with Subword Information", arXiv 1607.04606.
    """

    def __init__(self, shape: Shape, pieces: Sequence[bytes]) -> None:
        super().__init__(shape)
        self.grams = nn.EmbeddingBag(1 << _BITS, shape.hidden, mode="mean")
        nn.init.normal_(self.grams.weight, std=0.02)
        found = [ngrams.of_one(piece, _BITS) if piece else np.empty(0, int) for piece in pieces]
        starts = np.cumsum([0, *map(len, found)])
        self._flat, self._starts = np.concatenate(found), starts

    def forward(self, ids: Tensor) -> Tensor:
        each, place = torch.unique(ids, return_inverse=True)
        bags = [self._flat[self._starts[i] : self._starts[i + 1]] for i in each.tolist()]
        offsets = np.cumsum([0, *map(len, bags)])[:-1]
        spelt = self.grams(torch.from_numpy(np.concatenate(bags)), torch.from_numpy(offsets))
        out: Tensor = self.norm(self.tok_embeddings(ids) + spelt[place])
        return out


class PairedEmbeddings(Embeddings):
    """Token table and, added to it, a hashed vector of each token with the one before it: what is
    spelt across the border of two pieces."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self.pairs = nn.Embedding(1 << _BITS, shape.hidden)
        nn.init.normal_(self.pairs.weight, std=0.02)

    def forward(self, ids: Tensor) -> Tensor:
        before = F.pad(ids, (1, 0))[:, :-1]
        bucket = (before * 0x9E3779B1 + ids * 0x85EBCA77) >> 12 & ((1 << _BITS) - 1)
        out: Tensor = self.norm(self.tok_embeddings(ids) + self.pairs(bucket))
        return out


class Spelt(Run):
    """Adds hashed n-grams of a token's bytes to its input."""

    def _learner(self) -> Pretrainer:
        model = super()._learner()
        spelt = SpeltEmbeddings(model.encoder.shape, self.tokenizer.pieces)
        model.encoder.embeddings = spelt
        nn.init.normal_(model.encoder.embeddings.tok_embeddings.weight, std=0.02)
        return model


class Paired(Run):
    """Adds a hashed vector of two neighbouring tokens to the second's input."""

    def _learner(self) -> Pretrainer:
        model = super()._learner()
        model.encoder.embeddings = PairedEmbeddings(model.encoder.shape)
        nn.init.normal_(model.encoder.embeddings.tok_embeddings.weight, std=0.02)
        return model


class _Told(Pretrainer):
    """A pretrainer that also tells which tokens were replaced."""

    def __init__(self, shape: Shape, classes: int) -> None:
        super().__init__(shape, classes)
        self.told = nn.Linear(shape.hidden, 1)

    def detection_loss(self, states: Tensor, replaced: np.ndarray, asked: np.ndarray) -> Tensor:
        """Binary cross-entropy over the tokens asked about; all [rows, length]."""
        said = self.told(states).squeeze(-1).float()
        each = F.binary_cross_entropy_with_logits(
            said, torch.from_numpy(replaced.astype(np.float32)), reduction="none"
        )
        return each[torch.from_numpy(asked)].mean()


class Detected(Run):
    """Tells replaced tokens beside naming hidden ones, in one pass; the replacements are tokens of
    the same batch."""

    model: _Told

    def _learner(self) -> Pretrainer:
        return _Told(Shape(**self.recipe.shape), self.mixture.classes)

    def _token_loss(
        self, batch: Batch, hide: np.ndarray, generator: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        seen = ~hide
        seen[:, 0] = False
        taken = seen & (generator.random(hide.shape) < _CORRUPTED) & hide.any(1, keepdims=True)
        ids = np.where(hide, self.tokenizer.mask_id, batch.ids)
        others = generator.permutation(batch.ids[:, 1:].ravel())
        ids[taken] = others[: taken.sum()]
        states = self.encode(torch.from_numpy(ids))
        flat = np.flatnonzero(hide)
        loss = torch.zeros(())
        if len(flat):
            loss = self.model.token_loss(
                states.flatten(0, 1)[torch.from_numpy(flat)],
                torch.from_numpy(batch.ids.ravel()[flat]),
            )
        asked = seen & hide.any(1, keepdims=True)
        if asked.any():
            loss = loss + _WEIGHT * self.model.detection_loss(states, ids != batch.ids, asked)
        return loss, states.mean(1)


class Electra(Run):
    """Tells which tokens a small generator replaced, instead of naming hidden ones.

    Source: Clark et al., "ELECTRA", arXiv 2003.10555.
    """

    model: _Told

    def _learner(self) -> Pretrainer:
        shape = Shape(**self.recipe.shape)
        told = _Told(shape, self.mixture.classes)
        width = max(shape.hidden // _NARROWER, shape.head_width)
        small = Shape(layers=2, hidden=width, vocabulary=shape.vocabulary)
        told.add_module("generator", Pretrainer(small, 1))
        return told

    def _token_loss(
        self, batch: Batch, hide: np.ndarray, generator: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        flat = torch.from_numpy(np.flatnonzero(hide))
        ids, loss = batch.ids.copy(), torch.zeros(())
        if len(flat):
            small: Any = self.model.generator
            encoder: Encoder = small.encoder
            masked = np.where(hide, self.tokenizer.mask_id, batch.ids)
            states = encoder(torch.from_numpy(masked)).flatten(0, 1)[flat]
            loss = small.token_loss(states, torch.from_numpy(batch.ids.ravel()[flat.numpy()]))
            with torch.no_grad():
                table = encoder.embeddings.tok_embeddings.weight
                said = F.linear(small.norm(F.gelu(small.dense(states))), table, small.bias).float()
                noise = -torch.empty_like(said).exponential_().log()
                ids.ravel()[flat.numpy()] = (said + noise).argmax(-1).numpy()
        states = self.encode(torch.from_numpy(ids))
        asked = np.broadcast_to(hide.any(1, keepdims=True), hide.shape).copy()
        asked[:, 0] = False
        if asked.any():
            replaced = ids != batch.ids
            loss = loss + 4 * _WEIGHT * self.model.detection_loss(states, replaced, asked)
        return loss, states.mean(1)


KINDS: Final = {
    kind.__name__: kind for kind in (Run, WholeLabels, Spelt, Paired, Detected, Electra)
}
