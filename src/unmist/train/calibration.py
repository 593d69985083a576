"""Scores that mean what they say, and thresholds chosen for a stated precision."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

MOST_OF_A_GROUP = 10  # rows
_LEAST_GROUPS = 100
_GOLDEN = (5**0.5 - 1) / 2
_NOISE = 0.003  # of the rows bear a label that nobody could tell from the text
_MARGIN = 1e-5  # the engine's score of a row may be this far from the one seen in training


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Log-probabilities [n, labels] in float64."""
    shifted = logits.astype(np.float64) - logits.max(1, keepdims=True)
    out: np.ndarray = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return out


def surprise(logits: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Negative log-likelihood of each row's label in nats [n], where a label may be anything in
    some of the rows.

    A row of another kind than all that was learnt gets its label with odds of one to millions, and
    a handful of such rows would decide how sure all others are. So a few rows in a thousand are
    taken to be labelled at random, and no row counts more than that explains.

    Args:
        logits: [n, labels].
        actual: [n] label numbers.

    Source: Huber's contaminated neighbourhood, "Robust Estimation of a Location Parameter", Annals
    of Mathematical Statistics 35 (1964).
    """
    said = np.exp(log_softmax(logits)[np.arange(len(actual)), actual])
    out: np.ndarray = -np.log((1 - _NOISE) * said + _NOISE / logits.shape[1])
    return out


def fair(groups: Sequence[str]) -> np.ndarray:
    """What each row weighs where a score is fitted: float64 [n], 1 for most.

    Rows of one group, say of one registrable domain, are alike, and many of them would decide for
    all others: a group of more than :data:`MOST_OF_A_GROUP` rows weighs like so many. Where there
    are few groups, all rows weigh 1: those that were left would say too little.

    Args:
        groups: [n]; a row without one is its own.
    """
    rows = Counter(group for group in groups if group)
    if len(rows) + sum(not group for group in groups) < _LEAST_GROUPS:
        return np.ones(len(groups))
    return np.array([min(1.0, MOST_OF_A_GROUP / max(rows[group], 1)) for group in groups])


def temperature(logits: np.ndarray, actual: np.ndarray, each: np.ndarray | None = None) -> float:
    """The temperature that minimises :func:`surprise`, by golden-section search.

    Args:
        logits: [n, labels], of rows that were not trained on.
        actual: [n] label numbers.
        each: what each row weighs [n]; None for the same.

    Source: Guo et al., "On Calibration of Modern Neural Networks", arXiv 1706.04599.
    """

    def mean(log_t: float) -> float:
        return float(np.average(surprise(logits / np.exp(log_t), actual), weights=each))

    low, high = np.log(0.05), np.log(20.0)
    for _ in range(60):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if mean(left) < mean(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def thresholds(
    probabilities: np.ndarray,
    actual: np.ndarray,
    precision: float,
    least_rows: int = 20,
    each: np.ndarray | None = None,
) -> np.ndarray:
    """Per label, the lowest score from which answers reach ``precision`` on these rows.

    A label that never reaches it on ``least_rows`` rows gets 1.0: unmist always abstains on it
    unless the network is certain. All rows count, also those of a large group: a promise had better
    be kept on them too.

    Args:
        probabilities: [n, labels], calibrated.
        actual: [n] label numbers; another number is of a row that should not be answered.
        precision: what shall be reached.
        least_rows: answered with a label, from which on its precision says something.
        each: what each row counts [n]; None for the same.

    Returns:
        [labels] thresholds on the calibrated probability of the predicted label.
    """
    predicted, confidence = probabilities.argmax(1), probabilities.max(1)
    counts = np.ones(len(actual)) if each is None else each
    chosen = np.ones(probabilities.shape[1])
    for label in range(probabilities.shape[1]):
        mine = predicted == label
        order = np.argsort(-confidence[mine], kind="stable")
        right = (actual[mine] == label)[order]
        scores, count = confidence[mine][order], counts[mine][order]
        reached = np.cumsum(right * count) / np.cumsum(count) >= precision
        reached[: least_rows - 1] = False
        reached[:-1] &= scores[:-1] - scores[1:] > 2 * _MARGIN  # equal scores answer together
        if reached.any():
            chosen[label] = max(scores[np.flatnonzero(reached)[-1]] - _MARGIN, 0.0)
    return chosen


def thresholds_for_false_positives(
    probabilities: np.ndarray, actual: np.ndarray, rate: float
) -> np.ndarray:
    """Per label, the lowest score from which at most ``rate`` of the rows of all other labels are
    answered with it.

    A label with fewer than ``3 / rate`` rows of other labels beside it gets 1.0: none wrong among n
    rows says no more than that the rate is below 3 / n, with 95 % confidence.

    Returns:
        [labels] thresholds on the calibrated probability of the predicted label.
    """
    predicted, confidence = probabilities.argmax(1), probabilities.max(1)
    chosen = np.ones(probabilities.shape[1])
    for label in range(probabilities.shape[1]):
        others = int((actual != label).sum())
        if others * rate < 3:
            continue
        wrong = np.sort(confidence[(predicted == label) & (actual != label)])
        allowed = int(others * rate)
        if len(wrong) <= allowed:
            chosen[label] = 0.0
        else:  # the highest one that may no longer be answered
            chosen[label] = min(float(wrong[len(wrong) - allowed - 1]) + _MARGIN, 1.0)
    return chosen
