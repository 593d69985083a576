"""Which bytes drove a label: hide a piece, ask again, and see how far the answer moves.

The network was trained with a third of its tokens hidden, so a hidden piece is nothing foreign to
it. No gradient is needed, and the answer is about the very network that gave the verdict.

Source: occlusion, after Zeiler and Fergus, arXiv 1311.2901.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from unmist.verdict import Verdict

MAX_SPANS: Final = 64
"""Longer rows are hidden several tokens at a time, so that one explanation has a bounded cost."""


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
class Explanation:
    """A verdict and what drove its ``model_label``.

    ``read`` is the text as the network read it, normalised and perhaps cut; the spans cover all of
    its bytes, in order. A row that could not be asked about has no spans.
    """

    verdict: Verdict
    read: str
    spans: tuple[Span, ...]


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
