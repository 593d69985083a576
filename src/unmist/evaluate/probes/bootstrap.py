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


def weighted_means(weight: np.ndarray, values: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Mean over the members of resampled groups, from each group's sum and size: [resamples]."""
    out: np.ndarray = weight @ values.astype(np.float32) / (weight @ sizes.astype(np.float32))
    return out


def interval(values: np.ndarray) -> list[float]:
    """The middle 95 % of resampled values."""
    low, high = np.percentile(values, [2.5, 97.5])
    return [round(float(low), 4), round(float(high), 4)]
