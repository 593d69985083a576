"""Intervals by resampling test rows, the same resamples for every model that is compared.

Source: Efron, "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics 7 (1979).
"""

from typing import Final

import numpy as np

RESAMPLES: Final = 1000


def weights(rows: int, seed: int = 1, resamples: int = RESAMPLES) -> np.ndarray:
    """How often each row stands in each resample: float32 [resamples, rows]."""
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(rows, np.full(rows, 1 / rows), size=resamples)
    return drawn.astype(np.float32)


def accuracies(weight: np.ndarray, actual: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Accuracy of each resample: [resamples]."""
    out: np.ndarray = weight @ (actual == predicted).astype(np.float32) / weight.sum(1)
    return out


def macro_f1s(
    weight: np.ndarray, actual: np.ndarray, predicted: np.ndarray, labels: int
) -> np.ndarray:
    """:func:`unmist.evaluate.metrics.macro_f1` of each resample: [resamples]."""
    columns = np.arange(labels)
    is_actual, is_predicted = actual[:, None] == columns, predicted[:, None] == columns
    hit = weight @ (is_actual & is_predicted).astype(np.float32)
    total = weight @ is_actual.astype(np.float32) + weight @ is_predicted.astype(np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        f1 = 2 * hit / total  # nan for a label that does not occur
    return np.asarray(np.nanmean(f1, axis=1))


def weighted_means(weight: np.ndarray, values: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Mean over the members of resampled groups, from each group's sum and size: [resamples]."""
    out: np.ndarray = weight @ values.astype(np.float32) / (weight @ sizes.astype(np.float32))
    return out


def interval(values: np.ndarray) -> list[float]:
    """The middle 95 % of resampled values."""
    low, high = np.percentile(values, [2.5, 97.5])
    return [round(float(low), 4), round(float(high), 4)]
