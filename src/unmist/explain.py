"""Which bytes drove a label: take something away, ask again, and see how far the answer moves.

Pieces are hidden: the network was trained with a third of its tokens hidden, so a hidden piece is
nothing foreign to it. Bytes are removed, two at a time, which is finer than pieces and is what
somebody would do who rewrites the text. No gradient is needed, and the answer is about the very
network that gave the verdict.

Source: occlusion, after Zeiler and Fergus, arXiv 1311.2901.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from unmist.errors import UsageError
from unmist.verdict import Verdict

MAX_SPANS: Final = 64
"""Longer rows lose several tokens or bytes at a time, so that one explanation has a bounded cost.
"""
NEAREST: Final = 3


@dataclass(frozen=True)
class Span:
    """Consecutive bytes [start, stop) of what the network read.

    Attributes:
        start: first byte.
        stop: one past the last byte.
        text: the bytes, those that are not UTF-8 as ``\\xNN``.
        weight: by how much the log-odds of the label fall, in nats, when the bytes are hidden;
            negative when they spoke against it.
    """

    start: int
    stop: int
    text: str
    weight: float


@dataclass(frozen=True)
class Neighbour:
    """A known example and its cosine with what was asked."""

    text: str
    label: str
    cosine: float


@dataclass(frozen=True)
class Examples:
    """Known texts to compare with.

    Args:
        texts: n texts.
        labels: what each is.
        vectors: float32 [n, dim], as :meth:`unmist.Model.embed` gives them; L2-normalised.

    Raises:
        UsageError: they are not equally many.
    """

    texts: Sequence[str]
    labels: Sequence[str]
    vectors: np.ndarray

    def __post_init__(self) -> None:
        if not len(self.texts) == len(self.labels) == len(self.vectors):
            raise UsageError(
                f"{len(self.texts)} texts, {len(self.labels)} labels and {len(self.vectors)} "
                "vectors; expected as many of each"
            )

    def nearest(self, vector: np.ndarray, label: str, count: int) -> tuple[Neighbour, ...]:
        """The ``count`` examples of ``label`` with the highest cosine with a vector [dim]."""
        mine = np.flatnonzero(np.array(self.labels, object) == label)
        cosines = self.vectors[mine] @ vector
        best = np.argsort(-cosines, kind="stable")[:count]
        return tuple(
            Neighbour(self.texts[mine[i]], label, round(float(cosines[i]), 4)) for i in best
        )


@dataclass(frozen=True)
class Explanation:
    """A verdict and what drove its ``model_label``.

    Attributes:
        verdict: what :meth:`unmist.Model.classify` says.
        read: the text as the network read it, normalised and perhaps cut.
        spans: its pieces; they cover all of its bytes, in order. None for a row that could not be
            asked about.
        byte_weights: for every byte of it, by how much the log-odds of the label fall, in nats,
            when it is removed with a neighbour; the mean of both neighbours.
        nearest: the most similar known examples of the label, nearest first.
    """

    verdict: Verdict
    read: str
    spans: tuple[Span, ...]
    byte_weights: tuple[float, ...] = ()
    nearest: tuple[Neighbour, ...] = ()


def spans(
    ids: Sequence[int],
    pieces: Sequence[bytes],
    mask_id: int,
    log_odds: Callable[[list[list[int]]], np.ndarray],
) -> tuple[Span, ...]:
    """The weight of each piece of one row.

    Args:
        ids: token ids, opened by the field-kind token, which is never hidden.
        pieces: the bytes of each token, none for the first.
        mask_id: the token that hides another.
        log_odds: rows of token ids to the log-odds [rows] of the label in question.
    """
    size = -(-(len(ids) - 1) // MAX_SPANS) or 1
    starts = range(1, len(ids), size)
    rows = [list(ids)]
    for start in starts:
        hidden = min(size, len(ids) - start)
        rows.append([*ids[:start], *[mask_id] * hidden, *ids[start + hidden :]])
    moved = log_odds(rows)
    found, place = [], 0
    for start, odds in zip(starts, moved[1:].tolist(), strict=True):
        data = b"".join(pieces[start : start + size])
        text = data.decode("utf-8", "backslashreplace")
        found.append(Span(place, place + len(data), text, round(float(moved[0]) - odds, 4)))
        place += len(data)
    return tuple(found)


def byte_weights(data: bytes, log_odds: Callable[[list[bytes]], np.ndarray]) -> tuple[float, ...]:
    """The weight of each byte of what was read.

    Windows of two bytes are removed, one at every place; of a text of more than 64 bytes, two
    blocks of equal size. A byte's weight is the mean of what the windows that hold it change.

    Args:
        data: the row as it was read.
        log_odds: texts to the log-odds [texts] of the label in question.
    """
    if not data:
        return ()
    size = -(-len(data) // MAX_SPANS)
    blocks = -(-len(data) // size)
    starts = [i * size for i in range(max(blocks - 1, 1))]
    odds = log_odds([data, *(data[:i] + data[i + 2 * size :] for i in starts)])
    fallen = odds[0] - odds[1:]
    total, windows = np.zeros(len(data)), np.zeros(len(data))
    for start, fall in zip(starts, fallen.tolist(), strict=True):
        total[start : start + 2 * size] += fall
        windows[start : start + 2 * size] += 1
    return tuple(round(weight, 4) for weight in (total / windows).tolist())
