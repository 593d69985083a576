"""Do explanations point at what matters? Remove the bytes they name, and as many at random.

Of every row the fifth of its bytes with the most weight is removed, and the label asked about
again; beside that, as many bytes in runs of the same lengths at random places. An explanation that
says something lowers the label's score more.

Source: Samek et al., "Evaluating the visualization of what a deep neural network has learned",
arXiv 1509.06321.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from unmist.evaluate import bootstrap
from unmist.evaluate.sampling import sample
from unmist.labelled.data import Example
from unmist.model import Model

ROWS: Final = 300
SHARE: Final = 0.2
DRAWS: Final = 5
LEAST_BYTES: Final = 5
"""A shorter text has no fifth to remove."""


@dataclass(frozen=True)
class _Row:
    """What is left of one row's text, by attribution and at random, and what it was about."""

    group: str
    label: str
    score: float
    without_top: bytes
    without_random: list[bytes]


def measure(
    model: Model,
    task: str,
    path: Path,
    rows: int = ROWS,
    seed: int = 1,
    progress: Callable[[int], object] = lambda done: None,
) -> dict[str, Any]:
    """The deletion test of one task.

    Args:
        model: an open model.
        task: one of its specialists.
        path: labelled rows; the labels are not looked at, the test is about what the network says.
        rows: at most this many are drawn.
        seed: decides which, and what is removed at random.
        progress: called with the number of rows done since the last call.

    Returns:
        ``attributed`` and ``random``: by how much the calibrated probability of the network's
        label falls on average; ``ratio`` of the two; all with a 95 % interval over groups.
        ``rows`` that were tested, and ``skipped``, those under five bytes or not UTF-8.

    Raises:
        InputError: the file cannot be read or has no rows.
        UsageError: the model has no such task.
    """
    chance = random.Random(seed)
    found: list[_Row] = []
    chosen = sample(path, rows, seed)
    for example in chosen:
        row = _without(model, task, example, chance)
        if row is not None:
            found.append(row)
        progress(1)
    top, by_chance = _falls(model, task, found)
    drawn = bootstrap.weights([row.group for row in found], seed=seed)
    attributed, at_random = bootstrap.mean(drawn, top), bootstrap.mean(drawn, by_chance)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = attributed / at_random
    return {
        "task": task,
        "data": "/".join(path.parts[-2:]),
        "model": model.hash,
        "rows": len(found),
        "skipped": len(chosen) - len(found),
        "seed": seed,
        "attributed": bootstrap.figure(attributed),
        "random": bootstrap.figure(at_random),
        "ratio": bootstrap.figure(ratio, 2),
    }


def heaviest(weights: Sequence[float], count: int) -> list[int]:
    """The places of the ``count`` highest weights, ascending; of equal ones the first."""
    order = sorted(range(len(weights)), key=lambda place: -weights[place])
    return sorted(order[:count])


def runs(places: Iterable[int]) -> list[int]:
    """Lengths of the runs of consecutive numbers in an ascending row."""
    lengths: list[int] = []
    last = -2
    for place in places:
        if place == last + 1:
            lengths[-1] += 1
        else:
            lengths.append(1)
        last = place
    return lengths


def scattered(lengths: Sequence[int], size: int, chance: random.Random) -> list[int]:
    """Runs of these lengths, in any order, at random among ``size`` bytes, none touching."""
    order = chance.sample(list(lengths), len(lengths))
    gaps = sorted(chance.sample(range(size - sum(lengths) + 1), len(lengths)))
    places: list[int] = []
    for gap, length in zip(gaps, order, strict=True):
        start = gap + len(places)
        places += range(start, start + length)
    return places


def _without(model: Model, task: str, example: Example, chance: random.Random) -> _Row | None:
    explanation = model.explain(example.text, task)
    verdict, data = explanation.verdict, explanation.read.encode("utf-8", "surrogatepass")
    size = len(explanation.byte_weights)
    if verdict.model_label is None or verdict.model_score is None or size < LEAST_BYTES:
        return None
    if size != len(data):
        return None
    top = heaviest(explanation.byte_weights, round(SHARE * size))
    lengths = runs(top)
    return _Row(
        example.group,
        verdict.model_label,
        verdict.model_score,
        _removed(data, top),
        [_removed(data, scattered(lengths, size, chance)) for _ in range(DRAWS)],
    )


def _removed(data: bytes, places: Iterable[int]) -> bytes:
    gone = set(places)
    return bytes(byte for i, byte in enumerate(data) if i not in gone)


def _falls(model: Model, task: str, rows: Sequence[_Row]) -> tuple[np.ndarray, np.ndarray]:
    """By how much each row's score falls, attributed and, on average, at random: float64 [n]."""
    labels = model.labels(task)
    top, by_chance = np.empty(len(rows)), np.empty(len(rows))
    for i, row in enumerate(rows):
        scores = model.probabilities([row.without_top, *row.without_random], task)
        left = scores[:, labels.index(row.label)].astype(np.float64)
        top[i], by_chance[i] = row.score - left[0], row.score - left[1:].mean()
    return top, by_chance
