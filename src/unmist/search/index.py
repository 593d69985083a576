"""An open index: the rows nearest to a vector, and those most like a set of examples."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from unmist.errors import UsageError
from unmist.search import manifest as listing
from unmist.search import near
from unmist.search.filters import Filter
from unmist.search.table import Table
from unmist.search.vectors import KEY_BYTES, Vectors, key

if TYPE_CHECKING:
    from unmist.model import Model

_EVERYTHING: Final = Filter()
_SCARCE: Final = 0.1  # of the texts; fewer than that are compared one by one


class Hit(NamedTuple):
    """A text that was found.

    Attributes:
        distance: cosine distance in [0, 2]; 0 is the same direction.
        vector: number of its vector in the index.
        rows: numbers of the rows that have this text and meet the filter, ascending. int64 [n]
    """

    distance: float
    vector: int
    rows: np.ndarray


class Likeness(NamedTuple):
    """A text that is like the examples.

    Attributes:
        score: mean of ``best`` and ``mean``; what the order goes by.
        best: cosine with the nearest example.
        mean: mean cosine with all examples.
        example: place of the nearest example.
        vector: number of its vector in the index.
        rows: as in :class:`Hit`.
    """

    score: float
    best: float
    mean: float
    example: int
    vector: int
    rows: np.ndarray


class Index:
    """An index folder, opened and checked. Nothing in it is written.

    Args:
        folder: as ``unmist index`` wrote it.
        verify: compare every file with its SHA-256, which reads all of them.

    Raises:
        InputError: this is no index, or it is damaged.
    """

    def __init__(self, folder: str | Path, *, verify: bool = True) -> None:
        self.folder = Path(folder)
        self.manifest = listing.read(self.folder, verify=verify)
        self.table = Table(self.folder, self.manifest)
        self.vectors = Vectors(self.folder, self.manifest)
        self._near = near.open_index(self.folder, self.manifest)
        self._exact: np.ndarray | None = None
        self._order: tuple[np.ndarray, np.ndarray] | None = None

    def require_model(self, model: "Model") -> None:
        """Refuse a model whose vectors do not compare with those of the index.

        Raises:
            UsageError: it is another one.
        """
        if model.hash != self.manifest.model_hash:
            raise UsageError(
                f"{self.folder}: made with model {self.manifest.model_hash[:12]}, this one is "
                f"{model.hash[:12]}, and vectors of two models do not compare; give the --model "
                "(and --adapter) that it was made with, or index again"
            )

    def nearest(self, vector: np.ndarray, k: int = 10, wanted: Filter = _EVERYTHING) -> list[Hit]:
        """The ``k`` texts nearest to a unit vector float32 [dim], nearest first.

        Exact up to 200,000 texts, or where a filter leaves few; approximate above. Of texts at
        the same distance, the one indexed first comes first.

        Raises:
            UsageError: the filter names a column that there is not.
        """
        mask = self._mask(wanted)
        allowed = self._allowed(mask)
        if self._near is None:
            found = self._scan(vector, k, allowed)
        elif allowed is not None and allowed.sum() < _SCARCE * len(self.vectors):
            numbers = np.flatnonzero(allowed)
            found = _top(self.vectors.gather(numbers) @ vector, numbers, k)
        else:
            found = self._approximate(vector, k, allowed)
        return [
            Hit(max(1.0 - float(score), 0.0), int(number), self._rows(int(number), mask))
            for score, number in zip(*found, strict=True)
        ]

    def like(
        self,
        examples: np.ndarray,
        k: int = 10,
        wanted: Filter = _EVERYTHING,
        known: Sequence[str | bytes] = (),
    ) -> list[Likeness]:
        """The ``k`` texts most like the examples, by mean and best match. Always exact.

        Args:
            examples: unit vectors float32 [m, dim].
            k: how many texts.
            wanted: rows to look at.
            known: texts to leave out, such as the examples themselves.

        Raises:
            UsageError: no examples, or the filter names a column that there is not.
        """
        if not len(examples):
            raise UsageError("no examples to look for the like of")
        mask = self._mask(wanted)
        allowed = self._allowed(mask)
        allowed = np.ones(len(self.vectors), bool) if allowed is None else allowed
        allowed[self._numbers(known)] = False
        best = np.empty(len(self.vectors), np.float32)
        example = np.empty(len(self.vectors), np.int32)
        mean = np.empty(len(self.vectors), np.float32)
        middle = examples.mean(axis=0)
        for start, block in self.vectors.blocks():
            cosines = block @ examples.T
            stop = start + len(block)
            example[start:stop] = cosines.argmax(axis=1)
            best[start:stop] = cosines.max(axis=1)
            mean[start:stop] = block @ middle
        numbers = np.flatnonzero(allowed)
        scores, found = _top(((best + mean) / 2)[numbers], numbers, k)
        return [
            Likeness(float(score), float(best[n]), float(mean[n]), int(example[n]), n, rows)
            for score, n in zip(scores, found.tolist(), strict=True)
            for rows in (self._rows(n, mask),)
        ]

    def records(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """All that is known of a few rows: text, source, line, time, labels, own columns."""
        return [
            {name: value for name, value in record.items() if name != "vector"}
            for record in self.table.records(rows)
        ]

    def _mask(self, wanted: Filter) -> np.ndarray | None:
        return wanted.mask(self.table.columns, self.table.column)

    def _allowed(self, mask: np.ndarray | None) -> np.ndarray | None:
        """Which vectors have a row in the mask."""
        if mask is None:
            return None
        allowed = np.zeros(len(self.vectors), bool)
        allowed[self._vector_of_row()[mask]] = True
        return allowed

    def _scan(
        self, vector: np.ndarray, k: int, allowed: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        if self._exact is None and len(self.vectors) <= near.EXACT:
            self._exact = self.vectors.gather(np.arange(len(self.vectors)))
        if self._exact is not None:
            scores = self._exact @ vector
        else:
            parts = [block @ vector for _, block in self.vectors.blocks()]
            scores = np.concatenate([*parts, np.empty(0, np.float32)])
        if allowed is None:
            return _top(scores, np.arange(len(scores)), k)
        numbers = np.flatnonzero(allowed)
        return _top(scores[numbers], numbers, k)

    def _approximate(
        self, vector: np.ndarray, k: int, allowed: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Ask for more until enough of it is allowed, then rank by the vectors on the disk.

        Where the lists looked into do not hold enough, every vector is compared.
        """
        assert self._near is not None
        share = 1.0 if allowed is None else max(float(allowed.mean()), _SCARCE)
        wanted = int(near.MARGIN * k / share)
        while True:
            found = self._near(vector, wanted)
            numbers = found if allowed is None else found[allowed[found]]
            if len(numbers) >= k:
                return _top(self.vectors.gather(numbers) @ vector, numbers, k)
            if len(found) < wanted:  # the lists that were looked into hold no more
                return self._scan(vector, k, allowed)
            wanted *= 4

    def _vector_of_row(self) -> np.ndarray:
        pieces = [p.to_numpy() for p in self.table.column("vector")]
        return np.concatenate([*pieces, np.empty(0, np.int64)])

    def _rows(self, vector: int, mask: np.ndarray | None) -> np.ndarray:
        if self._order is None:
            of_row = self._vector_of_row()
            counts = np.bincount(of_row, minlength=len(self.vectors))
            self._order = np.argsort(of_row, kind="stable"), np.cumsum([0, *counts])
        order, starts = self._order
        rows: np.ndarray = order[starts[vector] : starts[vector + 1]]
        return rows if mask is None else rows[mask[rows]]

    def _numbers(self, texts: Sequence[str | bytes]) -> np.ndarray:
        """Numbers of the vectors of these texts, those that are in the index."""
        wanted = {key(text, self.manifest.field) for text in texts}
        if not wanted:
            return np.empty(0, np.int64)
        keys = self.vectors.keys()
        # Narrowed down by half of the key first, because numpy cannot look for 16 bytes.
        halves = keys.view("<u8").reshape(-1, KEY_BYTES // 8)[:, 0]
        first = np.frombuffer(b"".join(one[:8] for one in wanted), "<u8")
        places = np.flatnonzero(np.isin(halves, first))
        found = [n for n in places.tolist() if keys[n].tobytes() in wanted]
        return np.array(found, np.int64)


def _top(scores: np.ndarray, numbers: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k highest scores and their numbers, highest first; equal scores by number."""
    if k < len(scores):
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        near_top = scores >= least  # all that tie with the last one, so that the order is settled
        scores, numbers = scores[near_top], numbers[near_top]
    order = np.lexsort((numbers, -scores))[:k]
    return scores[order], numbers[order]
