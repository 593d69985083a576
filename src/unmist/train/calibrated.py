"""What a specialist answers from on, chosen on dev, and what that does on dev and test."""

from itertools import compress
from typing import Any, Final

import numpy as np

from unmist.labelled.task import score, stood_by
from unmist.train import calibration
from unmist.train.specialist import Rows

_LOST: Final = 0.05  # share of dev's rows that may be taken for ones that bear none of the labels


def calibrated(
    logits: dict[str, np.ndarray],
    rows: dict[str, Rows],
    open_to: dict[str, np.ndarray],
    labels: list[str],
    precision: float,
) -> dict[str, Any]:
    """Temperature, thresholds and, where there is an output for it, the limit outside the labels.

    Args:
        logits: [n, outputs] of ``dev`` and ``test``; one output more than labels where texts that
            bear none of them are learnt.
        rows: of the same splits; a number of as many as there are labels stands for none of them.
        open_to: which of these rows may be answered at all [n].
        labels: the task's.
        precision: what the thresholds shall reach.

    Returns:
        Keys of ``task.json``, with ``scores`` of both splits. Rows that bear none of the labels
        count in the shares named ``outside_…`` alone.
    """
    inside = {name: rows[name].labels < len(labels) for name in logits}
    among = {name: said[inside[name], : len(labels)] for name, said in logits.items()}
    labelled = {name: rows[name].labels[inside[name]] for name in logits}
    each = calibration.fair(list(compress(rows["dev"].groups, inside["dev"])))
    heat = calibration.temperature(among["dev"], labelled["dev"], each)
    odds = np.exp(calibration.log_softmax(among["dev"] / heat))
    chosen = calibration.thresholds(odds, labelled["dev"], precision)
    said = {"temperature": heat, "thresholds": dict(zip(labels, chosen.tolist(), strict=True))}
    apart = dict(open_to)
    if logits["dev"].shape[1] > len(labels):
        stray = {n: np.exp(calibration.log_softmax(x))[:, -1] for n, x in logits.items()}
        said["outside"] = limit = float(np.quantile(stray["dev"][inside["dev"]], 1 - _LOST))
        apart = {name: known & (stray[name] < limit) for name, known in open_to.items()}
    scores = {}
    for name, found in among.items():
        if not rows[name].ids:
            continue
        probabilities = np.exp(calibration.log_softmax(found / heat))
        open_here = apart[name][inside[name]]
        whole = score(probabilities, labelled[name], chosen, labels, open_here)
        scores[name] = {k: v for k, v in whole.items() if isinstance(v, float)}
        if not inside[name].all():
            scores[name] |= _outsiders(logits[name], ~inside[name], apart[name], heat, chosen)
    return said | {"precision": precision, "scores": scores}


def _outsiders(
    logits: np.ndarray, chosen: np.ndarray, open_to: np.ndarray, heat: float, least: np.ndarray
) -> dict[str, float]:
    """Shares of the chosen rows, which bear none of the labels: taken for such, and answered with a
    label although they have none; and what would be answered if none were taken for such."""
    odds = np.exp(calibration.log_softmax(logits[chosen, :-1] / heat))
    found = open_to[chosen]
    shares = {
        "outside_unfamiliar": ~found,
        "outside_answered": stood_by(odds, least, found),
        "outside_answered_otherwise": stood_by(odds, least),
    }
    return {name: round(float(which.mean()), 4) for name, which in shares.items()}
