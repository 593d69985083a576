"""Train a wide head and set how much it and the adapter's own head have to say.

The linear layer is trained on the training split alone, as a one-against-all logistic regression;
how it is mixed with the network is two numbers, chosen on dev, where neither was trained. The
network may learn beside it: then it is told what the layer says of rows that it did not learn from.

Source of that: Wolpert, "Stacked Generalization", Neural Networks 5 (1992); here the logits are an
offset, as in boosting.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from unmist.engine.wide import Wide
from unmist.labelled.ngram import linear_classifier
from unmist.text import ngrams
from unmist.train.calibration import surprise, temperature

FOLDS: Final = 5


@dataclass(frozen=True)
class Mix:
    """``network`` times the network's logits, plus ``wide``'s logits, plus ``bias`` [labels].

    ``gain`` is what the wide head lowers dev's mean surprise by, in nats a row, against the network
    alone at its own best temperature.
    """

    network: float
    wide: Wide
    bias: np.ndarray
    gain: float


def train(
    grams: csr_matrix,
    labels: np.ndarray,
    count: int,
    seed: int = 1,
    each: np.ndarray | None = None,
    rarity: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Weights float32 [2**bits, count] and bias [count] of a logistic regression.

    Args:
        grams: of :func:`matrix`, [n, 2**bits].
        labels: label numbers [n], at least two different ones.
        count: number of labels.
        seed: order of the rows.
        each: what each row weighs [n]; None for the same.
        rarity: what each bucket's count is multiplied by while learning [2**bits]; None for 1. The
            weights that are returned are for counts as they are.
    """
    classifier = linear_classifier(seed)
    scaled = grams if rarity is None else grams.multiply(rarity).tocsr()
    classifier.fit(scaled, labels, sample_weight=each)
    weight, bias = classifier.coef_, classifier.intercept_
    if len(weight) == 1:  # sklearn has one column for two labels
        weight, bias = np.concatenate((-weight, weight)) / 2, np.concatenate((-bias, bias)) / 2
    whole = np.zeros((grams.shape[1], count), np.float32)
    whole[:, classifier.classes_] = weight.T if rarity is None else weight.T * rarity[:, None]
    biases = np.full(count, bias.min(), np.float32)  # a label without rows: no likelier than any
    biases[classifier.classes_] = bias
    return whole, biases


def out_of_fold(
    grams: csr_matrix,
    labels: np.ndarray,
    count: int,
    groups: Sequence[str],
    seed: int = 1,
    each: np.ndarray | None = None,
    rarity: np.ndarray | None = None,
) -> np.ndarray:
    """Logits float32 [n, count] of every row, by a layer trained without the rows of its fold.

    Args:
        groups: rows of one group are in one fold; a row without one is its own.

    The other arguments are those of :func:`train`. Where the other folds hold one label only, the
    logits are 0.
    """
    names = [group or str(row) for row, group in enumerate(groups)]
    folds = np.array([zlib.crc32(name.encode("utf-8", "surrogatepass")) % FOLDS for name in names])
    out = np.zeros((len(labels), count), np.float32)
    for fold in range(FOLDS):
        rest, held = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        if not len(held) or len(np.unique(labels[rest])) < 2:
            continue
        weights = None if each is None else each[rest]
        weight, bias = train(grams[rest], labels[rest], count, seed, weights, rarity)
        out[held] = grams[held] @ weight + bias
    return out


def matrix(texts: Sequence[bytes], bits: int) -> csr_matrix:
    """Counts of hashed n-grams [n, 2**bits] over the root of their number."""
    found = list(ngrams.hashed(texts, bits))
    rows = np.concatenate([rows for rows, _ in found])
    buckets = np.concatenate([buckets for _, buckets in found])
    values = (1 / np.sqrt(ngrams.counts(texts)))[rows].astype(np.float32)
    return csr_matrix((values, (rows, buckets)), shape=(len(texts), 2**bits))


def rarity(grams: csr_matrix) -> np.ndarray:
    """How rare each bucket is among the rows: float32 [2**bits], such that rows of counts times it
    have length 1 in the root mean square. Source: Spärck Jones, "A statistical interpretation of
    term specificity", Journal of Documentation 28 (1972), smoothed as scikit-learn does."""
    rows = grams.shape[0]
    rare = np.log((1 + rows) / (1 + np.bincount(grams.indices, minlength=grams.shape[1]))) + 1
    length = np.sqrt(grams.multiply(rare).power(2).sum() / rows)
    out: np.ndarray = (rare / max(length, 1e-12)).astype(np.float32)
    return out


def mix(
    weight: np.ndarray,
    bias: np.ndarray,
    network: np.ndarray,
    texts: Sequence[bytes],
    labels: np.ndarray,
    each: np.ndarray | None = None,
) -> Mix:
    """Round the weights to int8 and choose the two factors that minimise dev's mean
    surprise (:func:`unmist.train.calibration.surprise`).

    Args:
        weight: float32 [2**bits, labels].
        bias: float32 [labels].
        network: logits [n, labels] of the network on dev.
        texts: dev's rows.
        labels: their label numbers.
        each: what each row weighs [n]; None for the same.
    """
    step = np.maximum(np.abs(weight).max(0), 1e-12) / 127
    rounded = np.round(weight / step).astype(np.int8)
    spelled = Wide(rounded, step.astype(np.float32)).logits(texts) + bias

    def mean(logs: np.ndarray) -> float:
        both = np.exp(logs[0]) * network + np.exp(logs[1]) * spelled
        return float(np.average(surprise(both, labels), weights=each))

    found = minimize(mean, np.log([0.7, 0.5]), method="Nelder-Mead")
    best = np.exp(found.x)
    wide = Wide(rounded, (step * best[1]).astype(np.float32))
    alone = surprise(network / temperature(network, labels, each), labels)
    gain = float(np.average(alone, weights=each) - found.fun)
    return Mix(float(best[0]), wide, (bias * best[1]).astype(np.float32), gain)
