"""Which rows of an index are wanted."""

from collections.abc import Callable
from datetime import datetime
from fnmatch import fnmatchcase
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from unmist.errors import UsageError


class Filter(NamedTuple):
    """Conditions, all of which a row has to meet; within one of them, any value does.

    Attributes:
        labels: a label of any task.
        sources: the input's name; ``*`` and ``?`` stand for any characters.
        since: not before this time. A row without a time is out.
        until: before this time.
        where: (column, value) pairs; values of one column are alternatives.
    """

    labels: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    where: tuple[tuple[str, str], ...] = ()

    def mask(
        self, names: list[str], column: Callable[[str], list[pa.ChunkedArray]]
    ) -> np.ndarray | None:
        """bool [rows], or ``None`` where every row is wanted.

        Args:
            names: the columns that there are.
            column: gives the pieces of a column, in row order; a piece may be null throughout.

        Raises:
            UsageError: no such column, no labels, or a value that the column cannot hold.
        """
        masks = []
        if self.labels:
            titles = [name for name in names if is_label(name)]
            if not titles:
                raise UsageError("this index has no labels; index with --task to have some")
            found = [_equal(column(name), name, list(self.labels)) for name in titles]
            masks.append(np.logical_or.reduce(found))
        if self.sources:
            masks.append(_like(column("source"), self.sources))
        if self.since is not None:
            bound = pa.scalar(self.since, pa.timestamp("us", "UTC"))
            masks.append(_each(column("time"), lambda piece: pc.greater_equal(piece, bound)))
        if self.until is not None:
            limit = pa.scalar(self.until, pa.timestamp("us", "UTC"))
            masks.append(_each(column("time"), lambda piece: pc.less(piece, limit)))
        for name in dict.fromkeys(name for name, _ in self.where):
            if name not in names:
                listed = ", ".join(map(repr, names))
                raise UsageError(f"no column {name!r} in this index; it has: {listed}")
            values = [value for key, value in self.where if key == name]
            masks.append(_equal(column(name), name, values))
        return np.logical_and.reduce(masks) if masks else None


def is_label(name: str) -> bool:
    """Whether a column holds what a specialist answered; what the network said of a row that it
    abstains on, as ``unmist run`` keeps it, is no answer."""
    return name.endswith("_label") and not name.endswith("_model_label")


def _equal(pieces: list[pa.ChunkedArray], name: str, values: list[str]) -> np.ndarray:
    def test(piece: pa.ChunkedArray) -> pa.ChunkedArray:
        kind = piece.type
        if pa.types.is_null(kind):
            return piece
        try:
            wanted = pa.array(values, pa.string()).cast(kind)
            return pc.is_in(piece, value_set=wanted)
        except pa.ArrowException:
            said = ", ".join(map(repr, values))
            raise UsageError(f"column {name!r} holds {kind}, which {said} is not") from None

    return _each(pieces, test)


def _like(pieces: list[pa.ChunkedArray], patterns: tuple[str, ...]) -> np.ndarray:
    def test(piece: pa.ChunkedArray) -> pa.ChunkedArray:
        values = piece.unique().to_pylist()
        fitting = [v for v in values if v and any(fnmatchcase(v, p) or v == p for p in patterns)]
        return pc.is_in(piece, value_set=pa.array(fitting, pa.string()))

    return _each(pieces, test)


def _each(
    pieces: list[pa.ChunkedArray], test: Callable[[pa.ChunkedArray], pa.ChunkedArray]
) -> np.ndarray:
    found = []
    for piece in pieces:
        answer = test(piece)
        if pa.types.is_null(answer.type):
            found.append(np.zeros(len(piece), bool))
        else:
            found.append(answer.combine_chunks().fill_null(False).to_numpy(zero_copy_only=False))
    return np.concatenate([*found, np.empty(0, bool)])
