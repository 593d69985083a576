"""What a specialist answers from on, chosen on dev, and what that does on dev and test."""

from itertools import compress
from typing import Any, Final

import numpy as np

from unmist.labelled.task import score, stood_by
from unmist.train import calibration
from unmist.train.specialist import Rows

_LOST: Final = 0.05  # share of dev's rows that may be taken for ones that bear none of the labels
_OUTSIDE: Final = 1 / 3  # of what is asked bears none of the labels, as the thresholds assume


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
        precision: what the thresholds shall reach; where rows that bear none of the labels are
            learnt, when a third of what is asked is such.

    Returns:
        Keys of ``task.json``, with ``scores`` of both splits. Rows that bear none of the labels
        count in the shares named ``outside_…`` alone.
    """
    dev, inside = rows["dev"], rows["dev"].labels < len(labels)
    each = calibration.fair(list(compress(dev.groups, inside)))
    among = {name: said[:, : len(labels)] for name, said in logits.items()}
    heat = calibration.temperature(among["dev"][inside], dev.labels[inside], each)
    said: dict[str, Any] = {"temperature": heat}
    asked = dict(open_to)
    if logits["dev"].shape[1] > len(labels):
        stray = {n: np.exp(calibration.log_softmax(x))[:, -1] for n, x in logits.items()}
        said["outside"] = limit = float(np.quantile(stray["dev"][inside], 1 - _LOST))
        asked = {name: known & (stray[name] < limit) for name, known in open_to.items()}
    odds = {n: np.exp(calibration.log_softmax(x / heat)) for n, x in among.items() if len(x)}
    known, count = asked["dev"], _counts(inside)
    chosen = calibration.thresholds(
        odds["dev"][known], dev.labels[known], precision, each=count[known]
    )
    said["thresholds"] = dict(zip(labels, chosen.tolist(), strict=True))
    scores = {n: _scores(o, rows[n].labels, asked[n], chosen, labels) for n, o in odds.items()}
    return said | {"precision": precision, "scores": scores}


def _counts(inside: np.ndarray) -> np.ndarray:
    """What each row counts [n], so that :data:`_OUTSIDE` of them all bear none of the labels."""
    alike = _OUTSIDE / (1 - _OUTSIDE) * inside.sum() / max((~inside).sum(), 1)
    return np.where(inside, 1.0, alike)


def _scores(
    odds: np.ndarray, actual: np.ndarray, asked: np.ndarray, least: np.ndarray, labels: list[str]
) -> dict[str, float]:
    """Figures of the rows that bear a label; of the others, if there are any, the shares that are
    taken for such, that are answered with a label although they have none, and that would be if
    none were taken for such."""
    inside = actual < len(labels)
    whole = score(odds[inside], actual[inside], least, labels, asked[inside])
    found = {name: value for name, value in whole.items() if isinstance(value, float)}
    if inside.all():
        return found
    above, known = stood_by(odds[~inside], least), asked[~inside]
    shares = {
        "outside_unfamiliar": ~known,
        "outside_answered": above & known,
        "outside_answered_otherwise": above,
    }
    return found | {name: round(float(which.mean()), 4) for name, which in shares.items()}
