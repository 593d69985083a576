"""Score a specialist on a labelled file, through the same path a user's rows take."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from unmist.artifact import TaskCard
from unmist.errors import InputError
from unmist.labelled import metrics
from unmist.labelled.data import Example, labelled
from unmist.labelled.thresholds import points
from unmist.model import Model

_CHUNK = 4096


def evaluate_task(
    model: Model,
    task: str,
    data: str | Path,
    progress: Callable[[int], object] | None = None,
    *,
    thresholds: bool = False,
) -> dict[str, Any]:
    """Accuracy, macro-F1, calibration and what the thresholds do, on a labelled file.

    Args:
        model: an open model.
        task: one of its specialists.
        data: a file with columns text and label: TSV, CSV, JSON lines or Parquet, compressed or
            not.
        progress: called with the number of rows done since the last call.
        thresholds: also say what other thresholds would do.

    Returns:
        ``accuracy`` and ``macro_f1`` of the network's own answer on all rows; ``coverage``, the
        share answered (familiar, and above the default thresholds), and ``answered_accuracy`` on
        those; ``ece``;
        ``f1`` and ``precision`` (of answered rows) per label; ``rows``; ``seconds``; on demand
        ``thresholds``, see :func:`unmist.labelled.thresholds.points`.

    Raises:
        InputError: the file cannot be read or has no rows.
        UsageError: the model has no such task.
    """
    card = model.card(task)
    rows = labelled(Path(data))
    if not rows:
        raise InputError("no rows; expected columns text and label", str(data))
    began = time.perf_counter()
    probabilities, open_to = ask(model, task, rows, progress)
    seconds = time.perf_counter() - began
    number = {label: i for i, label in enumerate(card.labels)}
    actual = np.array([number.get(row.label, -1) for row in rows])
    chosen = least_scores(card)
    file = "/".join(Path(data).parts[-2:])
    result: dict[str, Any] = {"task": task, "data": file, "model": model.hash}
    result |= score(probabilities, actual, chosen, card.labels, open_to)
    result |= {"rows": len(rows), "seconds": round(seconds, 3)}
    if thresholds:
        result["thresholds"] = points(probabilities, actual, card.labels, chosen)
    return result


def ask(
    model: Model,
    task: str,
    rows: list[Example],
    progress: Callable[[int], object] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities float32 [rows, labels], zero for a row that is no text, and whether a row may
    be answered at all, bool [rows]: it is a text of the kind that the specialist knows."""
    probabilities = np.zeros((len(rows), len(model.labels(task))), np.float32)
    open_to = np.zeros(len(rows), bool)
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        for place, (verdict, odds) in enumerate(model.rank([row.text for row in chunk], task)):
            if odds is not None:
                probabilities[start + place] = odds
                open_to[start + place] = verdict.reason != "unfamiliar"
        if progress is not None:
            progress(len(chunk))
    return probabilities, open_to


def least_scores(card: TaskCard) -> np.ndarray:
    """The thresholds of a card, in the order of its labels: float64 [labels]."""
    return np.array([card.thresholds[label] for label in card.labels])


def stood_by(
    probabilities: np.ndarray, thresholds: np.ndarray, open_to: np.ndarray | None = None
) -> np.ndarray:
    """Which rows are answered, bool [n]: those that may be (``open_to`` [n]; None: all) and whose
    best label reaches its threshold. Probabilities are [n, labels], thresholds [labels]."""
    above: np.ndarray = probabilities.max(1) >= thresholds[probabilities.argmax(1)]
    return above if open_to is None else above & open_to


def score(
    probabilities: np.ndarray,
    actual: np.ndarray,
    thresholds: np.ndarray,
    labels: list[str],
    open_to: np.ndarray | None = None,
) -> dict[str, Any]:
    """Figures from probabilities [n, labels], true label numbers [n] and thresholds [labels].

    ``open_to`` [n] says which rows may be answered; None: all.
    """
    predicted = probabilities.argmax(1)
    confidence = probabilities.max(1)
    correct = predicted == actual
    answered = stood_by(probabilities, thresholds, open_to)
    return {
        "accuracy": round(float(correct.mean()), 4),
        "macro_f1": round(metrics.macro_f1(actual, predicted, len(labels)), 4),
        "coverage": round(float(answered.mean()), 4),
        "answered_accuracy": round(float(correct[answered].mean()), 4) if answered.any() else None,
        "ece": round(metrics.expected_calibration_error(correct, confidence), 4),
        "f1": {
            label: round(metrics.f1(actual == i, predicted == i), 4)
            for i, label in enumerate(labels)
        },
        "precision": {
            label: round(float(correct[answered & (predicted == i)].mean()), 4)
            for i, label in enumerate(labels)
            if (answered & (predicted == i)).any()
        },
    }
