"""95 % intervals by resampling whole groups: rows of one domain or one source are not independent.

Source: Davison and Hinkley, Bootstrap Methods and their Application (1997), section 3.8.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

ROUNDS: Final = 1000
_TAILS: Final = (2.5, 97.5)

Figure = dict[str, float | None]
"""``value``, and ``low`` and ``high`` of its 95 % interval; None where there are no rows."""


def weights(groups: Sequence[str], rounds: int = ROUNDS, seed: int = 1) -> np.ndarray:
    """How often each row is drawn: float32 [1 + rounds, n]; the first is the sample itself."""
    names, member = np.unique(np.array(groups, object).astype(str), return_inverse=True)
    if not len(names):
        return np.empty((1 + rounds, 0), np.float32)
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(len(names), np.full(len(names), 1 / len(names)), size=rounds)
    ones = np.ones((1, len(groups)), np.float32)
    return np.concatenate([ones, drawn[:, member].astype(np.float32)])


def mean(drawn: np.ndarray, values: np.ndarray, among: np.ndarray | None = None) -> np.ndarray:
    """Mean of ``values`` [n] over the rows ``among`` [n] under each draw: [draws]; NaN of none."""
    used = drawn if among is None else drawn * among
    total = used.sum(1, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        out: np.ndarray = (used @ values.astype(np.float64)) / total
    return out


def macro_f1(
    drawn: np.ndarray, actual: np.ndarray, predicted: np.ndarray, labels: int
) -> np.ndarray:
    """Macro-F1 under each draw: [draws], with the labels that :func:`metrics.macro_f1` averages."""
    number = np.arange(labels)
    is_actual = (actual[:, None] == number).astype(np.float32)
    is_predicted = (predicted[:, None] == number).astype(np.float32)
    both = drawn @ (is_actual * is_predicted)
    either = drawn @ (is_actual + is_predicted)
    occurs = either > 0
    f1 = np.divide(2 * both, either, out=np.zeros_like(both), where=occurs)
    with np.errstate(invalid="ignore", divide="ignore"):
        out: np.ndarray = f1.sum(1, dtype=np.float64) / occurs.sum(1)
    return out


def figure(draws: np.ndarray, digits: int = 4) -> Figure:
    """The sample's value and its interval from the values [draws] under each draw."""
    drawn = draws[1:][np.isfinite(draws[1:])]
    if not len(drawn) or not np.isfinite(draws[0]):
        return {"value": None, "low": None, "high": None}
    low, high = np.percentile(drawn, _TAILS)
    return {
        name: round(float(number), digits)
        for name, number in (("value", draws[0]), ("low", low), ("high", high))
    }
