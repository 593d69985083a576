"""The floor to beat: a linear classifier on hashed character n-grams. Needs ``unmist[train]``.

::

    python -m unmist.labelled.ngram --data DATA/tasks/host-category -o ngram.json
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unmist.labelled import metrics
from unmist.labelled.data import Example, examples


def linear_classifier(seed: int, alpha: float = 1e-6) -> Any:
    """Logistic regression on n-gram counts, one label against all others, as every use here has
    it: averaged stochastic gradient descent, 8 epochs; ``alpha`` is the penalty."""
    from sklearn.linear_model import SGDClassifier

    return SGDClassifier(
        loss="log_loss", alpha=alpha, max_iter=8, tol=None, average=True, random_state=seed
    )


class NgramClassifier:
    """Counts of character 1- to 5-grams hashed into ``columns``, rows scaled to unit length,
    logistic loss by averaged stochastic gradient descent, 8 epochs, penalty ``alpha``.

    Attributes:
        labels: the labels, in the order of the columns of :meth:`probabilities`.
    """

    def __init__(
        self,
        texts: list[str],
        labels: Sequence[Any],
        seed: int = 1,
        alpha: float = 1e-6,
        columns: int = 2**20,
    ) -> None:
        from sklearn.feature_extraction.text import HashingVectorizer

        self._vectorizer = HashingVectorizer(
            analyzer="char", ngram_range=(1, 5), n_features=columns, alternate_sign=False, norm="l2"
        )
        self._classifier = linear_classifier(seed, alpha)
        self._classifier.fit(self._vectorizer.transform(texts), labels)
        self.labels: list[Any] = list(self._classifier.classes_)

    def probabilities(self, texts: list[str]) -> np.ndarray:
        """float64 [n, labels]."""
        out: np.ndarray = self._classifier.predict_proba(self._vectorizer.transform(texts))
        return out


def scores(classifier: NgramClassifier, rows: Sequence[Example]) -> dict[str, float]:
    """Accuracy, macro-F1 and calibration error on labelled rows."""
    number = {label: i for i, label in enumerate(classifier.labels)}
    probabilities = classifier.probabilities([row.text for row in rows])
    predicted = probabilities.argmax(1)
    actual = np.array([number.get(row.label, -1) for row in rows])
    error = metrics.expected_calibration_error(predicted == actual, probabilities.max(1))
    return {
        "accuracy": round(float((actual == predicted).mean()), 4),
        "macro_f1": round(metrics.macro_f1(actual, predicted, len(number)), 4),
        "ece": round(error, 4),
    }


def floor(folder: Path, seed: int = 1) -> dict[str, Any]:
    """Train on a task's train split and score its dev and test splits."""
    began = time.perf_counter()
    train = examples(folder / "train.tsv.zst")
    classifier = NgramClassifier([e.text for e in train], [e.label for e in train], seed)
    result: dict[str, Any] = {"task": folder.name, "rows": len(train)}
    for split in ("dev", "test"):
        result[split] = scores(classifier, examples(folder / f"{split}.tsv.zst"))
    return result | {"seconds": round(time.perf_counter() - began, 1)}


def main() -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description="The character n-gram floor of a task.")
    parser.add_argument("--data", type=Path, required=True, help="folder of one task")
    parser.add_argument("-o", "--output", type=Path)
    args = parser.parse_args()
    text = json.dumps(floor(args.data), indent=1) + "\n"
    if args.output is not None:
        args.output.write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
