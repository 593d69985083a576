"""Scores of calibrated classifiers, from labels and probabilities."""

from typing import Final

import numpy as np

ECE_BINS: Final = 15


def f1(actual: np.ndarray, predicted: np.ndarray) -> float:
    """F1 of one label from two boolean arrays; 0 when it occurs in neither."""
    total = int(actual.sum() + predicted.sum())
    return 2 * int((actual & predicted).sum()) / total if total else 0.0


def macro_f1(actual: np.ndarray, predicted: np.ndarray, labels: int) -> float:
    """Mean F1 over the labels that occur in ``actual`` or ``predicted``.

    ``actual`` may hold -1 for a label that the model does not have: always wrong, never averaged.
    """
    occur = np.union1d(actual, predicted)
    occur = occur[(occur >= 0) & (occur < labels)]
    return float(np.mean([f1(actual == label, predicted == label) for label in occur]))


def expected_calibration_error(correct: np.ndarray, confidence: np.ndarray) -> float:
    """Gap between confidence and accuracy over 15 equal-width bins, weighted by rows.

    Source: Guo et al., "On Calibration of Modern Neural Networks", arXiv 1706.04599.
    """
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    gap = 0.0
    for number in range(ECE_BINS):
        chosen = bins == number
        if chosen.any():
            gap += chosen.mean() * abs(correct[chosen].mean() - confidence[chosen].mean())
    return float(gap)


def calibration_error_by_chance(confidence: np.ndarray, draws: int = 200, seed: int = 1) -> float:
    """The error that as many rows would show in the mean if every confidence were exactly right.

    With few rows in a bin their accuracy is off by chance alone, and the error counts that.

    Source: Bröcker and Smith, "Increasing the Reliability of Reliability Diagrams", Weather and
    Forecasting 22 (2007), "consistency resampling".
    """
    generator = np.random.default_rng(seed)
    errors = [
        expected_calibration_error(generator.random(len(confidence)) < confidence, confidence)
        for _ in range(draws)
    ]
    return float(np.mean(errors))
