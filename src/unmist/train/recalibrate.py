"""A specialist with other thresholds: temperature and thresholds chosen anew on a user's rows.

Factors and heads are copied as they are, so nothing is learnt and no torch is needed. The result is
an adapter folder like those of ``unmist train``, under a name of its own: verdicts of other
thresholds carry another task and another hash.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import compress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from unmist.artifact import layout, manifest
from unmist.errors import InputError, UsageError
from unmist.labelled.data import Example
from unmist.labelled.table import Table
from unmist.labelled.task import ask, score
from unmist.labelled.thresholds import points
from unmist.model import Model
from unmist.train import calibration

LEAST_ROWS: Final = 40
_TINY: Final = 1e-30  # a probability that float32 has rounded to 0


@dataclass(frozen=True)
class Aim:
    """What the thresholds shall reach: a precision, or else a false positive rate."""

    precision: float | None = None
    false_positive_rate: float | None = None

    def __str__(self) -> str:
        if self.false_positive_rate is not None:
            return f"false positive rate {self.false_positive_rate:g}"
        return f"precision {self.precision:g}"


def recalibrate(
    model: Model,
    task: str,
    source: Path,
    table: Table,
    name: str,
    aim: Aim,
    output: Path,
    progress: Callable[[int], object] = lambda rows: None,
) -> dict[str, Any]:
    """Write an adapter folder: the specialist with a temperature and thresholds from one half of
    the rows.

    Args:
        model: the model, with the specialist open in it.
        task: the specialist.
        source: its adapter folder.
        table: labelled rows; a label that the task has not is one that should not be answered.
        name: what the card calls the rows, e.g. the file's name.
        aim: what the thresholds shall reach.
        output: the folder to write; its name becomes the task's.
        progress: called with the number of rows done since the last call.

    Returns:
        ``card``, the content of ``task.json``; ``kept``, the figures on the other half, as
        :func:`unmist.evaluate.evaluate_task` gives them; ``thresholds``, by label what the
        new threshold does there.

    Raises:
        UsageError: ``output`` exists, or is named like a specialist of the model.
        InputError: too few rows.
    """
    _check(model, output)
    labels = list(model.labels(task))
    actual = np.array([labels.index(n) if n in labels else -1 for n in table.labels])
    groups = _groups(table, model.field_of(task))
    chosen_on = np.array([_is_first(group) for group in groups])
    for half, which in (("choose on", chosen_on), ("measure on", ~chosen_on)):
        if int(which.sum()) < LEAST_ROWS or not (actual[which] >= 0).any():
            message = f"{int(which.sum())} of its {len(groups)} rows are left to {half}"
            raise InputError(f"{message}; expected {LEAST_ROWS}, with labels of {task}", name)
    logits, open_to = _logits(model, task, table.texts, progress)
    known = chosen_on & (actual >= 0)
    each = calibration.fair(list(compress(groups, chosen_on)))
    heat = calibration.temperature(logits[known], actual[known], each[known[chosen_on]])
    odds = np.exp(calibration.log_softmax(logits / heat))
    new = _choose(odds[chosen_on], actual[chosen_on], aim)
    measured = (odds[~chosen_on], actual[~chosen_on], new, labels, open_to[~chosen_on])
    kept = score(*measured) | {"rows": int((~chosen_on).sum())}
    about = {
        "task": output.name,
        "title": f"{task}, thresholds from {name} for {aim}",
        "data": f"{task}; {name}: {int(chosen_on.sum())} rows to choose, {kept['rows']} to measure",
        "temperature": heat,
        "thresholds": dict(zip(labels, new.tolist(), strict=True)),
        "precision": _least_precision(odds[chosen_on], actual[chosen_on], new, aim),
        "scores": {"kept": {k: v for k, v in kept.items() if isinstance(v, float)}},
        "recalibrated": {"from": task, "rows": name, "aim": str(aim)},
    }
    at = points(odds[~chosen_on], actual[~chosen_on], labels, new, grid=())
    return {
        "card": _write(source, output, about),
        "kept": kept,
        "thresholds": {label: rows[0] for label, rows in at.items()},
    }


def _check(model: Model, output: Path) -> None:
    if output.exists():
        raise UsageError(f"{output}: exists; name another folder")
    if output.name in model.tasks:
        raise UsageError(
            f"{output}: the model has a task {output.name!r}; a folder's name becomes its task's, "
            "choose another"
        )


def _choose(odds: np.ndarray, actual: np.ndarray, aim: Aim) -> np.ndarray:
    if aim.false_positive_rate is not None:
        return calibration.thresholds_for_false_positives(odds, actual, aim.false_positive_rate)
    return calibration.thresholds(odds, actual, aim.precision or 0.0)


def _least_precision(odds: np.ndarray, actual: np.ndarray, new: np.ndarray, aim: Aim) -> float:
    """What the card promises: the precision aimed at, or the least that a label has by the rate."""
    if aim.precision is not None:
        return aim.precision
    predicted, confidence = odds.argmax(1), odds.max(1)
    answered = confidence >= new[predicted]
    found = [
        float((actual[rows] == label).mean())
        for label in range(len(new))
        if (rows := answered & (predicted == label)).any()
    ]
    return round(min(found, default=0.0), 4)


def _groups(table: Table, field: str) -> Sequence[str]:
    if table.groups:
        return table.groups
    if find_spec("publicsuffixlist") is None:
        raise UsageError(
            "telling which rows belong together needs more: pip install publicsuffixlist, or name "
            "a column with --group"
        )
    from unmist.train import holdout

    return holdout.kin(table.texts, field)


def _is_first(group: str) -> bool:
    """Whether a group is of the half to choose on: by its hash, so that the same rows always give
    the same halves."""
    return (
        hashlib.sha256(b"unmist-half:" + group.encode("utf-8", "surrogatepass")).digest()[0] < 128
    )


def _logits(
    model: Model, task: str, texts: list[str], progress: Callable[[int], object]
) -> tuple[np.ndarray, np.ndarray]:
    """float64 [n, labels], but for a constant in each row, which changes nothing; and whether each
    row is of the kind that the specialist knows."""
    odds, open_to = ask(model, task, [Example(text, "", "") for text in texts], progress)
    whole = np.maximum(odds.astype(np.float64), _TINY)
    return np.log(whole) * model.card(task).temperature, open_to


def _write(source: Path, output: Path, about: dict[str, Any]) -> dict[str, Any]:
    """A copy of an adapter folder with another card, whole or not at all."""
    card: dict[str, Any] = json.loads((source / layout.TASK).read_text()) | about
    output.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".unmist-", dir=output.parent) as unfinished:
        folder = Path(unfinished) / output.name
        shutil.copytree(source, folder)
        (folder / layout.TASK).write_text(json.dumps(card, indent=1) + "\n")
        manifest.write(folder, f"unmist-adapter-{output.name}", "1")
        folder.replace(output)
    return card
