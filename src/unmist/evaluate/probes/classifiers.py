"""Probes on frozen vectors: a linear classifier and nearest neighbours. Needs ``unmist[train]``."""

import warnings
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from unmist.labelled import metrics
from unmist.labelled.data import Example
from unmist.labelled.ngram import NgramClassifier

PENALTIES: Final = (1e-3, 1e-2, 1e-1, 1.0)  # inverse strengths, as scikit-learn's C
NEIGHBOURS: Final = (1, 5, 10, 20)
ALPHAS: Final = (1e-6, 1e-5, 1e-4)
COLUMNS: Final = 2**18  # of the floor, which has a few thousand rows only
_ITERATIONS: Final = 200


@dataclass(frozen=True)
class Labelled:
    """A task's labels as numbers; -1 in ``dev`` and ``test`` is a label that train lacks."""

    names: list[str]
    train: np.ndarray
    dev: np.ndarray
    test: np.ndarray

    @classmethod
    def of(cls, splits: dict[str, list[Example]]) -> "Labelled":
        """From the rows of the three splits."""
        names = sorted({row.label for row in splits["train"]})
        number = {name: i for i, name in enumerate(names)}
        coded = {
            split: np.array([number.get(row.label, -1) for row in rows])
            for split, rows in splits.items()
        }
        return cls(names, coded["train"], coded["dev"], coded["test"])


@dataclass(frozen=True)
class Answer:
    """What one probe answered on the test rows, and the setting that dev chose."""

    predicted: np.ndarray
    setting: dict[str, Any] = field(default_factory=dict)


def linear(labels: Labelled, train: np.ndarray, dev: np.ndarray, test: np.ndarray) -> Answer:
    """Multinomial logistic regression on standardised vectors, penalty chosen on dev."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    mean, scale = train.mean(0), train.std(0) + 1e-6
    train, dev, test = ((x - mean) / scale for x in (train, dev, test))
    best: tuple[float, float, Any] | None = None
    model = LogisticRegression(max_iter=_ITERATIONS, warm_start=True)
    for penalty in PENALTIES:
        model.set_params(C=penalty)
        with warnings.catch_warnings():
            # A fit that ends at the limit is one more setting for dev to judge.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(train, labels.train)
        reached = _macro_f1(labels, labels.dev, model.predict(dev))
        if best is None or reached > best[0]:
            best = reached, penalty, model.predict(test)
    assert best is not None
    return Answer(best[2], {"C": best[1]})


def nearest(labels: Labelled, train: np.ndarray, dev: np.ndarray, test: np.ndarray) -> Answer:
    """Vote of the nearest training rows by cosine, weighted by it; their number chosen on dev."""
    hot = np.eye(len(labels.names), dtype=np.float32)[labels.train]
    best: tuple[float, int] | None = None
    order, cosine = _neighbours(train, dev)
    for count in NEIGHBOURS:
        reached = _macro_f1(labels, labels.dev, _vote(hot, order, cosine, count))
        if best is None or reached > best[0]:
            best = reached, count
    assert best is not None
    return Answer(_vote(hot, *_neighbours(train, test), best[1]), {"k": best[1]})


def ngrams(labels: Labelled, splits: dict[str, list[Example]]) -> Answer:
    """The floor: a linear classifier on character n-grams of the same rows, alpha by dev."""
    texts = {split: [row.text for row in rows] for split, rows in splits.items()}
    best: tuple[float, float, np.ndarray] | None = None
    for alpha in ALPHAS:
        model = NgramClassifier(texts["train"], labels.train.tolist(), alpha=alpha, columns=COLUMNS)
        numbers = np.array(model.labels)
        dev = numbers[model.probabilities(texts["dev"]).argmax(1)]
        reached = _macro_f1(labels, labels.dev, dev)
        if best is None or reached > best[0]:
            best = reached, alpha, numbers[model.probabilities(texts["test"]).argmax(1)]
    assert best is not None
    return Answer(best[2], {"alpha": best[1]})


def _macro_f1(labels: Labelled, actual: np.ndarray, predicted: np.ndarray) -> float:
    return metrics.macro_f1(actual, predicted, len(labels.names))


def _neighbours(train: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest training rows of each row and their cosines, best first: [n, k] each."""
    count = min(max(NEIGHBOURS), len(train))
    similarity = rows @ train.T
    some = np.argpartition(-similarity, count - 1, axis=1)[:, :count]
    cosine = np.take_along_axis(similarity, some, 1)
    order = np.argsort(-cosine, axis=1, kind="stable")
    return np.take_along_axis(some, order, 1), np.take_along_axis(cosine, order, 1)


def _vote(hot: np.ndarray, order: np.ndarray, cosine: np.ndarray, count: int) -> np.ndarray:
    weight = np.maximum(cosine[:, :count], 1e-6)
    votes = (hot[order[:, :count]] * weight[:, :, None]).sum(1)
    return np.asarray(votes.argmax(1))
