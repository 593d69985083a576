"""What each threshold would do: how much of a label is answered, and how often rightly."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

GRID: Final = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)


def points(
    probabilities: np.ndarray,
    actual: np.ndarray,
    labels: Sequence[str],
    chosen: np.ndarray,
    grid: Sequence[float] = GRID,
) -> dict[str, list[dict[str, Any]]]:
    """For each label, what is answered with it at its own threshold and at those of a grid.

    Args:
        probabilities: [n, labels], calibrated.
        actual: [n] label numbers; -1 for a label that the model does not have.
        labels: the labels in order.
        chosen: [labels] thresholds that the model has.
        grid: thresholds to try.

    Returns:
        By label, for each ``threshold`` in rising order: ``chosen``, whether it is the model's;
        ``answered``, rows answered with the label; ``precision``, how many of them are right;
        ``recall``, how many of the label's rows are among them; ``false_positive_rate``, how many
        of all other rows are. A share of nothing is None.
    """
    predicted, confidence = probabilities.argmax(1), probabilities.max(1)
    found = {}
    for number, label in enumerate(labels):
        mine, own = predicted == number, actual == number
        found[label] = [
            {"threshold": round(float(at), 4), "chosen": bool(at == chosen[number])}
            | _shares(mine & (confidence >= at), own)
            for at in sorted({*grid, float(chosen[number])})
        ]
    return found


def _shares(answered: np.ndarray, own: np.ndarray) -> dict[str, Any]:
    right = int((answered & own).sum())
    return {
        "answered": int(answered.sum()),
        "precision": _share(right, int(answered.sum())),
        "recall": _share(right, int(own.sum())),
        "false_positive_rate": _share(int(answered.sum()) - right, int((~own).sum())),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None
