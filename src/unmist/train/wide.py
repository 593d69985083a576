"""Train a wide head and set how much it and the adapter's own head have to say.

The linear layer is trained on the training split alone, as a one-against-all logistic regression;
how it is mixed with the network is two numbers, chosen on dev, where neither was trained.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from unmist.engine.wide import Wide
from unmist.evaluate.ngram import linear_classifier
from unmist.text import ngrams
from unmist.train.calibration import log_softmax, temperature


@dataclass(frozen=True)
class Mix:
    """``network`` times the network's logits, plus ``wide``'s logits, plus ``bias`` [labels].

    ``gain`` is what the wide head lowers dev's negative log-likelihood by, in nats a row, against
    the network alone at its own best temperature.
    """

    network: float
    wide: Wide
    bias: np.ndarray
    gain: float


def train(
    texts: Sequence[bytes],
    labels: np.ndarray,
    count: int,
    bits: int,
    seed: int = 1,
    each: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Weights float32 [2**bits, count] and bias [count] of a logistic regression.

    Args:
        texts: rows as the network reads them.
        labels: their label numbers, at least two different ones.
        count: number of labels.
        bits: n-grams are hashed into ``2**bits`` buckets.
        seed: order of the rows.
        each: what each row weighs [n]; None for the same.
    """
    classifier = linear_classifier(seed)
    classifier.fit(matrix(texts, bits), labels, sample_weight=each)
    weight, bias = classifier.coef_, classifier.intercept_
    if len(weight) == 1:  # sklearn has one column for two labels
        weight, bias = np.concatenate((-weight, weight)) / 2, np.concatenate((-bias, bias)) / 2
    whole = np.zeros((2**bits, count), np.float32)
    whole[:, classifier.classes_] = weight.T
    biases = np.full(count, bias.min(), np.float32)  # a label without rows: no likelier than any
    biases[classifier.classes_] = bias
    return whole, biases


def matrix(texts: Sequence[bytes], bits: int) -> csr_matrix:
    """Counts of hashed n-grams [n, 2**bits] over the root of their number."""
    found = list(ngrams.hashed(texts, bits))
    rows = np.concatenate([rows for rows, _ in found])
    buckets = np.concatenate([buckets for _, buckets in found])
    values = (1 / np.sqrt(ngrams.counts(texts)))[rows].astype(np.float32)
    return csr_matrix((values, (rows, buckets)), shape=(len(texts), 2**bits))


def mix(
    weight: np.ndarray,
    bias: np.ndarray,
    network: np.ndarray,
    texts: Sequence[bytes],
    labels: np.ndarray,
) -> Mix:
    """Round the weights to int8 and choose the two factors that minimise dev's negative
    log-likelihood.

    Args:
        weight: float32 [2**bits, labels].
        bias: float32 [labels].
        network: logits [n, labels] of the network on dev.
        texts: dev's rows.
        labels: their label numbers.
    """
    step = np.maximum(np.abs(weight).max(0), 1e-12) / 127
    rounded = np.round(weight / step).astype(np.int8)
    spelled = Wide(rounded, step.astype(np.float32)).logits(texts) + bias
    rows = np.arange(len(labels))

    def nll(logs: np.ndarray) -> float:
        both = np.exp(logs[0]) * network + np.exp(logs[1]) * spelled
        return float(-log_softmax(both)[rows, labels].mean())

    found = minimize(nll, np.log([0.7, 0.5]), method="Nelder-Mead")
    best = np.exp(found.x)
    wide = Wide(rounded, (step * best[1]).astype(np.float32))
    alone = log_softmax(network / temperature(network, labels))[rows, labels]
    gain = float(-alone.mean() - found.fun)
    return Mix(float(best[0]), wide, (bias * best[1]).astype(np.float32), gain)
